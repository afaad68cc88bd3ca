/* SPDX-License-Identifier: MIT
 *
 * libraries.h: the shared objects in this process, who brought each of them,
 * and which are one library twice.
 *
 * Two objects are one library when their SONAMEs are the same up to and with
 * ".so": libcrypto.so.3 and libcrypto.so.1.1, or libsodium.so.23 from two
 * places. No list of names is needed, and none is kept. What has no SONAME is
 * no library; a copy that was linked in statically is plugin/exports.h's.
 */
#ifndef WT_PLUGIN_LIBRARIES_H
#define WT_PLUGIN_LIBRARIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/registry.h"

/* "transport plugin " and a name in quotes */
#define WT_LIBRARY_BROUGHT_BY (20u + WT_NAME_MAX + 1u)

struct wt_library {
	char *path;   /* as the dynamic linker has it */
	char *family; /* the SONAME up to and with ".so"; NULL: it has none */
	uintptr_t at; /* where it lies */
	char brought_by[WT_LIBRARY_BROUGHT_BY];
	bool there; /* seen by the look under way */
};

/* All zero: nothing was looked at. Cleared with wt_libraries_clear. */
struct wt_libraries {
	struct wt_library *items;
	size_t count;
};

/* Take in what is loaded now, without the program itself: what is gone is
 * dropped, what is new was brought by `brought_by`. What there is no memory for
 * is left out. Any thread that owns *libraries, while nothing is being loaded. */
void wt_libraries_look(struct wt_libraries *libraries, const char *brought_by);
void wt_libraries_clear(struct wt_libraries *libraries);

/* Calls fn for each pair that is one library twice, the one that was there
 * first as `first`. */
typedef void wt_library_twins_fn(void *arg, const struct wt_library *first,
				 const struct wt_library *second);
void wt_libraries_twins(const struct wt_libraries *libraries, wt_library_twins_fn *fn, void *arg);

#endif
