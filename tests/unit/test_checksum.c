/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "conform/guarded.h"
#include "record/checksum.h"
#include "support/run.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* As wt_plain_sum gives it: a number, not bytes of memory. */
static uint16_t number(uint64_t sum)
{
	uint16_t folded = wt_checksum_fold(sum);
	uint8_t bytes[2];

	memcpy(bytes, &folded, sizeof bytes);
	return wt_load_be16(bytes);
}

static void the_sum_is_the_rfc_s(void **state)
{
	/* RFC 1071 section 3: the sum is 2ddf0, folded ddf2. */
	static const uint8_t data[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	(void)state;
	assert_int_equal(number(wt_checksum_add(0, data, sizeof data)), 0xddf2);
}

static void folding_keeps_the_number(void **state)
{
	static const struct {
		uint64_t sum;
		uint16_t folded;
	} cases[] = {
		{ 0, 0 },
		{ 1, 1 },
		{ 0xffff, 0xffff },
		{ 0x10000, 1 },
		{ 0x1ffff, 1 },
		{ 0x1fffe, 0xffff },
		{ 0xffffffff, 0xffff },
		{ 0x100000000, 1 },
		{ 0xfffeffff0000, 0xffff - 1 },
		{ 0x8000800080008000, 2 },
		{ UINT64_MAX - 1, 0xfffe },
		{ UINT64_MAX, 0xffff },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (wt_checksum_fold(cases[i].sum) != cases[i].folded)
			fail_msg("%llx: %x", (unsigned long long)cases[i].sum,
				 wt_checksum_fold(cases[i].sum));
	assert_true(wt_checksum_plus(UINT64_MAX, 1) == 1);
	assert_true(wt_checksum_plus(1, UINT64_MAX) == 1);
	assert_true(wt_checksum_plus(UINT64_MAX, UINT64_MAX) == UINT64_MAX);
}

/* Flush against a page that cannot be read, at every alignment. */
static void every_length_and_alignment_adds_up(void **state)
{
	struct wt_guarded memory;
	uint64_t random = 1;

	(void)state;
	assert_true(wt_guarded_init(&memory, NULL, 4096));
	for (size_t len = 0; len <= 200; len++) {
		for (size_t at = 0; at <= 17; at++) {
			uint8_t *data =
				wt_guarded_place(&memory, len, at == 17 ? WT_GUARDED_END : at);

			for (size_t i = 0; i < len; i++)
				data[i] = len % 3 ? (uint8_t)wt_random_next(&random) : 0xff;
			assert_int_equal(number(wt_checksum_add(0, data, len)),
					 wt_plain_sum(data, len, 0));
		}
	}
	wt_guarded_free(&memory);
}

static void pieces_of_even_length_add_up(void **state)
{
	static uint8_t data[65535];
	uint64_t random = 2;

	(void)state;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)wt_random_next(&random);
	for (size_t first = 0; first < sizeof data;
	     first += 2 * (1 + wt_random_next(&random) % 500)) {
		uint64_t sum = wt_checksum_add(0, data, first);

		sum = wt_checksum_add(sum, data + first, sizeof data - first);
		assert_int_equal(number(sum), wt_plain_sum(data, sizeof data, 0));
	}
	memset(data, 0xff, sizeof data);
	assert_int_equal(number(wt_checksum_add(UINT64_MAX, data, sizeof data)),
			 wt_plain_sum(data, sizeof data, 0xffff));
}

static void the_pseudo_header_has_addresses_protocol_and_length(void **state)
{
	uint8_t ipv4[40] = { 0x45 }, ipv6[60] = { 0x60 };
	uint64_t random = 3;

	(void)state;
	for (size_t i = 1; i < 40; i++)
		ipv4[i] = ipv6[i] = (uint8_t)wt_random_next(&random);
	assert_int_equal(number(wt_checksum_pseudo(ipv4 + 12, 8, 17, 20)),
			 wt_plain_pseudo(ipv4, 40, 20, 17));
	assert_int_equal(number(wt_checksum_pseudo(ipv6 + 8, 32, 6, 20)),
			 wt_plain_pseudo(ipv6, 60, 40, 6));
	/* By hand: 1 + 2 + 17 + 0x1000f. */
	assert_int_equal(number(wt_checksum_pseudo((const uint8_t[]){ 0, 0, 0, 1, 0, 0, 0, 2 }, 8,
						   17, 0x1000f)),
			 1 + 2 + 17 + 0x10);
}

static const struct {
	const char *what;
	size_t start, offset;
	bool ok;
} places[] = {
	{ "at the beginning", 0, 0, true },
	{ "TCP's", 20, 16, true },
	{ "the last two bytes", 20, 18, true },
	{ "the last two bytes, nothing before", 38, 0, true },
	{ "one byte inside", 20, 19, false },
	{ "just outside", 20, 20, false },
	{ "start at the end", 40, 0, false },
	{ "start outside", 41, 0, false },
	{ "start far outside", 65535, 65535, false },
	{ "a sum that wraps", 20, SIZE_MAX - 19, false },
	{ "a start that wraps", SIZE_MAX, 1, false },
};

static void a_checksum_is_finished_inside_or_not_at_all(void **state)
{
	uint8_t before[40], data[40];
	uint64_t random = 4;

	(void)state;
	for (size_t i = 0; i < COUNT(places); i++) {
		for (size_t k = 0; k < sizeof before; k++)
			before[k] = (uint8_t)wt_random_next(&random);
		memcpy(data, before, sizeof data);
		if (wt_checksum_finish(data, sizeof data, places[i].start, places[i].offset) !=
		    places[i].ok)
			fail_msg("%s", places[i].what);
		if (places[i].ok) {
			uint16_t sum = wt_plain_sum(before + places[i].start,
						    sizeof before - places[i].start, 0);
			uint8_t *field = data + places[i].start + places[i].offset;

			assert_int_equal(wt_load_be16(field), (uint16_t)~sum);
			memcpy(field, before + (field - data), 2);
		}
		assert_memory_equal(data, before, sizeof data);
	}
}

static void a_checksum_of_zero_is_written_as_ffff(void **state)
{
	uint8_t data[] = { 0xff, 0xf0, 0x00, 0x0f, 0x00, 0x00 };

	(void)state;
	assert_true(wt_checksum_finish(data, sizeof data, 0, 4));
	assert_int_equal(wt_load_be16(data + 4), 0xffff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sum_is_the_rfc_s),
		cmocka_unit_test(folding_keeps_the_number),
		cmocka_unit_test(every_length_and_alignment_adds_up),
		cmocka_unit_test(pieces_of_even_length_add_up),
		cmocka_unit_test(the_pseudo_header_has_addresses_protocol_and_length),
		cmocka_unit_test(a_checksum_is_finished_inside_or_not_at_all),
		cmocka_unit_test(a_checksum_of_zero_is_written_as_ffff),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
