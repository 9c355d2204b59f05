/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/clock.h"
#include "security/keys.h"
#include "tools/client.h"
#include "tools/verb.h"

static bool in_table(const struct flag *f, const char *name)
{
	for (; f && f->name; f++)
		if (strcmp(f->name, name) == 0)
			return true;
	return false;
}

const char *flag_text(const struct context *ctx, const char *name)
{
	assert(in_table(global_flags, name) || in_table(ctx->command->flags, name));
	for (size_t i = ctx->n_given; i > 0; i--)
		if (strcmp(ctx->given[i - 1].flag, name) == 0)
			return ctx->given[i - 1].value;
	return NULL;
}

bool flag_given(const struct context *ctx, const char *name)
{
	return flag_text(ctx, name) != NULL;
}

bool flag_is_known(const struct context *ctx, const char *name)
{
	return in_table(ctx->command->flags, name);
}

const char **flag_all(const struct context *ctx, const char *name, size_t *ret_n)
{
	const char **all = arena_take_array(ctx->arena, ctx->n_given + 1, sizeof *all);

	*ret_n = 0;
	for (size_t i = 0; all && i < ctx->n_given; i++)
		if (strcmp(ctx->given[i].flag, name) == 0)
			all[(*ret_n)++] = ctx->given[i].value;
	return all;
}

/* `--at 2011-13-01: ...`: the flag before what is wrong with its value. */
static int blame_flag(const char *name, int r, const struct err_note *why, struct err_note *note)
{
	return r < 0 ? FAIL_SAY(note, ERR_REFUSED, "--%s: %s", name, why->text) : r;
}

int flag_time(const struct context *ctx, const char *name, int64_t fallback_ns, int64_t *ret_ns,
	      struct err_note *note)
{
	const char *text = flag_text(ctx, name);
	struct err_note why = {0};

	if (text)
		return blame_flag(name, time_parse(text, ret_ns, &why), &why, note);
	*ret_ns = fallback_ns;
	return 0;
}

int flag_duration(const struct context *ctx, const char *name, int64_t fallback_ns, int64_t *ret_ns,
		  struct err_note *note)
{
	const char *text = flag_text(ctx, name);
	struct err_note why = {0};

	if (text)
		return blame_flag(name, duration_parse(text, ret_ns, &why), &why, note);
	*ret_ns = fallback_ns;
	return 0;
}

int flag_count(const struct context *ctx, const char *name, uint32_t fallback, uint32_t *ret,
	       struct err_note *note)
{
	const char *text = flag_text(ctx, name);
	char *end;
	unsigned long number;

	*ret = fallback;
	if (!text)
		return 0;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (!strchr("0123456789", *text) || end == text || *end || errno || number > UINT32_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "--%s: %.80s is not a number from 0 to %u", name, text,
				UINT32_MAX);
	*ret = (uint32_t)number;
	return 0;
}

int flag_number(const struct context *ctx, const char *name, double fallback, double *ret,
		struct err_note *note)
{
	const char *text = flag_text(ctx, name);
	struct value v = {.real = fallback};
	struct err_note why = {0};

	if (text)
		TRY(blame_flag(name, value_parse(ctx->arena, VALUE_DOUBLE, text, &v, &why), &why, note));
	*ret = v.real;
	return 0;
}

void say(const char *format, ...)
{
	va_list args;

	fflush(stdout); /* a terminal shows both in the order they were written */
	fputs("holon: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

enum status say_failed(int code, const struct err_note *note)
{
	say("%s", note && *note->text ? note->text : err_text(code));
	return code == ERR_UNREACHABLE ? STATUS_UNREACHABLE : STATUS_FAILED;
}

enum status say_usage(const struct err_note *note)
{
	say("%s", note->text);
	return STATUS_USAGE;
}

static const char *flag_or_environment(const struct context *ctx, const char *flag, const char *variable)
{
	const char *text = flag_text(ctx, flag);

	return text ? text : getenv(variable);
}

static enum status open_encrypted(struct context *ctx, const char *url)
{
	const char *server = flag_or_environment(ctx, "server-key", "HOLON_SERVER_KEY");
	const char *own = flag_or_environment(ctx, "client-key", "HOLON_CLIENT_KEY");
	struct client_keys keys;
	struct err_note note = {0};
	int r;

	if (!server || !own) {
		say("%s: over a network both keys are needed: --server-key KEY and --client-key FILE", url);
		return STATUS_USAGE;
	}
	r = curve_key_parse(server, &keys.server, &note);
	if (r == 0)
		r = keys_init();
	if (r == 0)
		r = curve_pair_load(&ctx->key, own, &note);
	if (r < 0)
		return *note.text ? say_usage(&note) : say_failed(r, NULL);
	keys.own = ctx->key;
	r = client_open_encrypted(&ctx->client, url, &keys, ctx->timeout_ns, &note);
	return r < 0 ? say_failed(r, &note) : STATUS_OK;
}

/* The directory that `holon person invite` made. */
static int act_for_person(struct context *ctx, const char *dir, struct err_note *note)
{
	const char *key = arena_print(ctx->arena, "%s/person.key", dir);
	const char *path = arena_print(ctx->arena, "%s/credential", dir);
	struct bytes credential;

	if (!key || !path)
		return FAIL(-ENOMEM);
	TRY(keys_init());
	TRY(sign_key_load(&ctx->person, key, note));
	TRY(file_read(ctx->arena, path, CREDENTIAL_MAX, &credential, note));
	TRY(client_act_for(ctx->client, ctx->person, credential, note));
	TRY(client_renew_person(ctx->client, &credential, note));
	if (credential.len > 0 && write_file(path, credential, 0644, note) < 0) {
		say("the renewed credential could not be kept: %s", note->text);
		*note = (struct err_note){0};
	}
	return 0;
}

static enum status open_node(struct context *ctx)
{
	const char *endpoint = flag_text(ctx, "endpoint"), *node = flag_text(ctx, "node"), *url;
	struct err_note note = {0};
	int r;

	if (endpoint && node) {
		say("give --endpoint or --node, not both");
		return STATUS_USAGE;
	}
	if (!endpoint && !node) {
		endpoint = getenv("HOLON_ENDPOINT");
		node = getenv("HOLON_NODE");
	}
	if (client_endpoint(ctx->arena, endpoint, node, &url, &note) < 0)
		return say_usage(&note);
	if (strncmp(url, "tcp://", 6) == 0)
		return open_encrypted(ctx, url);
	r = client_open(&ctx->client, url, ctx->timeout_ns, &note);
	return r < 0 ? say_failed(r, &note) : STATUS_OK;
}

enum status ask_open(struct context *ctx)
{
	const char *person = flag_or_environment(ctx, "person", "HOLON_PERSON");
	struct err_note note = {0};

	if (ctx->client)
		return STATUS_OK;
	const enum status status = open_node(ctx);
	if (status != STATUS_OK || !person || !*person)
		return status;
	const int r = act_for_person(ctx, person, &note);
	return r < 0 ? say_failed(r, &note) : STATUS_OK;
}

struct control_request ask_for(enum control_op op)
{
	return (struct control_request){.op = op,
					.twin = "",
					.property = "",
					.name = "",
					.prefix = "",
					.tag = "",
					.alias = "",
					.after = "",
					.org = "",
					.right = "",
					.text = "",
					.question = {.hierarchy = ""}};
}

enum status ask_frankly(struct context *ctx, struct control_request *request, struct control_answer *ret)
{
	const enum status status = ask_open(ctx);
	struct err_note note = {0};
	int r;

	if (status != STATUS_OK)
		return status;
	r = client_ask(ctx->client, request, ctx->arena, ret, &note);
	return r < 0 ? say_failed(r, &note) : STATUS_OK;
}

enum status ask(struct context *ctx, struct control_request *request, struct control_answer *ret)
{
	const enum status status = ask_frankly(ctx, request, ret);

	if (status != STATUS_OK || ret->code >= 0)
		return status;
	say("%s", ret->text && *ret->text ? ret->text : err_text(ret->code));
	return ret->code == ERR_UNREACHABLE ? STATUS_DEGRADED : STATUS_FAILED;
}

static void close_file(FILE **f)
{
	if (*f && *f != stdin)
		fclose(*f);
}

int read_file(struct arena *a, const char *path, size_t max, struct bytes *ret, struct err_note *note)
{
	SCOPED(close_file) FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	SCOPED(buf_fini) struct buf b = {0};
	char part[16384], *text;
	size_t n;

	if (!f)
		return FAIL_SAY(note, -errno, "%s: %s", path, err_text(-errno));
	while ((n = fread(part, 1, sizeof part, f)) > 0 && b.len <= max)
		buf_put(&b, (struct bytes){(const uint8_t *)part, n});
	if (ferror(f))
		return FAIL_SAY(note, -EIO, "%s: cannot be read: %s", path, err_text(-errno));
	TRY(buf_check(&b));
	if (b.len > max)
		return FAIL_SAY(note, ERR_REFUSED, "%s: has more than %zu bytes", path, max);
	text = arena_text(a, buf_bytes(&b));
	if (!text)
		return FAIL(-ENOMEM);
	*ret = (struct bytes){(const uint8_t *)text, b.len};
	return 0;
}

static int write_all(int fd, struct bytes content)
{
	while (content.len > 0) {
		const ssize_t n = write(fd, content.data, content.len);
		if (n < 0 && errno != EINTR)
			return FAIL(-errno);
		if (n > 0)
			content = (struct bytes){content.data + n, content.len - (size_t)n};
	}
	return fsync(fd) == 0 ? 0 : FAIL(-errno);
}

int write_file(const char *path, struct bytes content, unsigned mode, struct err_note *note)
{
	SCOPED(buf_fini) struct buf draft = {0};
	int fd, r;

	buf_print(&draft, "%s.new", path);
	buf_put_u8(&draft, 0);
	TRY(buf_check(&draft));
	fd = open((const char *)draft.data, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (mode_t)mode);
	if (fd < 0)
		return FAIL_SAY(note, -errno, "%s: %s", path, err_text(-errno));
	r = write_all(fd, content);
	close(fd);
	if (r == 0 && rename((const char *)draft.data, path) < 0)
		r = FAIL(-errno);
	if (r < 0) {
		unlink((const char *)draft.data);
		return FAIL_SAY(note, r, "%s: %s", path, err_text(r));
	}
	return 0;
}
