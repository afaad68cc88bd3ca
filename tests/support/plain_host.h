/* SPDX-License-Identifier: MIT
 *
 * plain_host.h: the least host table that a plugin can be given in a test.
 *
 * Filled: log, log_limited, the clocks, and all of secrets. Every other slot
 * is NULL; a test that needs one sets it in `host` before it hands that out.
 * The log goes the way of base/log.h, so wt_log_capture() sees its lines.
 */
#ifndef WT_TEST_SUPPORT_PLAIN_HOST_H
#define WT_TEST_SUPPORT_PLAIN_HOST_H

#include <whispertunnel/host.h>

#include "base/clock.h"

struct wt_plain_host {
	struct wt_host host; /* host.self points to this struct: do not copy */
	const struct wt_clock *clock;
};

/* `clock` (NULL: the machine's) is borrowed and outlives the host. */
void wt_plain_host_init(struct wt_plain_host *plain, const struct wt_clock *clock);

#endif
