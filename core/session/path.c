/* SPDX-License-Identifier: MIT */
#include "session/path.h"

#include <string.h>

#include "base/secret.h"

static const uint32_t challenge_ms[WT_PATH_CHALLENGES] = WT_PATH_CHALLENGE_MS;

bool wt_path_equal(const struct wt_path *a, const struct wt_path *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

uint64_t wt_path_due(const struct wt_path_check *check)
{
	return check->running ? check->due_ms : 0;
}

void wt_path_stop(struct wt_path_check *check)
{
	check->running = false;
}

static bool begin(struct wt_path_check *check, const struct wt_path *from, size_t bytes,
		  uint64_t now)
{
	uint8_t random[2 * WT_PING_SIZE];

	if (check->begun_ms != 0 && now - check->begun_ms < WT_PATH_PAUSE_MS)
		return false;
	if (wt_random(random, sizeof random) != WT_OK)
		return false;
	*check = (struct wt_path_check){ .running = true,
					 .begun_ms = now,
					 .due_ms = now,
					 .candidate = *from,
					 .received = bytes };
	memcpy(check->to_candidate, random, WT_PING_SIZE);
	memcpy(check->to_current, random + WT_PING_SIZE, WT_PING_SIZE);
	return true;
}

bool wt_path_received(struct wt_path_check *check, const struct wt_path *current,
		      const struct wt_path *from, size_t bytes, bool newest, uint64_t now_ms)
{
	if (wt_path_equal(from, current)) {
		if (newest)
			wt_path_stop(check);
		return false;
	}
	if (!check->running)
		return newest && begin(check, from, bytes, now_ms);
	if (wt_path_equal(from, &check->candidate))
		check->received += bytes;
	return false;
}

static bool may_send(const struct wt_path_check *check)
{
	return check->sent + WT_PATH_CHALLENGE_RECORD <= WT_PATH_AMPLIFY * check->received;
}

void wt_path_run(struct wt_path_check *check, uint64_t now_ms, struct wt_path_step *out)
{
	*out = (struct wt_path_step){ .to_current = false };
	if (!check->running || check->due_ms > now_ms)
		return;
	if (check->tries == WT_PATH_CHALLENGES) {
		wt_path_stop(check);
		return;
	}
	out->to_current = true;
	if (may_send(check)) {
		out->to_candidate = true;
		check->sent += WT_PATH_CHALLENGE_RECORD;
	}
	check->tries++;
	check->due_ms =
		check->begun_ms + (check->tries == WT_PATH_CHALLENGES ? WT_PATH_CHECK_MS
								      : challenge_ms[check->tries]);
}

bool wt_path_response(struct wt_path_check *check, const struct wt_path *from,
		      const uint8_t payload[WT_PING_SIZE])
{
	if (!check->running || !wt_path_equal(from, &check->candidate) ||
	    !wt_equal(payload, check->to_candidate, WT_PING_SIZE))
		return false;
	wt_path_stop(check);
	return true;
}
