/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "record/header.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	uint8_t bytes[16];
	size_t len; /* of the whole message; what follows the bytes is zero */
	enum wt_message_kind kind;
	enum wt_drop drop;
} cases[] = {
	/* Lengths. */
	{ { 2, 1, 0, 0, 1, 2, 3, 4 }, 0, WT_MESSAGE_INVALID, WT_DROP_LENGTH },
	{ { 2, 1, 0, 0, 1, 2, 3, 4 }, 1, WT_MESSAGE_INVALID, WT_DROP_LENGTH },
	{ { 2, 1, 0, 0, 1, 2, 3, 4 }, 7, WT_MESSAGE_INVALID, WT_DROP_LENGTH },
	{ { 2, 1, 0, 0, 1, 2, 3, 4 }, 8, WT_MESSAGE_INVALID, WT_DROP_LENGTH },
	{ { 2, 1, 0, 0, 1, 2, 3, 4 }, 32, WT_MESSAGE_INVALID, WT_DROP_LENGTH },
	{ { 2, 1, 0, 0, 1, 2, 3, 4 }, 33, WT_MESSAGE_DATA, WT_DROP_NONE },
	{ { 2, 1, 0, 0, 1, 2, 3, 4 }, 513, WT_MESSAGE_DATA, WT_DROP_NONE },
	{ { 2, 1, 0, 0, 1, 2, 3, 4 }, 65570, WT_MESSAGE_DATA, WT_DROP_NONE },
	{ { 2, 1, 0, 0, 1, 2, 3, 4 }, 65571, WT_MESSAGE_INVALID, WT_DROP_LENGTH },
	{ { 1, 1, 1, 1 }, 7, WT_MESSAGE_INVALID, WT_DROP_LENGTH },
	{ { 1, 1, 1, 1 }, 8, WT_MESSAGE_HANDSHAKE, WT_DROP_NONE },
	{ { 1, 1, 1, 1 }, 192, WT_MESSAGE_HANDSHAKE, WT_DROP_NONE },
	{ { 1, 1, 1, 1 }, 512, WT_MESSAGE_HANDSHAKE, WT_DROP_NONE },
	{ { 1, 1, 1, 1 }, 513, WT_MESSAGE_INVALID, WT_DROP_LENGTH },
	/* Data: nothing but 02 01 00 00, and a receiver. */
	{ { 2, 1, 1, 0, 1, 2, 3, 4 }, 100, WT_MESSAGE_INVALID, WT_DROP_TYPE },
	{ { 2, 1, 0, 1, 1, 2, 3, 4 }, 100, WT_MESSAGE_INVALID, WT_DROP_TYPE },
	{ { 2, 1, 0x80, 0x80, 1, 2, 3, 4 }, 100, WT_MESSAGE_INVALID, WT_DROP_TYPE },
	{ { 2, 1, 0, 0, 0, 0, 0, 0 }, 100, WT_MESSAGE_INVALID, WT_DROP_INDEX },
	{ { 2, 1, 0, 0, 0, 0, 0, 1 }, 100, WT_MESSAGE_DATA, WT_DROP_NONE },
	/* Handshake: a method; any step; a receiver or none. */
	{ { 1, 1, 0, 1 }, 192, WT_MESSAGE_INVALID, WT_DROP_TYPE },
	{ { 1, 1, 2, 0 }, 192, WT_MESSAGE_HANDSHAKE, WT_DROP_NONE },
	{ { 1, 1, 255, 255, 9, 9, 9, 9 }, 192, WT_MESSAGE_HANDSHAKE, WT_DROP_NONE },
};

static uint8_t message[65571];

static void headers_are_read_strictly(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct wt_message m;

		memset(message, 0, sizeof message);
		memcpy(message, cases[i].bytes, sizeof cases[i].bytes);
		assert_int_equal(wt_message_parse(message, cases[i].len, &m), cases[i].kind);
		assert_int_equal(m.kind, cases[i].kind);
		assert_int_equal(m.drop, cases[i].drop);
	}
	struct wt_message m;

	assert_int_equal(wt_message_parse(NULL, 0, &m), WT_MESSAGE_INVALID);
}

static void every_type_and_version_but_ours_is_refused(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		for (unsigned version = 0; version < 256; version++) {
			const uint8_t bytes[64] = { (uint8_t)type,
						    (uint8_t)version,
						    type == WT_TYPE_HANDSHAKE,
						    0,
						    1,
						    2,
						    3,
						    4 };
			struct wt_message m;
			enum wt_message_kind kind = wt_message_parse(bytes, sizeof bytes, &m);

			if (type != WT_TYPE_HANDSHAKE && type != WT_TYPE_DATA)
				assert_int_equal(m.drop, WT_DROP_TYPE);
			else if (version != WT_WIRE_VERSION)
				assert_int_equal(m.drop, WT_DROP_VERSION);
			else
				assert_int_equal(m.drop, WT_DROP_NONE);
			assert_int_equal(kind != WT_MESSAGE_INVALID, m.drop == WT_DROP_NONE);
		}
	}
}

static void fields_come_out_where_they_are(void **state)
{
	static const uint8_t data[33] = { 2,	1,    0,    0,	  0x01, 0x23, 0x45, 0x67,
					  0x89, 0xab, 0xcd, 0xef, 0x10, 0x32, 0x54, 0x76 };
	static const uint8_t handshake[8] = { 1, 1, 2, 3, 0x89, 0xab, 0xcd, 0xef };
	struct wt_message m;

	(void)state;
	assert_int_equal(wt_message_parse(data, sizeof data, &m), WT_MESSAGE_DATA);
	assert_int_equal(m.receiver_index, 0x01234567);
	assert_true(m.counter == UINT64_C(0x89abcdef10325476));
	assert_int_equal(m.method, 0);
	assert_int_equal(m.step, 0);
	assert_int_equal(wt_message_parse(handshake, sizeof handshake, &m), WT_MESSAGE_HANDSHAKE);
	assert_int_equal(m.method, 2);
	assert_int_equal(m.step, 3);
	assert_true(m.receiver_index == 0x89abcdefu);
	assert_true(m.counter == 0);
}

static void a_refused_message_leaves_no_field(void **state)
{
	static const uint8_t data[40] = { 2, 1, 0, 1, 0x01, 0x23, 0x45, 0x67, 1, 1, 1, 1 };
	struct wt_message m;

	(void)state;
	memset(&m, 0xff, sizeof m);
	assert_int_equal(wt_message_parse(data, sizeof data, &m), WT_MESSAGE_INVALID);
	assert_int_equal(m.receiver_index, 0);
	assert_true(m.counter == 0);
	assert_int_equal(m.method, 0);
}

static void written_headers_are_read_back(void **state)
{
	static const uint8_t expected[WT_RECORD_HEADER] = { 2, 1, 0, 0, 0xfe, 0xdc, 0xba, 0x98,
							    0, 0, 0, 1, 2,    3,    4,	  5 };
	uint8_t record[WT_RECORD_MIN] = { 0 };
	struct wt_message m;

	(void)state;
	wt_record_header_write(record, 0xfedcba98u, UINT64_C(0x0102030405));
	assert_memory_equal(record, expected, sizeof expected);
	wt_record_header_write(record, UINT32_MAX, UINT64_MAX);
	assert_int_equal(wt_message_parse(record, sizeof record, &m), WT_MESSAGE_DATA);
	assert_true(m.receiver_index == UINT32_MAX);
	assert_true(m.counter == UINT64_MAX);
}

static void every_drop_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < WT_DROP_COUNT; i++) {
		assert_non_null(wt_drop_name((enum wt_drop)i));
		for (int k = 0; k < i; k++)
			assert_string_not_equal(wt_drop_name((enum wt_drop)i),
						wt_drop_name((enum wt_drop)k));
	}
	assert_string_equal(wt_drop_name(WT_DROP_COUNT), "unknown");
	assert_string_equal(wt_drop_name((enum wt_drop) - 1), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_read_strictly),
		cmocka_unit_test(every_type_and_version_but_ours_is_refused),
		cmocka_unit_test(fields_come_out_where_they_are),
		cmocka_unit_test(a_refused_message_leaves_no_field),
		cmocka_unit_test(written_headers_are_read_back),
		cmocka_unit_test(every_drop_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
