/* SPDX-License-Identifier: MIT
 *
 * Does the time that an auth plugin takes to drop a message tell what was wrong
 * with it? Two kinds of messages in random order, the slowest tenth of each
 * left out, then Welch's t of their means: |t| below 4.5 is no difference. Not
 * a ctest: it needs a quiet machine and a release build. Run it by hand:
 *
 *	build/release/tests/security/auth_timing [SAMPLES]
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

#include "macs.h"
#include "support/auth_pair.h"

#define M1_MAX 192u
#define SAMPLES_DEFAULT 100000u
#define T_LIMIT 4.5

static struct wt_auth_pair pair;
static size_t samples = SAMPLES_DEFAULT;

/* An M1 that is dropped. */
struct bad {
	const char *name;
	size_t len;
	uint8_t m1[M1_MAX];
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static double drop_ns(const struct bad *bad)
{
	static uint8_t reply[WT_AUTH_MESSAGE_MAX];
	struct wt_auth_out out = { .struct_size = sizeof out,
				   .reply = reply,
				   .reply_capacity = sizeof reply };
	uint8_t m1[M1_MAX];

	memcpy(m1, bad->m1, bad->len);
	const struct wt_auth_in in = {
		.struct_size = sizeof in,
		.channel = pair.channel,
		.message = m1,
		.message_len = (uint32_t)bad->len,
		.local_index = 1,
		.source = pair.r.source,
		.source_len = sizeof pair.r.source,
		.source_prefix = pair.r.source,
		.source_prefix_len = 4,
	};

	wt_auth_rig_advance(&pair.r, 2000); /* never is there load */
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
static double compare(const struct bad *a, const struct bad *b)
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

/* The M1 of the pair with `mask` at `byte`. */
static struct bad altered(const char *name, size_t byte, uint8_t mask)
{
	struct bad bad = { .name = name, .len = pair.m1.reply_len };

	memcpy(bad.m1, pair.m1.reply, bad.len);
	bad.m1[byte] ^= mask;
	return bad;
}

static void open_pair(const struct wt_auth_method *method)
{
	wt_auth_pair_open(&pair, method, WT_CHANNEL_DATAGRAM);
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
}

/* All of them are dropped; no two take different times. The first two are one,
 * to see what noise alone gives. */
static void assert_no_difference(const struct bad *bad, size_t n)
{
	unsigned different = fabs(compare(&bad[0], &bad[0])) > T_LIMIT;

	for (size_t i = 0; i + 1 < n; i++)
		different += fabs(compare(&bad[i], &bad[i + 1])) > T_LIMIT;
	wt_auth_pair_close(&pair);
	assert_int_equal(different, 0);
}

static void hmac_tells_nothing(void **state)
{
	(void)state;
	open_pair(&wt_auth_hmac);
	const struct bad bad[] = {
		altered("first byte of mac1", 160, 0x01),
		altered("last byte of mac1", 191, 0x80),
		altered("unknown tag", 12, 0x40),
		altered("unknown tag, last byte", 27, 0x01),
	};

	assert_no_difference(bad, sizeof bad / sizeof bad[0]);
}

static void noise_tells_nothing_of_mac1(void **state)
{
	(void)state;
	open_pair(&wt_auth_noise);
	const struct bad bad[] = {
		altered("first byte of mac1", M1_MAC1, 0x01),
		altered("last byte of mac1", M1_MAC1 + MAC_SIZE - 1, 0x80),
	};

	assert_no_difference(bad, sizeof bad / sizeof bad[0]);
}

static void set_mac1(struct bad *bad)
{
	struct wt_primitives p;
	struct wt_mac_keys macs;
	struct wt_error err = { .struct_size = sizeof err };

	assert_int_equal(wt_primitives_init(&p, &err), WT_OK);
	assert_int_equal(wt_mac_keys(&p, pair.public_r, &macs), WT_OK);
	assert_int_equal(
		wt_mac_write(&p, macs.mac1, HASH_SIZE, bad->m1, M1_MAC1, bad->m1 + M1_MAC1), WT_OK);
	wt_primitives_free(&p);
}

/* Of a public key that is a peer's and of one that is not; both messages are
 * wrong in their payload. */
static void noise_tells_nothing_of_its_peers(void **state)
{
	static const uint8_t private_key[32] = "some other private key .........";

	(void)state;
	open_pair(&wt_auth_noise);
	struct bad bad[2] = { altered("known key", M1_PAYLOAD, 0x01) };

	pair.section_i.private_key = private_key;
	wt_auth_pair_restart(&pair, false);
	assert_int_equal(wt_auth_pair_start(&pair, 0), WT_AUTH_MORE);
	bad[1] = altered("unknown key", M1_PAYLOAD, 0x01);
	set_mac1(&bad[0]);
	set_mac1(&bad[1]);
	assert_no_difference(bad, 2);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hmac_tells_nothing),
		cmocka_unit_test(noise_tells_nothing_of_mac1),
		cmocka_unit_test(noise_tells_nothing_of_its_peers),
	};

	if (argc > 1)
		samples = strtoul(argv[1], NULL, 10);
	if (samples < 100) {
		fprintf(stderr, "usage: auth_timing [SAMPLES], at least 100\n");
		return 2;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
