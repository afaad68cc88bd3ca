/* SPDX-License-Identifier: MIT */

/* What a worker shows of its turns, and whom it wakes. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/pulse.h"

static int wakes_of(struct wt_pulse_watcher *watcher)
{
	int value = -1;

	assert_int_equal(sem_getvalue(&watcher->wake, &value), 0);
	return value;
}

/* A worker with traffic never rests; it is not to look as if it stood still. */
static void each_turn_has_another_number(void **state)
{
	struct wt_pulse pulse = { .beats = 0 };
	uint64_t last = atomic_load(&pulse.beats);

	(void)state;
	assert_true(wt_pulse_rests(last));
	for (int turn = 0; turn < 9; turn++) {
		/* The third and sixth turn begin in a sleep. */
		if (turn % 3 == 2) {
			wt_pulse_rest(&pulse);
			assert_true(wt_pulse_rests(atomic_load(&pulse.beats)));
			assert_true(atomic_load(&pulse.beats) > last);
		}
		wt_pulse_beat(&pulse);
		assert_false(wt_pulse_rests(atomic_load(&pulse.beats)));
		assert_true(atomic_load(&pulse.beats) > last);
		last = atomic_load(&pulse.beats);
	}
}

static void a_watcher_that_sleeps_is_woken_once(void **state)
{
	struct wt_pulse_watcher watcher = { .sleeps = false };
	struct wt_pulse pulse = { .watcher = &watcher };

	(void)state;
	assert_int_equal(sem_init(&watcher.wake, 0, 0), 0);
	wt_pulse_beat(&pulse);
	assert_int_equal(wakes_of(&watcher), 0);
	wt_pulse_wake(&watcher);
	assert_int_equal(wakes_of(&watcher), 0);
	/* Who is awake already is seen to be, and has nobody to wake. */
	atomic_store(&watcher.sleeps, true);
	wt_pulse_beat(&pulse);
	assert_int_equal(wakes_of(&watcher), 0);
	wt_pulse_rest(&pulse);
	assert_int_equal(wakes_of(&watcher), 0);
	wt_pulse_beat(&pulse);
	assert_int_equal(wakes_of(&watcher), 1);
	assert_false(atomic_load(&watcher.sleeps));
	wt_pulse_rest(&pulse);
	wt_pulse_beat(&pulse);
	assert_int_equal(wakes_of(&watcher), 1);
	sem_destroy(&watcher.wake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_turn_has_another_number),
		cmocka_unit_test(a_watcher_that_sleeps_is_woken_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
