/* SPDX-License-Identifier: MIT
 *
 * choice.h: `plugin = auto` in [crypto]: the fastest crypto plugin there is.
 *
 * Every crypto-NAME.so of the plugin directory is a candidate. Those of another
 * algorithm than AES-256-GCM, those that cannot work on this machine and those
 * that the loader refuses are left out, each with its reason; the others are
 * measured. The one with the smallest product of its costs is taken (a short
 * record counts as much as a long one), and all others are unloaded again.
 */
#ifndef WT_PLUGIN_CHOICE_H
#define WT_PLUGIN_CHOICE_H

#include "plugin/measure.h"

enum wt_candidate_fate {
	WT_CANDIDATE_USED,
	WT_CANDIDATE_SLOWER,
	WT_CANDIDATE_UNSUITED, /* no instructions or no library for it; another algorithm */
	WT_CANDIDATE_BROKEN
};

struct wt_candidate {
	char name[WT_NAME_MAX + 1];
	enum wt_candidate_fate fate;
	struct wt_measured measured; /* USED and SLOWER */
	struct wt_error reason;	     /* UNSUITED and BROKEN: names plugin and reason */
};

struct wt_choice {
	const struct wt_plugin *plugin; /* the registry's; NULL: none is left */
	struct wt_candidate *items;	/* by name */
	size_t count;
};

/* wt_measure_crypto, or a test's own. */
typedef enum wt_status wt_measure_fn(void *arg, const struct wt_plugin *plugin,
				     struct wt_measured *out, struct wt_error *err);

/* `measure` NULL: wt_measure_crypto. When none is left, and when the result is
 * NULL (out of memory, or no such directory), err says so. Takes some 10 ms a
 * candidate, and as long again to load each. Main thread, as
 * wt_registry_load. */
struct wt_choice *wt_choice_new(struct wt_registry *registry, wt_measure_fn *measure, void *arg,
				struct wt_error *err) WT_MUST_CHECK;
/* NULL is allowed. */
void wt_choice_free(struct wt_choice *choice);

/* One line with the figures; before it a warning for each broken candidate and,
 * at debug level, a line for each unsuited one. */
void wt_choice_log(const struct wt_choice *choice);

#endif
