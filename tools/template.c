/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/template.h"

#include "proto/buf.h"
#include "proto/id.h"

typedef void filter_fn(const char *in, char *out, size_t size);

/* A run of plain text (no name), or a name with its filters, outermost first. */
struct part {
	const char *text, *name;
	filter_fn *filters[TEMPLATE_FILTERS_MAX];
	size_t n_filters;
};

struct template
{
	const char *source;
	struct part *parts;
	size_t n;
};

static void lower(const char *in, char *out, size_t size)
{
	size_t i;

	for (i = 0; in[i] && i + 1 < size; i++)
		out[i] = (char)(in[i] >= 'A' && in[i] <= 'Z' ? in[i] + ('a' - 'A') : in[i]);
	out[i] = '\0';
}

static const struct {
	const char *name;
	filter_fn *run;
} filters[] = {{"slug", id_slug}, {"lower", lower}};

static filter_fn *find_filter(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
		if (strlen(filters[i].name) == len && memcmp(filters[i].name, name, len) == 0)
			return filters[i].run;
	return NULL;
}

static struct part *add_part(struct arena *a, struct template *t)
{
	return arena_push(a, &t->parts, &t->n, sizeof *t->parts);
}

/* `lower:slug:own.company` between the braces. */
static int parse_name(struct arena *a, struct template *t, struct bytes inside, struct err_note *note)
{
	const char *text = arena_text(a, inside), *colon;
	struct part *p = add_part(a, t);

	if (!text || !p)
		return FAIL(-ENOMEM);
	for (; (colon = strchr(text, ':')); text = colon + 1) {
		filter_fn *f = find_filter(text, (size_t)(colon - text));
		if (!f)
			return FAIL_SAY(note, ERR_REFUSED, "{%s}: unknown filter, there are slug and lower",
					text);
		if (p->n_filters == TEMPLATE_FILTERS_MAX)
			return FAIL_SAY(note, ERR_REFUSED, "{%s}: more than %d filters", text,
					TEMPLATE_FILTERS_MAX);
		p->filters[p->n_filters++] = f;
	}
	if (!*text)
		return FAIL_SAY(note, ERR_REFUSED, "a name is missing between { and }");
	p->name = text;
	return 0;
}

static int parse_text(struct arena *a, struct template *t, const char *from, size_t len)
{
	struct part *p = add_part(a, t);

	if (p)
		p->text = arena_text(a, (struct bytes){(const uint8_t *)from, len});
	return p && p->text ? 0 : FAIL(-ENOMEM);
}

int template_parse(struct arena *a, const char *text, const struct template **ret, struct err_note *note)
{
	struct template *t = arena_take(a, sizeof *t);
	const char *close;

	if (!t)
		return FAIL(-ENOMEM);
	t->source = text;
	while (*text) {
		const size_t plain = strcspn(text, "{}");
		if (plain > 0) {
			TRY(parse_text(a, t, text, plain));
			text += plain;
		} else if (text[0] == text[1]) {
			TRY(parse_text(a, t, text, 1));
			text += 2;
		} else if (*text == '{' && (close = strchr(text, '}'))) {
			TRY(parse_name(a, t,
				       (struct bytes){(const uint8_t *)text + 1, (size_t)(close - text - 1)},
				       note));
			text = close + 1;
		} else {
			return FAIL_SAY(note, ERR_REFUSED,
					"a brace without partner in \"%.120s\"; a brace itself is {{ or }}",
					t->source);
		}
	}
	*ret = t;
	return 0;
}

int template_names(const struct template *t, template_name_fn *each, void *ctx, struct err_note *note)
{
	int r = 0;

	for (size_t i = 0; i < t->n && r == 0; i++)
		if (t->parts[i].name)
			r = each(ctx, t->parts[i].name, note);
	return r;
}

/* Filters are written outermost first, so the last one works first. */
static const char *filtered(struct arena *a, const struct part *p, const char *text)
{
	for (size_t i = p->n_filters; i > 0 && text; i--) {
		const size_t size = strlen(text) + 2; /* an empty text may become "_" */
		char *out = arena_take(a, size);
		if (out)
			p->filters[i - 1](text, out, size);
		text = out;
	}
	return text;
}

const char *template_fill(struct arena *a, const struct template *t, template_value_fn *value, void *ctx)
{
	SCOPED(buf_fini) struct buf b = {0};

	if (t->n == 1 && !t->parts[0].name)
		return t->parts[0].text;
	for (size_t i = 0; i < t->n; i++) {
		const struct part *p = &t->parts[i];
		const char *text = p->name ? value(ctx, p->name) : p->text;
		text = text ? filtered(a, p, text) : NULL;
		if (!text)
			return NULL;
		buf_put_text(&b, text);
	}
	return buf_check(&b) < 0 ? NULL : arena_text(a, buf_bytes(&b));
}

const char *template_source(const struct template *t)
{
	return t->source;
}
