/* SPDX-License-Identifier: Apache-2.0 */
/* Rogue - a peer that does not behave, for the tests of a node's door and of its decoder.
 *
 *     rogue MODE NODE-DIR OWN-BUNDLE THEIR-BUNDLE
 *
 * Connects to the first border node of THEIR-BUNDLE, with the keys of NODE-DIR where the mode wants valid
 * ones, and does what the mode says. Prints `admitted` or `refused`, how many frames came back, and of those
 * that can be read how many of each kind. Exit code 0 if it could try at all.
 */
#include <stdio.h>
#include <time.h>

#include <sodium.h>
#include <zmq.h>

#include "proto/message.h"
#include "security/org.h"

enum { MEMORY = 16 << 20, WAIT_MS = 3000, QUIET_MS = 300, RANDOM_FRAMES = 200, FLOOD = 4000 };

struct rogue {
	struct arena *arena;
	const char *node_dir;
	struct org own, their;
	const struct credential *server;
	void *zmq, *socket, *monitor;
	uint64_t frame;
	size_t n_came, came[N_MESSAGE_KINDS];
};

enum key_used { KEY_VALID, KEY_FRESH, KEY_NONE };

static int from_zmq(int r)
{
	return r >= 0 ? 0 : FAIL(-zmq_errno());
}

static int load_bundle(struct rogue *r, const char *path, struct org *ret, struct err_note *note)
{
	struct timespec now;
	struct bytes encoded;

	clock_gettime(CLOCK_REALTIME, &now);
	TRY(file_read(r->arena, path, MEMORY / 4, &encoded, note));
	return org_verify(r->arena, encoded, (int64_t)now.tv_sec * 1000000000, ret, note);
}

static int find_border(struct rogue *r, struct err_note *note)
{
	for (size_t i = 0; i < r->their.n_nodes && !r->server; i++)
		if (r->their.nodes[i].roles & ROLE_BORDER)
			r->server = &r->their.nodes[i];
	return r->server ? 0 : FAIL_SAY(note, ERR_ABSENT, "no border node in the bundle");
}

static int set_keys(struct rogue *r, const struct curve_pair *pair)
{
	const struct curve_key public = curve_pair_public(pair);

	TRY(from_zmq(zmq_setsockopt(r->socket, ZMQ_CURVE_SERVERKEY, r->server->curve.b, KEY_BYTES)));
	TRY(from_zmq(zmq_setsockopt(r->socket, ZMQ_CURVE_PUBLICKEY, public.b, KEY_BYTES)));
	return from_zmq(zmq_setsockopt(r->socket, ZMQ_CURVE_SECRETKEY, curve_pair_secret(pair), KEY_BYTES));
}

static int use_key(struct rogue *r, enum key_used which, struct err_note *note)
{
	SCOPED(scope_curve_pair) struct curve_pair *pair = NULL;

	switch (which) {
	case KEY_NONE: return 0;
	case KEY_FRESH: TRY(curve_pair_new(&pair)); break;
	case KEY_VALID:
		TRY(curve_pair_load(&pair, arena_print(r->arena, "%s/keys/curve.key", r->node_dir), note));
		break;
	}
	return set_keys(r, pair);
}

static int dial(struct rogue *r, enum key_used which, struct err_note *note)
{
	const int none = 0, once = -1, patience_ms = WAIT_MS;

	r->zmq = zmq_ctx_new();
	r->socket = zmq_socket(r->zmq, ZMQ_DEALER);
	r->monitor = zmq_socket(r->zmq, ZMQ_PAIR);
	TRY(use_key(r, which, note));
	TRY(from_zmq(zmq_setsockopt(r->socket, ZMQ_LINGER, &none, sizeof none)));
	TRY(from_zmq(zmq_setsockopt(r->socket, ZMQ_RECONNECT_IVL, &once, sizeof once)));
	TRY(from_zmq(zmq_setsockopt(r->socket, ZMQ_SNDTIMEO, &patience_ms, sizeof patience_ms)));
	TRY(from_zmq(zmq_socket_monitor(r->socket, "inproc://monitor", ZMQ_EVENT_ALL)));
	TRY(from_zmq(zmq_connect(r->monitor, "inproc://monitor")));
	return from_zmq(zmq_connect(r->socket, r->server->border_endpoint));
}

/* The number of a monitor event; 0 when none came in time. */
static int next_event(struct rogue *r, int wait_ms)
{
	zmq_pollitem_t item = {.socket = r->monitor, .events = ZMQ_POLLIN};
	uint8_t frame[6] = {0};
	uint16_t event = 0;

	if (zmq_poll(&item, 1, wait_ms) <= 0 || zmq_recv(r->monitor, frame, sizeof frame, 0) < 0)
		return 0;
	memcpy(&event, frame, sizeof event);
	/* the address frame says nothing that is of use here */
	ignore(zmq_recv(r->monitor, frame, sizeof frame, 0));
	return event;
}

static bool admitted(struct rogue *r)
{
	for (;;) {
		switch (next_event(r, WAIT_MS)) {
		case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: return true;
		case 0:
		case ZMQ_EVENT_DISCONNECTED:
		case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
		case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
		case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: return false;
		default: break;
		}
	}
}

static void send_frame(struct rogue *r, struct bytes frame, int flags)
{
	/* the node may have hung up, which is its right */
	ignore(zmq_send(r->socket, frame.data, frame.len, flags | ZMQ_DONTWAIT));
}

/* What a well-behaved node would say first. The names and the credential are those of NODE-DIR's
 * organisation. */
static int good_hello(struct rogue *r, struct buf *out)
{
	struct bundle bundle;
	struct buf credential = {0};
	const struct message hello = {
		.kind = MESSAGE_HELLO,
		.nonce = 1,
		.frame = 1,
		.hello = {.protocol_min = PROTOCOL_MIN,
			  .protocol_max = PROTOCOL_MAX,
			  .features = FEATURE_TRUST | FEATURE_QUIET | FEATURE_REPAIR,
			  .org = r->own.nodes[0].org,
			  .node = r->own.nodes[0].node},
	};
	struct message full = hello;

	TRY(bundle_decode(r->arena, r->own.encoded, &bundle));
	signed_blob_encode(&bundle.credentials[0], &credential);
	full.hello.credential = buf_bytes(&credential);
	message_encode(&full, out);
	buf_fini(&credential);
	return buf_check(out);
}

static int say_garbage(struct rogue *r)
{
	uint8_t frame[512];

	for (uint32_t i = 0; i < RANDOM_FRAMES; i++) {
		const size_t len = randombytes_uniform(sizeof frame);
		randombytes_buf(frame, len);
		send_frame(r, (struct bytes){frame, len}, 0);
	}
	return 0;
}

static int say_cut_hello(struct rogue *r)
{
	SCOPED(buf_fini) struct buf hello = {0};

	TRY(good_hello(r, &hello));
	for (size_t len = 0; len < hello.len; len++)
		send_frame(r, (struct bytes){hello.data, len}, 0);
	return 0;
}

static int say_garbage_after_hello(struct rogue *r)
{
	SCOPED(buf_fini) struct buf hello = {0};

	TRY(good_hello(r, &hello));
	send_frame(r, buf_bytes(&hello), 0);
	return say_garbage(r);
}

static int say_too_much(struct rogue *r)
{
	SCOPED(buf_fini) struct buf frame = {0};
	const uint8_t *room = buf_extend(&frame, FRAME_BORDER_MAX + 1);

	if (!room)
		return FAIL(-ENOMEM);
	memset(frame.data, 'x', frame.len);
	send_frame(r, buf_bytes(&frame), 0);
	return 0;
}

static int say_many_parts(struct rogue *r)
{
	for (int i = 0; i < RANDOM_FRAMES; i++)
		send_frame(r, BYTES("part"), ZMQ_SNDMORE);
	send_frame(r, BYTES("last"), 0);
	return 0;
}

static int say_nothing(struct rogue *r)
{
	(void)r;
	return 0;
}

/* ---- After a good HELLO ----------------------------------------------------------------------------------
 */

static void count_frames(struct rogue *r, int wait_ms);

static void speak_as(struct rogue *r, uint64_t nonce, uint64_t frame, struct message *m)
{
	SCOPED(buf_fini) struct buf b = {0};

	m->nonce = nonce;
	m->frame = frame;
	message_encode(m, &b);
	if (buf_check(&b) == 0)
		ignore(zmq_send(r->socket, b.data, b.len, 0)); /* the node may have hung up */
}

static void speak(struct rogue *r, struct message *m)
{
	speak_as(r, 1, ++r->frame, m);
}

static int greet(struct rogue *r)
{
	SCOPED(buf_fini) struct buf hello = {0};

	TRY(good_hello(r, &hello));
	send_frame(r, buf_bytes(&hello), 0);
	r->frame = 1;
	count_frames(r, WAIT_MS / 3);
	return 0;
}

static const char *origin_of(struct rogue *r, const struct org *org)
{
	return arena_print(r->arena, "%s/%s", org->manifest.org, org->nodes[0].node);
}

static void pull(struct rogue *r, uint64_t id, struct bytes cursor)
{
	struct message m = {
		.kind = MESSAGE_PULL,
		.pull = {.id = id, .origin = origin_of(r, &r->their), .cursor = cursor, .credit = 8}};

	speak(r, &m);
}

static int say_forged_cursors(struct rogue *r)
{
	uint8_t cursor[CURSOR_MAX];

	TRY(greet(r));
	for (uint64_t i = 1; i <= 20; i++) {
		randombytes_buf(cursor, sizeof cursor);
		pull(r, i, (struct bytes){cursor, (size_t)(i * 12)});
	}
	return 0;
}

static int say_old_frames(struct rogue *r)
{
	struct message ask = {.kind = MESSAGE_PULL,
			      .pull = {.id = 7, .origin = origin_of(r, &r->their), .credit = 8}};

	TRY(greet(r));
	for (uint64_t i = 0; i < 20; i++) {
		speak_as(r, 2, 2 + i, &ask); /* of another session */
		speak_as(r, 1, 1, &ask);     /* already said */
	}
	return 0;
}

/* Of everything, without end: `id` differs, the question does not. */
static int say_flood(struct rogue *r, enum message_kind kind)
{
	uint16_t prefixes[REPAIR_PREFIXES_MAX];
	struct message m = {.kind = kind};

	for (size_t i = 0; i < REPAIR_PREFIXES_MAX; i++)
		prefixes[i] = (uint16_t)(i << 8);
	TRY(greet(r));
	for (uint64_t i = 1; i <= FLOOD; i++) {
		if (kind == MESSAGE_PULL)
			m.pull = (struct pull){.id = i, .origin = origin_of(r, &r->their), .credit = 8};
		if (kind == MESSAGE_REPAIR)
			m.repair = (struct repair){.id = i,
						   .origin = origin_of(r, &r->their),
						   .cursor = BYTES("nowhere"),
						   .depth = 16,
						   .prefixes = prefixes,
						   .n = REPAIR_PREFIXES_MAX};
		speak(r, &m);
		if (i % 50 == 0)
			count_frames(r, 0);
	}
	return 0;
}

static int say_pulls(struct rogue *r)
{
	return say_flood(r, MESSAGE_PULL);
}

static int say_repairs(struct rogue *r)
{
	return say_flood(r, MESSAGE_REPAIR);
}

static int say_tells(struct rogue *r)
{
	return say_flood(r, MESSAGE_TELL);
}

/* What nobody asked for: sums, and rows of a twin that is the other side's. */
static int say_answers(struct rogue *r)
{
	const struct row twin = {.id = arena_print(r->arena, "%s/plant", r->their.manifest.org),
				 .version.stamp_ns = 1,
				 .seq = 1,
				 .mask = 1,
				 .type = "",
				 .name = ""};
	SCOPED(buf_fini) struct buf encoded = {0};
	struct message rows = {.kind = MESSAGE_ROWS}, sums = {.kind = MESSAGE_SUMS};

	TRY(greet(r));
	row_encode(&twin, &encoded);
	struct bytes list = buf_bytes(&encoded);
	for (uint64_t i = 1; i <= 20; i++) {
		rows.rows = (struct rows){.pull = i,
					  .origin = origin_of(r, &r->own),
					  .rows = &list,
					  .n = 1,
					  .cursor = BYTES("nowhere")};
		sums.sums =
			(struct sums){.id = i, .origin = origin_of(r, &r->own), .cursor = BYTES("nowhere")};
		speak(r, &rows);
		speak(r, &sums);
	}
	return 0;
}

/* A head of its own, signed with a key of nobody; then one of the other side's. */
static int say_unsigned_heads(struct rogue *r)
{
	struct incarnation lineage = {1, 0};
	struct head head = {.origin = origin_of(r, &r->own),
			    .lineage = &lineage,
			    .n_lineage = 1,
			    .epoch = 1,
			    .fingerprint.count = 5};
	SCOPED(buf_fini) struct buf encoded = {0};
	struct head_notice notice = {0};
	struct message m = {.kind = MESSAGE_HEADS, .heads = {.heads = &notice, .n = 1}};

	TRY(greet(r));
	head_encode(&head, &encoded);
	notice.head.payload = buf_bytes(&encoded);
	randombytes_buf(notice.head.key.b, KEY_BYTES);
	for (int i = 0; i < 20; i++)
		speak(r, &m);
	return 0;
}

static const struct mode {
	const char *name;
	enum key_used key;
	int (*say)(struct rogue *r);
} modes[] = {
	{"stranger", KEY_FRESH, say_nothing},
	{"plain", KEY_NONE, say_garbage},
	{"silent", KEY_VALID, say_nothing},
	{"garbage", KEY_VALID, say_garbage},
	{"cut-hello", KEY_VALID, say_cut_hello},
	{"garbage-after-hello", KEY_VALID, say_garbage_after_hello},
	{"too-much", KEY_VALID, say_too_much},
	{"many-parts", KEY_VALID, say_many_parts},
	{"forged-cursors", KEY_VALID, say_forged_cursors},
	{"old-frames", KEY_VALID, say_old_frames},
	{"pulls", KEY_VALID, say_pulls},
	{"repairs", KEY_VALID, say_repairs},
	{"tells", KEY_VALID, say_tells},
	{"answers", KEY_VALID, say_answers},
	{"unsigned-heads", KEY_VALID, say_unsigned_heads},
};

/* Until nothing came for so long. */
static void count_frames(struct rogue *r, int wait_ms)
{
	static uint8_t frame[FRAME_OWN_MAX];
	zmq_pollitem_t item = {.socket = r->socket, .events = ZMQ_POLLIN};
	int n;

	while (zmq_poll(&item, 1, wait_ms) > 0 &&
	       (n = zmq_recv(r->socket, frame, sizeof frame, ZMQ_DONTWAIT)) >= 0) {
		SCOPED(scope_arena) struct arena *a = NULL;
		struct message m;
		r->n_came++;
		wait_ms = wait_ms > QUIET_MS ? QUIET_MS : wait_ms;
		if (arena_new(&a, MEMORY * 2) == 0 &&
		    message_decode(a, (struct bytes){frame, (size_t)n}, &m) == 0)
			r->came[m.kind]++;
	}
}

static void print_kinds(const struct rogue *r)
{
	for (size_t i = 0; i < N_MESSAGE_KINDS; i++)
		if (r->came[i] > 0)
			printf(" %s=%zu", message_kind_text((enum message_kind)i), r->came[i]);
	putchar('\n');
}

static void hang_up(struct rogue *r)
{
	if (r->monitor)
		zmq_close(r->monitor);
	if (r->socket)
		zmq_close(r->socket);
	if (r->zmq)
		zmq_ctx_term(r->zmq);
	arena_free(r->arena);
}

static int misbehave(struct rogue *r, const struct mode *mode, char *const argv[], struct err_note *note)
{
	bool in;

	TRY(keys_init());
	TRY(arena_new(&r->arena, MEMORY));
	r->node_dir = argv[2];
	TRY(load_bundle(r, argv[3], &r->own, note));
	TRY(load_bundle(r, argv[4], &r->their, note));
	TRY(find_border(r, note));
	TRY(dial(r, mode->key, note));
	in = admitted(r);
	if (in)
		TRY(mode->say(r));
	count_frames(r, QUIET_MS);
	printf("%s, %zu frames came back", in ? "admitted" : "refused", r->n_came);
	print_kinds(r);
	return 0;
}

int main(int argc, char *argv[])
{
	SCOPED(hang_up) struct rogue rogue = {0};
	struct err_note note = {0};

	for (size_t i = 0; argc == 5 && i < sizeof modes / sizeof *modes; i++) {
		if (strcmp(argv[1], modes[i].name) != 0)
			continue;
		const int r = misbehave(&rogue, &modes[i], argv, &note);
		if (r < 0)
			fprintf(stderr, "rogue: %s: %s\n", err_text(r), note.text);
		return r < 0;
	}
	fputs("usage: rogue MODE NODE-DIR OWN-BUNDLE THEIR-BUNDLE\n", stderr);
	return 2;
}
