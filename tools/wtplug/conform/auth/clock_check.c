/* SPDX-License-Identifier: MIT
 *
 * Clocks that are wrong, set right, and set back.
 */
#include <string.h>

#include "conform/auth/check.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define YEAR (8766 * HOUR)
/* A core that goes on trying comes that far in ten seconds. */
#define TRIES 6u

/* The wall clock of one end, modulo 2^64; its boot time goes on. */
static void turn_clock(struct wt_auth_end *end, uint64_t ms)
{
	end->clock.unix_ms += ms;
}

/* As the core does it: again and again, with the number of silent tries. */
static bool comes_up(struct wt_exchange *p, struct wt_finding *note)
{
	bool good = false;

	for (p->ends[0].unanswered = 0; !good && p->ends[0].unanswered < TRIES;
	     p->ends[0].unanswered++) {
		good = wt_exchange_run(p, NULL, note);
		wt_exchange_forget(p);
	}
	p->ends[0].unanswered = 0;
	if (good)
		*note = (struct wt_finding){ .fault = WT_FAULT_NONE };
	return good;
}

/* A dialler that starts with a wrong clock, and then has the right one. Whether
 * the first attempt comes up is the method's; the later one must. */
static bool try_dialler(const struct wt_exchange_setup *setup, int64_t off, struct wt_finding *note)
{
	struct wt_exchange p;
	bool good = wt_exchange_open_friends(&p, setup, note);

	if (good) {
		struct wt_finding any;

		turn_clock(&p.ends[0], (uint64_t)off);
		(void)comes_up(&p, &any);
		turn_clock(&p.ends[0], 0 - (uint64_t)off);
		wt_exchange_advance(&p, 1000);
		if (!comes_up(&p, note))
			good = wt_find(note, WT_FAULT_CLOCK,
				       "a dialler whose clock was %lld ms off and is right again "
				       "is shut out",
				       (long long)off);
	}
	wt_exchange_close(&p);
	return good;
}

/* An old first message, after the acceptor's clock went to where it is fresh. */
static bool try_replay(const struct wt_exchange_setup *setup, int64_t later, int64_t back,
		       struct wt_finding *note)
{
	struct wt_exchange p;
	bool good = wt_exchange_open_friends(&p, setup, note) && wt_exchange_run(&p, NULL, note);

	if (good) {
		const struct wt_exchange_message old = p.sent[0];

		wt_exchange_forget(&p);
		wt_exchange_advance(&p, (uint64_t)later);
		turn_clock(&p.ends[1], 0 - (uint64_t)back);
		p.ends[1].association += setup->channel == WT_CHANNEL_STREAM ? 100u : 0u;
		good = wt_exchange_refuses(&p, &old, false, WT_FAULT_REPLAY,
					   "clock set back by seconds:", (size_t)(back / SECOND),
					   note);
		turn_clock(&p.ends[1], (uint64_t)back);
		if (good && !comes_up(&p, note))
			good = wt_find(note, WT_FAULT_CLOCK,
				       "an acceptor whose clock was set back by %lld ms and is "
				       "right again accepts nobody",
				       (long long)back);
	}
	wt_exchange_close(&p);
	return good;
}

bool wt_check_auth_clocks(const struct wt_exchange_setup *setup, struct wt_finding *note)
{
	/* The ends start in 2026. */
	static const int64_t off[] = { 61 * SECOND, -61 * SECOND, 10 * MINUTE, -10 * MINUTE,
				       2 * HOUR,    -2 * HOUR,	  YEAR,	       -56 * YEAR,
				       1000 * YEAR, INT64_MIN,	  30 * SECOND, -30 * SECOND };
	static const int64_t back[][2] = { { 30 * SECOND, 30 * SECOND },
					   { 90 * SECOND, 90 * SECOND },
					   { 2 * HOUR, 2 * HOUR },
					   { SECOND, 30 * SECOND },
					   { SECOND, 0 } };

	for (size_t i = 0; i < sizeof off / sizeof off[0]; i++)
		if (!try_dialler(setup, off[i], note))
			return false;
	for (size_t i = 0; i < sizeof back / sizeof back[0]; i++)
		if (!try_replay(setup, back[i][0], back[i][1], note))
			return false;
	return true;
}
