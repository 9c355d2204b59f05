/* SPDX-License-Identifier: Apache-2.0 */
/* A report goes out in frames, however many peers and origins there are. */
#include "node/reports.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "proto/message.h"
#include "tests/lib/must.h"

enum { N_PEERS = NODES_MAX + 50, N_ORIGINS = 400 };

static struct peer_info peers[N_PEERS];
static struct origin_info origins[N_ORIGINS];
static char names[N_ORIGINS][ORG_NAME_MAX + NODE_NAME_MAX + 2], endpoints[N_PEERS][ENDPOINT_MAX + 1];
static struct node_report whole;

static void set_up(void)
{
	for (size_t i = 0; i < N_ORIGINS; i++) {
		snprintf(names[i], sizeof names[i], "acme/%zu%050d", i, 0);
		origins[i] = (struct origin_info){.origin = names[i], .state = "held", .n_rows = i};
	}
	for (size_t i = 0; i < N_PEERS; i++) {
		memset(endpoints[i], 'e', ENDPOINT_MAX);
		peers[i] = (struct peer_info){.org = "acme",
					      .node = strchr(names[i], '/') + 1,
					      .endpoint = endpoints[i],
					      .state = "connected",
					      .roles = "owner,border",
					      .kicked = ""};
	}
	whole = (struct node_report){.node = "n1",
				     .answered = true,
				     .why = "",
				     .roles = "owner",
				     .version = "1",
				     .peers = peers,
				     .n_peers = N_PEERS,
				     .origins = origins,
				     .n_origins = N_ORIGINS};
}

TestSuite(reports, .init = set_up);

Test(reports, of_two_hundred_nodes_go_out_whole_in_frames_that_fit)
{
	struct report_place place = {0};
	struct message m = {.kind = MESSAGE_ANSWER,
			    .nonce = 1,
			    .frame = 1,
			    .answer = {.kind = QUESTION_MESH, .text = "", .unit = ""}};
	size_t n_frames = 0, n_peers = 0, n_origins = 0;

	for (; report_part(&whole, &place, &m.answer.report); n_frames++) {
		SCOPED(buf_fini) struct buf frame = {0};
		const struct node_report *part = &m.answer.report;
		for (size_t i = 0; i < part->n_peers; i++)
			cr_assert(part->peers[i].node == peers[n_peers + i].node);
		for (size_t i = 0; i < part->n_origins; i++)
			cr_assert(part->origins[i].origin == names[n_origins + i]);
		n_peers += part->n_peers;
		n_origins += part->n_origins;
		message_encode(&m, &frame);
		must(buf_check(&frame) == 0);
		cr_expect(lt(sz, frame.len, FRAME_BORDER_MAX));
	}
	cr_expect(eq(sz, n_peers, N_PEERS));
	cr_expect(eq(sz, n_origins, N_ORIGINS));
	cr_expect(gt(sz, n_frames, 1));
}

Test(reports, of_a_node_that_is_alone_go_out_too)
{
	struct report_place place = {0};
	struct node_report part;

	whole.n_peers = whole.n_origins = 0;
	whole.peers = NULL;
	whole.origins = NULL;
	cr_assert(report_part(&whole, &place, &part));
	cr_expect_str_eq(part.roles, "owner");
	cr_expect(not(report_part(&whole, &place, &part)));
}
