/* SPDX-License-Identifier: Apache-2.0 */
/* Desk - a node of acme where commands are taken: a real store and writer, signatures of real keys, an asset
 * that is not there. Eve of volt sends them, Lea of acme is the shift lead who confirms them, Max of acme has
 * another role. Link with --wrap=engine_mono_ns. */
#pragma once

#include <criterion/criterion.h>

#include "node/commands.h"
#include "proto/clock.h"
#include "tests/unit/node/world.h"

#define START_NS (1000 * NS_PER_S)
#define DAY_NS (86400 * NS_PER_S)
#define TWIN "acme/p1"

enum { N_PEOPLE = 3 };
enum who { EVE, LEA, MAX_OF_ACME };

extern int64_t desk_now_ns, desk_mono_ns;
extern struct arena *desk_arena;                 /* of a test */
extern struct sign_key *desk_keys[N_PEOPLE + 3]; /* of people, issuers of acme and volt, the node */
extern struct bytes desk_credentials[N_PEOPLE];
extern int desk_order_says;               /* what the asset answers when something is handed over */
extern size_t desk_n_orders, desk_n_acts; /* handed over, done by the node itself */
extern char desk_said[2048];              /* the last answer: "pending confirmed", or why not */
extern size_t desk_n_said;

void desk_set_up(void);
void desk_tear_down(void);
void desk_restart(void);
void desk_settle(void); /* everything that is to be written is */
void desk_tick(int64_t later_ns);

/* Of eve, to TWIN: "stop" or a built-in operation. */
struct command desk_command(uint8_t n, const char *operation);
struct bytes desk_signed(enum who who, const struct command *c);
struct bytes desk_permit(enum who who, uint8_t n, bool refuse);
struct bytes desk_permit_of(enum who who, uint8_t n, bool refuse, const char *twin, int64_t t_ns);
struct bytes desk_standing(enum who who, uint32_t times);

void desk_on_said(void *ctx, int code, const char *text, const struct command_record *r, bool last);
const char *desk_take(struct bytes blob, enum who who, bool permit, uint32_t seen); /* what was said */
const char *desk_send(uint8_t n);
bool desk_word(uint8_t n, enum command_state state);
const char *desk_stands(uint8_t n); /* the same, on disk */

#define SAYS(what, expected) \
	do { \
		const char *says = (what); \
		cr_expect(strcmp(says, (expected)) == 0, "%s: %s", #what, says); \
	} while (0)
#define MENTIONS(what, expected) \
	do { \
		const char *says = (what); \
		cr_expect(strstr(says, (expected)) != NULL, "%s: %s", #what, says); \
	} while (0)
