/* SPDX-License-Identifier: Apache-2.0 */
/* What adapter.c, adapters.c and control_adapter.c share. */
#pragma once

#include "node/adapter.h"
#include "node/letters.h"
#include "node/log_share.h"

enum { ADAPTER_NAME_MAX = 63, ADAPTER_TEXT_BYTES = 256, ADAPTERS_MAX = 256 };

/* A configuration. */
struct setup {
	const struct adapter_kind *kind; /* NULL: it makes no sense, or (attached) there is none */
	json_t *config;                  /* without its kind */
	char *text;                      /* as it was given */
};

struct adapter {
	struct adapters *all;
	struct adapter *next;
	char name[ADAPTER_NAME_MAX + 1];
	const struct adapter_kind *kind; /* the setup's, or an attached program's */
	void *self;                      /* NULL: not open */
	struct setup setup;
	struct setup coming; /* text not NULL: it takes its place when the old one has closed */
	enum adapter_state state;
	char text[ADAPTER_TEXT_BYTES];
	int64_t since_ns; /* wall clock */
	uint64_t counters[N_ADAPTER_COUNTERS];
	struct letters *letters; /* NULL: on trial */
	bool attached;           /* in no file */
	bool trial;              /* in no list: its configuration is looked at, or one payload */
	bool closing, dropped;
};

struct adapters {
	struct engine *engine;
	struct adapter *first; /* in order of names */
	size_t n_configured, n_attached;
	struct log_shares shares;
	uv_timer_t changed;
	bool timer_open;
	bool stopping;
	void (*on_stopped)(struct engine *e);
	char dir[512 + 16];
};

struct adapter *adapters_find(const struct adapters *as, const char *name);
const char *adapter_state_text(enum adapter_state state);
const char *adapter_counter_text(enum adapter_counter counter);
/* One that is in no list, opened dry with that configuration. ERR_REFUSED with a note. */
MUST_CHECK int adapter_trial(struct adapters *as, const char *name, const char *text, struct adapter **ret,
			     struct err_note *note);
void adapter_trial_end(struct adapter *a);

/* Begin, or begin anew with this configuration, which is kept; *ret_changed: there was none, or another one.
 * Also with the same one: the files that it names may have changed. ERR_REFUSED with a note; dry: nothing is
 * done. */
MUST_CHECK int adapters_put(struct adapters *as, const char *name, const char *text, bool dry,
			    bool *ret_changed, struct err_note *note);
/* ERR_ABSENT with a note. Its dead letters stay as a file. */
MUST_CHECK int adapters_drop(struct adapters *as, const char *name, struct err_note *note);
