/* SPDX-License-Identifier: MIT
 *
 * answered.h: where the first message of a handshake came from that got its M2, and
 * whether a copy of it gets that M2 again.
 *
 * Only a copy that came the same way does: on a stream over the same connection, as
 * datagrams from the same address and port. Any other is a replay, and leaves what
 * the true one may still ask for as it was.
 */
#ifndef WT_AUTH_COMMON_ANSWERED_H
#define WT_AUTH_COMMON_ANSWERED_H

#include <stdbool.h>
#include <whispertunnel/auth.h>

#define SOURCE_MAX 32u /* of struct wt_source */

struct wt_answered {
	uint64_t association;
	uint64_t first_ms, last_ms; /* boot time of the first and last M2 */
	uint32_t source_len;
	uint8_t source[SOURCE_MAX];
};

/* M2 answers `in`, for the first time. */
void wt_answered_begin(struct wt_answered *answered, const struct wt_auth_in *in, uint64_t boot_ms);

/* `in` is a copy of the message that was answered. WT_REASON_NONE: M2 is due again,
 * and that is noted. WT_REASON_REPLAY: never; WT_REASON_RATE: not now. */
enum wt_auth_reason wt_answered_again(struct wt_answered *answered, const struct wt_auth_in *in,
				      uint64_t boot_ms) WT_MUST_CHECK;

#endif
