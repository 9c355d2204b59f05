/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/proto/codecs.h"

#include "proto/clock.h"
#include "tests/unit/proto/type_objects.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *tags[] = {"critical", "tie-volt"};
static const char *aliases[] = {"urn:acme:press:7", "Presse \xc3\xbc 7"};
static struct life_step life[] = {{LIFE_BUILD, TIME_MIN}, {LIFE_OPERATING, 1293840000000000000}};

#define FULL_TWIN \
	{ \
		.id = "acme/plant1/press7", .type = "acme/press", .kind = KIND_ASSET, .name = "Press 7", \
		.tags = tags, .n_tags = COUNT(tags), .aliases = aliases, .n_aliases = COUNT(aliases), \
		.life = life, .n_life = COUNT(life), \
	}
struct twin_def full_twin = FULL_TWIN;

struct type_def full_type = FULL_TYPE;

struct relation full_relation = {"feeds", "volt/substation", "acme/plant1", -5, 1293840000000000001};
struct membership full_membership = {"contains", "harbor/city", "acme/plant1", CONFIRM_CONFIRMED, 77};

static struct sample samples[] = {
	{.t_ns = -1, .value = {.type = VALUE_BOOL, .boolean = true}, .quality = QUALITY_BAD, .sigma = NAN},
	{.t_ns = 2, .value = {.type = VALUE_INT64, .integer = INT64_MIN}, .sigma = 0},
	{.t_ns = 3, .value = {.type = VALUE_DOUBLE, .real = 51754.08}, .sigma = 0.25, .source = "adapter-1"},
	{.t_ns = 4, .value = {.type = VALUE_TEXT, .text = ""}, .quality = QUALITY_UNCERTAIN, .sigma = NAN},
	{.t_ns = 5, .value = {.type = VALUE_ENUM, .text = "on"}, .sigma = NAN},
	{.t_ns = 6, .value = {.type = VALUE_POSITION, .position = {-52.5, 13.4, NAN}}, .sigma = NAN},
	{.t_ns = 7, .value = {.type = VALUE_POSITION, .position = {52.5, -13.4, 34}}, .sigma = NAN},
	{.t_ns = TIME_MAX, .value = {.type = VALUE_NONE}, .sigma = NAN},
};

static struct kpi kpis[] = {
	{"load/power", "MW", {.t_ns = 9, .value = {.type = VALUE_DOUBLE, .real = 0}, .sigma = 1e-9}},
	{"never/measured", "K", {.sigma = NAN}},
};
static struct row_parent parents[] = {{"contains", "acme/plant1", CONFIRM_CONFIRMED},
				      {"contains", "harbor/city", CONFIRM_REFUSED}};

static struct row_alarm row_alarms[] = {
	{"state/temperature", HEALTH_ALARM, ALARM_ACTIVE, "high-alarm", 1293840000000000003},
	{"bearing-worn", HEALTH_WARNING, ALARM_SHELVED, "expression", -1}};

#define FULL_ROW \
	{ \
		.id = "acme/plant1/press7", .version = {63, 1293840000000000002}, .seq = 12, \
		.mask = ROW_MASK_ALL, .kind = KIND_ASSET, .type = "acme/press", .name = "Press 7", \
		.life = LIFE_MAINTENANCE, .health = HEALTH_ALARM, .kpis = kpis, .n_kpis = COUNT(kpis), \
		.parents = parents, .n_parents = COUNT(parents), .tags = tags, .n_tags = COUNT(tags), \
		.alarms = row_alarms, .n_alarms = COUNT(row_alarms), \
	}
struct row full_row = FULL_ROW;
static const struct row gone_row = {.id = "acme/x", .version = {1, -1}, .seq = 3, .deleted = true};

static struct bytes rows[] = {{(const uint8_t *)"\x0a\x06"
						"acme/x",
			       8},
			      {(const uint8_t *)"\0row", 4}};

static struct op ops[] = {
	{.kind = OP_TYPE, .type = FULL_TYPE},
	{.kind = OP_TWIN, .twin = FULL_TWIN},
	{.kind = OP_TWIN_DELETE, .id = "acme/plant1/press7"},
	{.kind = OP_RELATION, .relation = {"contains", "acme/a", "acme/b", TIME_MIN, TIME_MAX}},
	{.kind = OP_RELATION_DELETE, .relation = {"contains", "acme/a", "acme/b", TIME_MIN, TIME_MAX}},
	{.kind = OP_MEMBERSHIP, .membership = {"contains", "volt/a", "acme/b", CONFIRM_REFUSED, 5}},
	{.kind = OP_SAMPLES, .samples = {"acme/a", "load/power", samples, COUNT(samples)}},
	{.kind = OP_ROWS,
	 .rows = {"volt/border",
		  rows,
		  COUNT(rows),
		  {(const uint8_t *)"cursor", 6},
		  true,
		  true,
		  true,
		  9,
		  {(const uint8_t *)"head", 4}}},
	{.kind = OP_ORG_DROP, .id = "volt"},
	{.kind = OP_COLLECTION, .collection = {"acme/north", 77}},
	{.kind = OP_COMMAND, .command = {"the id", {(const uint8_t *)"record", 6}}},
};

static const struct signed_blob blob = {{(const uint8_t *)"payload", 7}, {"key"}, "signature"};
static struct signed_blob blobs[] = {{{(const uint8_t *)"one", 3}, {"k1"}, "s1"},
				     {{(const uint8_t *)"two", 3}, {"k2"}, "s2"}};
static struct issuer_key issuers[] = {{{"issuer 1"}, 1, 2}, {{"issuer 2"}, 3, 4}};
static struct public_key policy_keys[] = {{"policy 1"}, {"policy 2"}};
static const char *prefixes[] = {"acme", "acme/plant1"};

struct manifest full_manifest = {
	.org = "acme",
	.version = 2,
	.issued_ns = 5,
	.valid_until_ns = 6,
	.root = {"root"},
	.next_root_hash = "next",
	.issuers = issuers,
	.n_issuers = COUNT(issuers),
	.policy_keys = policy_keys,
	.n_policy_keys = COUNT(policy_keys),
};

struct credential full_credential = {
	.org = "acme",
	.node = "gateway-1",
	.serial = {"serial"},
	.curve = {"curve"},
	.sign = {"sign"},
	.roles = ROLE_OWNER | ROLE_BORDER,
	.prefixes = prefixes,
	.n_prefixes = COUNT(prefixes),
	.endpoint = "tcp://10.0.0.1:7001",
	.border_endpoint = "tcp://192.0.2.1:7000",
	.not_before_ns = 10,
	.not_after_ns = 20,
	.own_only = true,
};

struct bundle full_bundle = {
	{{(const uint8_t *)"manifest", 8}, {"root"}, "signed"}, blobs, 1, blobs, COUNT(blobs), &blobs[1]};
static const char *person_roles[] = {"operator", "shift-lead"};
struct person full_person = {"acme", "kim", {"serial"}, {"sign"}, person_roles, COUNT(person_roles), 10, 20};
static struct revoked revoked[] = {
	{REVOKED_SERIAL, {"serial"}, "", "", 0, 9, "lost"},
	{REVOKED_KEY, {""}, "key", "", 0, 9, ""},
	{REVOKED_ISSUER, {""}, "issuer", "", 7, 9, ""},
	{REVOKED_NODE, {""}, "", "gateway-1", 7, 9, "stolen"},
};
struct revocations full_revocations = {"acme", 3, 10, 20, "previous", revoked, COUNT(revoked)};
struct freshness full_freshness = {"acme", 10, 30, 2, 9, 3};
struct agreement full_agreement = {"acme", "volt", {"root"}, 4, 10, true};
struct errand full_errand = {"acme", "kim", {"serial"}, "gateway-1", 10, 20, "nonce"};
struct join_token full_token = {"acme",     "gateway-1", {"root"}, "tcp://192.0.2.1:7002",
				{"server"}, "secret",    20};
struct join_request full_join = {"acme", "gateway-1", {"curve"}, {"sign"}, "mac"};
struct join_ask full_join_ask = {{{(const uint8_t *)"payload", 7}, {"key"}, "signature"}, 7};
struct join_reply full_join_reply = {JOIN_YES, "here", "hash", 9, 3, {(const uint8_t *)"piece", 5}};
struct join_answer full_join_answer = {
	"request", {(const uint8_t *)"bundle", 6}, {(const uint8_t *)"sealed", 6}};
static struct invitation invitation[] = {{"gateway-1",
					  ROLE_BORDER,
					  prefixes,
					  COUNT(prefixes),
					  "tcp://10.0.0.1:7001",
					  "tcp://192.0.2.1:7000",
					  20,
					  true,
					  "key",
					  INVITATION_APPROVED,
					  {(const uint8_t *)"request", 7},
					  {(const uint8_t *)"sealed", 6},
					  "amber anchor"}};
struct invitations full_invitations = {invitation, COUNT(invitation)};
struct policy_doc full_policy = {"acme", 9, 12, POLICY_FORMAT, "policy acme\n"};

static struct incarnation lineage[] = {{0xfedcba9876543210, 0}, {2, 1000}};
struct head full_head = {
	.origin = "acme/gateway-1",
	.lineage = lineage,
	.n_lineage = COUNT(lineage),
	.seq = 1234,
	.fingerprint = {{"sum"}, 40},
	.epoch = 5,
	.stamp_ns = 1293840000000000003,
};

static struct view_root roots[] = {{"harbor/city", "", false, 0, 0},
				   {"acme/plant1", "harbor/city", true, -7, 9}};
static const char *shown[] = {"load/power", "mode"};
static struct rollup_spec specs[] = {{ROLLUP_SUM, "load/power", 0}, {ROLLUP_QUANTILE, "mode", 0.75}};
#define FULL_QUESTION \
	{ \
		.roots = roots, .n_roots = COUNT(roots), .hierarchy = "contains", .depth = VIEW_DEPTH_ALL, \
		.rollups = specs, .n_rollups = COUNT(specs), .has_as_of = true, .as_of_ns = -7, \
		.unconfirmed = true, .offline = true, .fresh_ns = 8, .deadline_ns = 9, \
		.where = "kind = asset", .by = GROUP_PROPERTY, .by_property = "mode", .show = shown, \
		.n_show = COUNT(shown), .members_max = 10, .after = "acme/a", .limit = 11, \
	}

static struct sketch_bucket quantiles[] = {{-7, 1}, {0, 2}, {70000, UINT64_MAX - 3}};
static struct rollup_state states[] = {
	{3, 6.5, 1e-17, -1, 5, "MW", "acme/a", 2.5, 0.25, 2, -1, 0.5, 1, -9, {quantiles, 3, 3}},
	{0},
};
static struct view_member members[] = {
	{"harbor/city", "", MEMBER_LIVE, KIND_SYSTEM_OF_SYSTEMS, "", "", LIFE_DESIGN, HEALTH_UNKNOWN, states,
	 NULL, 0},
	{"acme/plant1", "harbor/city", MEMBER_CACHED, KIND_SYSTEM, "plant", "Plant 1", LIFE_RETIRED,
	 HEALTH_GOOD, states, kpis, COUNT(kpis)},
};
static struct view_edge edges[] = {{"harbor/city", "harbor/city", "volt/grid", true, -3, 4}};
static struct view_source sources[] = {{"acme", "gateway-1", 55, 66, 7, MEMBER_UNREACHABLE}};
static struct view_cell cells[] = {{"", -5, 0, states}, {"acme", -5, 3, states}, {"acme", 5, 4, states}};
static const char *left[] = {"acme/b", "acme/c"};
static const char *problems[] = {"'acme/a' contains itself", "and so does 'acme/b'"};
#define FULL_PART \
	{ \
		.members = members, .n_members = COUNT(members), .edges = edges, .n_edges = COUNT(edges), \
		.sources = sources, .n_sources = COUNT(sources), .counts = {1, 2, 3, 4, 5, 6, 7, 8, 9}, \
		.rollups = states, .n_rollups = COUNT(states), .problems = problems, \
		.n_problems = COUNT(problems), .cells = cells, .n_cells = COUNT(cells), .cut = true, \
		.gone = left, .n_gone = COUNT(left), \
	}

#define FRAME(which) .kind = (which), .nonce = 0x123456789abcdef0, .frame = 3

struct message full_hello = {
	FRAME(MESSAGE_HELLO),
	.hello = {1, 2, 0x8000000000000001, "acme", "gateway-1", {(const uint8_t *)"credential", 10}, 4}};
static struct head_notice notices[] = {{{{(const uint8_t *)"head", 4}, {"k"}, "s"}, 5},
				       {{{(const uint8_t *)"HEAD", 4}, {"K"}, "S"}, 0}};
struct message full_heads = {FRAME(MESSAGE_HEADS), .heads = {notices, COUNT(notices), true}};
struct message full_pull = {FRAME(MESSAGE_PULL),
			    .pull = {17, "acme/gateway-1", {(const uint8_t *)"cur\0sor", 7}, true, 8}};
static uint64_t gone[] = {5, UINT64_MAX};
struct message full_rows = {FRAME(MESSAGE_ROWS), .rows = {17,
							  2,
							  "acme/gateway-1",
							  rows,
							  COUNT(rows),
							  {(const uint8_t *)"c", 1},
							  3,
							  true,
							  true,
							  {{{(const uint8_t *)"head", 4}, {"k"}, "s"}, 6},
							  true,
							  gone,
							  COUNT(gone),
							  2}};
static uint16_t below[] = {0, 0x1234, 0xffff};
static struct tree_leaf entries[] = {{0x1234000000000001, 0xfedcba98}, {0xffff123456789abc, 1}};
struct message full_repair = {FRAME(MESSAGE_REPAIR), .repair = {17,
								"acme/gateway-1",
								{(const uint8_t *)"cur\0sor", 7},
								16,
								below,
								COUNT(below),
								entries,
								COUNT(entries)}};
static uint64_t sums[] = {1, 0, UINT64_MAX};
struct message full_sums = {FRAME(MESSAGE_SUMS),
			    .sums = {17, "acme/gateway-1", {(const uint8_t *)"c", 1}, 3, sums, COUNT(sums)}};
static const char *partners[] = {"harbor", "grid"};
struct message full_reach = {FRAME(MESSAGE_REACH), .reach = {partners, COUNT(partners)}};
struct message full_reset = {FRAME(MESSAGE_RESET), .reset = {17, "acme/gateway-1", RESET_BEHIND}};
static struct history_bucket buckets[] = {{-60, -1, 3, 1, 2.5, 0.5, 2, 3, 2.25, true}, {.t_ns = 0}};
struct message full_view_question = {FRAME(MESSAGE_QUESTION), .question = {.id = 4,
									   .timeout_ns = 5,
									   .asker = "volt",
									   .kind = QUESTION_VIEW,
									   .view = FULL_QUESTION,
									   .twin = "",
									   .property = ""}};
struct message full_find_question = {FRAME(MESSAGE_QUESTION), .question = {.id = 4,
									   .timeout_ns = 5,
									   .asker = "volt",
									   .kind = QUESTION_FIND,
									   .view = {.hierarchy = "",
										    .where = "tag = 'a'",
										    .by_property = "",
										    .after = "acme/b",
										    .limit = 7},
									   .twin = "",
									   .property = ""}};
struct message full_series_question = {FRAME(MESSAGE_QUESTION), .question = {.id = 4,
									     .timeout_ns = 5,
									     .asker = "volt",
									     .kind = QUESTION_VIEW,
									     .index = 3,
									     .unfinished = true,
									     .view = {.roots = roots,
										      .n_roots = COUNT(roots),
										      .hierarchy = "contains",
										      .where = "",
										      .by = GROUP_ORG,
										      .by_property = "",
										      .from_ns = -60,
										      .to_ns = 60,
										      .step_ns = 60,
										      .after = ""},
									     .twin = "",
									     .property = ""}};
struct message full_history_question = {FRAME(MESSAGE_QUESTION),
					.question = {.id = 4,
						     .timeout_ns = 5,
						     .asker = "volt",
						     .person = {(const uint8_t *)"person", 6},
						     .errand = {(const uint8_t *)"errand", 6},
						     .kind = QUESTION_HISTORY,
						     .twin = "acme/a",
						     .property = "load/power",
						     .from_ns = -3,
						     .to_ns = 3,
						     .limit = 100,
						     .step_ns = 60}};
struct message full_mesh_question = {
	FRAME(MESSAGE_QUESTION),
	.question = {
		.id = 5, .timeout_ns = 6, .asker = "", .kind = QUESTION_MESH, .twin = "", .property = ""}};

static struct peer_info peers[] = {{.org = "volt",
				    .node = "border",
				    .endpoint = "tcp://192.0.2.2:7000",
				    .state = "connected",
				    .roles = "border",
				    .dialled = true,
				    .frames_in = 1,
				    .frames_out = 2,
				    .bytes_in = 3,
				    .bytes_out = 4,
				    .heard_ns = -1,
				    .protocol = 5,
				    .kicks = 6,
				    .kicked = "does not read",
				    .sessions = 7,
				    .resets = 8,
				    .gaps = 9,
				    .repairs = 10,
				    .refused = 11,
				    .n_origins = 12,
				    .n_behind = 13,
				    .lag = -1,
				    .age_ns = 14}};
static struct origin_info origins[] = {{"acme/n1", "repairing", 1, 2, 3, -1}};
static struct alarm_info alarms[] = {{"repair", "acme/n1", "no agreement", "look at it", true, -5, 6, 7}};
#define FULL_REPORT \
	{ \
		.node = "n1", .answered = true, .why = "", .known_ns = 1, .roles = "owner", \
		.version = "0.1.0", .uptime_ns = 2, .resident_bytes = 3, \
		.counts = {4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, .peers = peers, \
		.n_peers = COUNT(peers), .origins = origins, .n_origins = COUNT(origins), .alarms = alarms, \
		.n_alarms = COUNT(alarms) \
	}
struct message full_mesh_answer = {
	FRAME(MESSAGE_ANSWER),
	.answer = {.id = 5, .text = "", .kind = QUESTION_MESH, .report = FULL_REPORT, .unit = ""}};

struct message full_view_answer = {FRAME(MESSAGE_ANSWER), .answer = {.id = 4,
								     .index = 1,
								     .last = true,
								     .code = ERR_DENIED,
								     .text = "not shared",
								     .kind = QUESTION_VIEW,
								     .view = FULL_PART}};
struct message full_read_answer = {FRAME(MESSAGE_ANSWER), .answer = {.id = 4,
								     .kind = QUESTION_READ,
								     .row = FULL_ROW,
								     .values = kpis,
								     .n_values = COUNT(kpis),
								     .samples = samples,
								     .n_samples = COUNT(samples),
								     .unit = "MW",
								     .more = true,
								     .buckets = buckets,
								     .n_buckets = COUNT(buckets),
								     .has_coarse_until = true,
								     .coarse_until_ns = -7}};
static const struct message standing = {FRAME(MESSAGE_STANDING), .standing = {"volt", 0xfedc}};
struct message full_trust = {FRAME(MESSAGE_TRUST),
			     .trust = {"volt", 0xfedc, 9, 4, {(const uint8_t *)"piece", 5}}};
static const struct message agreement_message = {
	FRAME(MESSAGE_AGREEMENT), .agreement = {{(const uint8_t *)"agreement", 9}, {"k"}, "s"}};
static const struct message freshness_message = {
	FRAME(MESSAGE_FRESHNESS), .freshness = {{(const uint8_t *)"freshness", 9}, {"k"}, "s"}};
static const struct message ping = {FRAME(MESSAGE_PING), .ping = {7 * NS_PER_MS}}, bye = {FRAME(MESSAGE_BYE)},
			    tell = {FRAME(MESSAGE_TELL)};
static const struct message policy = {FRAME(MESSAGE_POLICY),
				      .policy = {{(const uint8_t *)"policy", 6}, {"k"}, "s"}};

static struct series_name names[] = {{"acme/a", "load/power"}, {"acme/b", "mode"}};
static uint32_t handles[] = {7, 0, 4000000000};
static enum value_type handle_types[] = {VALUE_DOUBLE, VALUE_NONE, VALUE_POSITION};

static struct command_word command_words[] = {{"word", COMMAND_ACCEPTED, ""},
					      {"other", COMMAND_FAILED, "jam"}};
struct control_request full_request = {
	.id = 99,
	.op = CONTROL_VIEW,
	.twin = "acme/a",
	.property = "load/power",
	.name = "acme/press",
	.prefix = "acme/pl",
	.tag = "critical",
	.alias = "urn:x",
	.after = "acme/a",
	.org = "volt",
	.right = "read",
	.text = "some text",
	.has_kind = true,
	.kind = KIND_SYSTEM,
	.from_ns = 1,
	.to_ns = 2,
	.limit = 3,
	.blob = {(const uint8_t *)"blob", 4},
	.person = {(const uint8_t *)"person", 6},
	.errand = {(const uint8_t *)"errand", 6},
	.ops = ops,
	.n_ops = COUNT(ops),
	.atomic = true,
	.dry_run = true,
	.names = names,
	.n_names = COUNT(names),
	.handles = handles,
	.n_handles = COUNT(handles),
	.step_ns = 60000000000,
	.has_as_of = true,
	.as_of_ns = -7,
	.question = FULL_QUESTION,
	.words = command_words,
	.n_words = COUNT(command_words),
};

static struct refusal refused[] = {{0, UINT32_MAX, "no such type"}, {7, 0, "above the maximum"}};
static struct change_note notes[] = {{7, "type press has 1 twin", true}};
static struct twin_def twins[] = {FULL_TWIN};
static struct type_def types[] = {FULL_TYPE};
static struct relation relations[] = {{"contains", "acme/a", "acme/b", 1, 2}};
static struct membership memberships[] = {{"contains", "volt/a", "acme/b", CONFIRM_REFUSED, 5}};
static struct node_report reports[] = {
	FULL_REPORT, {.node = "silent", .why = "no answer", .known_ns = -1, .roles = "", .version = ""}};
static struct policy_grant grants[] = {{"volt/lead", "history", "load/power", true, 12, "machines", -7}};
static const char *gained[] = {"acme/a load/power", "acme/b"}, *lost[] = {"acme/c"};
static struct policy_effect effects[] = {
	{"volt/lead", "history", 5, 1, gained, lost, COUNT(gained), COUNT(lost)}};
static const char *nodes[] = {"border border tcp://192.0.2.2:7000"};
static struct org_info orgs[] = {
	{"volt", "BOLT-7QK4", "apple bear", "node", true, 3, 4, 5, nodes, COUNT(nodes)}};

static struct twin_summary summaries[] = {{"volt/n1", FULL_ROW}};

static struct fork_info forks[] = {{"acme/plant", "undecided", 0xfedcba9876543210, 7, -8, -9}};

static struct argument arguments[] = {{"grace_s", {.type = VALUE_DOUBLE, .real = 2.5}},
				      {"how", {.type = VALUE_ENUM, .text = "soft"}}};
static struct bytes commands[] = {{(const uint8_t *)"record", 6}};
static struct counter counters[] = {{"samples", 7}, {"dead-letters", 1}};
static struct adapter_info adapters[] = {
	{"hall", "mqtt", "waiting", "refused", 3, counters, COUNT(counters)}};
static struct dead_letter letters[] = {{4, "hall", "plant/x", "no twin", {(const uint8_t *)"{\0", 2}, 9}};
static struct twin_alarm twin_alarms[] = {{"acme/a",
					   "acme/n1",
					   {"load/power", HEALTH_ALARM, ALARM_SHELVED, "high-alarm", -5},
					   "acme/eva",
					   6,
					   "hot"}};
static struct order orders[] = {
	{true, "command", "acme/a", "stop", arguments, COUNT(arguments), {.sigma = NAN}, 8, "acme/eva"},
	{.twin = "acme/a",
	 .operation = "speed",
	 .desired = {.t_ns = 2, .value = {.type = VALUE_INT64, .integer = 7}, .sigma = NAN},
	 .person = ""}};
static struct named_count counts[] = {{"commands taken", 57}};
struct control_answer full_answer = {
	.id = 99,
	.last = true,
	.code = ERR_REFUSED,
	.text = "nothing was changed",
	.n_changed = 1,
	.n_unchanged = 2,
	.refused = refused,
	.n_refused = COUNT(refused),
	.notes = notes,
	.n_notes = COUNT(notes),
	.twins = twins,
	.n_twins = COUNT(twins),
	.row = FULL_ROW,
	.values = kpis,
	.n_values = COUNT(kpis),
	.types = types,
	.n_types = COUNT(types),
	.relations = relations,
	.n_relations = COUNT(relations),
	.memberships = memberships,
	.n_memberships = COUNT(memberships),
	.samples = samples,
	.n_samples = COUNT(samples),
	.unit = "MW",
	.more = true,
	.has_view = true,
	.view = FULL_PART,
	.watch = {9, true, 10, 11},
	.commands = commands,
	.n_commands = COUNT(commands),
	.adapters = adapters,
	.n_adapters = COUNT(adapters),
	.letters = letters,
	.n_letters = COUNT(letters),
	.twin_alarms = twin_alarms,
	.n_twin_alarms = COUNT(twin_alarms),
	.orders = orders,
	.n_orders = COUNT(orders),
	.peers = peers,
	.n_peers = COUNT(peers),
	.orgs = orgs,
	.n_orgs = COUNT(orgs),
	.allowed = true,
	.handles = handles,
	.n_handles = COUNT(handles),
	.handle_types = handle_types,
	.incarnation = 0xfedcba9876543211,
	.credit = 16,
	.blob = {(const uint8_t *)"frame", 5},
	.buckets = buckets,
	.n_buckets = COUNT(buckets),
	.has_coarse_until = true,
	.coarse_until_ns = -1,
	.grants = grants,
	.n_grants = COUNT(grants),
	.effects = effects,
	.n_effects = COUNT(effects),
	.summaries = summaries,
	.n_summaries = COUNT(summaries),
	.forks = forks,
	.n_forks = COUNT(forks),
	.alarms = alarms,
	.n_alarms = COUNT(alarms),
	.reports = reports,
	.n_reports = COUNT(reports),
	.done = {10, 20, "copying history"},
	.has_status = true,
	.status = {"acme",
		   "gateway-1",
		   "owner,border",
		   "0.1.0",
		   "serving",
		   11,
		   12,
		   13,
		   14,
		   15,
		   16,
		   17,
		   18,
		   19,
		   20,
		   21,
		   22,
		   23,
		   24,
		   25,
		   26,
		   27,
		   28,
		   29,
		   30,
		   31,
		   32,
		   33,
		   34,
		   35,
		   36,
		   "open",
		   37,
		   38,
		   39,
		   40,
		   41,
		   42,
		   "passed",
		   {43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 55, 56},
		   54,
		   counts,
		   COUNT(counts)},
};

/* ---- one interface to all of them */

#define CODEC(object) \
	static void encode_##object(const void *o, struct buf *out) \
	{ \
		object##_encode(o, out); \
	} \
	static int decode_##object(struct arena *a, struct bytes in, void *ret) \
	{ \
		return object##_decode(a, in, ret); \
	} \
	static const struct codec object = {#object, sizeof(struct object), encode_##object, decode_##object}

CODEC(twin_def);
CODEC(type_def);
CODEC(relation);
CODEC(membership);
CODEC(row);
CODEC(op);
CODEC(signed_blob);
CODEC(manifest);
CODEC(credential);
CODEC(bundle);
CODEC(policy_doc);
CODEC(person);
CODEC(revocations);
CODEC(freshness);
CODEC(agreement);
CODEC(errand);
CODEC(join_token);
CODEC(join_request);
CODEC(join_answer);
CODEC(join_ask);
CODEC(join_reply);
CODEC(invitations);
CODEC(head);
CODEC(message);
CODEC(control_request);
CODEC(control_answer);

const struct codec *const codecs[] = {
	&twin_def,       &type_def,   &relation,    &membership, &row,        &op,           &signed_blob,
	&manifest,       &credential, &bundle,      &policy_doc, &head,       &message,      &control_request,
	&control_answer, &person,     &revocations, &freshness,  &join_token, &join_request, &join_answer,
	&join_ask,       &join_reply, &invitations, &agreement,  &errand,
};
const size_t n_codecs = COUNT(codecs);

const struct example examples[] = {
	{&twin_def, &full_twin},
	{&type_def, &full_type},
	{&relation, &full_relation},
	{&membership, &full_membership},
	{&row, &full_row},
	{&row, &gone_row},
	{&op, &ops[0]},
	{&op, &ops[1]},
	{&op, &ops[2]},
	{&op, &ops[3]},
	{&op, &ops[4]},
	{&op, &ops[5]},
	{&op, &ops[6]},
	{&op, &ops[7]},
	{&op, &ops[8]},
	{&signed_blob, &blob},
	{&manifest, &full_manifest},
	{&credential, &full_credential},
	{&bundle, &full_bundle},
	{&policy_doc, &full_policy},
	{&person, &full_person},
	{&revocations, &full_revocations},
	{&freshness, &full_freshness},
	{&agreement, &full_agreement},
	{&errand, &full_errand},
	{&join_token, &full_token},
	{&join_request, &full_join},
	{&join_answer, &full_join_answer},
	{&join_ask, &full_join_ask},
	{&join_reply, &full_join_reply},
	{&invitations, &full_invitations},
	{&head, &full_head},
	{&message, &full_hello},
	{&message, &full_heads},
	{&message, &full_pull},
	{&message, &full_rows},
	{&message, &full_reset},
	{&message, &full_view_question},
	{&message, &full_find_question},
	{&message, &full_series_question},
	{&message, &full_history_question},
	{&message, &full_view_answer},
	{&message, &full_read_answer},
	{&message, &full_mesh_question},
	{&message, &full_command_question},
	{&message, &full_command_answer},
	{&message, &full_mesh_answer},
	{&message, &ping},
	{&message, &tell},
	{&message, &full_repair},
	{&message, &full_sums},
	{&message, &full_reach},
	{&message, &policy},
	{&message, &bye},
	{&message, &standing},
	{&message, &full_trust},
	{&message, &agreement_message},
	{&message, &freshness_message},
	{&control_request, &full_request},
	{&control_answer, &full_answer},
};
const size_t n_examples = COUNT(examples);
