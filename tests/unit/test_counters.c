/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control/counters.h"

#define WORKERS 3u

static struct wt_counters *counters;

static int setup(void **state)
{
	(void)state;
	counters = wt_counters_new(WORKERS);
	return counters ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	wt_counters_free(counters);
	return 0;
}

static void a_name_is_one_counter(void **state)
{
	(void)state;
	assert_int_equal(wt_counter_count(counters), 0);
	assert_int_equal(wt_counter_register(counters, "drop.replay"), 1);
	assert_int_equal(wt_counter_register(counters, "transport-tcp.short_sends"), 2);
	assert_int_equal(wt_counter_register(counters, "drop.replay"), 1);
	assert_int_equal(wt_counter_count(counters), 2);
	assert_string_equal(wt_counter_name(counters, 1), "drop.replay");
	assert_null(wt_counter_name(counters, 0));
	assert_null(wt_counter_name(counters, 3));
}

static void odd_names_are_refused(void **state)
{
	static const char *const names[] = { "", "Upper", "a b", "a\n", "\xc3\xa4", "a%n" };
	char longest[WT_COUNTER_NAME_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_int_equal(wt_counter_register(counters, names[i]), 0);
	memset(longest, 'a', sizeof longest);
	longest[WT_COUNTER_NAME_MAX + 1] = '\0';
	assert_int_equal(wt_counter_register(counters, longest), 0);
	longest[WT_COUNTER_NAME_MAX] = '\0';
	assert_int_equal(wt_counter_register(counters, longest), 1);
}

static void columns_add_up(void **state)
{
	uint32_t a = wt_counter_register(counters, "a"), b = wt_counter_register(counters, "b");

	(void)state;
	for (unsigned worker = 0; worker < WORKERS; worker++)
		wt_counter_add(counters, worker, a, worker + 1);
	wt_counter_add(counters, WT_COUNTER_OUTSIDE, a, 10);
	wt_counter_add(counters, 2, b, UINT64_MAX);
	wt_counter_add(counters, 2, b, 2);
	assert_int_equal(wt_counter_read(counters, a), 16);
	assert_int_equal(wt_counter_read(counters, b), 1);
}

static void ids_that_are_none_count_nothing(void **state)
{
	uint32_t a = wt_counter_register(counters, "a");

	(void)state;
	wt_counter_add(counters, 0, 0, 5);
	wt_counter_add(counters, WT_COUNTER_OUTSIDE, 0, 5);
	wt_counter_add(counters, 0, WT_COUNTERS_MAX, 5);
	wt_counter_add(counters, WT_COUNTER_OUTSIDE, ~0u, 5);
	assert_int_equal(wt_counter_read(counters, 0), 0);
	assert_int_equal(wt_counter_read(counters, a), 0);
	assert_int_equal(wt_counter_read(counters, WT_COUNTERS_MAX), 0);
}

static void a_full_table_says_so(void **state)
{
	char name[16];

	(void)state;
	for (uint32_t i = 1; i < WT_COUNTERS_MAX; i++) {
		snprintf(name, sizeof name, "n%u", i);
		assert_int_equal(wt_counter_register(counters, name), i);
	}
	assert_int_equal(wt_counter_register(counters, "one_more"), 0);
	assert_int_equal(wt_counter_register(counters, "n7"), 7);
	assert_int_equal(wt_counter_count(counters), WT_COUNTERS_MAX - 1);
	wt_counter_add(counters, WORKERS - 1, WT_COUNTERS_MAX - 1, 3);
	assert_int_equal(wt_counter_read(counters, WT_COUNTERS_MAX - 1), 3);
}

#define ROUNDS 20000u

static void *count_on_a_worker(void *arg)
{
	unsigned worker = *(const unsigned *)arg;
	uint32_t id = wt_counter_register(counters, "shared");

	for (unsigned i = 0; i < ROUNDS; i++) {
		wt_counter_add(counters, worker, id, 1);
		wt_counter_add(counters, WT_COUNTER_OUTSIDE, id, 1);
	}
	return NULL;
}

static void workers_do_not_lose_each_others_counts(void **state)
{
	pthread_t threads[WORKERS];
	unsigned numbers[WORKERS];

	(void)state;
	for (unsigned i = 0; i < WORKERS; i++) {
		numbers[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, count_on_a_worker, &numbers[i]),
				 0);
	}
	for (unsigned i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(wt_counter_count(counters), 1);
	assert_int_equal(wt_counter_read(counters, 1), 2 * WORKERS * ROUNDS);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_name_is_one_counter), CASE(odd_names_are_refused),
		CASE(columns_add_up),	     CASE(ids_that_are_none_count_nothing),
		CASE(a_full_table_says_so),  CASE(workers_do_not_lose_each_others_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
