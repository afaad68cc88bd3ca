/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/secret.h"

static void equal_sees_every_byte(void **state)
{
	uint8_t a[33], b[33];

	(void)state;
	memset(a, 7, sizeof a);
	memcpy(b, a, sizeof b);
	assert_int_equal(wt_equal(a, b, sizeof a), 1);
	for (size_t i = 0; i < sizeof a; i++) {
		b[i] ^= 0x80;
		assert_int_equal(wt_equal(a, b, sizeof a), 0);
		b[i] ^= 0x80;
	}
	assert_int_equal(wt_equal(a, b, 0), 1);
}

static void blocks_are_zero_aligned_and_apart(void **state)
{
	static const size_t sizes[] = { 1, 63, 64, 65, 500, 4096, 70000, 1024 * 1024 };
	static const size_t aligns[] = { 1, 16, 64, 256, 4096 };
	size_t before = wt_secret_in_use();

	(void)state;
	for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
		for (size_t a = 0; a < sizeof aligns / sizeof aligns[0]; a++) {
			uint8_t *p[3];

			for (int i = 0; i < 3; i++) {
				p[i] = wt_secret_alloc(sizes[s], aligns[a]);
				assert_non_null(p[i]);
				assert_int_equal((uintptr_t)p[i] % aligns[a], 0);
				for (size_t k = 0; k < sizes[s]; k++)
					assert_int_equal(p[i][k], 0);
				memset(p[i], 0xa0 + i, sizes[s]);
			}
			for (int i = 0; i < 3; i++)
				for (size_t k = 0; k < sizes[s]; k++)
					assert_int_equal(p[i][k], 0xa0 + i);
			for (int i = 0; i < 3; i++)
				wt_secret_free(p[i]);
		}
	}
	assert_int_equal(wt_secret_in_use(), before);
	wt_secret_free(NULL);
}

static void freed_memory_is_wiped(void **state)
{
	uint8_t *p = wt_secret_alloc(100, 16);

	(void)state;
	assert_non_null(p);
	memset(p, 0x55, 100);
	wt_secret_free(p);
	/* The pages stay mapped: the block is on a free list. */
	for (size_t k = 0; k < 100; k++)
		assert_int_equal(p[k], 0);
}

static void impossible_requests_are_refused(void **state)
{
	(void)state;
	assert_null(wt_secret_alloc(0, 16));
	assert_null(wt_secret_alloc(2 * 1024 * 1024, 16));
	assert_null(wt_secret_alloc(16, 0));
	assert_null(wt_secret_alloc(16, 24));
	assert_null(wt_secret_alloc(16, 8192));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_sees_every_byte),
		cmocka_unit_test(blocks_are_zero_aligned_and_apart),
		cmocka_unit_test(freed_memory_is_wiped),
		cmocka_unit_test(impossible_requests_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
