/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "session/rate.h"

static const uint8_t key[16] = { 1, 2, 3 };

static struct wt_rate *make(void)
{
	struct wt_rate *rate = malloc(sizeof(*rate));

	assert_non_null(rate);
	wt_rate_init(rate, key);
	return rate;
}

static unsigned allowed(struct wt_rate *rate, uint64_t now, uint32_t peer, const char *source,
			size_t len, unsigned tries)
{
	unsigned n = 0;

	for (unsigned i = 0; i < tries; i++)
		n += wt_rate_allow(rate, now, peer, source, len, 20, 5);
	return n;
}

static void burst_then_rate(void **state)
{
	struct wt_rate *rate = make();

	(void)state;
	assert_int_equal(allowed(rate, 1000, 1, "abcd", 4, 100), 5);
	assert_int_equal(allowed(rate, 1049, 1, "abcd", 4, 100), 0); /* 0.98 of a token */
	assert_int_equal(allowed(rate, 1050, 1, "abcd", 4, 100), 1);
	assert_int_equal(allowed(rate, 1150, 1, "abcd", 4, 100), 2);
	/* A long pause fills it to the burst and no further. */
	assert_int_equal(allowed(rate, 100000000, 1, "abcd", 4, 100), 5);
	free(rate);
}

/* As of two workers that ask in turn, one of which is late. */
static void a_clock_behind_refills_nothing(void **state)
{
	struct wt_rate *rate = make();

	(void)state;
	assert_int_equal(allowed(rate, 1000, 1, "abcd", 4, 100), 5);
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(allowed(rate, 999, 1, "abcd", 4, 3), 0);
		assert_int_equal(allowed(rate, 1000, 1, "abcd", 4, 3), 0);
	}
	assert_int_equal(allowed(rate, 1050, 1, "abcd", 4, 3), 1);
	assert_int_equal(allowed(rate, 10, 1, "abcd", 4, 3), 0);
	assert_int_equal(allowed(rate, 1100, 1, "abcd", 4, 3), 1);
	free(rate);
}

static void names_do_not_share(void **state)
{
	struct wt_rate *rate = make();

	(void)state;
	assert_int_equal(allowed(rate, 1000, 1, "abcd", 4, 9), 5);
	assert_int_equal(allowed(rate, 1000, 2, "abcd", 4, 9), 5);
	assert_int_equal(allowed(rate, 1000, 1, "abce", 4, 9), 5);
	assert_int_equal(allowed(rate, 1000, 1, "abcdefgh", 8, 9), 5);
	assert_int_equal(allowed(rate, 1000, 1, "abcdefgi", 8, 9), 5);
	assert_int_equal(allowed(rate, 1000, 1, "", 0, 9), 5);
	assert_int_equal(allowed(rate, 1000, 1, "abcd", 4, 9), 0);
	free(rate);
}

/* Many sources: memory is fixed, and one that has just used up its tokens is
 * not the one that is forgotten. */
static void a_flood_does_not_refill_the_busy(void **state)
{
	struct wt_rate *rate = make();
	unsigned extra = 0;

	(void)state;
	assert_int_equal(allowed(rate, 1000, 7, "busy", 4, 9), 5);
	for (uint32_t i = 0; i < 100000; i++) {
		(void)wt_rate_allow(rate, 1000, 7, &i, sizeof i, 20, 5);
		if (i % 1000 == 0)
			extra += allowed(rate, 1000, 7, "busy", 4, 1);
	}
	assert_int_equal(extra, 0);
	free(rate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(burst_then_rate),
		cmocka_unit_test(a_clock_behind_refills_nothing),
		cmocka_unit_test(names_do_not_share),
		cmocka_unit_test(a_flood_does_not_refill_the_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
