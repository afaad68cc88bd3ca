/* SPDX-License-Identifier: MIT
 *
 * exports.h: what a plugin exports beside its descriptor. One that carries a
 * static copy of a library usually shows that library's names there, and then
 * the order of loading decides which copy is called.
 *
 * Left out are weak names (inline functions and templates of C++, which are
 * many times in every process) and those that C reserves for compilers and
 * their run-time libraries (_X, __x). A copy whose names were hidden
 * (-fvisibility=hidden, --exclude-libs) is not seen, and cannot be mixed up.
 */
#ifndef WT_PLUGIN_EXPORTS_H
#define WT_PLUGIN_EXPORTS_H

#include <stddef.h>

#include "plugin/libraries.h"

struct wt_exports {
	char **names; /* in the file's order */
	size_t count;
};

/* Read the file's table of dynamic symbols; none of its code runs. A file that
 * cannot be read, is no shared object of this machine, or has no such table,
 * exports nothing; names of 1 KiB and more, and what is behind the first 16384, are
 * left out. WT_ERR_NOMEM: *exports is empty. Cleared with wt_exports_clear. Main
 * thread. */
enum wt_status wt_exports_read(const char *path, struct wt_exports *exports) WT_MUST_CHECK;
void wt_exports_clear(struct wt_exports *exports);

/* How many of these names the loaded object `library` defines, too; *name is
 * the first of them. Runs no code of it but resolvers of IFUNCs. Main thread. */
size_t wt_exports_shared(const struct wt_exports *exports, const struct wt_library *library,
			 const char **name);

#endif
