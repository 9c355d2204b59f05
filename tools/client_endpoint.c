/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/un.h>

#include <zmq.h>

#include "tools/client.h"

static int with_scheme(struct arena *a, const char *path, const char *tail, const char **ret,
		       struct err_note *note)
{
	const size_t longest = sizeof((struct sockaddr_un *)0)->sun_path - 1;

	if (strlen(path) + strlen(tail) > longest)
		return FAIL_SAY(note, ERR_REFUSED,
				"the control socket %s%s has a path of more than %zu bytes", path, tail,
				longest);
	*ret = arena_print(a, "ipc://%s%s", path, tail);
	return *ret ? 0 : FAIL(-ENOMEM);
}

int client_endpoint(struct arena *a, const char *endpoint, const char *node_dir, const char **ret,
		    struct err_note *note)
{
	if (endpoint && strncmp(endpoint, "ipc://", 6) == 0)
		return with_scheme(a, endpoint + 6, "", ret, note);
	if (endpoint && strncmp(endpoint, "tcp://", 6) == 0) {
		*ret = arena_copy(a, endpoint);
		return *ret ? 0 : FAIL(-ENOMEM);
	}
	if (endpoint && strstr(endpoint, "://"))
		return FAIL_SAY(note, ERR_REFUSED,
				"endpoint %s: only ipc://PATH and tcp://HOST:PORT are supported", endpoint);
	if (endpoint)
		return with_scheme(a, endpoint, "", ret, note);
	if (node_dir)
		return with_scheme(a, node_dir, "/control", ret, note);
	return FAIL_SAY(
		note, ERR_REFUSED,
		"which node? give --node DIR or --endpoint ENDPOINT, or set HOLON_NODE or HOLON_ENDPOINT");
}

int curve_key_parse(const char *text, struct curve_key *ret, struct err_note *note)
{
	if (strlen(text) == CURVE_KEY_TEXT_SIZE - 1 && zmq_z85_decode(ret->b, text))
		return 0;
	return FAIL_SAY(note, ERR_REFUSED, "'%.80s' is not a public key: it has 40 characters of Z85", text);
}

const char *curve_key_text(const struct curve_key *key, char ret[CURVE_KEY_TEXT_SIZE])
{
	return zmq_z85_encode(ret, key->b, sizeof key->b);
}
