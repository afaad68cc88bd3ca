/* SPDX-License-Identifier: MIT
 *
 * problems.h: everything that is wrong with one INI file, so that one run
 * shows all of it, in file order.
 */
#ifndef WT_CONFIG_PROBLEMS_H
#define WT_CONFIG_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <whispertunnel/status.h>

/* Where a problem is. */
struct wt_place {
	int line;	     /* 0: the file as a whole; comes last */
	const char *section; /* "peer alice", without brackets; NULL: none */
	const char *key;     /* NULL: the section as a whole */
};

struct wt_problem {
	int line;
	size_t order; /* of discovery, within a line */
	char *text;   /* "[peer alice] keepalive: ..." */
};

struct wt_problems {
	const char *path; /* of the file; borrowed */
	struct wt_problem *items;
	size_t count, room;
	size_t plugin_count; /* how many of them are of plugins */
	bool out_of_memory;  /* some could not be kept */
};

/* What was found and what is allowed, as one sentence. */
void wt_problem_add(struct wt_problems *problems, struct wt_place place, const char *fmt, ...)
	WT_PRINTF(3, 4);
/* The same for a plugin that could not be used: exit code 4. */
void wt_problem_add_plugin(struct wt_problems *problems, struct wt_place place, const char *fmt,
			   ...) WT_PRINTF(3, 4);

/* WT_EXIT_OK, WT_EXIT_CONFIG, or WT_EXIT_PLUGIN if only plugins failed. */
int wt_problems_exit(const struct wt_problems *problems);

/* Sort and write one line each, "FILE:LINE: [SECTION] KEY: TEXT". Control
 * bytes are escaped. */
void wt_problems_print(struct wt_problems *problems, FILE *out);

/* Frees what was added; the struct itself is the caller's. */
void wt_problems_clear(struct wt_problems *problems);

#endif
