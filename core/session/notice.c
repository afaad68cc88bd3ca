/* SPDX-License-Identifier: MIT */
#include "session/notice.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "session/peer.h"

static void sum_up(struct wt_peer *peer)
{
	struct wt_notices *notices = &peer->notices;

	if (notices->left_out > 0)
		wt_log(WT_LOG_WARN, "peer %s: %" PRIu64 " more lines left out; it is %s now",
		       wt_peer_name(peer), notices->left_out, wt_peer_is_up(peer) ? "up" : "down");
	notices->written = 0;
	notices->left_out = 0;
}

static void on_timer(void *arg, struct wt_worker *worker)
{
	(void)worker;
	sum_up(arg);
}

enum wt_status wt_notices_init(struct wt_peer *peer)
{
	return wt_timer_init(&peer->worker->loop, &peer->notices.timer, on_timer, peer);
}

void wt_notices_fini(struct wt_peer *peer)
{
	sum_up(peer);
	wt_timer_fini(&peer->notices.timer);
}

void wt_notice(struct wt_peer *peer, enum wt_log_level level, const char *fmt, ...)
{
	struct wt_notices *notices = &peer->notices;
	char text[512];
	va_list args;

	if (!wt_log_enabled(level))
		return;
	if (!wt_timer_armed(&notices->timer))
		wt_timer_arm(&notices->timer, WT_NOTICES_MS);
	if (notices->written == WT_NOTICES) {
		notices->left_out++;
		return;
	}
	notices->written++;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	wt_log(level, "peer %s%s", wt_peer_name(peer), text);
}
