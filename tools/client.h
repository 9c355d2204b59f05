/* SPDX-License-Identifier: Apache-2.0 */
/* Client - a connection to a node: questions and their answers, and samples in bulk.
 *
 * A program that brings samples in needs this much:
 *
 *     client_open(&c, "ipc:///var/lib/holon/control", 5 * NS_PER_S, &note)
 *     client_ingest_begin(c, &(struct client_ingest_options){.refused = on_refused}, &note)
 *     client_put(c, "acme/press7", "load/power", &sample, &note)      as often as there is one
 *     client_flush(c, &note)                                          0: all of them are on the node's disk
 *     client_close(c)
 *
 * Functions return 0 or an error as in proto/err.h; the note (may be NULL) words it for people.
 *
 * Owner:   client_open() makes it. Threads: one at a time.
 */
#pragma once

#include "proto/control.h"
#include "proto/trust.h"

struct client;
struct curve_pair;
struct sign_key;

/* Connects at once or fails: ERR_UNREACHABLE with a note when nobody listens there. `timeout_ns` also bounds
 * every wait for an answer that is not told otherwise. */
MUST_CHECK int client_open(struct client **ret, const char *endpoint, int64_t timeout_ns,
			   struct err_note *note);
/* The same over tcp://, encrypted: the node proves that it has the server key, we that we have ours. The pair
 * must outlive the client. */
struct client_keys {
	struct curve_key server;
	const struct curve_pair *own;
};
/* A public key as people write it: 40 characters of Z85. ERR_REFUSED with a note. */
enum { CURVE_KEY_TEXT_SIZE = 41 };
MUST_CHECK int curve_key_parse(const char *text, struct curve_key *ret, struct err_note *note);
const char *curve_key_text(const struct curve_key *key, char ret[CURVE_KEY_TEXT_SIZE]);
MUST_CHECK int client_open_encrypted(struct client **ret, const char *endpoint,
				     const struct client_keys *keys, int64_t timeout_ns,
				     struct err_note *note);
/* From now on every request is in the name of a person of the node's organisation, who lets this node ask for
 * a few minutes at a time. Asks the node for its name. The key must outlive the client; `credential` is the
 * encoded signed_blob. ERR_REFUSED with a note when the two do not belong together, or the node is another
 * organisation's. */
MUST_CHECK int client_act_for(struct client *c, const struct sign_key *key, struct bytes credential,
			      struct err_note *note);
/* Who that is, and through which node; NULL: whoever may open the socket. Good until the next
 * client_act_for(). */
const struct errand *client_who(const struct client *c);
/* Sign in that person's name, for one kind of object (security/sign.h); appends the encoded signed_blob:
 * check the buf. A bug when it is nobody. */
void client_sign(const struct client *c, const char *context, struct bytes payload, struct buf *out);
/* Has half of the credential's time passed, and does the node have one for the same key that ends later? Then
 * it is used from now on and given in *ret (good until the client closes), else that is empty. The node need
 * not have the organisation's directory: without it nothing is newer. */
MUST_CHECK int client_renew_person(struct client *c, struct bytes *ret, struct err_note *note);
/* What was put and not flushed may be lost. NULL is fine. */
void client_close(struct client *c);

/* Longest silence to bear while waiting. */
void client_set_timeout(struct client *c, int64_t timeout_ns);

/* ---- Questions -------------------------------------------------------------------------------------------
 */

/* Gives the request its id and sends it. */
MUST_CHECK int client_send(struct client *c, struct control_request *request, struct err_note *note);

/* The next part of any answer, decoded into the arena. ERR_UNREACHABLE (node silent or gone), ERR_MALFORMED.
 */
MUST_CHECK int client_receive(struct client *c, struct arena *a, struct control_answer *ret,
			      struct err_note *note);

/* One question, all parts of its answer merged. No other request may be on its way but frames of samples. */
MUST_CHECK int client_ask(struct client *c, struct control_request *request, struct arena *a,
			  struct control_answer *ret, struct err_note *note);

/* Add a later part to an answer: lists are joined, counts and roll-up states add up. -ENOMEM, ERR_UNIT. */
MUST_CHECK int answer_merge(struct arena *a, struct control_answer *into, const struct control_answer *part);

/* `ipc:///path` or `tcp://host:port` of what a person gave: an endpoint, a path, or a node's directory (then
 * the socket in it). ERR_REFUSED with a note when the path is too long for a socket or neither was given. */
MUST_CHECK int client_endpoint(struct arena *a, const char *endpoint, const char *node_dir, const char **ret,
			       struct err_note *note);

/* ---- Samples in bulk
 * ---------------------------------------------------------------------------------------
 *
 * Samples are gathered into frames; several frames are on their way at a time, as many as the node has credit
 * for. A frame that was not acknowledged is kept and sent again, also to a node that was started anew, so
 * every sample is stored at least once, and merging makes that once. Memory is bounded: CLIENT_WINDOW frames,
 * CLIENT_WAITING_MAX samples of series that the node was not yet asked for, and the names of all series used.
 */
enum { CLIENT_WINDOW = 32, CLIENT_FRAME_SAMPLES = 1000, CLIENT_WAITING_MAX = 10000 };

/* A sample was refused: the running number of it, in the order of client_put() from 0. The reason is a
 * sentence. Must not call anything of this client. */
typedef void client_refused_fn(void *ctx, uint64_t index, const char *reason);

struct client_ingest_options {
	client_refused_fn *refused; /* NULL: only counted */
	void *ctx;
	uint32_t frame_samples; /* at most; 0: CLIENT_FRAME_SAMPLES */
	int64_t retry_ns; /* how long to go on with a node that is gone or takes nothing; 0: the timeout */
};

/* Once per client, before all that follows. */
MUST_CHECK int client_ingest_begin(struct client *c, const struct client_ingest_options *opt,
				   struct err_note *note);

/* A number for a series, good as long as the client: for programs that put many samples of it. The node need
 * not have it yet. ERR_REFUSED with a note when the names cannot be names. */
MUST_CHECK int client_series(struct client *c, const char *twin, const char *property, uint32_t *ret,
			     struct err_note *note);

/* What its values are; VALUE_NONE while the node was not asked, and when it has no such series. */
enum value_type client_series_type(const struct client *c, uint32_t series);

/* Take a sample (copied); numbers are turned into the type that the property has where nothing is lost. Waits
 * when the window is full. A sample that is refused is no failure. ERR_UNREACHABLE: no node for retry_ns;
 * the samples are kept and the next call tries again. The node's own code when its store takes nothing. */
MUST_CHECK int client_put(struct client *c, const char *twin, const char *property, const struct sample *s,
			  struct err_note *note);
MUST_CHECK int client_put_series(struct client *c, uint32_t series, const struct sample *s,
				 struct err_note *note);

/* Look after what has been answered meanwhile; never waits while there is a node. */
MUST_CHECK int client_poll(struct client *c, struct err_note *note);
/* Send everything and wait until all of it was acknowledged or refused. */
MUST_CHECK int client_flush(struct client *c, struct err_note *note);

/* For who must not wait: send what was put without waiting for answers; has it room for `n` samples more
 * (else client_put() waits until something was answered); all samples with an index below are on the node's
 * disk or were refused. */
MUST_CHECK int client_push(struct client *c, struct err_note *note);
bool client_has_room(const struct client *c, size_t n);
uint64_t client_settled(const struct client *c);

struct client_tally {
	uint64_t n_put;                 /* = the index of the next sample */
	uint64_t n_stored, n_unchanged; /* acknowledged; unchanged: the present value again, or sent twice */
	uint64_t n_refused;
};
struct client_tally client_tally(const struct client *c);

/* The present values of series; type VALUE_NONE where there is none (also no such series). Texts go into the
 * arena; sources are not told. */
MUST_CHECK int client_read_values(struct client *c, const uint32_t *series, size_t n, struct arena *a,
				  struct sample *ret, struct err_note *note);

DEFINE_SCOPED(client, client_close)
