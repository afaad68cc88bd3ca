/* SPDX-License-Identifier: MIT
 *
 * embedded.h: the files of new/templates, in the program itself: it needs no
 * directory of its own.
 */
#ifndef WT_NEW_EMBEDDED_H
#define WT_NEW_EMBEDDED_H

struct wt_embedded {
	const char *name; /* "crypto/plugin.c.in" */
	const char *text;
};

/* Ended by a NULL name. */
extern const struct wt_embedded wt_templates[];

#endif
