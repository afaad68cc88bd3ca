/* SPDX-License-Identifier: MIT
 *
 * life_check.h: what holds for a plugin of any kind: it can be loaded, made,
 * ended and unloaded again and again, and twice at once.
 */
#ifndef WT_CONFORM_LIFE_CHECK_H
#define WT_CONFORM_LIFE_CHECK_H

#include "conform/crypto/aead_rig.h"

struct wt_life_check {
	const char *name;
	const char *promise;
	int level;
	enum wt_verdict (*run)(const char *path, const struct wt_check_options *options,
			       struct wt_finding *note);
};

extern const struct wt_life_check wt_life_checks[];
extern const size_t wt_life_check_count;

#endif
