/* SPDX-License-Identifier: Apache-2.0 */
/* Tail map - what the columns of a growing CSV file are: the configuration of a tail adapter
 * (holon-adapters(7)), and the samples of a line. Pure: no file, no clock.
 *
 * Views: texts are those of the JSON document, which must outlive the map; lists are in the arena.
 */
#pragma once

#include "node/setting.h"
#include "proto/arena.h"
#include "proto/bytes.h"
#include "proto/limits.h"
#include "proto/value.h"

enum { TAIL_CELLS_MAX = 1024, TAIL_COLUMNS_MAX = 1000 };

/* Which cell: by a name in the header, or by its number. */
struct tail_cell {
	const char *name; /* NULL: by number */
	size_t place;     /* from 0; SIZE_MAX: the header has no such name, or is not known yet */
};

struct tail_column {
	struct tail_cell cell;
	const char *twin; /* {NAME} and {NUMBER} stand for cells */
	const char *property;
	const char *unit; /* of what is there; NULL: the property's own */
	double scale, offset;
};

enum tail_time { TAIL_ISO, TAIL_S, TAIL_MS, TAIL_US, TAIL_NS };

struct tail_map {
	const char *file;
	char separator;
	bool has_header, from_end, has_time;
	struct tail_cell time;
	int time_form; /* enum tail_time */
	int64_t every_ns;
	struct tail_column *columns;
	size_t n_columns;
	char **header; /* names of cells, in the arena of tail_map_header() */
	size_t n_header;
};

/* ERR_REFUSED with a note that names the key. `name`: of the adapter. */
MUST_CHECK int tail_map_read(struct arena *a, const char *name, const json_t *config, struct tail_map *ret,
			     struct err_note *note);
/* Find the columns by the names in a header line; the arena must live until the next one. ERR_REFUSED with a
 * note: one that is wanted is not there. */
MUST_CHECK int tail_map_header(struct tail_map *m, struct arena *a, struct bytes line, struct err_note *note);

/* Cut a line into its cells, in place: quotes go, "" is a quote. ERR_REFUSED with a note. */
struct tail_line {
	char *cells[TAIL_CELLS_MAX];
	size_t n;
};
MUST_CHECK int tail_cut(char *line, char separator, struct tail_line *ret, struct err_note *note);
/* The time that a line states. ERR_REFUSED with a note. */
MUST_CHECK int tail_line_time(const struct tail_map *m, const struct tail_line *line, int64_t *ret_ns,
			      struct err_note *note);
/* The text of a cell; NULL: the line is too short. */
const char *tail_text(const struct tail_line *line, const struct tail_cell *cell);
MUST_CHECK int tail_twin(const struct tail_map *m, const struct tail_line *line, const char *twin,
			 char ret[TWIN_ID_MAX + 1], struct err_note *note);
