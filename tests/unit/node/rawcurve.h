/* SPDX-License-Identifier: Apache-2.0 */
/* Rawcurve - a CURVE client on a bare TCP socket, for what libzmq would not let a peer do: any routing id,
 * any property, any frame flags (ZMTP 3.1, RFC 26). Blocking, with a time limit of 3 s. */
#pragma once

#include "proto/buf.h"
#include "security/keys.h"

struct raw_property {
	const char *name;
	struct bytes value;
};

enum raw_verdict { RAW_ADMITTED, RAW_REFUSED, RAW_CUT };

struct raw {
	int fd;
	struct curve_key server, server_short;
	uint8_t own_short[KEY_BYTES], secret_short[KEY_BYTES];
	uint8_t cookie[96];
	uint64_t nonce;
};

/* `endpoint` is tcp://127.0.0.1:PORT. The properties follow Socket-Type. */
enum raw_verdict raw_connect(struct raw *r, const char *endpoint, const struct curve_key *server,
			     const struct curve_pair *keys, const struct raw_property *properties, size_t n);
void raw_open(struct raw *r, const char *endpoint);            /* and not a word */
bool raw_try_open(struct raw *r, const char *endpoint);        /* false: nobody listens; nothing is open */
bool raw_send(struct raw *r, struct bytes payload, bool more); /* false: cut */
/* Append the frame that would be sent, as it stands on the wire. */
void raw_message(struct raw *r, struct bytes payload, struct buf *out);
bool raw_write(struct raw *r, struct bytes wire); /* anything; false: cut */
bool raw_greet(struct raw *r);                    /* say that it is CURVE, and no more */
bool raw_is_cut(struct raw *r);                   /* waits for the end of the connection */
void raw_close(struct raw *r);
