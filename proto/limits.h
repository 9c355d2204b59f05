/* SPDX-License-Identifier: Apache-2.0 */
/* Limits - every bound a person or a peer can push against, in one place. Bytes, unless the name differs. */
#pragma once

enum {
	TWIN_ID_MAX = 255,
	ID_SEGMENTS_MAX = 32,
	PROPERTY_MAX = 255,
	ORG_NAME_MAX = 63, /* one segment */
	NODE_NAME_MAX = 63,
	NAME_MAX_BYTES = 1024, /* display name */
	ALIAS_MAX = 1024,
	TAG_MAX = 63,
	UNIT_MAX = 63,
	TEXT_VALUE_MAX = 4096,
	KPI_TEXT_MAX = 1024, /* a longer text is not in the summary: 16 of them must fit into one row */
	SOURCE_MAX = 127,

	TAGS_MAX = 32,          /* per twin */
	ALIASES_MAX = 16,       /* per twin */
	KPIS_MAX = 16,          /* per twin: DESIGN 2, summary */
	PARENTS_MAX = 8,        /* per row, over all hierarchies */
	PROPERTIES_MAX = 256,   /* per type, inherited and made ones too */
	ALARMS_MAX = 32,        /* alarm expressions per type */
	OPERATIONS_MAX = 32,    /* per type */
	PARAMETERS_MAX = 16,    /* per operation */
	TRANSITIONS_MAX = 512,  /* per property */
	ROW_ALARMS_MAX = 8,     /* per row: the worst, then the latest */
	TYPE_DEPTH_MAX = 16,    /* a type, the one it extends, the one that extends ... */
	OPTIONS_MAX = 64,       /* words of an enum property */
	LIFE_STEPS_MAX = 64,    /* kept life-cycle history per twin */
	ROLLUPS_MAX = 32,       /* per view question */
	PROBLEMS_MAX = 32,      /* told of one view */
	ROOTS_MAX = 16384,      /* per view question, over all its frames */
	ROOTS_FRAME_MAX = 1024, /* in one of them */
	SHOW_MAX = 32,          /* properties shown of each member of a view */
	VIEW_TIMES_MAX = 1024,  /* times of a series */
	VIEW_CELLS_MAX = 16384, /* groups times times */
	LINEAGE_MAX = 64,       /* incarnations of one origin */
	ORIGINS_MAX = 256,      /* origins in one HEADS message */
	BORDERS_MAX = 8,        /* credentials of an organisation bundle that carry the border role */
	NODES_MAX = 200,        /* credentials in an organisation bundle */
	PREFIXES_MAX = 32,      /* twin id prefixes in a credential */
	REVOKED_MAX = 2048,     /* entries of a revocation list: it must fit into a bundle */
	PERSON_NAME_MAX = 63,
	PERSON_ROLES_MAX = 16,
	PERSONS_MAX = 4096, /* credentials of persons an organisation keeps */
	REASON_MAX = 255,
	JOIN_MAX = 4 * 1024,       /* a token, and a request to join */
	MANIFEST_KEYS_MAX = 16,    /* issuer keys, and as many policy keys, in a manifest */
	ANCESTORS_MAX = 31,        /* roots of an organisation before its present one */
	POLICY_TEXT_MAX = 1 << 19, /* fits FRAME_OWN_MAX with its signature */
	POLICY_RULES_MAX = 1024,
	ENDPOINT_MAX = 255,
	SENTENCE_MAX = 4096,   /* words to a failure, problems of a view */
	NOTE_MAX = 256 * 1024, /* what a change of a type does to its twins: may name every property */
	CURSOR_MAX = 256,
	REACH_MAX = 256,                      /* organisations in one REACH */
	REPAIR_PREFIXES_MAX = 256,            /* in one REPAIR: its SUMS fit into a frame */
	REPAIR_ENTRIES_MAX = 4096,            /* in one REPAIR: 48 KiB */
	HEAD_MAX = 4096,                      /* an encoded head, signed */
	CREDENTIAL_MAX = 16 * 1024,           /* an encoded credential, signed */
	ERRAND_MAX = 1024,                    /* an encoded errand, signed */
	COMMAND_MAX = 8 * 1024,               /* an encoded command, signed */
	COMMAND_RECORD_MAX = 48 * 1024,       /* with everything that became of it: fits FRAME_BORDER_MAX */
	COMMAND_STEPS_MAX = 16,               /* in one record */
	ADAPTER_MAX = 256 * 1024,             /* the text of an adapter's configuration */
	PAYLOAD_MAX = POLICY_TEXT_MAX + 1024, /* what is signed in a signed_blob */
	SERIES_NAMES_MAX = 10000,             /* series opened by one control request */
	PACKED_REFUSALS_MAX = 1000,           /* refused samples of one frame that are named */
	PRODUCERS_MAX = 4096,                 /* ingest sessions whose last frame number is remembered */
	OPS_MAX = 10000,                      /* changes in one control request */

	FRAME_BORDER_MAX = 64 * 1024,        /* a frame from another organisation */
	FRAME_OWN_MAX = 1024 * 1024,         /* a frame from a node of the own organisation */
	FRAME_CONTROL_MAX = 8 * 1024 * 1024, /* a request or one part of an answer at the control socket */
	FRAME_FILL = 40 * 1024, /* rows, members and samples are packed into a frame up to here; a member or a
				   sample on top stays below FRAME_BORDER_MAX, a row on top would not */
	DECODE_BUDGET_FACTOR = 24,      /* memory that a decoder may take: so much per byte of message */
	DECODE_BUDGET_BASE = 16 * 1024, /* and so much besides */
};
