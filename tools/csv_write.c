/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "tools/csv.h"
#include "tools/json.h"

void csv_put_text(FILE *out, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

void csv_put_number(FILE *out, double number)
{
	char text[NUMBER_TEXT_SIZE];

	if (isfinite(number))
		fputs(number_text(number, text), out);
}
