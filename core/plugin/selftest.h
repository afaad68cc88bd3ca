/* SPDX-License-Identifier: MIT
 *
 * selftest.h: does a crypto plugin compute what it says it computes?
 *
 * Known answers are compared both ways, in place and disjoint, at odd
 * addresses; every kind of forgery must be refused with all of its output
 * zeroed; nothing may be written behind the output; a second key must not
 * matter to the first; the largest record makes a round trip; the batch forms,
 * if there are any, must agree; and key_wipe must leave no piece of the key.
 * This finds what is broken; tests/conformance finds what is wrong now and then.
 */
#ifndef WT_PLUGIN_SELFTEST_H
#define WT_PLUGIN_SELFTEST_H

#include "plugin/descriptor.h"

/* Run it in an instance of its own with default settings. err names the vector
 * and what was wrong. Takes some milliseconds. Main thread. */
enum wt_status wt_selftest_run(const struct wt_loaded *loaded, const struct wt_host *host,
			       struct wt_error *err) WT_MUST_CHECK;

#endif
