/* SPDX-License-Identifier: Apache-2.0 */
/* Each bound and each form that a decoder promises: one thing is broken in an otherwise good object. */
#define _GNU_SOURCE /* memmem */
#include "proto/clock.h"
#include "tests/unit/proto/broken.h"

TestSuite(codec_limits, .init = break_begin, .fini = break_end, .timeout = 60);

Test(codec_limits, a_twin_obeys_the_rules_for_people)
{
	MALFORMED(full_twin, twin_def, x.id = "acme");
	MALFORMED(full_twin, twin_def, x.id = NULL);
	MALFORMED(full_twin, twin_def, x.id = run(TWIN_ID_MAX + 1));
	MALFORMED(full_twin, twin_def, x.type = "a b");
	MALFORMED(full_twin, twin_def, x.kind = N_KINDS);
	MALFORMED(full_twin, twin_def, x.kind = (enum kind) - 1);
	MALFORMED(full_twin, twin_def, x.name = "\xff");
	MALFORMED(full_twin, twin_def, x.name = run(NAME_MAX_BYTES + 1));
	GOOD(full_twin, twin_def, (x.tags = many(TAGS_MAX), x.n_tags = TAGS_MAX));
	MALFORMED(full_twin, twin_def, (x.tags = many(TAGS_MAX + 1), x.n_tags = TAGS_MAX + 1));
	MALFORMED(full_twin, twin_def, (x.tags = TIMES(2, const char *, "t"), x.n_tags = 2));
	MALFORMED(full_twin, twin_def, (x.aliases = many(ALIASES_MAX + 1), x.n_aliases = ALIASES_MAX + 1));
	MALFORMED(full_twin, twin_def,
		  x.life = TIMES(2, struct life_step, ((struct life_step){N_LIFE_CYCLES, 0})));
	MALFORMED(full_twin, twin_def,
		  (x.life = TIMES(65, struct life_step, ((struct life_step){0})),
		   x.n_life = LIFE_STEPS_MAX + 1));
}

Test(codec_limits, a_type_obeys_the_rules_for_people)
{
	const struct property_def good = {.name = "p", .type = VALUE_BOOL, .min = NAN, .max = NAN};
	struct property_def p = good;

	MALFORMED(full_type, type_def, x.name = "");
	MALFORMED(full_type, type_def, x.version = 0);
	MALFORMED(full_type, type_def, x.kind = N_KINDS);
	MALFORMED(full_type, type_def, x.parent = "a//b");
	MALFORMED(full_type, type_def, x.parent = run(PROPERTY_MAX + 1));
	MALFORMED(full_type, type_def, x.retention.raw_ns = -1);
	MALFORMED(full_type, type_def,
		  (p = good, p.retention.hour_ns = -1, x.properties = &p, x.n_properties = 1));
	MALFORMED(full_type, type_def,
		  (x.properties = TIMES(2, struct property_def, good), x.n_properties = 2));
	MALFORMED(full_type, type_def,
		  (x.properties = TIMES(257, struct property_def, good), x.n_properties = 257));
	MALFORMED(full_type, type_def, (p.type = VALUE_NONE, x.properties = &p, x.n_properties = 1));
	MALFORMED(full_type, type_def, (p.type = (enum value_type)7, x.properties = &p, x.n_properties = 1));
	MALFORMED(full_type, type_def,
		  (p = good, p.options = many(65), p.n_options = 65, x.properties = &p, x.n_properties = 1));
	MALFORMED(full_type, type_def,
		  (p = good, p.unit = run(UNIT_MAX + 1), x.properties = &p, x.n_properties = 1));
}

Test(codec_limits, relations_and_memberships_name_twins)
{
	MALFORMED(full_relation, relation, x.type = "");
	MALFORMED(full_relation, relation, x.from = "acme");
	MALFORMED(full_relation, relation, x.to = "acme/");
	MALFORMED(full_relation, relation, x.valid_from_ns = TIME_MAX);
	MALFORMED(full_membership, membership, x.hierarchy = "");
	MALFORMED(full_membership, membership, x.parent = "acme");
	MALFORMED(full_membership, membership, x.child = "");
	MALFORMED(full_membership, membership, x.state = N_CONFIRMATIONS);
}

static struct op op_with(struct sample s)
{
	return (struct op){.kind = OP_SAMPLES, .samples = {"acme/a", "p", TIMES(1, struct sample, s), 1}};
}

#define SAMPLE(...) op_with((struct sample){.sigma = NAN, __VA_ARGS__})
#define AT(lat, lon, alt) .value = {.type = VALUE_POSITION, .position = {lat, lon, alt}}

Test(codec_limits, a_sample_has_a_value_in_range)
{
	GOOD(SAMPLE(AT(90, -180, 1)), op, );
	MALFORMED(SAMPLE(AT(90.1, 0, 1)), op, );
	MALFORMED(SAMPLE(AT(0, 180.1, 1)), op, );
	MALFORMED(SAMPLE(AT(NAN, 0, 1)), op, );
	MALFORMED(SAMPLE(AT(0, INFINITY, 1)), op, );
	MALFORMED(SAMPLE(AT(0, 0, INFINITY)), op, );
	MALFORMED(SAMPLE(.quality = (enum quality)3), op, );
	MALFORMED(SAMPLE(.value = {.type = VALUE_TEXT, .text = "\x80"}), op, );
	GOOD(SAMPLE(.value = {.type = VALUE_TEXT, .text = run(TEXT_VALUE_MAX)}), op, );
	MALFORMED(SAMPLE(.value = {.type = VALUE_TEXT, .text = run(TEXT_VALUE_MAX + 1)}), op, );
	MALFORMED(SAMPLE(.value = {.type = VALUE_ENUM, .text = run(PROPERTY_MAX + 1)}), op, );
	GOOD(SAMPLE(.source = run(SOURCE_MAX)), op, );
	MALFORMED(SAMPLE(.source = run(SOURCE_MAX + 1)), op, );
}

Test(codec_limits, an_uncertainty_is_finite_and_not_negative)
{
	const struct sample s = {.sigma = 1};

	GOOD(op_with(s), op, x.samples.samples->sigma = 0);
	MALFORMED(op_with(s), op, x.samples.samples->sigma = -1e-300);
	MALFORMED(op_with(s), op, x.samples.samples->sigma = INFINITY);
}

Test(codec_limits, an_op_names_what_it_changes)
{
	MALFORMED(SAMPLE(.t_ns = 1), op, x.samples.twin = "acme");
	MALFORMED(SAMPLE(.t_ns = 1), op, x.samples.property = "");
	MALFORMED(((struct op){.kind = OP_TWIN_DELETE, .id = "acme"}), op, );
	MALFORMED(((struct op){.kind = OP_ORG_DROP, .id = ""}), op, );
	MALFORMED(((struct op){.kind = OP_ORG_DROP, .id = "acme/a"}), op, );
	MALFORMED(((struct op){.kind = OP_ROWS, .rows = {.origin = "acme/"}}), op, );
	MALFORMED(
		((struct op){.kind = OP_ROWS, .rows = {.origin = "acme/n", .cursor = blob(CURSOR_MAX + 1)}}),
		op, );
	GOOD(((struct op){.kind = OP_ROWS, .rows = {.origin = "acme/n", .cursor = blob(CURSOR_MAX)}}), op, );
	MALFORMED(((struct op){.kind = OP_ROWS, .rows = {.origin = "acme/n", .head = blob(HEAD_MAX + 1)}}),
		  op, );

	struct op none;
	cr_expect(eq(int, op_decode(arena, BYTES(""), &none), ERR_MALFORMED));
}

Test(codec_limits, a_row_is_a_small_public_face)
{
	struct kpi k = {.property = "p", .sample = {.sigma = NAN}};
	struct row_parent p = {.hierarchy = "contains", .parent = "acme/a"};

	MALFORMED(full_row, row, x.id = "acme");
	MALFORMED(full_row, row, x.version.lineage = LINEAGE_MAX);
	MALFORMED(full_row, row, x.kind = N_KINDS);
	MALFORMED(full_row, row, x.life = N_LIFE_CYCLES);
	MALFORMED(full_row, row, x.health = N_HEALTHS);
	MALFORMED(full_row, row, x.type = "/");
	MALFORMED(full_row, row, x.name = "\xff");
	MALFORMED(full_row, row, (x.kpis = TIMES(17, struct kpi, k), x.n_kpis = KPIS_MAX + 1));
	MALFORMED(full_row, row, (x.kpis = TIMES(2, struct kpi, k), x.n_kpis = 2)); /* the same twice */
	MALFORMED(full_row, row, (k.property = "", x.kpis = &k, x.n_kpis = 1));
	MALFORMED(full_row, row, (k.property = "p", k.unit = run(UNIT_MAX + 1), x.kpis = &k, x.n_kpis = 1));
	MALFORMED(full_row, row, (x.parents = TIMES(9, struct row_parent, p), x.n_parents = PARENTS_MAX + 1));
	MALFORMED(full_row, row, (x.parents = TIMES(2, struct row_parent, p), x.n_parents = 2));
	MALFORMED(full_row, row, (p.parent = "acme", x.parents = &p, x.n_parents = 1));
	MALFORMED(full_row, row, (p.parent = "acme/a", p.hierarchy = "", x.parents = &p, x.n_parents = 1));
	MALFORMED(full_row, row,
		  (p.hierarchy = "c", p.state = N_CONFIRMATIONS, x.parents = &p, x.n_parents = 1));
	MALFORMED(full_row, row, (x.tags = many(TAGS_MAX + 1), x.n_tags = TAGS_MAX + 1));
	MALFORMED(full_row, row, (x.tags = TIMES(1, const char *, "a/b"), x.n_tags = 1));
}

Test(codec_limits, a_row_speaks_of_alarms_that_stand_each_once)
{
	struct row_alarm one = {"p", HEALTH_ALARM, ALARM_ACTIVE, "stale", 0};
	char name[ROW_ALARMS_MAX][2];
	struct row_alarm many_alarms[ROW_ALARMS_MAX];

	for (size_t i = 0; i < ROW_ALARMS_MAX; i++) {
		many_alarms[i] = one;
		snprintf(name[i], sizeof name[i], "%c", (char)('a' + i));
		many_alarms[i].name = name[i];
	}
	GOOD(full_row, row, (x.alarms = many_alarms, x.n_alarms = ROW_ALARMS_MAX));
	MALFORMED(full_row, row,
		  (x.alarms = TIMES(9, struct row_alarm, one), x.n_alarms = ROW_ALARMS_MAX + 1));
	MALFORMED(full_row, row, (x.alarms = TIMES(2, struct row_alarm, one), x.n_alarms = 2));
	MALFORMED(full_row, row, (one.name = "a//b", x.alarms = &one, x.n_alarms = 1));
	MALFORMED(full_row, row,
		  (one.name = "p", one.severity = HEALTH_GOOD, x.alarms = &one, x.n_alarms = 1));
	MALFORMED(full_row, row, (one.severity = N_HEALTHS, x.alarms = &one, x.n_alarms = 1));
	one.severity = HEALTH_WARNING;
	MALFORMED(full_row, row, (one.state = ALARM_STATE_NONE, x.alarms = &one, x.n_alarms = 1));
	MALFORMED(full_row, row, (one.state = ALARM_CLEARED, x.alarms = &one, x.n_alarms = 1));
	MALFORMED(full_row, row, (one.state = N_ALARM_STATES, x.alarms = &one, x.n_alarms = 1));
	MALFORMED(full_row, row, (one.state = ALARM_SHELVED, one.what = "", x.alarms = &one, x.n_alarms = 1));
	MALFORMED(full_row, row, (one.what = "too hot", x.alarms = &one, x.n_alarms = 1));
}

Test(codec_limits, a_row_keeps_its_sources_at_home_and_a_tombstone_everything)
{
	struct kpi k = {"p", "", {.value = {.type = VALUE_BOOL}, .sigma = NAN, .source = "operator-3"}};
	struct row out = full_row, in;

	out.kpis = &k;
	out.n_kpis = 1;
	row_encode(&out, &frame);
	cr_expect(memmem(frame.data, frame.len, "operator", 8) == NULL);
	cr_assert(eq(int, row_decode(arena, buf_bytes(&frame), &in), 0));
	cr_expect(in.kpis[0].sample.source == NULL);

	buf_clear(&frame);
	out.deleted = true;
	row_encode(&out, &frame);
	cr_expect(memmem(frame.data, frame.len, "Press", 5) == NULL);
	cr_assert(eq(int, row_decode(arena, buf_bytes(&frame), &in), 0));
	cr_expect(in.deleted && in.n_kpis == 0 && *in.name == '\0' && *in.type == '\0');
}

Test(codec_limits, what_is_signed_has_names_keys_and_bounds)
{
	MALFORMED(full_manifest, manifest, x.org = "a/b");
	MALFORMED(full_manifest, manifest,
		  (x.issuers = TIMES(17, struct issuer_key, x.issuers[0]), x.n_issuers = 17));
	MALFORMED(full_manifest, manifest,
		  (x.policy_keys = TIMES(17, struct public_key, x.policy_keys[0]), x.n_policy_keys = 17));
	MALFORMED(full_credential, credential, x.org = "");
	MALFORMED(full_credential, credential, x.node = run(NODE_NAME_MAX + 1));
	MALFORMED(full_credential, credential, (x.prefixes = many(33), x.n_prefixes = PREFIXES_MAX + 1));
	MALFORMED(full_credential, credential,
		  (x.prefixes = TIMES(1, const char *, "a//"), x.n_prefixes = 1));
	MALFORMED(full_credential, credential, x.endpoint = run(ENDPOINT_MAX + 1));
	MALFORMED(full_credential, credential, x.border_endpoint = "\xff");
	MALFORMED(full_bundle, bundle,
		  (x.credentials = TIMES(201, struct signed_blob, x.manifest),
		   x.n_credentials = NODES_MAX + 1));
	MALFORMED(full_policy, policy_doc, x.org = "..");
	GOOD(full_policy, policy_doc, x.text = run(POLICY_TEXT_MAX));
	MALFORMED(full_policy, policy_doc, x.text = run(POLICY_TEXT_MAX + 1));
	MALFORMED(full_policy, policy_doc, x.text = "\xc3");
	MALFORMED(full_bundle.manifest, signed_blob, x.payload = blob(PAYLOAD_MAX + 1));
}

Test(codec_limits, a_person_has_a_name_and_sorted_roles)
{
	MALFORMED(full_person, person, x.org = "a/b");
	MALFORMED(full_person, person, x.name = "");
	MALFORMED(full_person, person, x.name = run(PERSON_NAME_MAX + 1));
	MALFORMED(full_person, person, x.roles = TIMES(2, const char *, "operator"));
	MALFORMED(full_person, person, x.roles = ((const char *[]){"b", "a"}));
	MALFORMED(full_person, person, x.roles = ((const char *[]){"a", "b c"}));
	GOOD(full_person, person, (x.roles = NULL, x.n_roles = 0));
	MALFORMED(full_person, person, (x.roles = many(9), x.n_roles = 9, x.roles[8] = "t0"));
}

static const char **sorted(size_t n)
{
	static char text[64][4];
	static const char *texts[64];

	for (size_t i = 0; i < n; i++) {
		snprintf(text[i], sizeof text[i], "%02zu", i);
		texts[i] = text[i];
	}
	return texts;
}

Test(codec_limits, a_person_has_few_roles)
{
	GOOD(full_person, person, (x.roles = sorted(PERSON_ROLES_MAX), x.n_roles = PERSON_ROLES_MAX));
	MALFORMED(full_person, person,
		  (x.roles = sorted(PERSON_ROLES_MAX + 1), x.n_roles = PERSON_ROLES_MAX + 1));
}

#define ENTRY(...) (x.entries = &(struct revoked){__VA_ARGS__}, x.n_entries = 1)

Test(codec_limits, a_revocation_names_one_thing)
{
	GOOD(full_revocations, revocations, ENTRY(.kind = REVOKED_NODE, .node = "n", .before_ns = 1));
	MALFORMED(full_revocations, revocations, ENTRY(.kind = N_REVOKED_KINDS));
	MALFORMED(full_revocations, revocations, ENTRY(.kind = (enum revoked_kind) - 1));
	MALFORMED(full_revocations, revocations, ENTRY(.kind = REVOKED_NODE, .node = ""));
	MALFORMED(full_revocations, revocations, ENTRY(.kind = REVOKED_NODE, .node = "a/b"));
	MALFORMED(full_revocations, revocations, ENTRY(.kind = REVOKED_SERIAL, .node = "n"));
	MALFORMED(full_revocations, revocations, ENTRY(.kind = REVOKED_KEY, .before_ns = 1));
	MALFORMED(full_revocations, revocations,
		  ENTRY(.kind = REVOKED_SERIAL, .reason = run(REASON_MAX + 1)));
	MALFORMED(full_revocations, revocations, x.seq = 0);
	MALFORMED(full_revocations, revocations, x.next_update_ns = x.this_update_ns);
	GOOD(full_revocations, revocations, (x.entries = NULL, x.n_entries = 0));
	MALFORMED(full_revocations, revocations,
		  (x.entries = TIMES(2049, struct revoked, full_revocations.entries[0]),
		   x.n_entries = REVOKED_MAX + 1));
	MALFORMED(full_freshness, freshness, x.ttl_ns = 0);
	MALFORMED(full_freshness, freshness, x.org = "");
}

Test(codec_limits, an_agreement_is_with_another_organisation)
{
	MALFORMED(full_agreement, agreement, x.seq = 0);
	MALFORMED(full_agreement, agreement, x.partner = "acme");
	MALFORMED(full_agreement, agreement, x.partner = "");
	MALFORMED(full_agreement, agreement, x.org = "a/b");
}

Test(codec_limits, an_errand_ends_after_it_begins)
{
	MALFORMED(full_errand, errand, x.until_ns = x.at_ns);
	MALFORMED(full_errand, errand, x.person = "");
	MALFORMED(full_errand, errand, x.node = "a/b");
}

Test(codec_limits, a_piece_of_a_bundle_lies_inside_it)
{
	GOOD(full_trust, message, x.trust.offset = 0);
	MALFORMED(full_trust, message, x.trust.total = 0);
	MALFORMED(full_trust, message, x.trust.offset = 5);
	MALFORMED(full_trust, message, x.trust.offset = UINT32_MAX);
	MALFORMED(full_trust, message, x.trust.total = FRAME_OWN_MAX + 1);
	MALFORMED(full_trust, message, x.trust.piece.len = 0);
	MALFORMED(full_trust, message, x.trust.org = "");
}

Test(codec_limits, joining_has_bounds)
{
	MALFORMED(full_token, join_token, x.name = "a/b");
	MALFORMED(full_token, join_token, x.endpoint = run(ENDPOINT_MAX + 1));
	MALFORMED(full_join, join_request, x.org = "");
	MALFORMED(full_join_ask, join_ask, x.offset = JOIN_ANSWER_MAX);
	MALFORMED(full_join_answer, join_answer, x.bundle = blob(FRAME_OWN_MAX + 1));
	MALFORMED(full_join_answer, join_answer, x.cursor_key = blob(SEALED_KEY_MAX + 1));
}

Test(codec_limits, a_piece_of_an_answer_lies_inside_it)
{
	MALFORMED(full_join_reply, join_reply, x.state = N_JOIN_STATES);
	MALFORMED(full_join_reply, join_reply, x.total = 7);
	MALFORMED(full_join_reply, join_reply, x.offset = UINT32_MAX);
	MALFORMED(full_join_reply, join_reply, x.total = JOIN_ANSWER_MAX + 1);
	MALFORMED(full_join_reply, join_reply, x.piece.len = 0);
	MALFORMED(full_join_reply, join_reply,
		  (x.total = JOIN_ANSWER_MAX, x.piece = blob(JOIN_PIECE_MAX + 1)));
}

Test(codec_limits, an_invitation_has_bounds)
{
	struct invitation i = full_invitations.items[0];

	full_invitations.items = &i;
	GOOD(full_invitations, invitations, i.roles = ROLES_ALL);
	MALFORMED(full_invitations, invitations, i.roles = ROLES_ALL + 1);
	i.roles = ROLE_OWNER;
	MALFORMED(full_invitations, invitations, i.state = N_INVITATION_STATES);
	i.state = INVITATION_OPEN;
	MALFORMED(full_invitations, invitations, i.request = blob(JOIN_MAX + 1));
	i.request.len = 0;
	GOOD(full_invitations, invitations,
	     (x.items = TIMES(64, struct invitation, i), x.n = INVITATIONS_MAX));
	MALFORMED(full_invitations, invitations,
		  (x.items = TIMES(65, struct invitation, i), x.n = INVITATIONS_MAX + 1));
	MALFORMED(full_invitations, invitations, (i.prefixes = many(33), i.n_prefixes = PREFIXES_MAX + 1));
}

Test(codec_limits, roles_of_a_later_release_are_not_seen)
{
	struct credential c = full_credential;

	c.roles = ROLE_READER | 1u << 20;
	credential_encode(&c, &frame);
	cr_assert(eq(int, credential_decode(arena, buf_bytes(&frame), &c), 0));
	cr_expect(eq(u32, c.roles, ROLE_READER));
}

Test(codec_limits, keys_and_signatures_have_their_length)
{
	struct signed_blob s;

	/* payload "p", a key of 31 or 33 bytes, a signature of 64 */
	for (uint8_t n = 31; n <= 33; n++) {
		buf_clear(&frame);
		buf_put(&frame, BYTES("\x0a\x01p\x12"));
		buf_put_u8(&frame, n);
		buf_put(&frame, blob(n));
		buf_put(&frame, BYTES("\x1a\x40"));
		buf_put(&frame, blob(64));
		cr_expect(eq(int, signed_blob_decode(arena, buf_bytes(&frame), &s),
			     n == 32 ? 0 : ERR_MALFORMED));
		frame.len--;
		frame.data[frame.len - 64] = 63;
		cr_expect(eq(int, signed_blob_decode(arena, buf_bytes(&frame), &s), ERR_MALFORMED));
	}
}

Test(codec_limits, an_envelope_has_a_frame_number_and_a_body)
{
	struct message m;

	MALFORMED(full_hello, message, x.frame = 0);
	cr_expect(eq(int, message_decode(arena, BYTES("\x10\x01"), &m), ERR_MALFORMED));
	/* field 21, the body of a later release */
	cr_expect(eq(int, message_decode(arena, BYTES("\x10\x01\xaa\x01\x00"), &m), ERR_MALFORMED));
	cr_expect(eq(int, message_decode(arena, BYTES("\x10\x01\x92\x01\x00"), &m), 0));
	cr_expect(eq(int, m.kind, MESSAGE_PING));
}

Test(codec_limits, a_hello_speaks_a_range_of_protocols)
{
	MALFORMED(full_hello, message, x.hello.protocol_min = 0);
	MALFORMED(full_hello, message, x.hello.protocol_min = 3);
	MALFORMED(full_hello, message, x.hello.org = "");
	MALFORMED(full_hello, message, x.hello.node = "a/b");
	GOOD(full_hello, message, x.hello.credential = blob(CREDENTIAL_MAX));
	MALFORMED(full_hello, message, x.hello.credential = blob(CREDENTIAL_MAX + 1));
}

Test(codec_limits, streams_have_origins_cursors_and_heads)
{
	MALFORMED(full_head, head, x.origin = "acme");
	MALFORMED(full_head, head, x.n_lineage = 0);
	MALFORMED(full_head, head,
		  (x.lineage = TIMES(65, struct incarnation, x.lineage[0]), x.n_lineage = 65));
	MALFORMED(full_heads, message,
		  x.heads.heads = TIMES(2, struct head_notice, ((struct head_notice){.age_ns = -1})));
	MALFORMED(full_heads, message,
		  (x.heads.heads = TIMES(257, struct head_notice, x.heads.heads[0]),
		   x.heads.n = ORIGINS_MAX + 1));
	MALFORMED(full_heads, message,
		  x.heads.heads = TIMES(2, struct head_notice,
					((struct head_notice){.head = {.payload = blob(HEAD_MAX + 1)}})));
	MALFORMED(full_pull, message, x.pull.id = 0);
	MALFORMED(full_pull, message, x.pull.origin = "acme/a/b");
	MALFORMED(full_pull, message, x.pull.cursor = blob(CURSOR_MAX + 1));
	MALFORMED(full_rows, message, x.rows.pull = 0);
	MALFORMED(full_rows, message, x.rows.origin = "");
	MALFORMED(full_rows, message, x.rows.cursor = blob(CURSOR_MAX + 1));
	MALFORMED(full_rows, message, x.rows.head.age_ns = -1);
	MALFORMED(full_reset, message, x.reset.pull = 0);
	MALFORMED(full_reset, message, x.reset.origin = "a");
	MALFORMED(full_reset, message, x.reset.reason = (enum reset_reason)0);
	MALFORMED(full_reset, message, x.reset.reason = N_RESET_REASONS);
	struct message ping = {.kind = MESSAGE_PING, .frame = 1};
	GOOD(ping, message, x.ping.age_ns = 3 * NS_PER_MS);
	MALFORMED(ping, message, x.ping.age_ns = INT64_MAX);
}

Test(codec_limits, a_repair_asks_in_order_and_lists_what_lies_below)
{
	struct tree_leaf upside_down[] = {full_repair.repair.entries[1], full_repair.repair.entries[0]};
	struct tree_leaf elsewhere = {0x1235000000000000, 0};

	MALFORMED(full_repair, message, x.repair.id = 0);
	MALFORMED(full_repair, message, x.repair.depth = 4);
	MALFORMED(full_repair, message, (x.repair.depth = 12, x.repair.n_entries = 0));
	MALFORMED(full_repair, message, (x.repair.depth = 12, x.repair.n = 1));
	GOOD(full_repair, message, (x.repair.depth = 12, x.repair.n = 1, x.repair.n_entries = 0));
	MALFORMED(full_repair, message, x.repair.n = 0);
	MALFORMED(full_repair, message, x.repair.prefixes = TIMES(3, uint16_t, 0x1234));
	MALFORMED(full_repair, message, x.repair.entries = upside_down);
	MALFORMED(full_repair, message, (x.repair.entries = &elsewhere, x.repair.n_entries = 1));
	MALFORMED(full_sums, message, x.sums.id = 0);
	MALFORMED(full_sums, message,
		  (x.sums.sums = TIMES(4097, uint64_t, 1), x.sums.n = REPAIR_PREFIXES_MAX * 16 + 1));
	MALFORMED(full_reach, message, x.reach.orgs[1] = "a/b");
	MALFORMED(full_reach, message, (x.reach.orgs = TIMES(257, const char *, "a"), x.reach.n = 257));
	MALFORMED(full_rows, message, x.rows.leaves = REPAIR_PREFIXES_MAX + 1);
	MALFORMED(full_rows, message,
		  (x.rows.gone = TIMES(4097, uint64_t, 1), x.rows.n_gone = REPAIR_ENTRIES_MAX + 1));
}

Test(codec_limits, a_question_asks_about_something)
{
	MALFORMED(full_history_question, message, x.question.kind = (enum question_kind)0);
	MALFORMED(full_history_question, message, x.question.kind = N_QUESTION_KINDS);
	MALFORMED(full_history_question, message, x.question.twin = "");
	MALFORMED(full_history_question, message, x.question.property = "");
	GOOD(full_history_question, message, (x.question.kind = QUESTION_READ, x.question.property = ""));
	MALFORMED(full_history_question, message, x.question.timeout_ns = -1);
	MALFORMED(full_history_question, message, x.question.asker = "a/b");
	GOOD(full_history_question, message, x.question.asker = "");
}

Test(codec_limits, an_answer_has_a_code_and_mends_its_sentence)
{
	struct message m = full_read_answer;

	MALFORMED(full_read_answer, message, x.answer.code = 1);
	MALFORMED(full_read_answer, message, x.answer.kind = (enum question_kind)0);
	MALFORMED(full_read_answer, message, x.answer.unit = run(UNIT_MAX + 1));
	MALFORMED(full_read_answer, message, x.answer.text = run(SENTENCE_MAX + 1));
	MALFORMED(full_read_answer, message,
		  (x.answer.values = TIMES(257, struct kpi, x.answer.values[0]),
		   x.answer.n_values = PROPERTIES_MAX + 1));
	m.answer.text = "cut in a lett\xc3";
	message_encode(&m, &frame);
	cr_assert(eq(int, message_decode(arena, buf_bytes(&frame), &m), 0));
	cr_expect(strcmp(m.answer.text, "cut in a lett?") == 0);
}

/* ---- what stands exactly at its bound is good */

static struct kpi *different_kpis(size_t n)
{
	struct kpi *kpis = arena_take_array(arena, n, sizeof *kpis);

	cr_assert(kpis != NULL);
	for (size_t i = 0; i < n; i++)
		kpis[i] = (struct kpi){.property = many(n)[i], .sample = {.sigma = NAN}};
	return kpis;
}

static struct row_parent *different_parents(size_t n)
{
	struct row_parent *parents = arena_take_array(arena, n, sizeof *parents);

	cr_assert(parents != NULL);
	for (size_t i = 0; i < n; i++)
		parents[i] = (struct row_parent){.hierarchy = many(n)[i], .parent = "acme/a"};
	return parents;
}

static struct property_def *different_properties(size_t n, size_t n_options)
{
	struct property_def *properties = arena_take_array(arena, n, sizeof *properties);

	cr_assert(properties != NULL);
	for (size_t i = 0; i < n; i++)
		properties[i] = (struct property_def){.name = many(n)[i],
						      .type = VALUE_ENUM,
						      .min = NAN,
						      .max = NAN,
						      .options = many(n_options),
						      .n_options = n_options};
	return properties;
}

Test(codec_limits, as_much_as_allowed_is_allowed)
{
	GOOD(full_twin, twin_def, (x.aliases = many(ALIASES_MAX), x.n_aliases = ALIASES_MAX));
	GOOD(full_type, type_def,
	     (x.properties = different_properties(PROPERTIES_MAX, OPTIONS_MAX),
	      x.n_properties = PROPERTIES_MAX));
	GOOD(full_row, row, (x.kpis = different_kpis(KPIS_MAX), x.n_kpis = KPIS_MAX));
	MALFORMED(full_row, row, (x.kpis = different_kpis(KPIS_MAX + 1), x.n_kpis = KPIS_MAX + 1));
	GOOD(full_row, row, (x.parents = different_parents(PARENTS_MAX), x.n_parents = PARENTS_MAX));
	MALFORMED(full_row, row,
		  (x.parents = different_parents(PARENTS_MAX + 1), x.n_parents = PARENTS_MAX + 1));
	GOOD(full_row, row, (x.tags = many(TAGS_MAX), x.n_tags = TAGS_MAX));
	GOOD(full_manifest, manifest,
	     (x.issuers = TIMES(16, struct issuer_key, x.issuers[0]), x.n_issuers = 16));
	GOOD(full_manifest, manifest,
	     (x.policy_keys = TIMES(16, struct public_key, x.policy_keys[0]),
	      x.n_policy_keys = MANIFEST_KEYS_MAX));
	GOOD(full_credential, credential, (x.prefixes = many(PREFIXES_MAX), x.n_prefixes = PREFIXES_MAX));
	GOOD(full_bundle, bundle,
	     (x.credentials = TIMES(200, struct signed_blob, x.manifest), x.n_credentials = NODES_MAX));
	GOOD(full_head, head,
	     (x.lineage = TIMES(64, struct incarnation, x.lineage[0]), x.n_lineage = LINEAGE_MAX));
	GOOD(full_head, head, x.n_lineage = 1);
	GOOD(full_heads, message,
	     (x.heads.heads = TIMES(256, struct head_notice, x.heads.heads[0]), x.heads.n = ORIGINS_MAX));
	GOOD(full_hello, message, x.hello.protocol_min = x.hello.protocol_max = 1);
	GOOD(full_history_question, message, x.question.timeout_ns = 0);
	GOOD(full_read_answer, message,
	     (x.answer.values = TIMES(256, struct kpi, x.answer.values[0]),
	      x.answer.n_values = PROPERTIES_MAX));
	GOOD(full_view_question, message, (x.question.view.fresh_ns = 0, x.question.view.deadline_ns = 0));
	GOOD(full_view_question, message, x.question.view.n_roots = 1);
	GOOD(full_request, control_request, x.kind = KIND_ENVIRONMENT);
	GOOD(full_answer, control_answer, x.code = 0);
}

/* ---- what our encoder would not write */

Test(codec_limits, what_a_message_cannot_do_without_is_required)
{
	struct message m;
	struct control_request r;

	/* a view question without its view; a notice without its head; a view answer without its view is
	 * empty */
	cr_expect(eq(int, message_decode(arena, BYTES("\x10\x01\x82\x01\x02\x20\x01"), &m), ERR_MALFORMED));
	cr_expect(eq(int, message_decode(arena, BYTES("\x10\x01\x62\x02\x0a\x00"), &m), ERR_MALFORMED));
	cr_expect(eq(int, message_decode(arena, BYTES("\x10\x01\x8a\x01\x02\x30\x01"), &m), 0));
	cr_expect(eq(sz, m.answer.view.n_members, 0));
	cr_expect(eq(int, control_request_decode(arena, BYTES("\x10\x09"), &r), ERR_MALFORMED));
	cr_expect(eq(int, control_request_decode(arena, BYTES("\x10\x01"), &r), 0));
}

/* ---- a NUL inside a text is not its end */

static size_t replace(struct buf *b, const char *text, size_t at)
{
	const size_t len = strlen(text);
	size_t n = 0;

	for (uint8_t *p = b->data; (p = memmem(p, b->len - (size_t)(p - b->data), text, len)); p += len, n++)
		p[at] = '\0';
	return n;
}

Test(codec_limits, a_nul_inside_any_text_is_malformed)
{
	static const char *const inside[] = {"Press 7",     "acme/plant1",  "load/power",      "nothing was",
					     "serving",     "no such type", "contains itself", "tie-volt",
					     "Presse",      "adapter-1",    "some text",       "urn:x",
					     "policy acme", "tcp://10",     "gateway-1",       "apple bear"};
	union any_object o;
	size_t n = 0;

	for (size_t k = 0; k < sizeof inside / sizeof inside[0]; k++) {
		size_t before = n;
		for (size_t i = 0; i < n_examples; i++) {
			buf_clear(&frame);
			examples[i].codec->encode(examples[i].object, &frame);
			if (replace(&frame, inside[k], 3) == 0)
				continue;
			n++;
			arena_reset(arena);
			cr_expect(eq(int, examples[i].codec->decode(arena, buf_bytes(&frame), &o),
				     ERR_MALFORMED),
				  "%s in %s", inside[k], examples[i].codec->name);
		}
		cr_expect(gt(sz, n, before), "%s occurs nowhere", inside[k]);
	}
}
