/* SPDX-License-Identifier: Apache-2.0 */
/* A person's newest credential for the person's own directory: the signer renews it in the organisation's. */
#include "node/control.h"
#include "proto/id.h"
#include "security/keys_file.h"
#include "security/org.h"

int control_person_renew(struct call *c, struct err_note *note)
{
	const char *dir = c->e->config->organisation;
	struct control_answer answer = {0};
	struct person renewed;

	if (!c->to.person)
		return FAIL_SAY(note, ERR_REFUSED, "no person asks: give --person DIR");
	if (!c->e->signer)
		return FAIL_SAY(note, ERR_ABSENT,
				"this node has no directory of the organisation: ask an admin node");
	const char *path = arena_print(c->arena, "%s/persons/%s", dir, id_local(c->to.person));
	if (!path)
		return FAIL(-ENOMEM);
	TRY(file_read(c->arena, path, CREDENTIAL_MAX, &answer.blob, note));
	TRY(org_verify_person(c->arena, &c->e->trust->own.org, answer.blob, trust_now(c->e->trust), &renewed,
			      note));
	call_done(c, &answer);
	return 0;
}
