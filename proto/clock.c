/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "proto/words.h"

enum { YEAR_MIN = 1678, YEAR_MAX = 2261, S_PER_DAY = 86400 };

struct civil {
	int year, month, day;
};

/* Days since 1970-01-01 in the proleptic Gregorian calendar, and back. Years begin in March here, so the leap
 * day is the last of its year; an era is 400 years (Howard Hinnant, "chrono-compatible low-level date
 * algorithms"). Only positive years come in. */
static int64_t days_of(struct civil c)
{
	const int y = c.month <= 2 ? c.year - 1 : c.year;
	const int era = y / 400, of_era = y % 400;
	const int of_year = (153 * (c.month > 2 ? c.month - 3 : c.month + 9) + 2) / 5 + c.day - 1;

	return (int64_t)era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static struct civil civil_of(int64_t days)
{
	const int64_t z = days + 719468;
	const int of_era = (int)(z % 146097);
	const int year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	const int of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	const int m = (5 * of_year + 2) / 153;
	const int month = m < 10 ? m + 3 : m - 9;

	return (struct civil){
		.year = (int)(z / 146097) * 400 + year_of_era + (month <= 2),
		.month = month,
		.day = of_year - (153 * m + 2) / 5 + 1,
	};
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

/* Exactly n digits, moving *p behind them; -1 when there are fewer. */
static int digits(const char **p, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++, (*p)++) {
		if (**p < '0' || **p > '9')
			return -1;
		v = v * 10 + (**p - '0');
	}
	return v;
}

static bool skip(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

static bool parse_date(const char **p, struct civil *ret)
{
	ret->year = digits(p, 4);
	if (ret->year < YEAR_MIN || ret->year > YEAR_MAX || !skip(p, '-'))
		return false;
	ret->month = digits(p, 2);
	if (ret->month < 1 || ret->month > 12 || !skip(p, '-'))
		return false;
	ret->day = digits(p, 2);
	return ret->day >= 1 && ret->day <= days_in_month(ret->year, ret->month);
}

/* `.25`, up to nine digits; nothing is no fraction. */
static bool parse_fraction(const char **p, int64_t *ret_ns)
{
	int64_t unit = NS_PER_S;

	*ret_ns = 0;
	if (!skip(p, '.'))
		return true;
	if (**p < '0' || **p > '9')
		return false;
	for (; **p >= '0' && **p <= '9'; (*p)++) {
		if ((unit /= 10) == 0)
			return false;
		*ret_ns += unit * (**p - '0');
	}
	return true;
}

static bool parse_time_of_day(const char **p, int64_t *ret_ns)
{
	int64_t fraction = 0;
	int second = 0;
	const int hour = digits(p, 2);

	if (hour < 0 || hour > 23 || !skip(p, ':'))
		return false;
	const int minute = digits(p, 2);
	if (minute < 0 || minute > 59)
		return false;
	if (skip(p, ':')) {
		second = digits(p, 2);
		if (second < 0 || second > 59 || !parse_fraction(p, &fraction))
			return false;
	}
	*ret_ns = (hour * 3600 + minute * 60 + second) * NS_PER_S + fraction;
	return true;
}

/* `Z`, `+01:00`, `+0100`, `+01` or nothing: how far the written time is ahead of UTC. */
static bool parse_zone(const char **p, int64_t *ret_ns)
{
	*ret_ns = 0;
	if (skip(p, 'Z') || skip(p, 'z') || **p == '\0')
		return true;
	const bool west = **p == '-';
	if (!skip(p, '+') && !skip(p, '-'))
		return false;
	const int hour = digits(p, 2);
	const int minute = skip(p, ':') || **p != '\0' ? digits(p, 2) : 0;
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
		return false;
	*ret_ns = (hour * 60 + minute) * 60 * NS_PER_S * (west ? -1 : 1);
	return true;
}

static bool parse_time(const char *p, int64_t *ret_ns)
{
	int64_t of_day = 0, zone = 0;
	struct civil c;

	if (!parse_date(&p, &c))
		return false;
	if (skip(&p, 'T') || skip(&p, 't') || skip(&p, ' '))
		if (!parse_time_of_day(&p, &of_day) || !parse_zone(&p, &zone))
			return false;
	if (*p != '\0')
		return false;
	/* Cannot overflow: the years allowed end months before the 64-bit range does. */
	*ret_ns = days_of(c) * S_PER_DAY * NS_PER_S + of_day - zone;
	return true;
}

int time_parse(const char *text, int64_t *ret_ns, struct err_note *note)
{
	int64_t ns;

	if (!parse_time(text_or_empty(text), &ns))
		return FAIL_SAY(note, ERR_REFUSED,
				"'%.60s' is not a time between %d and %d: write it like "
				"2011-01-01T00:00:00Z",
				text_or_empty(text), YEAR_MIN, YEAR_MAX);
	*ret_ns = ns;
	return 0;
}

const char *time_text(int64_t ns, char ret[TIME_TEXT_SIZE])
{
	if (ns == TIME_MIN || ns == TIME_MAX) {
		snprintf(ret, TIME_TEXT_SIZE, "%s", ns == TIME_MIN ? "always" : "forever");
		return ret;
	}
	int64_t s = ns / NS_PER_S, fraction = ns % NS_PER_S;
	if (fraction < 0) {
		fraction += NS_PER_S;
		s--;
	}
	int64_t day = s / S_PER_DAY, of_day = s % S_PER_DAY;
	if (of_day < 0) {
		of_day += S_PER_DAY;
		day--;
	}
	const struct civil c = civil_of(day);
	int n = snprintf(ret, TIME_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d", c.year, c.month, c.day,
			 (int)(of_day / 3600), (int)(of_day / 60 % 60), (int)(of_day % 60));
	int decimals = 9;
	while (decimals > 0 && fraction % 1000 == 0) {
		fraction /= 1000;
		decimals -= 3;
	}
	if (decimals > 0)
		n += snprintf(ret + n, (size_t)(TIME_TEXT_SIZE - n), ".%0*d", decimals, (int)fraction);
	snprintf(ret + n, (size_t)(TIME_TEXT_SIZE - n), "Z");
	return ret;
}

#define DAY_NS (86400 * NS_PER_S)
enum { FROM_DAYS = 2 }; /* what people read begins there */

static const struct duration_unit {
	const char *name;
	int64_t ns;
} units[] = {
	{"y", 365 * DAY_NS},    {"w", 7 * DAY_NS},      {"d", DAY_NS},
	{"h", 3600 * NS_PER_S}, {"min", 60 * NS_PER_S}, {"s", NS_PER_S},
	{"ms", NS_PER_MS},      {"us", 1000},           {"ns", 1},
};

/* One number with its unit. */
static bool parse_part(const char **p, int64_t *ret_ns)
{
	int64_t v = 0;

	if (**p < '0' || **p > '9')
		return false;
	for (; **p >= '0' && **p <= '9'; (*p)++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, **p - '0', &v))
			return false;
	const size_t n = strspn(*p, "abcdefghijklmnopqrstuvwxyz");
	for (size_t i = 0; i < N_WORDS(units); i++) {
		if (strlen(units[i].name) == n && memcmp(units[i].name, *p, n) == 0) {
			*p += n;
			return !__builtin_mul_overflow(v, units[i].ns, ret_ns);
		}
	}
	return false;
}

int duration_parse(const char *text, int64_t *ret_ns, struct err_note *note)
{
	const char *p = text_or_empty(text);
	int64_t sum = 0, part;

	do {
		if (!parse_part(&p, &part) || __builtin_add_overflow(sum, part, &sum))
			return FAIL_SAY(note, ERR_REFUSED,
					"'%.60s' is not a duration: write it like 250ms, 5s, 2min, "
					"1h30min or 30d",
					text_or_empty(text));
		skip(&p, ' ');
	} while (*p != '\0');
	*ret_ns = sum;
	return 0;
}

const char *duration_text(int64_t ns, char ret[DURATION_TEXT_SIZE])
{
	const char *sign = ns < 0 ? "-" : "";
	const uint64_t v = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	size_t i = FROM_DAYS;

	if (v == 0) {
		snprintf(ret, DURATION_TEXT_SIZE, "0s");
		return ret;
	}
	while (v < (uint64_t)units[i].ns)
		i++;
	const uint64_t unit = (uint64_t)units[i].ns, whole = v / unit, rest = v % unit;
	int n = snprintf(ret, DURATION_TEXT_SIZE, "%s%llu", sign, (unsigned long long)whole);
	const size_t room = (size_t)(DURATION_TEXT_SIZE - n);
	if (unit == (uint64_t)NS_PER_S && rest >= unit / 10)
		snprintf(ret + n, room, ".%us", (unsigned)(rest / (unit / 10)));
	else if (unit > (uint64_t)NS_PER_S && rest >= (uint64_t)units[i + 1].ns)
		snprintf(ret + n, room, "%s %u%s", units[i].name,
			 (unsigned)(rest / (uint64_t)units[i + 1].ns), units[i + 1].name);
	else
		snprintf(ret + n, room, "%s", units[i].name);
	return ret;
}

const char *duration_exact(int64_t ns, char ret[DURATION_TEXT_SIZE])
{
	size_t i = 0;

	while (ns % units[i].ns != 0)
		i++;
	snprintf(ret, DURATION_TEXT_SIZE, "%lld%s", (long long)(ns / units[i].ns), units[i].name);
	return ret;
}

int64_t time_floor(int64_t t_ns, int64_t step_ns)
{
	int64_t rest = t_ns % step_ns;

	rest += rest < 0 ? step_ns : 0;
	return t_ns < INT64_MIN + rest ? t_ns + (step_ns - rest) : t_ns - rest;
}
