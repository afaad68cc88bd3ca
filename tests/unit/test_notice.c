/* SPDX-License-Identifier: MIT
 *
 * What the log says of peers: of one that flaps not all, and of the others no less.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "support/world.h"

#define FLAPS 40u

static unsigned count(const struct wt_world *w, const char *text)
{
	unsigned n = 0;

	for (const char *at = w->log; (at = strstr(at, text)); at++)
		n++;
	return n;
}

/* Goes and comes again, which are two lines. */
static void flap(struct wt_world *w)
{
	wt_end_close(&w->alice);
	w->alice = (struct wt_end){ .engine = NULL };
	wt_world_settle(w);
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
}

static void a_peer_that_flaps_is_told_of_so_often(void **state)
{
	struct wt_world *w = *state;
	uint64_t began;

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	wt_world_pass(w, WT_NOTICES_MS);
	began = w->clock.boot_ms;
	w->log[0] = '\0';
	for (unsigned i = 0; i < FLAPS; i++)
		flap(w);
	assert_true(w->clock.boot_ms - began < WT_NOTICES_MS);
	assert_int_equal(count(w, "peer alice down") + count(w, "peer alice up"), WT_NOTICES);
	assert_false(wt_world_logged(w, "left out"));
	/* Others are told of. */
	wt_world_bob(w);
	wt_world_until(w, wt_world_all_up);
	assert_true(wt_world_logged(w, "peer bob up"));
	/* And when the time is over, how much it was and how things are. */
	wt_world_pass(w, WT_NOTICES_MS);
	assert_int_equal(count(w, "peer alice: 50 more lines left out; it is up now"), 1);
	assert_int_equal(count(w, "left out"), 1);
	wt_world_pass(w, WT_NOTICES_MS);
	assert_int_equal(count(w, "left out"), 1);
	flap(w);
	assert_int_equal(count(w, "peer alice down") + count(w, "peer alice up"), WT_NOTICES + 2);
}

static void what_was_left_out_is_said_at_the_end(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	for (unsigned i = 0; i < FLAPS; i++)
		flap(w);
	wt_end_close(&w->server);
	w->server = (struct wt_end){ .engine = NULL };
	/* And its last "down". */
	assert_true(wt_world_logged(w, "peer alice: 52 more lines left out; it is down now"));
}

/* What nobody wants to read is not left out either. */
static void lines_that_are_not_written_do_not_count(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	wt_world_pass(w, WT_NOTICES_MS);
	wt_log_setup(WT_LOG_WARN, WT_LOG_TEXT);
	for (unsigned i = 0; i < FLAPS; i++)
		flap(w);
	wt_world_pass(w, WT_NOTICES_MS);
	wt_log_setup(WT_LOG_INFO, WT_LOG_TEXT);
	assert_false(wt_world_logged(w, "left out"));
}

int main(void)
{
#define WORLD(test) cmocka_unit_test_setup_teardown(test, wt_world_setup_memory, wt_world_teardown)
	const struct CMUnitTest tests[] = {
		WORLD(a_peer_that_flaps_is_told_of_so_often),
		WORLD(what_was_left_out_is_said_at_the_end),
		WORLD(lines_that_are_not_written_do_not_count),
	};

	return cmocka_run_group_tests_name("notice", tests, NULL, NULL);
}
