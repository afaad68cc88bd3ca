/* SPDX-License-Identifier: MIT
 *
 * hearing.h: one check of one plugin, in a child process with a time limit: one that
 * crashes or hangs is a finding like any other. Main thread, while it is the only
 * one.
 */
#ifndef WT_CONFORM_HEARING_H
#define WT_CONFORM_HEARING_H

#include "conform/life_check.h"
#include "conform/suite.h"

struct wt_hearing {
	const struct wt_suite_options *options; /* level, seed and time limit */
	const char *path;
	/* Another crypto plugin: what a crypto plugin must agree with (NULL or `path`:
	 * itself), or what the host of an auth plugin has. */
	const char *reference;
	const struct wt_aead_check *aead; /* exactly one of these four */
	const struct wt_life_check *life;
	const struct wt_transport_check *transport;
	const struct wt_auth_check *auth;
};

/* The name and the promise of its check; everything else in *out is zero. */
void wt_hearing_name(const struct wt_hearing *hearing, struct wt_case *out);
/* The same, and what came of it. */
void wt_hearing_run(const struct wt_hearing *hearing, struct wt_case *out);

#endif
