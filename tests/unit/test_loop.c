/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "worker/loop.h"

#define TIMERS 500

struct probe {
	struct wt_timer timer;
	uint64_t fired_at;
	unsigned fired;
	uint64_t again_ms; /* re-arm from the callback, unless 0 */
};

static struct wt_clock_manual manual;
static struct wt_loop loop;

static void fire(void *arg, struct wt_worker *worker)
{
	struct probe *p = arg;

	(void)worker;
	p->fired++;
	p->fired_at = loop.now_ms;
	if (p->again_ms)
		wt_timer_arm(&p->timer, p->again_ms);
}

static int set_up(void **state)
{
	(void)state;
	wt_clock_manual_init(&manual, 1000, 0);
	return wt_loop_init(&loop, &manual.clock, NULL) == WT_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	assert_int_equal(loop.armed, 0);
	assert_int_equal(loop.timers, 0);
	wt_loop_fini(&loop);
	return 0;
}

static void timers_fire_once_and_not_early(void **state)
{
	static struct probe probes[TIMERS];
	uint64_t due[TIMERS];

	(void)state;
	srand(1);
	for (int i = 0; i < TIMERS; i++) {
		probes[i] = (struct probe){ .fired = 0 };
		assert_int_equal(wt_timer_init(&loop, &probes[i].timer, fire, &probes[i]), WT_OK);
		due[i] = 1000 + (uint64_t)(rand() % 300);
		wt_timer_arm(&probes[i].timer, due[i] - 1000);
	}
	/* Some are moved, some taken away. */
	for (int i = 0; i < TIMERS; i += 3) {
		due[i] = 1000 + (uint64_t)(rand() % 300);
		wt_timer_arm(&probes[i].timer, due[i] - 1000);
	}
	for (int i = 1; i < TIMERS; i += 7) {
		wt_timer_disarm(&probes[i].timer);
		assert_false(wt_timer_armed(&probes[i].timer));
		due[i] = UINT64_MAX;
	}
	for (int t = 0; t < 310; t++) {
		wt_loop_turn(&loop, 0);
		for (int i = 0; i < TIMERS; i++)
			assert_int_equal(probes[i].fired, due[i] <= manual.boot_ms);
		wt_clock_manual_advance(&manual, 1);
	}
	for (int i = 0; i < TIMERS; i++) {
		if (probes[i].fired)
			assert_int_equal(probes[i].fired_at, due[i]);
		wt_timer_fini(&probes[i].timer);
	}
}

static void a_timer_that_rearms_itself_lets_the_loop_go_on(void **state)
{
	struct probe p = { .again_ms = 0 };

	(void)state;
	assert_int_equal(wt_timer_init(&loop, &p.timer, fire, &p), WT_OK);
	p.again_ms = 1;
	wt_timer_arm(&p.timer, 0);
	wt_loop_turn(&loop, 0);
	assert_int_equal(p.fired, 1);
	wt_clock_manual_advance(&manual, 50);
	wt_loop_turn(&loop, 0);
	assert_int_equal(p.fired, 2);
	wt_timer_fini(&p.timer);
	wt_timer_fini(&p.timer); /* twice is harmless */
}

struct pair {
	struct wt_watch watch[2];
	int calls;
};

/* Whichever comes first stops the other, whose event is already fetched. */
static void stop_other(void *arg, struct wt_worker *worker, int fd, unsigned events)
{
	struct pair *pair = arg;

	(void)worker;
	assert_int_equal(events & WT_EVENT_READ, WT_EVENT_READ);
	pair->calls++;
	wt_watch_stop(&pair->watch[pair->watch[0].fd == fd ? 1 : 0]);
}

static void no_callback_comes_after_stop(void **state)
{
	struct pair pair = { .calls = 0 };
	int fds[2][2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pipe(fds[i]), 0);
		assert_int_equal(write(fds[i][1], "x", 1), 1);
		assert_int_equal(wt_watch_start(&loop, &pair.watch[i], fds[i][0], WT_EVENT_READ,
						stop_other, &pair),
				 WT_OK);
	}
	wt_loop_turn(&loop, 0);
	assert_int_equal(pair.calls, 1);
	for (int i = 0; i < 2; i++) {
		wt_watch_stop(&pair.watch[i]);
		close(fds[i][0]);
		close(fds[i][1]);
	}
	wt_loop_turn(&loop, 0);
	assert_int_equal(pair.calls, 1);
}

static void a_bad_descriptor_is_refused(void **state)
{
	struct wt_watch watch;

	(void)state;
	assert_int_equal(wt_watch_start(&loop, &watch, 999, WT_EVENT_READ, stop_other, NULL),
			 WT_ERR_INVALID);
	wt_watch_stop(&watch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(timers_fire_once_and_not_early, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_timer_that_rearms_itself_lets_the_loop_go_on,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_callback_comes_after_stop, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_bad_descriptor_is_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
