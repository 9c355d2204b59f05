/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "tools/client.h"

/* The lists of an answer, so that parts join in one loop. */
struct list_row {
	size_t items, n; /* offsets in struct control_answer */
	size_t size;     /* of one item */
};

#define LIST(field, count, type) \
	{ \
		offsetof(struct control_answer, field), offsetof(struct control_answer, count), sizeof(type) \
	}

static const struct list_row lists[] = {
	LIST(refused, n_refused, struct refusal),
	LIST(notes, n_notes, struct change_note),
	LIST(twins, n_twins, struct twin_def),
	LIST(summaries, n_summaries, struct twin_summary),
	LIST(forks, n_forks, struct fork_info),
	LIST(values, n_values, struct kpi),
	LIST(types, n_types, struct type_def),
	LIST(relations, n_relations, struct relation),
	LIST(memberships, n_memberships, struct membership),
	LIST(samples, n_samples, struct sample),
	LIST(buckets, n_buckets, struct history_bucket),
	LIST(peers, n_peers, struct peer_info),
	LIST(orgs, n_orgs, struct org_info),
	LIST(alarms, n_alarms, struct alarm_info),
	LIST(reports, n_reports, struct node_report),
	LIST(commands, n_commands, struct bytes),
	LIST(adapters, n_adapters, struct adapter_info),
	LIST(letters, n_letters, struct dead_letter),
	LIST(twin_alarms, n_twin_alarms, struct twin_alarm),
	LIST(orders, n_orders, struct order),
	LIST(view.members, view.n_members, struct view_member),
	LIST(view.edges, view.n_edges, struct view_edge),
	LIST(view.sources, view.n_sources, struct view_source),
	LIST(view.problems, view.n_problems, const char *),
	LIST(view.cells, view.n_cells, struct view_cell),
	LIST(view.gone, view.n_gone, const char *),
};

static int join(struct arena *a, const struct list_row *row, struct control_answer *into,
		const struct control_answer *part)
{
	void *items = (char *)into + row->items;
	size_t *n = (size_t *)(void *)((char *)into + row->n);
	const size_t more = *(const size_t *)(const void *)((const char *)part + row->n);
	const char *from = *(char *const *)(const void *)((const char *)part + row->items);

	for (size_t i = 0; i < more; i++) {
		void *item = arena_push(a, items, n, row->size);
		if (!item)
			return FAIL(-ENOMEM);
		memcpy(item, from + i * row->size, row->size);
	}
	return 0;
}

static void add_counts(struct view_counts *into, const struct view_counts *part)
{
	into->members += part->members;
	into->live += part->live;
	into->cached += part->cached;
	into->withheld += part->withheld;
	into->unreachable += part->unreachable;
	into->unconfirmed += part->unconfirmed;
	into->coarse += part->coarse;
	into->expired += part->expired;
	into->filtered += part->filtered;
}

static void merge_view(struct view_part *into, const struct view_part *part)
{
	add_counts(&into->counts, &part->counts);
	into->cut |= part->cut;
	if (part->n_rollups > into->n_rollups) /* also the length of every member's and cell's array */
		into->n_rollups = part->n_rollups;
	if (part->rollups) { /* the totals come once */
		into->rollups = part->rollups;
	}
}

/* What comes in one part. */
static void take_single(struct control_answer *into, const struct control_answer *part)
{
	if (part->n_handles > 0) {
		into->handles = part->handles;
		into->handle_types = part->handle_types;
		into->n_handles = part->n_handles;
	}
	if (part->incarnation > 0)
		into->incarnation = part->incarnation;
	if (part->credit > 0)
		into->credit = part->credit;
	if (part->blob.len > 0)
		into->blob = part->blob;
	if (part->has_coarse_until) {
		into->has_coarse_until = true;
		into->coarse_until_ns = part->coarse_until_ns;
	}
	if (part->done.what)
		into->done = part->done;
	if (part->watch.number > 0)
		into->watch = part->watch;
}

int answer_merge(struct arena *a, struct control_answer *into, const struct control_answer *part)
{
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		TRY(join(a, &lists[i], into, part));
	if (part->has_view)
		merge_view(&into->view, &part->view);
	if (part->has_status)
		into->status = part->status;
	if (part->row.id)
		into->row = part->row;
	take_single(into, part);
	into->has_view |= part->has_view;
	into->has_status |= part->has_status;
	into->allowed |= part->allowed;
	into->more = part->more;
	into->last = part->last;
	into->n_changed += part->n_changed;
	into->n_unchanged += part->n_unchanged;
	if (part->code < 0 || !into->text || !*into->text)
		into->text = part->text;
	if (part->code < 0)
		into->code = part->code;
	if (!into->unit || !*into->unit)
		into->unit = part->unit;
	return 0;
}
