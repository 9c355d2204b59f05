/* SPDX-License-Identifier: Apache-2.0 */
/* A mesh for people: tables of few nodes, what is missing of many. */
#include "tools/mesh_show.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <string.h>

#include "proto/clock.h"
#include "tests/lib/must.h"

enum { N_MAX = 200, TEXT_BYTES = 1 << 20 };

static struct arena *a;
static struct node_report reports[N_MAX];
static char names[N_MAX][8], origin_names[N_MAX][16], text[TEXT_BYTES];
static struct mesh_show mesh;

/* So many nodes that see each other and hold what each owns. */
static void all_well(size_t n)
{
	for (size_t i = 0; i < n; i++) {
		snprintf(names[i], sizeof names[i], "n%03zu", i);
		snprintf(origin_names[i], sizeof origin_names[i], "acme/n%03zu", i);
	}
	for (size_t i = 0; i < n; i++) {
		struct peer_info *peers = arena_take_array(a, n, sizeof *peers);
		struct origin_info *origins = arena_take_array(a, n, sizeof *origins);
		must(peers && origins);
		for (size_t j = 0; j < n; j++) {
			peers[j] = (struct peer_info){
				.org = "acme", .node = names[j], .state = "connected", .heard_ns = NS_PER_S};
			origins[j] = (struct origin_info){.origin = origin_names[j],
							  .state = i == j ? "own" : "held",
							  .n_rows = 5,
							  .seq = 9,
							  .offered = 9,
							  .age_ns = 2 * NS_PER_S};
		}
		reports[i] = (struct node_report){.node = names[i],
						  .answered = true,
						  .why = "",
						  .roles = "owner",
						  .peers = peers,
						  .n_peers = n,
						  .origins = origins,
						  .n_origins = n};
	}
	mesh = (struct mesh_show){.arena = a, .org = "acme", .reports = reports, .n = n};
}

static void set_up(void)
{
	cr_redirect_stdout();
	must(arena_new(&a, 64 << 20) == 0);
}

static void tear_down(void)
{
	arena_free(a);
	a = NULL;
}

TestSuite(mesh_show, .init = set_up, .fini = tear_down);

static const char *shown(void (*show)(const struct mesh_show *m))
{
	show(&mesh);
	fflush(stdout);
	text[fread(text, 1, sizeof text - 1, cr_get_redirected_stdout())] = '\0';
	return text;
}

static size_t n_lines(const char *of)
{
	size_t n = 0;

	for (; *of; of++)
		n += *of == '\n';
	return n;
}

#define HAS(what) cr_expect(strstr(text, what) != NULL, "no %s in:\n%s", what, text)

Test(mesh_show, few_nodes_have_a_row_and_a_column_each)
{
	all_well(3);
	reports[1].origins[2] = (struct origin_info){
		.origin = origin_names[2], .state = "repairing", .seq = 9, .offered = 46, .age_ns = -1};
	reports[0].peers[2].state = "connecting";
	shown(mesh_show_text);
	HAS("acme: 3 of 3 nodes answered\n");
	HAS("n000  owner  2 of 3");
	HAS("SEES  n000  n001  n002\nn000  .     1s    -\n");
	HAS("n001   2s         own, 5     repairing, 37 behind\n");
}

Test(mesh_show, of_many_nodes_what_is_missing_is_listed)
{
	all_well(N_MAX);
	reports[7].peers[9].state = "con\x1bnecting";
	reports[8].origins[3].state = "stop\x1b[1mped";
	shown(mesh_show_text);
	HAS("acme: 200 of 200 nodes answered\n");
	HAS("\nn007 does not see n009: con?necting\nn008: acme/n003 stop?[1mped, 0 behind\n");
	cr_expect(lt(sz, n_lines(text), N_MAX + 10));
}

Test(mesh_show, a_list_of_what_is_missing_has_an_end)
{
	all_well(N_MAX);
	for (size_t i = 0; i < N_MAX; i++)
		for (size_t j = 0; j < N_MAX; j++)
			reports[i].peers[j].state = "connecting";
	shown(mesh_show_text);
	HAS("... and more: see --json\n");
	cr_expect(lt(sz, n_lines(text), N_MAX + 110));
}

Test(mesh_show, all_well_is_said)
{
	all_well(20);
	shown(mesh_show_text);
	HAS("\nEvery node that answered sees every other, and holds what it is offered.\n");
}

Test(mesh_show, a_node_that_is_silent_has_its_reason_and_its_age)
{
	all_well(2);
	reports[1] = (struct node_report){
		.node = names[1], .why = "no answer in time", .known_ns = 3 * NS_PER_S, .roles = ""};
	shown(mesh_show_text);
	HAS("acme: 1 of 2 nodes answered\n");
	HAS("n001  silent  3s ago");
	HAS("no answer in time\n");
	HAS("n001  ?     .\n");
}

Test(mesh_show, a_drawing_shows_links_that_are_not_there)
{
	all_well(2);
	reports[0].peers[1].state = "refused";
	reports[1].roles = "owner\"];\n";
	reports[1].peers[0].n_origins = 1;
	reports[1].peers[0].lag = 4;
	shown(mesh_show_dot);
	HAS("  \"acme/n000\" -> \"acme/n001\" [style=dashed, color=red];\n");
	HAS("[label=\"n001\\nowner?];?\"];\n");
	HAS("  \"acme/n001\" -> \"acme/n000\" [label=\"lag 4, age 0s\\nin 0 bytes\"];\n");
}

Test(mesh_show, an_age_that_nobody_knows_is_null)
{
	all_well(1);
	reports[0].origins[0].age_ns = -1;
	shown(mesh_show_json);
	HAS("\"age_s\": null}]");
}
