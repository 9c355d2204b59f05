/* SPDX-License-Identifier: Apache-2.0 */
/* TLS - the client's side of a connection that somebody else reads and writes (OpenSSL, 1.2 or later).
 *
 *     received bytes --tls_feed()--> tls_read() --> what was said
 *     what to say --tls_write()--> tls_take() --> bytes to send
 *
 * The other side's certificate must be for the host that was asked for, and come from an authority in the
 * file (or one of the system's): there is no way around this.
 *
 * Owner:   the caller. Threads: one at a time.
 */
#pragma once

#include "proto/buf.h"

struct tls;

struct tls_options {
	const char *host;                 /* name or address */
	const char *ca_file;              /* PEM; NULL: those of the system */
	const char *cert_file, *key_file; /* our own, PEM; NULL: none */
};

/* Files are read now. ERR_UNTRUSTED with a note: one of them is not good. */
MUST_CHECK int tls_new(struct tls **ret, const struct tls_options *opt, struct err_note *note);
void tls_free(struct tls *t); /* NULL is fine */

/* What came in is taken in, whole. -ENOMEM. */
MUST_CHECK int tls_feed(struct tls *t, struct bytes in);
/* What it says is appended to `out` up to `most` bytes; the handshake goes on. 0; TLS_MORE: there may be
 * more; TLS_ENDED: the other side has said good-bye; ERR_UNTRUSTED, ERR_MALFORMED with a note. */
enum { TLS_MORE = 1, TLS_ENDED = 2 };
MUST_CHECK int tls_read(struct tls *t, struct buf *out, size_t most, struct err_note *note);
bool tls_is_up(const struct tls *t); /* the handshake is over */
/* Only when it is up. */
MUST_CHECK int tls_write(struct tls *t, struct bytes plain, struct err_note *note);
void tls_bye(struct tls *t);
/* What is to be sent is appended. */
void tls_take(struct tls *t, struct buf *out);

DEFINE_SCOPED(tls, tls_free)
