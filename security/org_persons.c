/* SPDX-License-Identifier: Apache-2.0 */
#include "security/org_persons.h"

#include <dirent.h>
#include <sodium.h>
#include <stdlib.h>

#include "proto/id.h"

/* ---- read ---- */

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

static int compare_persons(const void *a, const void *b)
{
	const struct listed_person *x = a, *y = b;

	return strcmp(x->person.name, y->person.name);
}

static int read_person(struct arena *a, const char *dir, const char *name, const struct org *org,
		       struct listed_person *ret, struct err_note *note)
{
	const char *path = path_join(a, dir, name);
	struct listed_person p = {0};
	struct bytes encoded;

	if (!path)
		return FAIL(-ENOMEM);
	TRY(file_read(a, path, CREDENTIAL_MAX, &encoded, note));
	int r = signed_blob_decode(a, encoded, &p.blob);
	if (r == 0)
		r = person_decode(a, p.blob.payload, &p.person);
	if (r < 0)
		return org_unreadable(note, r, path);
	if (!sign_verify(SIGN_PERSON, &p.blob) || strcmp(p.person.org, org->manifest.org) != 0 ||
	    strcmp(p.person.name, name) != 0)
		return FAIL_SAY(note, ERR_UNTRUSTED, "%s is not the credential of %s at %s", path, name,
				org->manifest.org);
	p.revoked = org_person_is_revoked(org, &p.person, &p.blob.key);
	*ret = p;
	return 0;
}

static int read_all(struct arena *a, DIR *d, const char *dir, const struct org *org,
		    struct listed_person **ret, size_t *ret_n, struct err_note *note)
{
	for (const struct dirent *entry; (entry = readdir(d));) {
		const struct bytes name = bytes_of_text(entry->d_name);
		if (!id_is_segment(name, PERSON_NAME_MAX) || strstr(entry->d_name, ".tmp-"))
			continue; /* "." and "..", and what a crash left half written */
		if (*ret_n >= PERSONS_MAX)
			return FAIL_SAY(note, ERR_REFUSED, "%s holds more than %d persons", dir, PERSONS_MAX);
		struct listed_person *p = arena_push(a, ret, ret_n, sizeof **ret);
		const char *copy = arena_copy(a, entry->d_name);
		if (!p || !copy)
			return FAIL(-ENOMEM);
		TRY(read_person(a, dir, copy, org, p, note));
	}
	return 0;
}

int org_dir_persons(struct arena *a, const char *dir, const struct org *org, struct listed_person **ret,
		    size_t *ret_n, struct err_note *note)
{
	const char *persons = path_join(a, dir, "persons");
	struct listed_person *list = NULL;
	size_t n = 0;

	if (!persons)
		return FAIL(-ENOMEM);
	SCOPED(close_dir) DIR *d = opendir(persons);
	if (!d && errno != ENOENT) {
		const int code = -errno;
		return FAIL_SAY(note, code, "cannot read %s: %s", persons, err_text(code));
	}
	if (d)
		TRY(read_all(a, d, persons, org, &list, &n, note));
	if (n > 0)
		qsort(list, n, sizeof *list, compare_persons);
	*ret = list;
	*ret_n = n;
	return 0;
}

/* ---- write ---- */

static int sign_person(struct org_edit *e, const struct person *p, struct buf *out, struct err_note *note)
{
	SCOPED(scope_sign_key) struct sign_key *issuer = NULL;
	SCOPED(buf_fini) struct buf payload = {0};
	struct signed_blob blob;

	TRY(org_today_issuer(e->arena, e->dir, &e->org, e->now_ns, &issuer, note));
	person_encode(p, &payload);
	TRY(org_edit_sign(e, issuer, SIGN_PERSON, &payload, &blob));
	signed_blob_encode(&blob, out);
	TRY(buf_check(out));
	struct person again;
	return org_verify_person(e->arena, &e->org, buf_bytes(out), e->now_ns, &again, note);
}

static void begin_now(struct person *p, int64_t now_ns)
{
	randombytes_buf(p->serial.b, sizeof p->serial.b);
	p->not_before_ns = now_ns;
	p->not_after_ns = now_ns + PERSON_LIFE_DAYS * DAY_NS;
}

int persons_renew(struct org_edit *e, size_t *ret, struct err_note *note)
{
	struct listed_person *list;
	size_t n;

	TRY(org_dir_persons(e->arena, e->dir, &e->org, &list, &n, note));
	for (size_t i = 0; i < n; i++) {
		SCOPED(buf_fini) struct buf encoded = {0};
		struct person *p = &list[i].person;
		const char *path = arena_print(e->arena, "%s/persons/%s", e->dir, p->name);

		if (!path)
			return FAIL(-ENOMEM);
		if (list[i].revoked || !is_due(p->not_before_ns, p->not_after_ns, e->now_ns))
			continue;
		begin_now(p, e->now_ns);
		TRY(sign_person(e, p, &encoded, note));
		TRY(file_write(path, buf_bytes(&encoded), false, note));
		++*ret;
	}
	return 0;
}

int persons_count(struct org_edit *e, const struct public_key *issuer, size_t *ret, int64_t *ret_last_ns,
		  struct err_note *note)
{
	struct listed_person *list;
	size_t n;

	TRY(org_dir_persons(e->arena, e->dir, &e->org, &list, &n, note));
	for (size_t i = 0; i < n; i++) {
		const int64_t end_ns = list[i].person.not_after_ns;
		if (list[i].revoked || end_ns <= e->now_ns || !key_equal(&list[i].blob.key, issuer))
			continue;
		++*ret;
		if (end_ns > *ret_last_ns)
			*ret_last_ns = end_ns;
	}
	return 0;
}

/* ---- invite ---- */

static int compare_texts(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static int sorted_roles(struct arena *a, const struct person_options *opt, struct person *p,
			struct err_note *note)
{
	if (opt->n_roles > PERSON_ROLES_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "a person can have %d roles at most", PERSON_ROLES_MAX);
	p->roles = arena_take_array(a, opt->n_roles, sizeof *p->roles);
	if (!p->roles)
		return FAIL(-ENOMEM);
	for (size_t i = 0; i < opt->n_roles; i++) {
		TRY(id_check_segment(opt->roles[i], "role", PERSON_NAME_MAX, note));
		p->roles[i] = opt->roles[i];
	}
	p->n_roles = opt->n_roles;
	qsort(p->roles, p->n_roles, sizeof *p->roles, compare_texts);
	for (size_t i = 1; i < p->n_roles; i++)
		if (strcmp(p->roles[i - 1], p->roles[i]) == 0)
			return FAIL_SAY(note, ERR_REFUSED, "role %s is given twice", p->roles[i]);
	return 0;
}

/* The name is free unless who had it was revoked or let it run out. */
static int check_person_name(struct org_edit *e, const char *name, struct err_note *note)
{
	struct listed_person *list;
	size_t n;

	TRY(id_check_segment(name, "person", PERSON_NAME_MAX, note));
	if (strstr(name, ".tmp-"))
		return FAIL_SAY(note, ERR_REFUSED, "a person cannot be named %s", name);
	TRY(org_dir_persons(e->arena, e->dir, &e->org, &list, &n, note));
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].person.name, name) == 0 && !list[i].revoked &&
		    list[i].person.not_after_ns > e->now_ns)
			return FAIL_SAY(note, ERR_REFUSED, "%s has a person %s already: choose another name",
					e->org.manifest.org, name);
	return 0;
}

static int save_person(struct org_edit *e, const struct person_options *opt, const struct sign_key *key,
		       struct bytes credential, struct err_note *note)
{
	SCOPED(made_undo) struct made made = {.arena = e->arena};
	const char *persons = path_join(e->arena, e->dir, "persons"), *path;
	const char *listed = arena_print(e->arena, "%s/persons/%s", e->dir, opt->name);

	if (!persons || !listed)
		return FAIL(-ENOMEM);
	TRY(made_dir(&made, persons, note));
	TRY(made_dir(&made, opt->person_dir, note));
	TRY(made_path(&made, opt->person_dir, "person.key", &path, note));
	TRY(sign_key_save(key, path, note));
	TRY(made_path(&made, opt->person_dir, "bundle", &path, note));
	TRY(file_write(path, e->org.encoded, false, note));
	TRY(made_path(&made, opt->person_dir, "credential", &path, note));
	TRY(file_write(path, credential, false, note));
	TRY(file_write(listed, credential, false, note));
	made_keep(&made);
	return 0;
}

int org_dir_add_person(const struct person_options *opt, struct err_note *note)
{
	SCOPED(org_edit_end) struct org_edit e = {.dir = opt->org_dir, .now_ns = opt->now_ns, .lock = -1};
	SCOPED(scope_sign_key) struct sign_key *key = NULL;
	SCOPED(buf_fini) struct buf encoded = {0};

	TRY(org_edit_begin(&e, note));
	TRY(check_person_name(&e, opt->name, note));
	struct person p = {.org = e.org.manifest.org, .name = opt->name};
	TRY(sorted_roles(e.arena, opt, &p, note));
	TRY(sign_key_new(&key));
	p.sign = sign_key_public(key);
	begin_now(&p, opt->now_ns);
	TRY(sign_person(&e, &p, &encoded, note));
	return save_person(&e, opt, key, buf_bytes(&encoded), note);
}

int org_dir_revoke_person(const char *dir, const char *name, const char *reason, int64_t now_ns,
			  struct err_note *note)
{
	SCOPED(org_edit_end) struct org_edit e = {.dir = dir, .now_ns = now_ns, .lock = -1};
	struct listed_person *list;
	size_t n, at = 0;

	if (strlen(reason) > REASON_MAX)
		return FAIL_SAY(note, ERR_REFUSED, "a reason can have %d bytes at most", REASON_MAX);
	TRY(org_edit_begin(&e, note));
	TRY(org_dir_persons(e.arena, dir, &e.org, &list, &n, note));
	while (at < n && strcmp(list[at].person.name, name) != 0)
		at++;
	if (at == n)
		return FAIL_SAY(note, ERR_ABSENT, "%s has no person %s", e.org.manifest.org, name);
	if (list[at].revoked)
		return FAIL_SAY(note, ERR_REFUSED, "%s was revoked already", name);
	const struct person *p = &list[at].person;
	struct revoked r[2] = {{.kind = REVOKED_SERIAL,
				.serial = p->serial,
				.node = "",
				.reason = reason,
				.until_ns = time_later(p->not_after_ns, NOT_BEFORE_LEEWAY_S * NS_PER_S)},
			       {.kind = REVOKED_KEY, .node = "", .reason = reason, .until_ns = TIME_MAX}};
	memcpy(r[1].key, p->sign.b, KEY_BYTES);
	TRY(org_edit_revoke(&e, r, 2, note));
	return org_edit_save(&e, note);
}
