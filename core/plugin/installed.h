/* SPDX-License-Identifier: MIT
 *
 * installed.h: which plugins a directory seems to hold, by their file names;
 * nothing is opened or loaded.
 */
#ifndef WT_PLUGIN_INSTALLED_H
#define WT_PLUGIN_INSTALLED_H

#include <stddef.h>
#include <whispertunnel/plugin.h>

struct wt_installed_plugin {
	enum wt_plugin_kind kind;
	char name[WT_NAME_MAX + 1];
};

struct wt_installed {
	struct wt_installed_plugin *items; /* by kind, then by name */
	size_t count;
};

/* KIND-NAME.so in `dir`. WT_ERR_IO when it cannot be listed, WT_ERR_NOMEM;
 * then *out is empty. The caller clears it. */
enum wt_status wt_installed_list(const char *dir, struct wt_installed *out) WT_MUST_CHECK;
void wt_installed_clear(struct wt_installed *installed);

#endif
