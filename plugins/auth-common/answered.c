/* SPDX-License-Identifier: MIT */
#include "auth-common/answered.h"

#include <string.h>

#include "auth-common/limits.h"

/* Of a source that is longer than any that is known nothing is the same. */
void wt_answered_begin(struct wt_answered *answered, const struct wt_auth_in *in, uint64_t boot_ms)
{
	*answered = (struct wt_answered){ .association = in->association,
					  .first_ms = boot_ms,
					  .last_ms = boot_ms,
					  .source_len = in->source_len };
	if (in->source_len <= SOURCE_MAX)
		memcpy(answered->source, in->source, in->source_len);
}

static bool came_the_same_way(const struct wt_answered *answered, const struct wt_auth_in *in)
{
	return answered->association == in->association && answered->source_len == in->source_len &&
	       in->source_len <= SOURCE_MAX &&
	       memcmp(answered->source, in->source, in->source_len) == 0;
}

enum wt_auth_reason wt_answered_again(struct wt_answered *answered, const struct wt_auth_in *in,
				      uint64_t boot_ms)
{
	if (!came_the_same_way(answered, in) || boot_ms - answered->first_ms >= PENDING_MS)
		return WT_REASON_REPLAY;
	if (boot_ms - answered->last_ms < REPEAT_MS)
		return WT_REASON_RATE;
	answered->last_ms = boot_ms;
	return WT_REASON_NONE;
}
