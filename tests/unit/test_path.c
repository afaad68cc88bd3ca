/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "session/path.h"

static const struct wt_path home = { { 10, 0, 0, 1 } };
static const struct wt_path cafe = { { 10, 0, 0, 2 } };
static const struct wt_path train = { { 10, 0, 0, 3 } };

#define START UINT64_C(1000000)
#define RECORD 500u
#define NEWEST true
#define LATE false

static struct wt_path_check check;
static uint64_t now;

static int fresh(void **state)
{
	(void)state;
	check = (struct wt_path_check){ .running = false };
	now = START;
	return 0;
}

static bool hear(const struct wt_path *from, size_t bytes, bool newest)
{
	return wt_path_received(&check, &home, from, bytes, newest, now);
}

static struct wt_path_step run(void)
{
	struct wt_path_step step;

	wt_path_run(&check, now, &step);
	return step;
}

/* At each due time, until the check is over: how many went to each. */
static void run_out(unsigned *to_current, unsigned *to_candidate)
{
	*to_current = *to_candidate = 0;
	while (wt_path_due(&check)) {
		now = wt_path_due(&check);

		struct wt_path_step step = run();

		*to_current += step.to_current;
		*to_candidate += step.to_candidate;
	}
}

static bool answer(const struct wt_path *from, const uint8_t *payload)
{
	uint8_t copy[WT_PING_SIZE];

	memcpy(copy, payload, sizeof copy);
	return wt_path_response(&check, from, copy);
}

/* ---- what begins a check -------------------------------------------------- */

static void records_from_where_it_is_begin_nothing(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		assert_false(hear(&home, RECORD, i % 2));
	assert_int_equal(wt_path_due(&check), 0);
	assert_false(run().to_current);
}

static void only_the_newest_record_begins_one(void **state)
{
	(void)state;
	assert_false(hear(&cafe, RECORD, LATE));
	assert_false(check.running);
	assert_true(hear(&cafe, RECORD, NEWEST));
	assert_int_equal(wt_path_due(&check), now);
	assert_true(wt_path_equal(&check.candidate, &cafe));
}

static void every_byte_of_a_path_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < WT_PATH_SIZE; i++) {
		struct wt_path other = home;

		fresh(NULL);
		other.bytes[i] ^= 1;
		assert_true(hear(&other, RECORD, NEWEST));
	}
}

/* ---- challenges ------------------------------------------------------------ */

static void both_are_challenged_four_times_in_a_second(void **state)
{
	static const unsigned at[] = { 0, 250, 500, 1000 };

	(void)state;
	hear(&cafe, RECORD, NEWEST);
	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		assert_int_equal(wt_path_due(&check), START + at[i]);
		now = START + at[i] - 1;
		assert_true(i == 0 || !run().to_current);
		now = START + at[i];

		struct wt_path_step step = run();

		assert_true(step.to_current && step.to_candidate);
		step = run();
		assert_false(step.to_current || step.to_candidate);
	}
	assert_int_equal(wt_path_due(&check), START + WT_PATH_CHECK_MS);
	now = START + WT_PATH_CHECK_MS - 1;
	(void)run();
	assert_true(check.running);
	now++;
	assert_false(run().to_current);
	assert_false(check.running);
	assert_int_equal(wt_path_due(&check), 0);
}

static void challenges_are_random_and_differ(void **state)
{
	uint8_t before[WT_PING_SIZE];

	(void)state;
	hear(&cafe, RECORD, NEWEST);
	assert_memory_not_equal(check.to_candidate, check.to_current, WT_PING_SIZE);
	memcpy(before, check.to_candidate, sizeof before);
	now += WT_PATH_CHECK_MS;
	wt_path_stop(&check);
	hear(&cafe, RECORD, NEWEST);
	assert_memory_not_equal(check.to_candidate, before, WT_PING_SIZE);
}

static void a_candidate_gets_three_times_what_came_from_it(void **state)
{
	static const struct {
		size_t bytes;
		unsigned challenges;
	} cases[] = { { 14, 0 }, { 15, 1 }, { 29, 1 }, { 30, 2 }, { 33, 2 },
		      { 44, 3 }, { 58, 3 }, { 59, 4 }, { 500, 4 } };
	unsigned to_current, to_candidate;

	(void)state;
	assert_int_equal(WT_PATH_CHALLENGE_RECORD, 44);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		fresh(NULL);
		hear(&cafe, cases[i].bytes, NEWEST);
		run_out(&to_current, &to_candidate);
		assert_int_equal(to_current, 4);
		assert_int_equal(to_candidate, cases[i].challenges);
	}
	/* What comes from it later counts, from elsewhere not. */
	fresh(NULL);
	hear(&cafe, 14, NEWEST);
	assert_false(run().to_candidate);
	hear(&train, 1000, NEWEST);
	now += 250;
	assert_false(run().to_candidate);
	hear(&cafe, 1, LATE);
	now += 250;
	assert_true(run().to_candidate);
}

/* ---- the answer ------------------------------------------------------------ */

static void the_answer_from_there_moves_it(void **state)
{
	(void)state;
	hear(&cafe, RECORD, NEWEST);
	(void)run();
	assert_true(answer(&cafe, check.to_candidate));
	assert_true(wt_path_equal(&check.candidate, &cafe));
	assert_int_equal(wt_path_due(&check), 0);
	/* Once. */
	assert_false(answer(&cafe, check.to_candidate));
}

static void an_answer_from_elsewhere_moves_nothing(void **state)
{
	(void)state;
	hear(&cafe, RECORD, NEWEST);
	(void)run();
	assert_false(answer(&home, check.to_candidate));
	assert_false(answer(&train, check.to_candidate));
	assert_false(answer(&home, check.to_current));
	assert_true(check.running);
}

static void the_answer_to_the_other_challenge_moves_nothing(void **state)
{
	(void)state;
	hear(&cafe, RECORD, NEWEST);
	(void)run();
	assert_false(answer(&cafe, check.to_current));
	assert_true(check.running);
}

static void every_bit_of_the_answer_counts(void **state)
{
	(void)state;
	hear(&cafe, RECORD, NEWEST);
	for (size_t bit = 0; bit < 8 * WT_PING_SIZE; bit++) {
		uint8_t payload[WT_PING_SIZE];

		memcpy(payload, check.to_candidate, sizeof payload);
		payload[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		assert_false(answer(&cafe, payload));
	}
	assert_true(answer(&cafe, check.to_candidate));
}

static void an_answer_without_a_check_moves_nothing(void **state)
{
	static const struct wt_path nowhere = { { 0 } };
	static const uint8_t zeros[WT_PING_SIZE] = { 0 };
	unsigned a, b;

	(void)state;
	assert_false(answer(&nowhere, zeros));
	hear(&cafe, RECORD, NEWEST);
	run_out(&a, &b);
	assert_false(answer(&cafe, check.to_candidate));
}

/* ---- one at a time --------------------------------------------------------- */

static void another_candidate_waits_for_the_end(void **state)
{
	unsigned a, b;

	(void)state;
	hear(&cafe, RECORD, NEWEST);
	for (int i = 0; i < 1000; i++)
		assert_false(hear(&train, RECORD, NEWEST));
	assert_true(wt_path_equal(&check.candidate, &cafe));
	run_out(&a, &b);
	assert_true(hear(&train, RECORD, NEWEST));
	assert_true(wt_path_equal(&check.candidate, &train));
}

static void news_from_where_it_is_ends_the_check(void **state)
{
	(void)state;
	hear(&cafe, RECORD, NEWEST);
	(void)run();
	assert_false(hear(&home, RECORD, LATE));
	assert_true(check.running);
	assert_false(hear(&home, RECORD, NEWEST));
	assert_int_equal(wt_path_due(&check), 0);
	assert_false(answer(&cafe, check.to_candidate));
}

static void a_path_that_flaps_begins_one_check_a_second(void **state)
{
	unsigned begun = 0;

	(void)state;
	for (; now < START + 10000; now += 5) {
		begun += hear(&cafe, RECORD, NEWEST);
		(void)run();
		(void)hear(&home, RECORD, NEWEST);
	}
	assert_int_equal(begun, 10);
}

static void a_handshake_ends_the_check(void **state)
{
	(void)state;
	hear(&cafe, RECORD, NEWEST);
	wt_path_stop(&check);
	assert_false(run().to_current);
	assert_false(answer(&cafe, check.to_candidate));
}

static void a_clock_that_jumps_ends_it_in_order(void **state)
{
	(void)state;
	hear(&cafe, RECORD, NEWEST);
	(void)run();
	now += 3 * 3600 * 1000;
	/* The challenges that are still missing, each once, then the end. */
	for (unsigned i = 1; i < WT_PATH_CHALLENGES; i++)
		assert_true(run().to_current);
	assert_false(run().to_current);
	assert_false(check.running);
	assert_true(hear(&train, RECORD, NEWEST));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(records_from_where_it_is_begin_nothing, fresh),
		cmocka_unit_test_setup(only_the_newest_record_begins_one, fresh),
		cmocka_unit_test_setup(every_byte_of_a_path_counts, fresh),
		cmocka_unit_test_setup(both_are_challenged_four_times_in_a_second, fresh),
		cmocka_unit_test_setup(challenges_are_random_and_differ, fresh),
		cmocka_unit_test_setup(a_candidate_gets_three_times_what_came_from_it, fresh),
		cmocka_unit_test_setup(the_answer_from_there_moves_it, fresh),
		cmocka_unit_test_setup(an_answer_from_elsewhere_moves_nothing, fresh),
		cmocka_unit_test_setup(the_answer_to_the_other_challenge_moves_nothing, fresh),
		cmocka_unit_test_setup(every_bit_of_the_answer_counts, fresh),
		cmocka_unit_test_setup(an_answer_without_a_check_moves_nothing, fresh),
		cmocka_unit_test_setup(another_candidate_waits_for_the_end, fresh),
		cmocka_unit_test_setup(news_from_where_it_is_ends_the_check, fresh),
		cmocka_unit_test_setup(a_path_that_flaps_begins_one_check_a_second, fresh),
		cmocka_unit_test_setup(a_handshake_ends_the_check, fresh),
		cmocka_unit_test_setup(a_clock_that_jumps_ends_it_in_order, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
