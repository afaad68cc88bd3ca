/* SPDX-License-Identifier: MIT
 *
 * ini.h: an INI file as sections and entries with their lines.
 *
 * inih splits the lines; what it would silently misread (measured with version
 * 55: continuation lines, long lines, long section names, empty sections, `;`
 * after a space, `:` as separator, NUL) never reaches it, but becomes a problem
 * that names file and line. The grammar is in docs/config.md.
 */
#ifndef WT_CONFIG_INI_H
#define WT_CONFIG_INI_H

#include <stddef.h>
#include <whispertunnel/status.h>

#include "config/problems.h"

#define WT_INI_LINE_MAX 198u		      /* bytes of a line without its end: inih's buffer */
#define WT_INI_SECTION_MAX 49u		      /* bytes between [ and ]: inih's buffer */
#define WT_INI_FILE_MAX (16u * 1024u * 1024u) /* far above WT_PEERS_MAX peers */

struct wt_ini_entry {
	char *key;
	char *value; /* "" if there is none */
	int line;
};

struct wt_ini_section {
	char *label; /* "peer alice": as in messages, one blank between */
	char *kind;  /* "peer" */
	char *name;  /* "alice", or "" */
	int line;
	struct wt_ini_entry *entries; /* in file order; a key may be there twice */
	size_t count, room;
};

struct wt_ini {
	struct wt_ini_section *sections; /* in file order; no label twice */
	size_t count, room;
};

/* Split `len` bytes at `data`. Problems are added; what is sound around them
 * is in *ini, which wt_ini_clear frees. WT_ERR_NOMEM. */
enum wt_status wt_ini_parse(const char *data, size_t len, struct wt_problems *problems,
			    struct wt_ini *ini) WT_MUST_CHECK;

/* The same for the file problems->path, which must be a regular file of root
 * or the effective user that group and others cannot write to. WT_ERR_CONFIG:
 * it could not be read, and the problem says why. */
enum wt_status wt_ini_read(struct wt_problems *problems, struct wt_ini *ini) WT_MUST_CHECK;

void wt_ini_clear(struct wt_ini *ini);

#endif
