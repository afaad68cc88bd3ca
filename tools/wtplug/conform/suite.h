/* SPDX-License-Identifier: MIT
 *
 * suite.h: everything there is to test in one plugin, each test apart
 * (hearing.h): a plugin that crashes or hangs fails that test.
 */
#ifndef WT_CONFORM_SUITE_H
#define WT_CONFORM_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <whispertunnel/plugin.h>

#include "conform/auth/check.h"
#include "conform/crypto/aead_check.h"
#include "conform/transport/check.h"

#define WT_CASE_NAME_MAX 80u

struct wt_case {
	char name[WT_CASE_NAME_MAX]; /* "flips", "flips with aesgcm-sodium" */
	const char *promise;	     /* what holds when nothing is found; a constant */
	enum wt_verdict verdict;
	struct wt_finding finding; /* also of a sound one: what was counted; or "" */
	unsigned ms;
};

/* Of the whole: worst first. */
enum wt_outcome { WT_OUTCOME_PASS, WT_OUTCOME_PARTIAL, WT_OUTCOME_FAIL };

struct wt_suite {
	struct wt_plugin_note_desc note; /* as far as it was read, or zero */
	struct wt_case *cases;
	size_t count;
	enum wt_outcome outcome;
	enum wt_fault fault; /* the most telling one; WT_FAULT_NONE if there is none */
};

struct wt_suite_options {
	struct wt_check_options check;
	/* Where the others are that it must agree with; NULL: compare with none. */
	const char *plugin_dir;
	unsigned timeout_ms; /* of one test; 0: by level */
	/* Called after each case; may be NULL. */
	void (*report)(void *arg, const struct wt_suite *suite, const struct wt_case *done);
	void *report_arg;
};

/* Tests the file. NULL: out of memory. The caller frees it. Main thread, while it
 * is the only one. */
struct wt_suite *wt_suite_run(const char *path,
			      const struct wt_suite_options *options) WT_MUST_CHECK;
/* NULL is allowed. */
void wt_suite_free(struct wt_suite *suite);

const char *wt_verdict_text(enum wt_verdict verdict); /* "pass", "FAIL", "skip", "not run" */
const char *wt_outcome_text(enum wt_outcome outcome); /* "pass", "partial", "fail" */

#endif
