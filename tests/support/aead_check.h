/* SPDX-License-Identifier: MIT
 *
 * aead_check.h: the contract of whispertunnel/crypto.h for AES-256-GCM, as
 * checks that take a backend and say what they found.
 *
 * They are no cmocka tests themselves, so that one program can demand that a
 * check finds nothing in a backend, and another that it finds the fault in a
 * faulty one.
 */
#ifndef WT_TEST_SUPPORT_AEAD_CHECK_H
#define WT_TEST_SUPPORT_AEAD_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <whispertunnel/status.h>

#include "support/backend.h"

enum wt_verdict {
	WT_SOUND,
	WT_FOUND,  /* the note says what, and where */
	WT_SKIPPED /* the note says why */
};

struct wt_rig; /* what a check works with */

struct wt_aead_check {
	const char *name;
	const char *promise; /* what holds when nothing is found */
	bool pairwise;	     /* worth a run against every other backend */
	enum wt_verdict (*run)(struct wt_rig *rig, struct wt_error *note);
};

extern const struct wt_aead_check wt_aead_checks[];
extern const size_t wt_aead_check_count;

/* `reference` is another backend, or the same: both must say the same bytes.
 * A sound verdict may leave a note, too: what was counted; else it is "". */
enum wt_verdict wt_aead_check_run(const struct wt_aead_check *check,
				  const struct wt_backend *subject,
				  const struct wt_backend *reference,
				  struct wt_error *note) WT_MUST_CHECK;

#endif
