/* SPDX-License-Identifier: Apache-2.0 */
#include "node/config.h"

#include <assert.h>
#include <ctype.h>
#include <ini.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zmq.h>

#include "proto/clock.h"
#include "proto/scope.h"

#define KIB INT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define TIB (GIB * 1024)

#define MINUTE_MS INT64_C(60000)
#define DAY_MS (MINUTE_MS * 60 * 24)
#define DOOR_MAX 1000000
#define QUOTA_MAX 100000000

enum type { TYPE_PATH, TYPE_ENDPOINT, TYPE_SIZE, TYPE_DURATION, TYPE_COUNT, TYPE_LOG_LEVEL, TYPE_KEYS };

struct setting {
	const char *section, *key;
	enum type type;
	size_t offset, size;  /* of the member of struct config */
	const char *fallback; /* what stands there when nobody says anything */
	int64_t min, max;     /* of numbers: bytes, milliseconds, count */
	const char *help;
};

#define QUOTA(kind, part) MEMBER(quota.of[kind].part)
#define MEMBER(m) offsetof(struct config, m), sizeof((struct config *)NULL)->m

static const struct setting settings[] = {
	{"node", "dir", TYPE_PATH, MEMBER(dir), "/var/lib/holon", 0, 0,
	 "the node's directory: keys, trust, store and control socket"},
	{"listen", "own", TYPE_ENDPOINT, MEMBER(own), "", 0, 0,
	 "where nodes of the own organisation connect, tcp://host:port; empty: as the credential says; none: "
	 "nowhere"},
	{"listen", "border", TYPE_ENDPOINT, MEMBER(border), "", 0, 0,
	 "where border nodes of partners connect; empty: as the credential says; none: nowhere"},
	{"listen", "control", TYPE_ENDPOINT, MEMBER(control), "none", 0, 0,
	 "where administrators and adapters connect whose keys stand in [control]; none: nowhere"},
	{"listen", "enrol", TYPE_ENDPOINT, MEMBER(enrol), "none", 0, 0,
	 "where machines ask to join that were invited here (holon node invite); needs admin.organisation; "
	 "none: nowhere"},
	{"admin", "organisation", TYPE_PATH, MEMBER(organisation), "none", 0, 0,
	 "directory of the organisation: this admin node renews its credentials and takes its bundle by "
	 "itself; "
	 "none: by hand"},
	{"control", "key", TYPE_KEYS, MEMBER(control_keys), "", 0, 0,
	 "public key, 40 characters of Z85, of one who may give orders over the network; one line for each"},
	{"limits", "store-size", TYPE_SIZE, MEMBER(store_bytes), "64GiB", 16 * MIB, 16 * TIB,
	 "ceiling of each environment of the store: address space, not disk"},
	{"limits", "frame-border", TYPE_SIZE, MEMBER(frame_border_bytes), "64KiB", 4 * KIB, 16 * MIB,
	 "largest frame taken from another organisation"},
	{"limits", "frame-own", TYPE_SIZE, MEMBER(frame_own_bytes), "1MiB", 4 * KIB, 64 * MIB,
	 "largest frame taken from a node of the own organisation"},
	{"limits", "handshake", TYPE_DURATION, MEMBER(handshake_ms), "3s", 100, MINUTE_MS,
	 "a connection that has not proved its key by then is cut"},
	{"limits", "receive-mark", TYPE_COUNT, MEMBER(receive_mark), "64", 1, 100000,
	 "frames of one peer that may wait to be read"},
	{"limits", "send-mark", TYPE_COUNT, MEMBER(send_mark), "256", 1, 100000,
	 "frames to one peer that may wait to be sent; with more the session ends"},
	{"limits", "handshakes-key", TYPE_COUNT, MEMBER(door.key_rate), "10", 1, DOOR_MAX,
	 "times a minute that one key of a node is let in"},
	{"limits", "handshakes-key-burst", TYPE_COUNT, MEMBER(door.key_burst), "20", 1, DOOR_MAX,
	 "times at once after a quiet time"},
	{"limits", "handshakes-address", TYPE_COUNT, MEMBER(door.address_rate), "60", 1, DOOR_MAX,
	 "times a minute that an address is heard: strangers and, apart from them, nodes of each partner"},
	{"limits", "handshakes-address-burst", TYPE_COUNT, MEMBER(door.address_burst), "120", 1, DOOR_MAX,
	 "times at once after a quiet time"},
	{"limits", "handshakes-org", TYPE_COUNT, MEMBER(door.org_rate), "120", 1, DOOR_MAX,
	 "times a minute that nodes of one partner organisation are let in"},
	{"limits", "handshakes-org-burst", TYPE_COUNT, MEMBER(door.org_burst), "240", 1, DOOR_MAX,
	 "times at once after a quiet time"},
	{"limits", "handshakes-total", TYPE_COUNT, MEMBER(door.total_rate), "500", 10, DOOR_MAX,
	 "times a second that anybody is heard; half of it is for known nodes, a quarter for own ones"},
	{"limits", "connections-key", TYPE_COUNT, MEMBER(door.key_connections), "4", 1, DOOR_MAX,
	 "connections of one key at the same time"},
	{"limits", "connections-org", TYPE_COUNT, MEMBER(door.org_connections), "16", 1, DOOR_MAX,
	 "connections of one partner organisation at the same time"},
	{"limits", "partner-rows", TYPE_COUNT, QUOTA(QUOTA_ROWS, rate), "50000", 1, QUOTA_MAX,
	 "rows a second that one partner organisation is sent"},
	{"limits", "partner-rows-burst", TYPE_COUNT, QUOTA(QUOTA_ROWS, burst), "2000000", 1, QUOTA_MAX,
	 "rows at once after a quiet time: all that it may see, when it begins"},
	{"limits", "partner-pulls", TYPE_COUNT, QUOTA(QUOTA_PULLS, rate), "1000", 1, QUOTA_MAX,
	 "times a second that it asks for rows; over it, it is told to ask later"},
	{"limits", "partner-pulls-burst", TYPE_COUNT, QUOTA(QUOTA_PULLS, burst), "5000", 1, QUOTA_MAX,
	 "times at once after a quiet time"},
	{"limits", "partner-repairs", TYPE_COUNT, QUOTA(QUOTA_REPAIRS, rate), "50", 1, QUOTA_MAX,
	 "the same of questions by which it finds where it differs"},
	{"limits", "partner-repairs-burst", TYPE_COUNT, QUOTA(QUOTA_REPAIRS, burst), "2000", 1, QUOTA_MAX,
	 "times at once after a quiet time"},
	{"limits", "partner-heads", TYPE_COUNT, QUOTA(QUOTA_HEADS, rate), "4000", 1, QUOTA_MAX,
	 "heads of origins a second that it shows (asking for all counts as 40); with more its session ends"},
	{"limits", "partner-heads-burst", TYPE_COUNT, QUOTA(QUOTA_HEADS, burst), "20000", 1, QUOTA_MAX,
	 "heads at once after a quiet time"},
	{"limits", "partner-questions", TYPE_COUNT, QUOTA(QUOTA_QUESTIONS, rate), "1000", 1, QUOTA_MAX,
	 "live questions a second of one partner; over it, they are answered with a refusal"},
	{"limits", "partner-questions-burst", TYPE_COUNT, QUOTA(QUOTA_QUESTIONS, burst), "5000", 1, QUOTA_MAX,
	 "times at once after a quiet time"},
	{"limits", "session", TYPE_DURATION, MEMBER(session_ms), "1440min", 1000, 30 * DAY_MS,
	 "a connection this node made is begun anew, with new keys, when it is so old"},
	{"mesh", "heads-every", TYPE_DURATION, MEMBER(heads_every_ms), "1s", 10, 60 * MINUTE_MS,
	 "a peer of an older release hears at least this often what there is"},
	{"mesh", "ping-every", TYPE_DURATION, MEMBER(ping_every_ms), "2s", 10, 60 * MINUTE_MS,
	 "a peer hears at least this often that nothing has changed; the same at all nodes"},
	{"mesh", "silence", TYPE_DURATION, MEMBER(silence_ms), "15s", 100, 60 * MINUTE_MS,
	 "a peer silent for so long counts as gone, most of them sooner: about three times ping-every"},
	{"mesh", "publish-every", TYPE_DURATION, MEMBER(publish_every_ms), "50ms", 1, MINUTE_MS,
	 "changes are announced at most this often"},
	{"mesh", "two-lives", TYPE_DURATION, MEMBER(fork_margin_ms), "1min", 1000, 60 * MINUTE_MS,
	 "when two nodes have spoken with one key for so long, neither is served until an administrator "
	 "chooses "
	 "(holon peer forks)"},
	{"trust", "freshness-every", TYPE_DURATION, MEMBER(freshness_every_ms), "10s", 1000, 60 * MINUTE_MS,
	 "a node with the role admin says so often what manifest, policy and revocations are the newest"},
	{"trust", "freshness-ttl", TYPE_DURATION, MEMBER(freshness_ttl_ms), "15min", 2000, DAY_MS,
	 "a node that has not heard that for so long serves no other organisation; several times "
	 "freshness-every"},
	{"view", "deadline", TYPE_DURATION, MEMBER(deadline_ms), "1s", 1, 60 * MINUTE_MS,
	 "a view takes the last summaries of whoever has not answered by then"},
	{"view", "members-max", TYPE_COUNT, MEMBER(view_members_max), "2000000", 1, 1000000000,
	 "a view goes through at most so many members at one node, unless it asks for more"},
	{"view", "watch-refresh", TYPE_DURATION, MEMBER(watch_refresh_ms), "10s", 100, 60 * MINUTE_MS,
	 "a watched view asks all owners anew this often, also those whose summaries have not changed"},
	{"store", "commit-interval", TYPE_DURATION, MEMBER(commit_interval_ms), "0s", 0, MINUTE_MS,
	 "changes wait so long to share one commit; 0s: not at all, 1s: less wear on flash"},
	{"store", "checkpoint-every", TYPE_DURATION, MEMBER(checkpoint_every_ms), "1min", 100, DAY_MS,
	 "the log is written behind at least this often"},
	{"store", "tombstone-age", TYPE_DURATION, MEMBER(tombstone_age_ms), "10080min", 1000, 3650 * DAY_MS,
	 "so long is it known that a twin was deleted; who was away for longer compares all that he holds"},
	{"store", "tombstone-max", TYPE_COUNT, MEMBER(tombstone_max), "100000", 0, 1000000000,
	 "of each origin at most so many deletions are known, the newest"},
	{"log", "level", TYPE_LOG_LEVEL, MEMBER(log_level), "info", 0, 0, "error, warning, info or debug"},
};

enum { N_SETTINGS = sizeof settings / sizeof settings[0], Z85_CHARS = 40 };

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

struct unit {
	const char *name;
	int64_t factor;
};

/* The largest first. */
static const struct unit sizes[] = {{"TiB", TIB}, {"GiB", GIB}, {"MiB", MIB}, {"KiB", KIB}, {"", 1}};
static const struct unit durations[] = {{"min", MINUTE_MS}, {"s", 1000}, {"ms", 1}};
static const struct unit counts[] = {{"", 1}};

static const struct setting *find_setting(const char *section, const char *key)
{
	for (size_t i = 0; i < N_SETTINGS; i++)
		if (strcmp(settings[i].section, section) == 0 && strcmp(settings[i].key, key) == 0)
			return &settings[i];
	return NULL;
}

static bool is_section(const char *name)
{
	for (size_t i = 0; i < N_SETTINGS; i++)
		if (strcmp(settings[i].section, name) == 0)
			return true;
	return false;
}

static void number_text(const struct unit *units, int64_t n, char *ret, size_t size)
{
	while (units->factor > 1 && (n % units->factor != 0 || n == 0))
		units++;
	snprintf(ret, size, "%" PRId64 "%s", n / units->factor, units->name);
}

static const struct unit *units_of(enum type type)
{
	return type == TYPE_SIZE ? sizes : type == TYPE_DURATION ? durations : counts;
}

static int parse_digits(const char *text, const char **ret_end, int64_t *ret)
{
	const char *p = text;
	int64_t n = 0;

	for (; isdigit((unsigned char)*p); p++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *p - '0', &n))
			return FAIL(ERR_REFUSED);
	if (p == text)
		return FAIL(ERR_REFUSED);
	*ret_end = p;
	*ret = n;
	return 0;
}

static int parse_count(const char *text, int64_t *ret, struct err_note *note)
{
	const char *end = "";

	if (parse_digits(text, &end, ret) < 0 || *end)
		return FAIL_SAY(note, ERR_REFUSED, "\"%.40s\" is not a number, write for example 64", text);
	return 0;
}

static int parse_size(const char *text, int64_t *ret, struct err_note *note)
{
	const char *end = "";
	int64_t n = 0;

	if (parse_digits(text, &end, &n) == 0)
		for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
			if (strcmp(end, sizes[i].name) == 0 &&
			    !__builtin_mul_overflow(n, sizes[i].factor, ret))
				return 0;
	return FAIL_SAY(note, ERR_REFUSED, "\"%.40s\" is not a size, write for example 65536, 64KiB or 1GiB",
			text);
}

static int parse_milliseconds(const char *text, int64_t *ret, struct err_note *note)
{
	int64_t ns;

	TRY(duration_parse(text, &ns, note));
	if (ns % NS_PER_MS != 0)
		return FAIL_SAY(note, ERR_REFUSED, "\"%.40s\" is finer than a millisecond", text);
	*ret = ns / NS_PER_MS;
	return 0;
}

static int parse_level(const char *text, enum log_level *ret, struct err_note *note)
{
	for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++)
		if (strcmp(text, level_names[i]) == 0) {
			*ret = (enum log_level)i;
			return 0;
		}
	return FAIL_SAY(note, ERR_REFUSED, "\"%.40s\" is not one of error, warning, info and debug", text);
}

static int check_endpoint(const char *text, struct err_note *note)
{
	static const char scheme[] = "tcp://";
	assert(text);
	const char *colon = strrchr(text, ':');

	if (!*text || strcmp(text, "none") == 0)
		return 0;
	if (strncmp(text, scheme, sizeof scheme - 1) == 0 && colon >= text + sizeof scheme &&
	    (strcmp(colon, ":*") == 0 || isdigit((unsigned char)colon[1])) && !strpbrk(text, " ;,"))
		return 0;
	return FAIL_SAY(note, ERR_REFUSED, "\"%.80s\" is not tcp://host:port, nor none, nor empty", text);
}

static int take_text(const struct setting *s, char *member, const char *text, struct err_note *note)
{
	if (s->type == TYPE_ENDPOINT)
		TRY(check_endpoint(text, note));
	else if (!*text)
		return FAIL_SAY(note, ERR_REFUSED, "must not be empty");
	if (strlen(text) >= s->size)
		return FAIL_SAY(note, ERR_REFUSED, "longer than %zu characters", s->size - 1);
	memcpy(member, text, strlen(text) + 1);
	return 0;
}

static int take_number(const struct setting *s, int64_t *member, const char *text, struct err_note *note)
{
	char min[32], max[32];
	int64_t n = 0;

	switch (s->type) {
	case TYPE_SIZE: TRY(parse_size(text, &n, note)); break;
	case TYPE_DURATION: TRY(parse_milliseconds(text, &n, note)); break;
	case TYPE_COUNT:
	case TYPE_PATH:
	case TYPE_ENDPOINT:
	case TYPE_LOG_LEVEL:
	case TYPE_KEYS: TRY(parse_count(text, &n, note)); break;
	}
	if (n < s->min || n > s->max) {
		number_text(units_of(s->type), s->min, min, sizeof min);
		number_text(units_of(s->type), s->max, max, sizeof max);
		return FAIL_SAY(note, ERR_REFUSED, "%.40s is outside %s..%s", text, min, max);
	}
	*member = n;
	return 0;
}

static int add_key(struct config_keys *keys, struct bytes word, struct err_note *note)
{
	char text[Z85_CHARS + 1] = "";

	if (keys->n == CONTROL_KEYS_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "more than %d keys", CONTROL_KEYS_MAX);
	if (word.len == Z85_CHARS)
		memcpy(text, word.data, Z85_CHARS);
	if (word.len != Z85_CHARS || !zmq_z85_decode(keys->keys[keys->n].b, text))
		return FAIL_SAY(note, ERR_REFUSED, "\"%.*s\" is not a public key: 40 characters of Z85",
				word.len < 60 ? (int)word.len : 60, (const char *)word.data);
	keys->n++;
	return 0;
}

/* One or several, with blanks between them. */
static int add_keys(struct config_keys *keys, const char *text, struct err_note *note)
{
	for (text += strspn(text, " \t"); *text; text += strspn(text, " \t")) {
		const size_t len = strcspn(text, " \t");
		TRY(add_key(keys, (struct bytes){(const uint8_t *)text, len}, note));
		text += len;
	}
	return 0;
}

/* Keys join those that are there, anything else replaces it. */
static int take(struct config *c, const struct setting *s, const char *text, struct err_note *note)
{
	void *member = (char *)c + s->offset;

	switch (s->type) {
	case TYPE_PATH:
	case TYPE_ENDPOINT: return take_text(s, member, text, note);
	case TYPE_SIZE:
	case TYPE_DURATION:
	case TYPE_COUNT: return take_number(s, member, text, note);
	case TYPE_LOG_LEVEL: return parse_level(text, member, note);
	case TYPE_KEYS: return add_keys(member, text, note);
	}
	return FAIL(-EINVAL);
}

/* What a weaker source said is forgotten. */
static int take_anew(struct config *c, const struct setting *s, const char *text, struct err_note *note)
{
	if (s->type == TYPE_KEYS)
		memset((char *)c + s->offset, 0, s->size);
	return take(c, s, text, note);
}

void config_defaults(struct config *c)
{
	memset(c, 0, sizeof *c);
	for (size_t i = 0; i < N_SETTINGS; i++)
		if (take_anew(c, &settings[i], settings[i].fallback, NULL) < 0)
			abort(); /* the table contradicts itself */
}

struct reading {
	FILE *in;
	const char *path;
	struct config config;
	bool seen[N_SETTINGS];
	int line; /* the one being parsed */
	int failed;
	struct err_note *note;
};

/* libinih silently takes the rest of a line too long for it as the next line, and goes on after an error. */
static char *next_line(char *line, int size, void *user)
{
	struct reading *r = user;

	if (r->failed || !fgets(line, size, r->in))
		return NULL;
	r->line++;
	if (!strchr(line, '\n') && !feof(r->in)) {
		r->failed = FAIL_SAY(r->note, ERR_REFUSED, "%s:%d: longer than %d characters", r->path,
				     r->line, size - 2);
		return NULL;
	}
	return line;
}

static int fail_at(struct reading *r, const char *key, const char *what)
{
	return FAIL_SAY(r->note, ERR_REFUSED, "%s:%d: %.40s: %s", r->path, r->line, key, what);
}

static int take_line(struct reading *r, const char *section, const char *key, const char *value)
{
	const struct setting *s = find_setting(section, key);
	struct err_note why = {""};

	if (!s && !*section)
		return fail_at(r, key, "stands before the first [section]");
	if (!s && !is_section(section))
		return FAIL_SAY(r->note, ERR_REFUSED, "%s:%d: there is no section [%.40s]", r->path, r->line,
				section);
	if (!s)
		return FAIL_SAY(r->note, ERR_REFUSED, "%s:%d: %.40s: there is no such setting in [%s]",
				r->path, r->line, key, section);
	const bool seen = r->seen[s - settings];
	if (seen && s->type != TYPE_KEYS)
		return fail_at(r, key, "is set twice");
	r->seen[s - settings] = true;
	const int taken = seen ? take(&r->config, s, value, &why) : take_anew(&r->config, s, value, &why);
	return taken < 0 ? fail_at(r, key, why.text) : 0;
}

/* 1 is libinih's word for success. */
static int on_line(void *user, const char *section, const char *key, const char *value)
{
	struct reading *r = user;

	if (r->failed == 0)
		r->failed = take_line(r, section, key, value);
	return r->failed == 0;
}

static void scope_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

int config_read(struct config *c, const char *path, bool must_exist, struct err_note *note)
{
	SCOPED(scope_file) FILE *in = fopen(path, "r");

	if (!in && errno == ENOENT && !must_exist)
		return 0;
	if (!in)
		return FAIL_SAY(note, ERR_REFUSED, "%s: %s", path, strerror(errno));
	struct reading r = {.in = in, .path = path, .config = *c, .note = note};
	int wrong = ini_parse_stream(next_line, &r, on_line, &r);
	/* libinih tells of the first line it cannot read only at the end; ours may be a later one */
	if (wrong > 0 && (r.failed == 0 || wrong < r.line))
		return FAIL_SAY(note, ERR_REFUSED, "%s:%d: neither [section] nor key = value", path, wrong);
	if (r.failed < 0)
		return err_step(r.failed, __FILE__, __LINE__);
	if (wrong < 0 || ferror(in))
		return FAIL_SAY(note, ERR_REFUSED, "%s: cannot be read", path);
	*c = r.config;
	return 0;
}

/* HOLON_LIMITS_STORE_SIZE of limits, store-size; the case of letters does not matter. */
static bool is_named(const struct setting *s, const char *variable, size_t len)
{
	char name[64];
	int n = snprintf(name, sizeof name, "HOLON_%s_%s", s->section, s->key);

	for (char *p = name; *p; p++)
		if (*p == '-')
			*p = '_';
	return (size_t)n == len && strncasecmp(name, variable, len) == 0;
}

static bool is_of_a_section(const char *variable)
{
	char start[64];

	for (size_t i = 0; i < N_SETTINGS; i++) {
		int n = snprintf(start, sizeof start, "HOLON_%s_", settings[i].section);
		if (strncasecmp(variable, start, (size_t)n) == 0)
			return true;
	}
	return false;
}

static int take_variable(struct config *c, const char *variable, struct err_note *note)
{
	const char *equals = strchr(variable, '=');
	const int len = equals ? (int)(equals - variable) : 0;
	struct err_note why = {""};

	if (!equals || !is_of_a_section(variable))
		return 0; /* not ours, or not a setting (HOLON_TAP) */
	for (size_t i = 0; i < N_SETTINGS; i++) {
		if (!is_named(&settings[i], variable, (size_t)len))
			continue;
		if (take_anew(c, &settings[i], equals + 1, &why) < 0)
			return FAIL_SAY(note, ERR_REFUSED, "%.*s: %s", len, variable, why.text);
		return 0;
	}
	return FAIL_SAY(note, ERR_REFUSED, "%.*s: there is no such setting", len < 60 ? len : 60, variable);
}

int config_environment(struct config *c, char *const environment[], struct err_note *note)
{
	struct config fresh = *c;

	for (size_t i = 0; environment[i]; i++)
		TRY(take_variable(&fresh, environment[i], note));
	*c = fresh;
	return 0;
}

int config_set(struct config *c, const char *assignment, struct err_note *note)
{
	const size_t len = strcspn(assignment, "=");
	char name[64], *dot;
	struct err_note why = {""};

	if (assignment[len] != '=' || len >= sizeof name)
		return FAIL_SAY(note, ERR_REFUSED, "\"%.60s\" is not section.key=value", assignment);
	memcpy(name, assignment, len);
	name[len] = '\0';
	dot = strchr(name, '.');
	if (!dot)
		return FAIL_SAY(note, ERR_REFUSED, "\"%.60s\" is not section.key=value", assignment);
	*dot = '\0';
	const struct setting *s = find_setting(name, dot + 1);
	if (!s)
		return FAIL_SAY(note, ERR_REFUSED, "%s.%s: there is no such setting", name, dot + 1);
	struct config fresh = *c; /* half a list of keys is none */
	if (take_anew(&fresh, s, assignment + len + 1, &why) < 0)
		return FAIL_SAY(note, ERR_REFUSED, "%s.%s: %s", name, dot + 1, why.text);
	*c = fresh;
	return 0;
}

static void print_keys(const struct setting *s, const struct config_keys *keys, FILE *out)
{
	char text[Z85_CHARS + 1];

	if (keys->n == 0)
		fprintf(out, "# %s =\n", s->key);
	for (size_t i = 0; i < keys->n; i++)
		fprintf(out, "%s = %s\n", s->key, zmq_z85_encode(text, keys->keys[i].b, KEY_BYTES));
}

static void print_value(const struct config *c, const struct setting *s, FILE *out)
{
	const void *member = (const char *)c + s->offset;
	char text[32];

	switch (s->type) {
	case TYPE_PATH:
	case TYPE_ENDPOINT: fprintf(out, "%s = %s\n", s->key, (const char *)member); break;
	case TYPE_LOG_LEVEL:
		fprintf(out, "%s = %s\n", s->key, level_names[*(const enum log_level *)member]);
		break;
	case TYPE_KEYS: print_keys(s, member, out); break;
	case TYPE_SIZE:
	case TYPE_DURATION:
	case TYPE_COUNT:
		number_text(units_of(s->type), *(const int64_t *)member, text, sizeof text);
		fprintf(out, "%s = %s\n", s->key, text);
		break;
	}
}

void config_dump(const struct config *c, FILE *out)
{
	const char *section = "";

	for (size_t i = 0; i < N_SETTINGS; i++) {
		const struct setting *s = &settings[i];
		if (strcmp(section, s->section) != 0)
			fprintf(out, "%s[%s]\n", i > 0 ? "\n" : "", s->section);
		section = s->section;
		fprintf(out, "# %s\n", s->help);
		print_value(c, s, out);
	}
}
