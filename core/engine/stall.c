/* SPDX-License-Identifier: MIT */
#include "engine/stall.h"

#include "worker/pulse.h"

static bool asleep(char state)
{
	return state == 'S' || state == 'D';
}

static enum wt_stall_news begin(struct wt_stall *stall, const struct wt_sight *sight)
{
	enum wt_stall_news news = stall->said ? WT_STALL_GOES_ON : WT_STALL_NOTHING;

	*stall = (struct wt_stall){
		.last = *sight,
		.since_ms = sight->at_ms,
		.say_ms = WT_STALL_MS,
		.lasted_ms = sight->at_ms - stall->since_ms,
	};
	return news;
}

static void count(struct wt_stall *stall, const struct wt_sight *from, const struct wt_sight *to)
{
	uint64_t passed = to->at_ms - from->at_ms;
	uint64_t computed = to->cpu_ms - from->cpu_ms;

	if (passed > WT_STALL_GAP_MS) {
		stall->since_ms += passed;
		return;
	}
	if (from->state == '?' || to->state == '?')
		return;
	/* Processor time is counted in ticks. */
	if (computed > passed)
		computed = passed;
	stall->computed_ms += computed;
	if (asleep(from->state) && asleep(to->state))
		stall->blocked_ms += passed - computed;
}

enum wt_stall_news wt_stall_look(struct wt_stall *stall, const struct wt_sight *sight)
{
	const struct wt_sight last = stall->last;

	if (wt_pulse_rests(sight->beats) || sight->beats != last.beats)
		return begin(stall, sight);
	stall->last = *sight;
	count(stall, &last, sight);
	stall->lasted_ms = sight->at_ms - stall->since_ms;
	if (stall->blocked_ms + stall->computed_ms < stall->say_ms)
		return WT_STALL_NOTHING;
	stall->say_ms *= 2;
	stall->said = true;
	return WT_STALL_STANDS;
}

bool wt_stall_computes(const struct wt_stall *stall)
{
	return stall->computed_ms > stall->blocked_ms;
}
