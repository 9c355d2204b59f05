/* SPDX-License-Identifier: Apache-2.0 */
#include "node/tail_map.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/clock.h"
#include "proto/id.h"
#include "proto/unit.h"

static const char *const starts[] = {"start", "end", NULL};
static const char *const times[] = {"iso", "s", "ms", "us", "ns", NULL};

/* ---- The configuration -----------------------------------------------------------------------------------
 */

struct map_keys {
	struct tail_map map;
	const char *separator;
	int start;
	const json_t *time, *columns;
};

static const struct setting map_keys[] = {
	{.name = "file",
	 .type = SETTING_TEXT,
	 SETTING_IN(struct map_keys, map.file),
	 .required = true,
	 .min = 1,
	 .max = 1000},
	{.name = "separator",
	 .type = SETTING_TEXT,
	 SETTING_IN(struct map_keys, separator),
	 .min = 1,
	 .max = 1},
	{.name = "header", .type = SETTING_BOOL, SETTING_IN(struct map_keys, map.has_header)},
	{.name = "from", .type = SETTING_WORD, SETTING_IN(struct map_keys, start), .words = starts},
	{.name = "every",
	 .type = SETTING_DURATION,
	 SETTING_IN(struct map_keys, map.every_ns),
	 .min = 1e7,
	 .max = 3.6e12},
	{.name = "time", .type = SETTING_OBJECT, SETTING_IN(struct map_keys, time)},
	{.name = "columns",
	 .type = SETTING_LIST,
	 SETTING_IN(struct map_keys, columns),
	 .required = true,
	 .min = 1,
	 .max = TAIL_COLUMNS_MAX},
	{0}};

struct cell_keys {
	const json_t *cell;
	struct tail_column column;
	int form;
};

static const struct setting time_keys[] = {
	{.name = "column", .type = SETTING_ANY, SETTING_IN(struct cell_keys, cell), .required = true},
	{.name = "format", .type = SETTING_WORD, SETTING_IN(struct cell_keys, form), .words = times},
	{0}};

static const struct setting column_keys[] = {
	{.name = "column", .type = SETTING_ANY, SETTING_IN(struct cell_keys, cell), .required = true},
	{.name = "twin",
	 .type = SETTING_TEXT,
	 SETTING_IN(struct cell_keys, column.twin),
	 .required = true,
	 .min = 1},
	{.name = "property",
	 .type = SETTING_TEXT,
	 SETTING_IN(struct cell_keys, column.property),
	 .required = true},
	{.name = "unit", .type = SETTING_TEXT, SETTING_IN(struct cell_keys, column.unit), .max = UNIT_MAX},
	{.name = "scale", .type = SETTING_NUMBER, SETTING_IN(struct cell_keys, column.scale)},
	{.name = "offset", .type = SETTING_NUMBER, SETTING_IN(struct cell_keys, column.offset)},
	{0}};

static int read_cell(const struct setting_at *up, const json_t *j, bool has_header, struct tail_cell *ret,
		     struct err_note *note)
{
	const struct setting_at at = setting_key(up, "column");
	const json_int_t number = json_integer_value(j);

	*ret = (struct tail_cell){.name = json_string_value(j), .place = SIZE_MAX};
	if (ret->name && !has_header)
		return setting_fail(&at, note, "without a header it must be a number, the first one is 1");
	if (ret->name)
		return 0;
	if (number < 1 || number > TAIL_CELLS_MAX)
		return setting_fail(&at, note, "it must be a name in the header, or a number from 1 to %d",
				    TAIL_CELLS_MAX);
	ret->place = (size_t)number - 1;
	return 0;
}

static int read_time(const struct setting_at *top, const json_t *j, struct tail_map *m, struct err_note *note)
{
	const struct setting_at at = setting_key(top, "time");
	struct cell_keys k = {0};

	if (!j)
		return 0;
	TRY(setting_read(&at, time_keys, &k, note));
	TRY(read_cell(&at, k.cell, m->has_header, &m->time, note));
	m->has_time = true;
	m->time_form = k.form;
	return 0;
}

static int read_column(const struct setting_at *at, bool has_header, struct tail_column *ret,
		       struct err_note *note)
{
	struct cell_keys k = {.column = {.scale = 1}};
	struct err_note why = {0};

	TRY(setting_read(at, column_keys, &k, note));
	TRY(read_cell(at, k.cell, has_header, &k.column.cell, note));
	if (id_check_name(k.column.property, "property", &why) < 0)
		return setting_blame(at, ERR_REFUSED, &why, note);
	if (!strchr(k.column.twin, '{') && id_check_twin(k.column.twin, &why) < 0)
		return setting_blame(at, ERR_REFUSED, &why, note);
	if (k.column.unit && unit_check(k.column.unit, &why) < 0)
		return setting_blame(at, ERR_UNIT, &why, note);
	*ret = k.column;
	return 0;
}

int tail_map_read(struct arena *a, const char *name, const json_t *config, struct tail_map *ret,
		  struct err_note *note)
{
	const struct setting_at top = {.key = name, .json = config};
	struct map_keys k = {.map = {.has_header = true, .every_ns = 500 * NS_PER_MS}, .separator = ","};
	struct tail_map *m = &k.map;

	TRY(setting_read(&top, map_keys, &k, note));
	m->separator = k.separator[0];
	m->from_end = k.start == 1;
	TRY(read_time(&top, k.time, m, note));
	const struct setting_at list = setting_key(&top, "columns");
	m->n_columns = json_array_size(k.columns);
	m->columns = arena_take_array(a, m->n_columns, sizeof *m->columns);
	if (!m->columns)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < m->n_columns; i++) {
		const struct setting_at item = setting_item(&list, i);
		TRY(read_column(&item, m->has_header, &m->columns[i], note));
	}
	*ret = *m;
	return 0;
}

/* ---- Lines -----------------------------------------------------------------------------------------------
 */

/* One cell from `from` on; its end, NULL: its quote does not end. */
static char *cut_quoted(char *from)
{
	char *to = from;

	for (char *at = from + 1;; at++) {
		if (*at == '\0')
			return NULL;
		if (*at == '"' && at[1] != '"') {
			*to = '\0';
			return at + 1;
		}
		at += *at == '"';
		*to++ = *at;
	}
}

int tail_cut(char *line, char separator, struct tail_line *ret, struct err_note *note)
{
	const char ends[] = {separator, '\0'};
	size_t len = strlen(line);

	if (len > 0 && line[len - 1] == '\r')
		line[len - 1] = '\0';
	ret->n = 0;
	for (char *at = line;; at++) {
		if (ret->n == TAIL_CELLS_MAX)
			return FAIL_SAY(note, ERR_REFUSED, "the line has more than %d cells", TAIL_CELLS_MAX);
		ret->cells[ret->n++] = at;
		char *end = *at == '"' ? cut_quoted(at) : at + strcspn(at, ends);
		if (!end || (*end != '\0' && *end != separator))
			return FAIL_SAY(note, ERR_REFUSED, "cell %zu: a quote is not in its place", ret->n);
		const bool last = *end == '\0';
		*end = '\0';
		if (last)
			return 0;
		at = end;
	}
}

const char *tail_text(const struct tail_line *line, const struct tail_cell *cell)
{
	return cell->place < line->n ? line->cells[cell->place] : NULL;
}

static int find(const struct tail_map *m, struct tail_cell *cell, struct err_note *note)
{
	if (!cell->name)
		return 0;
	cell->place = SIZE_MAX;
	for (size_t i = 0; i < m->n_header && cell->place == SIZE_MAX; i++)
		if (strcmp(m->header[i], cell->name) == 0)
			cell->place = i;
	if (cell->place == SIZE_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "%.120s has no column '%.60s' in its first line", m->file,
				cell->name);
	return 0;
}

int tail_map_header(struct tail_map *m, struct arena *a, struct bytes line, struct err_note *note)
{
	struct tail_line *cut = arena_take(a, sizeof *cut);
	char *text = arena_text(a, line);

	if (!cut || !text)
		return FAIL(-ENOMEM);
	TRY(tail_cut(text, m->separator, cut, note));
	m->header = cut->cells;
	m->n_header = cut->n;
	if (m->has_time)
		TRY(find(m, &m->time, note));
	for (size_t i = 0; i < m->n_columns; i++)
		TRY(find(m, &m->columns[i].cell, note));
	return 0;
}

int tail_line_time(const struct tail_map *m, const struct tail_line *line, int64_t *ret_ns,
		   struct err_note *note)
{
	static const double unit_ns[] = {[TAIL_S] = 1e9, [TAIL_MS] = 1e6, [TAIL_US] = 1e3, [TAIL_NS] = 1};
	const char *text = tail_text(line, &m->time);
	char *end;

	if (!text)
		return FAIL_SAY(note, ERR_REFUSED, "the line has no cell %zu for its time",
				m->time.place + 1);
	if (m->time_form == TAIL_ISO)
		return time_parse(text, ret_ns, note);
	errno = 0;
	const long long whole = strtoll(text, &end, 10);
	const double part = *end == '.' ? strtod(end, &end) : 0, unit = unit_ns[m->time_form];
	if (end == text || *end != '\0' || errno != 0 || fabs((double)whole) * unit > 9.2e18)
		return FAIL_SAY(note, ERR_REFUSED, "'%.60s' is no time in %s", text, times[m->time_form]);
	*ret_ns = whole * (int64_t)unit + (int64_t)((text[0] == '-' ? -part : part) * unit);
	return 0;
}

/* A name of the header, or a number. */
static const char *named(const struct tail_map *m, const struct tail_line *line, const char *name, size_t len)
{
	struct tail_cell cell = {.place = SIZE_MAX};
	char *end;

	for (size_t i = 0; i < m->n_header && cell.place == SIZE_MAX; i++)
		if (strlen(m->header[i]) == len && memcmp(m->header[i], name, len) == 0)
			cell.place = i;
	if (cell.place == SIZE_MAX) {
		const unsigned long number = strtoul(name, &end, 10);
		cell.place = end == name + len && number > 0 ? number - 1 : SIZE_MAX;
	}
	return tail_text(line, &cell);
}

int tail_twin(const struct tail_map *m, const struct tail_line *line, const char *twin,
	      char ret[TWIN_ID_MAX + 1], struct err_note *note)
{
	size_t n = 0;

	for (const char *at = twin; *at;) {
		const char *piece = at;
		size_t len = strcspn(at, "{");
		at += len;
		const char *close = len == 0 ? strchr(at, '}') : NULL;
		if (close) {
			piece = named(m, line, at + 1, (size_t)(close - at) - 1);
			if (!piece || !id_is_name(bytes_of_text(piece)))
				return FAIL_SAY(note, ERR_REFUSED, "'%.60s' in %.*s cannot be part of an id",
						piece ? piece : "nothing", (int)(close - at) + 1, at);
			len = strlen(piece);
			at = close + 1;
		} else if (len == 0) {
			return FAIL_SAY(note, ERR_REFUSED, "'%.80s': a brace is not closed", twin);
		}
		if (n + len > TWIN_ID_MAX)
			return FAIL_SAY(note, ERR_REFUSED, "the id of the twin is longer than %d",
					TWIN_ID_MAX);
		memcpy(ret + n, piece, len);
		n += len;
	}
	ret[n] = '\0';
	return id_check_twin(ret, note);
}
