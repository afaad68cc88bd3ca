/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/mtu.h"

static void the_least_way_counts(void **state)
{
	static const struct {
		struct wt_mtu_way ways[3];
		size_t n;
		uint32_t mtu;
		const char *sum;
	} cases[] = {
		{ { { 0 } }, 0, 1500, "every way is a stream, which cuts records by itself" },
		{ { { true, 1280, 56 } },
		  1,
		  1500,
		  "every way is a stream, which cuts records by itself" },
		{ { { false, 1500, 28 } }, 1, 1439, "outer 1500 - transport 28 - record 33" },
		{ { { true, 1500, 56 }, { false, 1500, 48 } },
		  2,
		  1419,
		  "outer 1500 - transport 48 - record 33" },
		{ { { false, 9000, 28 }, { false, 1400, 48 }, { false, 1500, 28 } },
		  3,
		  1319,
		  "outer 1400 - transport 48 - record 33" },
		{ { { false, 576, 48 } }, 1, 576, "outer 576 - transport 48 - record 33" },
		{ { { false, 20, 48 } }, 1, 576, "outer 20 - transport 48 - record 33" },
	};
	char sum[128];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(wt_mtu_auto(cases[i].ways, cases[i].n, sum, sizeof sum),
				 cases[i].mtu);
		assert_string_equal(sum, cases[i].sum);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_least_way_counts) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
