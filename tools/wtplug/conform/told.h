/* SPDX-License-Identifier: MIT
 *
 * told.h: what a plugin's file says of itself, as far as it decides how to test it.
 * Main thread, while it is the only one.
 */
#ifndef WT_CONFORM_TOLD_H
#define WT_CONFORM_TOLD_H

#include <limits.h>
#include <stdbool.h>
#include <whispertunnel/plugin.h>

struct wt_told {
	char algorithm[64]; /* crypto */
	bool standard;	    /* crypto: AES-256-GCM */
	uint32_t mode;	    /* transport */
	bool conformance;   /* has it such a table? */
};

/* The loader's steps on a file, in a child. *note and *told are filled as far as
 * these were read, or zero; err says why it would not be loaded. */
enum wt_status wt_told_read(const char *path, struct wt_plugin_note_desc *note,
			    struct wt_told *told, struct wt_error *err) WT_MUST_CHECK;

/* The path of the first plugin of the directory that a host could use for AES-256-GCM.
 * False: there is none; `dir` may be NULL. */
bool wt_told_find_aead(const char *dir, char path[PATH_MAX]) WT_MUST_CHECK;

#endif
