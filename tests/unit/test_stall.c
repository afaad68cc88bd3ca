/* SPDX-License-Identifier: MIT */

/* When a worker is said to stand still, told as stories of what is seen of it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/stall.h"

#define STEP 500u

static struct wt_stall stall;
static struct wt_sight sight;

static int setup(void **state)
{
	(void)state;
	stall = (struct wt_stall){ .said = false };
	sight = (struct wt_sight){ .beats = 1, .at_ms = 1000000, .cpu_ms = 70, .state = 'R' };
	return 0;
}

/* `passed` later the thread is in `state` and has computed for `cpu`. */
static enum wt_stall_news after(uint64_t passed, char state, uint64_t cpu)
{
	sight.at_ms += passed;
	sight.cpu_ms += cpu;
	sight.state = state;
	return wt_stall_look(&stall, &sight);
}

static enum wt_stall_news come_round(uint64_t passed)
{
	sight.beats += 2;
	return after(passed, 'R', 0);
}

static void a_worker_that_comes_round_is_well(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++)
		assert_int_equal(come_round(STEP), WT_STALL_NOTHING);
}

static void one_that_rests_is_well(void **state)
{
	(void)state;
	sight.beats = 2;
	for (int i = 0; i < 20; i++)
		assert_int_equal(after(STEP, 'S', 0), WT_STALL_NOTHING);
}

static void a_blocked_one_is_said_after_a_second_and_at_each_doubling(void **state)
{
	static const unsigned said_at_ms[] = { 1000, 2000, 4000, 8000 };
	unsigned n = 0;

	(void)state;
	assert_int_equal(after(0, 'S', 0), WT_STALL_NOTHING);
	for (unsigned ms = STEP; ms <= 10000; ms += STEP) {
		enum wt_stall_news news = after(STEP, ms % 1000 ? 'D' : 'S', 0);

		if (n < 4 && ms == said_at_ms[n]) {
			assert_int_equal(news, WT_STALL_STANDS);
			assert_int_equal(stall.lasted_ms, ms);
			assert_false(wt_stall_computes(&stall));
			n++;
		} else {
			assert_int_equal(news, WT_STALL_NOTHING);
		}
	}
	assert_int_equal(n, 4);
	assert_int_equal(come_round(100), WT_STALL_GOES_ON);
	assert_int_equal(stall.lasted_ms, 10100);
	assert_int_equal(come_round(STEP), WT_STALL_NOTHING);
}

static void one_that_computes_is_told_from_a_blocked_one(void **state)
{
	(void)state;
	after(0, 'R', 0);
	assert_int_equal(after(STEP, 'R', 490), WT_STALL_NOTHING);
	assert_int_equal(after(STEP, 'R', 500), WT_STALL_NOTHING);
	assert_int_equal(after(STEP, 'R', 480), WT_STALL_STANDS);
	assert_int_equal(stall.lasted_ms, 1500);
	assert_true(wt_stall_computes(&stall));
	/* It rests: also an end. */
	sight.beats++;
	assert_int_equal(after(100, 'S', 0), WT_STALL_GOES_ON);
	assert_int_equal(stall.lasted_ms, 1600);
}

static void each_incident_begins_anew(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(come_round(STEP), i ? WT_STALL_GOES_ON : WT_STALL_NOTHING);
		assert_int_equal(after(STEP, 'S', 0), WT_STALL_NOTHING);
		assert_int_equal(after(STEP, 'S', 0), WT_STALL_NOTHING);
		assert_int_equal(after(STEP, 'S', 0), WT_STALL_STANDS);
	}
	/* Below a second nothing is kept for the next. */
	come_round(STEP);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(come_round(STEP), WT_STALL_NOTHING);
		assert_int_equal(after(STEP, 'S', 0), WT_STALL_NOTHING);
	}
}

/* Runnable, and gets a tenth of a processor. */
static void waiting_for_a_processor_counts_for_nothing(void **state)
{
	(void)state;
	after(0, 'R', 0);
	for (int i = 0; i < 19; i++)
		assert_int_equal(after(STEP, 'R', 50), WT_STALL_NOTHING);
	assert_int_equal(after(STEP, 'R', 50), WT_STALL_STANDS);
	assert_true(wt_stall_computes(&stall));
}

/* Asleep at one end of an interval is not asleep all through it. */
static void a_short_sleep_counts_for_nothing(void **state)
{
	(void)state;
	after(0, 'R', 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(after(STEP, i % 2 ? 'R' : 'S', 0), WT_STALL_NOTHING);
}

static void a_stopped_process_counts_for_nothing(void **state)
{
	(void)state;
	after(0, 'S', 0);
	assert_int_equal(after(STEP, 'S', 0), WT_STALL_NOTHING);
	/* SIGSTOP, or a machine that slept: who looks did not run either. */
	assert_int_equal(after(60000, 'S', 0), WT_STALL_NOTHING);
	assert_int_equal(after(STEP, 'S', 0), WT_STALL_STANDS);
	assert_int_equal(stall.lasted_ms, 1000);
	setup(NULL);
	/* Under a debugger. */
	for (int i = 0; i < 20; i++)
		assert_int_equal(after(STEP, i % 2 ? 't' : 'T', 0), WT_STALL_NOTHING);
}

/* Processor time is counted in ticks, and so can be ahead of the clock. */
static void no_more_is_computed_than_time_has_passed(void **state)
{
	(void)state;
	assert_int_equal(after(0, 'S', 0), WT_STALL_NOTHING);
	assert_int_equal(after(STEP, 'S', STEP + 10), WT_STALL_NOTHING);
	assert_int_equal(stall.computed_ms, STEP);
	assert_int_equal(stall.blocked_ms, 0);
	assert_int_equal(after(STEP - 1, 'S', 2 * STEP), WT_STALL_NOTHING);
	assert_int_equal(after(1, 'S', 1), WT_STALL_STANDS);
	assert_true(wt_stall_computes(&stall));
}

static void what_is_not_known_counts_for_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		/* What it computed before that is no news. */
		sight.cpu_ms = i % 2 ? 90000 : 0;
		assert_int_equal(after(STEP, i % 2 ? 'S' : '?', 0), WT_STALL_NOTHING);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(a_worker_that_comes_round_is_well),
		TEST(one_that_rests_is_well),
		TEST(a_blocked_one_is_said_after_a_second_and_at_each_doubling),
		TEST(one_that_computes_is_told_from_a_blocked_one),
		TEST(each_incident_begins_anew),
		TEST(waiting_for_a_processor_counts_for_nothing),
		TEST(a_short_sleep_counts_for_nothing),
		TEST(a_stopped_process_counts_for_nothing),
		TEST(no_more_is_computed_than_time_has_passed),
		TEST(what_is_not_known_counts_for_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
