/* SPDX-License-Identifier: MIT
 *
 * How large the send buffer of a connection should be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "buffer.h"

#define MBIT 125000u
#define MS 1000u

static void twice_what_is_on_its_way(void **state)
{
	static const struct {
		uint64_t bytes_per_s;
		uint32_t min_rtt_us, wanted;
	} cases[] = {
		{ 0, 0, WT_TCP_SEND_BUFFER_FIRST },
		{ 12000u * MBIT, 50, WT_TCP_SEND_BUFFER_FIRST },
		{ 20u * MBIT, 100 * MS, WT_TCP_SEND_BUFFER_FIRST },
		{ 100u * MBIT, 100 * MS, 2500000 },
		{ 1000u * MBIT, 100 * MS, 25000000 },
		{ 10000u * MBIT, 10 * MS, 25000000 },
		{ 10000u * MBIT, 100 * MS, WT_TCP_SEND_BUFFER_MOST },
		/* Rates of one sample can be anything. */
		{ UINT64_MAX, 1, WT_TCP_SEND_BUFFER_FIRST },
		{ UINT32_MAX * UINT64_C(64), 60 * 1000 * MS, WT_TCP_SEND_BUFFER_MOST },
		{ 1, UINT32_MAX, WT_TCP_SEND_BUFFER_FIRST },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(wt_tcp_buffer_wanted(cases[i].bytes_per_s, cases[i].min_rtt_us),
				 cases[i].wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(twice_what_is_on_its_way) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
