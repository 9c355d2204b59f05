/* SPDX-License-Identifier: Apache-2.0 */
/* Remote - somebody who wants to give a node orders over the network.
 *
 *     remote key NODE-DIR                      print the public key of that node in Z85
 *     remote ask ENDPOINT SERVER-DIR WHO       ask for the node's status with the key of WHO, a node's
 *                                              directory; `fresh`: a key made now, `none`: without encryption
 *
 * Prints the node's name, or `refused`. Exit code 0 if it could try at all.
 */
#include <stdio.h>
#include <string.h>

#include <zmq.h>

#include "proto/clock.h"
#include "security/keys.h"
#include "tools/client.h"

enum { MEMORY = 1 << 20, TIMEOUT_S = 3 };

static int load(const char *dir, struct curve_pair **ret, struct err_note *note)
{
	char path[512];

	snprintf(path, sizeof path, "%s/keys/curve.key", dir);
	return curve_pair_load(ret, path, note);
}

static int print_key(const char *dir, struct err_note *note)
{
	SCOPED(scope_curve_pair) struct curve_pair *pair = NULL;
	char text[41];

	TRY(load(dir, &pair, note));
	const struct curve_key key = curve_pair_public(pair);
	puts(zmq_z85_encode(text, key.b, KEY_BYTES));
	return 0;
}

static int open_as(const char *endpoint, const char *server_dir, struct curve_pair *own, struct client **ret,
		   struct err_note *note)
{
	SCOPED(scope_curve_pair) struct curve_pair *server = NULL;

	if (!own)
		return client_open(ret, endpoint, TIMEOUT_S * NS_PER_S, note);
	TRY(load(server_dir, &server, note));
	const struct client_keys keys = {.server = curve_pair_public(server), .own = own};
	return client_open_encrypted(ret, endpoint, &keys, TIMEOUT_S * NS_PER_S, note);
}

static int ask(const char *endpoint, const char *server_dir, const char *who, struct err_note *note)
{
	SCOPED(scope_curve_pair) struct curve_pair *own = NULL;
	SCOPED(scope_client) struct client *c = NULL;
	SCOPED(scope_arena) struct arena *a = NULL;
	struct control_request request = {.op = CONTROL_STATUS};
	struct control_answer answer;

	TRY(arena_new(&a, MEMORY));
	if (strcmp(who, "fresh") == 0)
		TRY(curve_pair_new(&own));
	else if (strcmp(who, "none") != 0)
		TRY(load(who, &own, note));
	int r = open_as(endpoint, server_dir, own, &c, note);
	if (r == 0)
		r = client_ask(c, &request, a, &answer, note);
	if (r < 0)
		fprintf(stderr, "%s\n", note->text);
	printf("%s\n", r == 0 && answer.has_status ? answer.status.node : "refused");
	return 0;
}

int main(int argc, char *argv[])
{
	struct err_note note = {0};
	int r = keys_init();

	if (r == 0 && argc == 3 && strcmp(argv[1], "key") == 0)
		r = print_key(argv[2], &note);
	else if (r == 0 && argc == 5 && strcmp(argv[1], "ask") == 0)
		r = ask(argv[2], argv[3], argv[4], &note);
	else
		r = ERR_REFUSED;
	if (r < 0)
		fprintf(stderr, "remote: %s\n", note.text[0] ? note.text : err_text(r));
	return r < 0;
}
