/* SPDX-License-Identifier: MIT
 *
 * Does the time that auth-hmac takes to drop a message tell what was wrong
 * with it? Two kinds of messages in random order, the slowest tenth of each
 * left out, then Welch's t of their means: |t| below 4.5 is no difference. Not
 * a ctest: it needs a quiet machine and a release build. Run it by hand:
 *
 *	build/release/tests/security/hmac_timing [SAMPLES]
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "support/auth_pair.h"

#define SAMPLES_DEFAULT 100000u
#define T_LIMIT 4.5

static struct wt_auth_pair pair;
static size_t samples = SAMPLES_DEFAULT;

/* One way to alter a true M1: `byte` ^= `mask`. */
struct change {
	const char *name;
	size_t byte;
	uint8_t mask;
};

static const struct change first_byte = { "first byte of mac1", 160, 0x01 };
static const struct change last_byte = { "last byte of mac1", 191, 0x80 };
static const struct change unknown_tag = { "unknown tag", 12, 0x40 };
static const struct change unknown_tag_end = { "unknown tag, last byte", 27, 0x01 };

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static double drop_ns(const struct change *change)
{
	static struct wt_auth_out out = { .struct_size = sizeof out };
	uint8_t m1[192];

	memcpy(m1, pair.m1.reply, sizeof m1);
	m1[change->byte] ^= change->mask;
	const struct wt_auth_in in = {
		.struct_size = sizeof in,
		.channel = pair.channel,
		.message = m1,
		.message_len = sizeof m1,
		.local_index = 1,
		.source = pair.r.source,
		.source_len = sizeof pair.r.source,
		.source_prefix = pair.r.source,
		.source_prefix_len = 4,
		.params = pair.params_r,
	};
	const uint64_t from = now_ns();
	const enum wt_auth_verdict verdict = pair.r.ops->accept(pair.r.self, NULL, &in, &out);
	const uint64_t to = now_ns();

	assert_int_equal(verdict, WT_AUTH_IGNORE);
	return (double)(to - from);
}

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct summary {
	double mean, variance;
	size_t n;
};

static struct summary summarise(double *times, size_t n)
{
	struct summary s = { .n = n - n / 10 };

	qsort(times, n, sizeof(*times), ascending);
	for (size_t i = 0; i < s.n; i++)
		s.mean += times[i] / (double)s.n;
	for (size_t i = 0; i < s.n; i++)
		s.variance += (times[i] - s.mean) * (times[i] - s.mean) / (double)(s.n - 1);
	return s;
}

/* Welch's t of `a` against `b`, printed. */
static double compare(const struct change *a, const struct change *b)
{
	double *times[2] = { calloc(samples, sizeof(double)), calloc(samples, sizeof(double)) };
	size_t n[2] = { 0, 0 };

	assert_non_null(times[0]);
	assert_non_null(times[1]);
	while (n[0] < samples || n[1] < samples) {
		const int which = (int)(random() & 1);

		if (n[which] < samples)
			times[which][n[which]++] = drop_ns(which ? b : a);
	}
	const struct summary x = summarise(times[0], samples), y = summarise(times[1], samples);
	const double t =
		(x.mean - y.mean) / sqrt(x.variance / (double)x.n + y.variance / (double)y.n);

	printf("%-24s %7.1f ns   %-24s %7.1f ns   t = %+.2f\n", a->name, x.mean, b->name, y.mean,
	       t);
	free(times[0]);
	free(times[1]);
	return t;
}

static void no_difference_can_be_measured(void **state)
{
	const struct change *const pairs[][2] = {
		{ &first_byte, &first_byte }, /* what noise alone gives */
		{ &first_byte, &last_byte },
		{ &unknown_tag, &unknown_tag_end },
		{ &last_byte, &unknown_tag },
	};
	unsigned different = 0;

	(void)state;
	wt_auth_pair_open(&pair, &wt_auth_hmac, WT_CHANNEL_DATAGRAM);
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		different += fabs(compare(pairs[i][0], pairs[i][1])) > T_LIMIT;
	wt_auth_pair_close(&pair);
	assert_int_equal(different, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(no_difference_can_be_measured) };

	if (argc > 1)
		samples = strtoul(argv[1], NULL, 10);
	if (samples < 100) {
		fprintf(stderr, "usage: hmac_timing [SAMPLES], at least 100\n");
		return 2;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
