/* SPDX-License-Identifier: MIT
 *
 * source.h: where settings get their plugins from: the registry, or a table of
 * a test's own.
 */
#ifndef WT_CONFIG_SOURCE_H
#define WT_CONFIG_SOURCE_H

#include <stdbool.h>
#include <whispertunnel/plugin.h>

struct wt_choice;
struct wt_plugin;
struct wt_problems;
struct wt_settings;

struct wt_plugin_source {
	void *arg;
	/* Called once, before any load. plugin_dir: an absolute path, or NULL. */
	enum wt_status (*open)(void *arg, const char *plugin_dir, bool self_test,
			       struct wt_error *err);
	/* *out lives as long as the source, and its keys are sound
	 * (wt_key_table_check). err names plugin, reason and remedy. */
	enum wt_status (*load)(void *arg, enum wt_plugin_kind kind, const char *name,
			       const struct wt_plugin **out, struct wt_error *err);
	/* For `[crypto] plugin = auto`, before any load of a crypto plugin:
	 * wt_choice_new. */
	struct wt_choice *(*choose)(void *arg, struct wt_error *err);
	/* Called last, if all else is sound: wt_trial_run, or NULL. */
	void (*try_out)(const struct wt_settings *settings, struct wt_problems *problems);
};

#endif
