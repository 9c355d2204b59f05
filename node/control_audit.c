/* SPDX-License-Identifier: Apache-2.0 */
/* What administrators do is audited: which requests, by whom; and reading the audit itself. */
#define _GNU_SOURCE /* struct ucred */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <zmq.h>

#include "node/audit.h"
#include "node/control.h"
#include "storage/audit.h"

enum { PAGE_BYTES = 1 << 20 };

/* Which requests are written down, and refused when nothing can be. */
static const struct audited {
	enum control_op op;
	enum audit_kind kind;
	const char *subject;
} audited[] = {
	{CONTROL_POLICY_PUBLISH, AUDIT_POLICY, "publish"},
	{CONTROL_ORG_TRUST, AUDIT_TRUST, "accept"},
	{CONTROL_ORG_END, AUDIT_TRUST, "end"},
	{CONTROL_BACKUP, AUDIT_ADMIN, "backup"},
	{CONTROL_FORK_CHOOSE, AUDIT_TRUST, "choose"},
	{CONTROL_NODE_INVITE, AUDIT_ADMIN, "invite"},
	{CONTROL_NODE_APPROVE, AUDIT_CREDENTIAL, "approve"},
	{CONTROL_NODE_REFUSE, AUDIT_ADMIN, "refuse"},
};

static const struct audited *find(enum control_op op)
{
	for (size_t i = 0; i < sizeof audited / sizeof audited[0]; i++)
		if (audited[i].op == op)
			return &audited[i];
	return NULL;
}

/* A person who showed it; else the kernel says who is at the other end of a local socket; over a network it
 * was one of the configured keys. */
static void name_person(struct call *c, zmq_msg_t *frame, bool is_remote)
{
	char *const ret = c->person;
	const int fd = zmq_msg_get(frame, ZMQ_SRCFD);
	struct ucred who;
	socklen_t size = sizeof who;

	if (c->to.person)
		snprintf(ret, CALL_PERSON_SIZE, "%s", c->to.person);
	else if (is_remote)
		snprintf(ret, CALL_PERSON_SIZE, "network key");
	else if (fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && who.pid > 0)
		snprintf(ret, CALL_PERSON_SIZE, "uid %u", who.uid);
	else
		snprintf(ret, CALL_PERSON_SIZE, "local");
}

int control_audit_begin(struct call *c, zmq_msg_t *frame, bool is_remote, struct err_note *note)
{
	if (!find(c->request.op))
		return 0;
	TRY(journal_check(c->e->journal, note));
	name_person(c, frame, is_remote);
	return 0;
}

int control_audit_end(struct call *c, const struct control_answer *answer, journal_fn *done)
{
	const struct audited *a = find(c->request.op);
	char text[512];

	snprintf(text, sizeof text, "%s%s", answer->code < 0 ? "refused: " : "", answer->text);
	return journal_note_then(
		c->e->journal,
		&(struct audit_entry){.kind = a->kind,
				      .person = c->person,
				      .subject = a->subject,
				      .partner = answer->n_orgs > 0 ? answer->orgs[0].name : c->request.org,
				      .text = text},
		done, c);
}

static int first_wanted(struct call *c, uint64_t *ret, struct err_note *note)
{
	const char *after = c->request.after;
	char *end;

	*ret = 0;
	if (!after[0])
		return c->request.from_ns == 0
			       ? 0
			       : audit_log_find_time(journal_log(c->e->journal), c->request.from_ns, ret);
	errno = 0;
	*ret = strtoull(after, &end, 10);
	return *end || errno ? FAIL_SAY(note, ERR_REFUSED, "%.40s: no page of the audit begins there", after)
			     : 0;
}

static int answer_page(struct call *c, struct err_note *note)
{
	SCOPED(buf_fini) struct buf records = {0}, page = {0};
	struct audit_log *log = journal_log(c->e->journal);
	struct control_answer answer = {0};
	uint64_t from, first;

	TRY(first_wanted(c, &from, note));
	const int r = audit_log_read(log, from, PAGE_BYTES, &records, &first, &from);
	if (r < 0)
		return FAIL_SAY(note, r, "the audit cannot be read from entry %llu on: %s",
				(unsigned long long)from, err_text(r));
	audit_page_encode(&(struct audit_page){.first = first,
					       .total = audit_log_entries(log),
					       .key = journal_key(c->e->journal),
					       .records = buf_bytes(&records)},
			  &page);
	TRY(buf_check(&page));
	answer.more = r != AUDIT_LOG_END;
	answer.blob = buf_bytes(&page);
	answer.text = arena_print(c->arena, "%llu", (unsigned long long)from);
	if (!answer.text)
		return FAIL(-ENOMEM);
	call_done(c, &answer);
	return 0;
}

/* What could not be written is not in it; status says so. */
static void on_settled(void *ctx, int code)
{
	struct call *c = ctx;
	struct err_note note = {0};

	(void)code;
	const int r = answer_page(c, &note);
	if (r < 0)
		call_fail(c, r, &note);
}

/* Whoever begins to read finds what was counted in this minute, too. */
int control_audit(struct call *c, struct err_note *note)
{
	return c->request.after[0] ? answer_page(c, note) : journal_settle(c->e->journal, on_settled, c);
}
