/* SPDX-License-Identifier: MIT
 *
 * project.h: a new plugin as a directory of files that build and pass
 * `wtplug conform` as they are.
 */
#ifndef WT_NEW_PROJECT_H
#define WT_NEW_PROJECT_H

#include <stdbool.h>
#include <whispertunnel/plugin.h>

#define WT_PROJECT_AUTHOR_MAX 200u

struct wt_project {
	const char *kind;    /* "crypto" */
	const char *mode;    /* NULL: the kind has none */
	const char *name;    /* as for a plugin: [a-z0-9-] */
	const char *license; /* SPDX expression */
	const char *author;
	const char *dir; /* made if it is not there; must be empty */
};

/* A kind that there are templates for. A project of one that has modes is of one of
 * them, the first if none is named. */
struct wt_project_kind {
	const char *name;
	const char *modes[3]; /* ended by NULL */
};

/* NULL: there is no template for it. */
const struct wt_project_kind *wt_project_kind(const char *name);
/* All of them: "auth|crypto|transport". */
void wt_project_kinds(char *out, size_t size);
/* Can it be a file's header and a C string: 1 to 80 of letters, digits and
 * "-.+() ", and a letter at least? */
bool wt_project_license_valid(const char *license);
/* Is it 1 to WT_PROJECT_AUTHOR_MAX bytes of printable UTF-8, and not of spaces
 * only? It goes into a licence's text and nowhere else. */
bool wt_project_author_valid(const char *author);
/* Is its text among the templates? Then the project gets a file LICENSE. */
bool wt_project_license_known(const char *license);

/* WT_ERR_IO: err says which file and why; what was written stays. WT_ERR_CONFIG:
 * the directory holds something already. */
enum wt_status wt_project_write(const struct wt_project *project,
				struct wt_error *err) WT_MUST_CHECK;

#endif
