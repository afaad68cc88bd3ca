/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "record/limits.h"
#include "record/params.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct wt_params sample = {
	.features = 0x01020304,
	.record_max = 65570,
	.inner_mtu = 1500,
	.algorithm = WT_ALGORITHM_BYTE_AES256GCM,
	.instance = { 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7 },
	.lane = 3,
	.lanes = 5,
};

static const uint8_t sample_bytes[WT_PARAMS_SIZE] = {
	1, 2,	 3,    4,    0,	   1,	 0x00, 0x22, 0x05, 0xdc, 1,
	3, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 5,
};

static void they_travel_byte_by_byte(void **state)
{
	uint8_t bytes[WT_PARAMS_SIZE];
	struct wt_params back;

	(void)state;
	memset(bytes, 0xff, sizeof bytes);
	wt_params_encode(&sample, bytes);
	assert_memory_equal(bytes, sample_bytes, sizeof bytes);
	assert_int_equal(wt_params_decode(bytes, &sample, &back, NULL), WT_OK);
	assert_int_equal(back.features, sample.features);
	assert_int_equal(back.record_max, sample.record_max);
	assert_int_equal(back.inner_mtu, sample.inner_mtu);
	assert_int_equal(back.algorithm, sample.algorithm);
	assert_memory_equal(back.instance, sample.instance, WT_INSTANCE_SIZE);
	assert_int_equal(back.lane, 3);
	assert_int_equal(back.lanes, 5);
}

static const struct {
	uint32_t record_max;
	uint16_t inner_mtu;
	uint8_t ours, theirs;
	const char *refused; /* a part of the sentence; NULL: accepted */
} cases[] = {
	{ 609, 576, 1, 1, NULL },
	{ 65570, 65535, 1, 1, NULL },
	{ 608, 1500, 1, 1, "records up to 608" },
	{ 65571, 1500, 1, 1, "records up to 65571" },
	{ 0, 1500, 1, 1, "records up to 0" },
	{ UINT32_MAX, 1500, 1, 1, "records up to 4294967295" },
	{ 2000, 575, 1, 1, "MTU is 575" },
	{ 2000, 0, 1, 1, "MTU is 0" },
	{ 2000, 1500, 1, 0, "algorithm 0" },
	{ 2000, 1500, 1, 2, "algorithm 2" },
	{ 2000, 1500, 1, 128, "algorithm 128" },
	{ 2000, 1500, 200, 1, "algorithm 1, this end with 200" },
	{ 2000, 1500, 200, 201, "algorithm 201" },
	{ 2000, 1500, 200, 200, NULL },
};

static void ranges_and_algorithm_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct wt_params theirs = sample, ours = sample, back = { 0 };
		struct wt_error err = WT_ERROR_INIT;
		uint8_t bytes[WT_PARAMS_SIZE];

		ours.algorithm = cases[i].ours;
		theirs.algorithm = cases[i].theirs;
		theirs.record_max = cases[i].record_max;
		theirs.inner_mtu = cases[i].inner_mtu;
		wt_params_encode(&theirs, bytes);
		enum wt_status status = wt_params_decode(bytes, &ours, &back, &err);

		assert_int_equal(status, cases[i].refused ? WT_ERR_INVALID : WT_OK);
		if (cases[i].refused) {
			assert_non_null(strstr(err.text, cases[i].refused));
			assert_int_equal(back.inner_mtu, 0);
		}
	}
}

static void what_a_later_version_adds_is_ignored(void **state)
{
	uint8_t bytes[WT_PARAMS_SIZE];
	struct wt_params back;

	(void)state;
	memcpy(bytes, sample_bytes, sizeof bytes);
	bytes[0] = 0xff;
	memset(bytes + 21, 0xff, 11);
	assert_int_equal(wt_params_decode(bytes, &sample, &back, NULL), WT_OK);
	assert_true(back.features == 0xff020304u);
}

static void private_algorithms_get_private_bytes(void **state)
{
	static const char *const names[] = {
		"", "null", "AES-128-GCM", "aes-256-gcm", "xor", "AES-256-GCM ", "ChaCha20-Poly1305"
	};

	(void)state;
	assert_int_equal(wt_params_algorithm("AES-256-GCM"), 1);
	for (size_t i = 0; i < COUNT(names); i++) {
		assert_true(wt_params_algorithm(names[i]) >= 128);
		assert_int_equal(wt_params_algorithm(names[i]), wt_params_algorithm(names[i]));
	}
	assert_int_not_equal(wt_params_algorithm("null"), wt_params_algorithm("xor"));
}

static void units_count_aes_blocks(void **state)
{
	static const struct {
		size_t len;
		uint64_t units;
	} units[] = {
		{ 0, 1 },  { 1, 2 },  { 15, 2 },    { 16, 2 },
		{ 17, 3 }, { 32, 3 }, { 1501, 95 }, { 65538, 4098 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(units); i++)
		assert_true(wt_record_units(units[i].len) == units[i].units);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_travel_byte_by_byte),
		cmocka_unit_test(ranges_and_algorithm_are_judged),
		cmocka_unit_test(what_a_later_version_adds_is_ignored),
		cmocka_unit_test(private_algorithms_get_private_bytes),
		cmocka_unit_test(units_count_aes_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
