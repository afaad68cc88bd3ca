/* SPDX-License-Identifier: MIT
 *
 * verdict.h: small things around the calls of auth.h that every method needs.
 */
#ifndef WT_AUTH_COMMON_VERDICT_H
#define WT_AUTH_COMMON_VERDICT_H

#include <stdbool.h>
#include <string.h>
#include <whispertunnel/auth.h>

#include "auth-common/bytes.h"
#include "auth-common/limits.h"

/* Drop a message for `reason`. */
static inline enum wt_auth_verdict wt_verdict_drop(struct wt_auth_out *out,
						   enum wt_auth_reason reason)
{
	out->reason = reason;
	return WT_AUTH_IGNORE;
}

static inline void wt_verdict_reply(struct wt_auth_out *out, const uint8_t *message, uint32_t len)
{
	memcpy(out->reply, message, len);
	out->reply_len = len;
}

static inline bool wt_channel_known(uint32_t channel)
{
	return channel == WT_CHANNEL_STREAM || channel == WT_CHANNEL_DATAGRAM;
}

/* Is this a message of `method`, and for `index`? */
static inline bool wt_header_valid(const struct wt_auth_in *in, uint8_t method, uint32_t index)
{
	uint8_t want[WT_MESSAGE_HEADER];

	put_handshake_header(want, method, 0, index);
	return memcmp(in->message, want, HEADER_STEP) == 0 &&
	       get32(in->message + HEADER_INDEX) == index;
}

/* The peer's time less ours in milliseconds, held inside int64_t. */
static inline int64_t wt_clock_off(uint64_t time_ms, uint64_t now_ms)
{
	const uint64_t distance = time_ms > now_ms ? time_ms - now_ms : now_ms - time_ms;
	const int64_t held = distance > INT64_MAX ? INT64_MAX : (int64_t)distance;

	return time_ms > now_ms ? held : -held;
}

/* Is the peer's time within CLOCK_TOLERANCE_MS of ours? */
static inline bool wt_clock_near(uint64_t time_ms, uint64_t now_ms)
{
	return (time_ms > now_ms ? time_ms - now_ms : now_ms - time_ms) <= CLOCK_TOLERANCE_MS;
}

#endif
