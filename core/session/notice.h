/* SPDX-License-Identifier: MIT
 *
 * notice.h: what the log says of one peer: up, down, elsewhere, what its path takes.
 *
 * Who holds a key can make these happen as often as he likes. So each peer has a limit
 * of its own, and one that flaps hides nothing of the others. What was left out is
 * said when the time is over, with how things are then.
 */
#ifndef WT_SESSION_NOTICE_H
#define WT_SESSION_NOTICE_H

#include <stdint.h>
#include <whispertunnel/host.h>

#include "worker/loop.h"

struct wt_peer;

struct wt_notices {
	struct wt_timer timer; /* armed while lines are counted */
	unsigned written;
	uint64_t left_out;
};

/* WT_ERR_NOMEM. */
enum wt_status wt_notices_init(struct wt_peer *peer) WT_MUST_CHECK;
/* What was left out is said now. */
void wt_notices_fini(struct wt_peer *peer);

/* "peer NAME" and the text, which begins with what follows the name: at most
 * WT_NOTICES lines in WT_NOTICES_MS. */
void wt_notice(struct wt_peer *peer, enum wt_log_level level, const char *fmt, ...) WT_PRINTF(3, 4);

#endif
