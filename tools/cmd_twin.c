/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that change twins; those that show them are in twin_show.c. */
#include "proto/clock.h"
#include "proto/id.h"
#include "tools/change.h"
#include "tools/command_send.h"
#include "tools/document.h"
#include "tools/twin_show.h"

static const struct flag create_flags[] = {
	{"type", "TYPE", "its type", false},
	{"kind", "KIND", "kind of a twin without type", false},
	{"name", "NAME", "name for people", false},
	{"tag", "TAG", "tag it", true},
	{"alias", "ALIAS", "foreign identifier", true},
	{0},
};

/* The twin as the command line says; its kind may still be missing. */
static int twin_from_flags(const struct context *ctx, const char *id, struct twin_def *ret,
			   struct err_note *note)
{
	const char *kind = flag_text(ctx, "kind"), *type = flag_text(ctx, "type"),
		   *name = flag_text(ctx, "name");
	struct twin_def t = {.id = id, .type = type ? type : "", .name = name ? name : ""};

	if (!type && !kind)
		return FAIL_SAY(note, ERR_REFUSED,
				"give --type TYPE, or --kind KIND for a twin without type");
	if (kind && !kind_parse(kind, &t.kind))
		return FAIL_SAY(note, ERR_REFUSED,
				"--kind: %.60s is none of component, asset, system, process, "
				"system-of-systems, environment",
				kind);
	t.tags = flag_all(ctx, "tag", &t.n_tags);
	t.aliases = flag_all(ctx, "alias", &t.n_aliases);
	if (!t.tags || !t.aliases)
		return FAIL(-ENOMEM);
	TRY(life_begin(ctx->arena, LIFE_OPERATING, &t));
	*ret = t;
	return 0;
}

/* Creating a twin that is there already, but different, would overwrite it. */
static enum status refuse_overwriting(struct context *ctx, const struct twin_def *t)
{
	struct control_request request = ask_for(CONTROL_TWIN_GET);
	struct control_answer answer;
	enum status status;

	request.twin = t->id;
	status = ask_frankly(ctx, &request, &answer);
	if (status != STATUS_OK || answer.code < 0 || answer.n_twins == 0 ||
	    twin_def_equal(&answer.twins[0], t))
		return status;
	say("twin %s exists already and is different; see holon twin get, or use holon apply to replace it",
	    t->id);
	return STATUS_FAILED;
}

static enum status create_run(struct context *ctx, int argc, char *const argv[])
{
	struct err_note note = {0};
	struct type_def type;
	struct twin_def twin = {0};
	enum status status;

	(void)argc;
	if (twin_from_flags(ctx, argv[0], &twin, &note) < 0)
		return say_usage(&note);
	if (twin_def_check(&twin, &note) < 0)
		return say_usage(&note);
	if (*twin.type) {
		status = type_named(ctx, twin.type, &type, NULL);
		if (status != STATUS_OK)
			return status;
		twin.kind = type.kind;
	}
	status = refuse_overwriting(ctx, &twin);
	return status == STATUS_OK ? change_one(ctx, (struct op){.kind = OP_TWIN, .twin = twin}) : status;
}

static const struct flag set_flags[] = {
	{"at", "TIME", "time of measurement (default: now)", false},
	{"quality", "QUALITY", "good, uncertain or bad (default: good)", false},
	{"sigma", "NUMBER", "standard uncertainty, in the property's unit", false},
	{"within", "DURATION", "want it to be so within that time: the desired value of a settable property",
	 false},
	{0},
};

static int sample_from_flags(const struct context *ctx, struct sample *ret, struct err_note *note)
{
	const char *quality = flag_text(ctx, "quality");

	*ret = (struct sample){.quality = QUALITY_GOOD};
	TRY(flag_time(ctx, "at", ctx->now_ns, &ret->t_ns, note));
	TRY(flag_number(ctx, "sigma", NAN, &ret->sigma, note));
	if (ret->sigma < 0 || isinf(ret->sigma))
		return FAIL_SAY(note, ERR_REFUSED, "--sigma: an uncertainty is finite and not negative");
	if (quality && !quality_parse(quality, &ret->quality))
		return FAIL_SAY(note, ERR_REFUSED, "--quality: %.60s is none of good, uncertain, bad",
				quality);
	return 0;
}

/* Read the words for a value as the property's type demands. */
static enum status read_value(struct context *ctx, const char *id, const char *property, const char *text,
			      struct value *ret)
{
	const struct property_def *p = NULL;
	struct err_note note = {0};
	struct twin_def twin = {0};
	struct type_def type;
	enum status status = own_twin(ctx, id, &twin);

	if (status == STATUS_OK && *twin.type)
		status = type_named(ctx, twin.type, &type, NULL);
	if (status != STATUS_OK)
		return status;
	if (*twin.type)
		p = type_property(&type, property, NULL);
	if (!p) {
		say("%s has no property %s: %s%s", id, property,
		    *twin.type ? "see holon type get " : "it has no type", twin.type);
		return STATUS_FAILED;
	}
	if (value_parse(ctx->arena, p->type, text, ret, &note) < 0) {
		say("%s: %s", property, note.text);
		return STATUS_FAILED;
	}
	return STATUS_OK;
}

/* The owner sets the desired value, and follows whether it is reached. */
static enum status want_value(struct context *ctx, char *const argv[])
{
	struct argument arguments[] = {{"property", {.type = VALUE_TEXT, .text = argv[1]}},
				       {"value", {.type = VALUE_TEXT, .text = argv[2]}},
				       {"within_s", {.type = VALUE_DOUBLE}}};
	const struct command_wish wish = {.twin = argv[0],
					  .operation = OPERATION_SET,
					  .arguments = arguments,
					  .n_arguments = 3,
					  .done = "wanted"};
	struct err_note note = {0};
	int64_t within_ns;

	if (flag_duration(ctx, "within", 0, &within_ns, &note) < 0)
		return say_usage(&note);
	if (flag_given(ctx, "at") || flag_given(ctx, "quality") || flag_given(ctx, "sigma")) {
		say("--within wants a value from now on: without --at, --quality, --sigma");
		return STATUS_USAGE;
	}
	arguments[2].value.real = (double)within_ns / NS_PER_S;
	return command_send(ctx, &wish);
}

static enum status set_run(struct context *ctx, int argc, char *const argv[])
{
	struct err_note note = {0};
	struct sample sample;
	enum status status;

	(void)argc;
	if (flag_given(ctx, "within"))
		return want_value(ctx, argv);
	if (sample_from_flags(ctx, &sample, &note) < 0)
		return say_usage(&note);
	status = read_value(ctx, argv[0], argv[1], argv[2], &sample.value);
	if (status != STATUS_OK)
		return status;
	return change_one(ctx, (struct op){.kind = OP_SAMPLES, .samples = {argv[0], argv[1], &sample, 1}});
}

/* Add or take away one tag; `tags` has room for one more. */
static void apply_tag(const char **tags, size_t *n, const char *word)
{
	size_t i = 0;

	while (i < *n && strcmp(tags[i], word + 1) != 0)
		i++;
	if (word[0] == '+' && i == *n)
		tags[(*n)++] = word + 1;
	else if (word[0] == '-' && i < *n) {
		memmove(&tags[i], &tags[i + 1], (*n - i - 1) * sizeof *tags);
		--*n;
	}
}

static enum status tag_run(struct context *ctx, int argc, char *const argv[])
{
	struct err_note note = {0};
	struct twin_def twin = {0};
	enum status status;
	const char **tags;

	for (int i = 1; i < argc; i++) {
		if (argv[i][0] != '+' && argv[i][0] != '-') {
			say("%s: write +TAG to add a tag, -TAG to take it away", argv[i]);
			return STATUS_USAGE;
		}
		if (id_check_segment(argv[i] + 1, "tag", TAG_MAX, &note) < 0)
			return say_usage(&note);
	}
	status = own_twin(ctx, argv[0], &twin);
	if (status != STATUS_OK)
		return status;
	tags = arena_take_array(ctx->arena, twin.n_tags + (size_t)argc, sizeof *tags);
	if (!tags)
		return say_failed(-ENOMEM, NULL);
	if (twin.n_tags > 0)
		memcpy(tags, twin.tags, twin.n_tags * sizeof *tags);
	twin.tags = tags;
	for (int i = 1; i < argc; i++)
		apply_tag(tags, &twin.n_tags, argv[i]);
	return change_one(ctx, (struct op){.kind = OP_TWIN, .twin = twin});
}

static const struct flag retire_flags[] = {{"at", "TIME", "since when (default: now)", false}, {0}};

static enum status retire_run(struct context *ctx, int argc, char *const argv[])
{
	struct err_note note = {0};
	struct life_step *life;
	struct twin_def twin = {0};
	enum status status;
	int64_t at_ns;

	(void)argc;
	if (flag_time(ctx, "at", ctx->now_ns, &at_ns, &note) < 0)
		return say_usage(&note);
	status = own_twin(ctx, argv[0], &twin);
	if (status != STATUS_OK)
		return status;
	life = arena_take_array(ctx->arena, twin.n_life + 1, sizeof *life);
	if (!life)
		return say_failed(-ENOMEM, NULL);
	if (twin.n_life > 0)
		memcpy(life, twin.life, twin.n_life * sizeof *life);
	if (twin.n_life == 0 || life[twin.n_life - 1].state != LIFE_RETIRED)
		life[twin.n_life++] = (struct life_step){LIFE_RETIRED, at_ns};
	twin.life = life;
	return change_one(ctx, (struct op){.kind = OP_TWIN, .twin = twin});
}

static const struct flag delete_flags[] = {{"yes", NULL, "yes, delete it", false}, {0}};

static enum status delete_run(struct context *ctx, int argc, char *const argv[])
{
	(void)argc;
	if (!flag_given(ctx, "yes")) {
		say("deleting a twin takes its relations and values with it: add --yes (or use holon twin "
		    "retire)");
		return STATUS_USAGE;
	}
	return change_one(ctx, (struct op){.kind = OP_TWIN_DELETE, .id = argv[0]});
}

const struct verb cmd_twin[] = {
	{.name = "twin create",
	 .args = "TWIN (--type TYPE | --kind KIND) [--name NAME] [--tag TAG]... [--alias ALIAS]...",
	 .summary = "make a twin",
	 .flags = create_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = create_run},
	{.name = "twin list",
	 .args = "[PREFIX] [--tag TAG] [--kind KIND]",
	 .summary = "list the node's own twins",
	 .flags = twin_list_flags,
	 .max_args = 1,
	 .run = twin_list_run},
	{.name = "twin get",
	 .args = "TWIN [PROPERTY] [--as-of TIME]",
	 .summary = "show a twin, also another organisation's, or one of its values",
	 .flags = twin_get_flags,
	 .min_args = 1,
	 .max_args = 2,
	 .run = twin_get_run},
	{.name = "twin find",
	 .args = "--alias ALIAS",
	 .summary = "find own twins by a foreign identifier",
	 .flags = twin_find_flags,
	 .run = twin_find_run},
	{.name = "twin summaries",
	 .args = "[PREFIX]",
	 .summary = "list what it knows of twins: its own and those it heard of",
	 .max_args = 1,
	 .run = twin_summaries_run},
	{.name = "twin set",
	 .args = "TWIN PROPERTY VALUE [--at TIME] [--quality QUALITY] [--sigma NUMBER] | --within DURATION",
	 .summary = "store a value of a property, or say what it should be",
	 .flags = set_flags,
	 .min_args = 3,
	 .max_args = 3,
	 .run = set_run},
	{.name = "twin tag",
	 .args = "TWIN (+TAG | -TAG)...",
	 .summary = "add and take away tags",
	 .min_args = 2,
	 .max_args = 1 + 2 * TAGS_MAX,
	 .dash_args = true,
	 .run = tag_run},
	{.name = "twin retire",
	 .args = "TWIN [--at TIME]",
	 .summary = "end the life of a twin; it stays in history",
	 .flags = retire_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = retire_run},
	{.name = "twin delete",
	 .args = "TWIN --yes",
	 .summary = "delete a twin that should never have been",
	 .flags = delete_flags,
	 .min_args = 1,
	 .max_args = 1,
	 .run = delete_run},
	{0},
};
