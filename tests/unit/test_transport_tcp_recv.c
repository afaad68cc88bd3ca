/* SPDX-License-Identifier: MIT
 *
 * transport-tcp: how a byte stream becomes records.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/tcp_rig.h"

/* A few turns in which nothing is expected. */
static void let_pass(struct wt_tcp_receiving *r)
{
	for (int i = 0; i < 4; i++)
		wt_loop_host_turn(r->rig.host, 5);
}

/* ---- lengths */

static void only_lengths_in_range_are_records(void **state)
{
	static const struct {
		uint32_t max, len;
		bool fine;
	} cases[] = {
		{ WT_UNAUTHENTICATED_MAX, 0, false },
		{ WT_UNAUTHENTICATED_MAX, 1, false },
		{ WT_UNAUTHENTICATED_MAX, 7, false },
		{ WT_UNAUTHENTICATED_MAX, 8, true },
		{ WT_UNAUTHENTICATED_MAX, 512, true },
		{ WT_UNAUTHENTICATED_MAX, 513, false },
		{ WT_UNAUTHENTICATED_MAX, WT_RECORD_MAX, false },
		{ WT_UNAUTHENTICATED_MAX, UINT32_MAX, false },
		{ WT_RECORD_MAX, 0, false },
		{ WT_RECORD_MAX, 7, false },
		{ WT_RECORD_MAX, 8, true },
		{ WT_RECORD_MAX, WT_RECORD_MIN, true },
		{ WT_RECORD_MAX, 513, true },
		{ WT_RECORD_MAX, WT_RECORD_MAX, true },
		{ WT_RECORD_MAX, WT_RECORD_MAX + 1, false },
		{ WT_RECORD_MAX, 1u << 31, false },
		{ WT_RECORD_MAX, UINT32_MAX, false },
		{ 2000, 2000, true },
		{ 2000, 2001, false },
		/* Nobody gets more than a slot holds. */
		{ UINT32_MAX, WT_RECORD_MAX + 1, false },
	};
	static uint8_t frame[WT_RECORD_MAX + 4];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wt_tcp_receiving r;
		uint32_t prefix = htonl(cases[i].len);

		wt_tcp_receiving_start(&r, cases[i].max, 4);
		if (cases[i].fine) {
			wt_tcp_rig_write(r.peer, frame, wt_tcp_rig_frame(frame, cases[i].len, 0));
			WT_LOOP_UNTIL(r.rig.host, r.reader.next == 1);
			assert_int_equal(r.reader.bytes, cases[i].len);
		} else {
			/* The length is enough: nothing behind it is awaited. */
			wt_tcp_rig_write(r.peer, &prefix, sizeof prefix);
			WT_LOOP_UNTIL(r.rig.host, r.reader.status == WT_ERR_LIMIT);
			assert_int_equal(r.reader.next, 0);
			assert_int_equal(wt_loop_host_counter(r.rig.host, "tcp_bad_length"), 1);
		}
		wt_tcp_receiving_stop(&r);
	}
}

static void records_before_a_bad_length_are_given_out(void **state)
{
	struct wt_tcp_receiving r;
	uint8_t bytes[256];
	size_t len;

	(void)state;
	wt_tcp_receiving_start(&r, WT_RECORD_MAX, 8);
	len = wt_tcp_rig_frame(bytes, 40, 0);
	len += wt_tcp_rig_frame(bytes + len, 50, 1);
	memset(bytes + len, 0xff, 4);
	wt_tcp_rig_write(r.peer, bytes, len + 4);
	WT_LOOP_UNTIL(r.rig.host, r.reader.status == WT_ERR_LIMIT);
	assert_int_equal(r.reader.next, 2);
	/* It stays so, is counted once, and the loop can rest until close(). */
	wt_tcp_rig_write(r.peer, bytes, len);

	unsigned wakeups = r.rig.host->wakeups;

	let_pass(&r);
	assert_int_equal(r.rig.host->wakeups, wakeups);
	wt_tcp_reader_read(r.conn);
	assert_int_equal(r.reader.status, WT_ERR_LIMIT);
	assert_int_equal(wt_loop_host_counter(r.rig.host, "tcp_bad_length"), 1);
	wt_tcp_receiving_stop(&r);
}

/* ---- splitting and merging */

static void one_byte_at_a_time(void **state)
{
	static const uint32_t maxima[] = { WT_UNAUTHENTICATED_MAX, WT_RECORD_MAX };

	(void)state;
	for (size_t m = 0; m < 2; m++) {
		struct wt_tcp_receiving r;
		uint8_t bytes[256];
		size_t len;

		wt_tcp_receiving_start(&r, maxima[m], 4);
		len = wt_tcp_rig_frame(bytes, 8, 0);
		len += wt_tcp_rig_frame(bytes + len, 33, 1);
		len += wt_tcp_rig_frame(bytes + len, 60, 2);
		for (size_t i = 0; i < len; i++) {
			unsigned readable = r.conn->readable;

			wt_tcp_rig_write(r.peer, bytes + i, 1);
			WT_LOOP_UNTIL(r.rig.host, r.conn->readable > readable);
			/* As soon as its last byte is there, and not before. */
			assert_int_equal(r.reader.next, i + 1 < 12    ? 0
							: i + 1 < 49  ? 1
							: i + 1 < 113 ? 2
								      : 3);
		}
		assert_int_equal(r.reader.next, 3);
		assert_int_equal(r.rig.host->slots_out, 0);
		wt_tcp_receiving_stop(&r);
	}
}

static void split_in_two_at_every_byte(void **state)
{
	struct wt_tcp_receiving r;
	uint8_t bytes[256];
	size_t len;

	(void)state;
	wt_tcp_receiving_start(&r, WT_RECORD_MAX, 4);
	len = wt_tcp_rig_frame(bytes, 40, 0);
	for (size_t at = 1; at < len; at++) {
		uint32_t number = (uint32_t)at - 1;
		unsigned readable = r.conn->readable;

		wt_tcp_rig_frame(bytes, 40, number);
		wt_tcp_rig_write(r.peer, bytes, at);
		WT_LOOP_UNTIL(r.rig.host, r.conn->readable > readable);
		assert_int_equal(r.reader.next, number);
		assert_int_equal(r.rig.host->slots_out, 1);
		wt_tcp_rig_write(r.peer, bytes + at, len - at);
		WT_LOOP_UNTIL(r.rig.host, r.reader.next == number + 1);
		assert_int_equal(r.rig.host->slots_out, 0);
	}
	wt_tcp_receiving_stop(&r);
}

static void a_thousand_in_one_write(void **state)
{
	static const struct {
		uint32_t max;
		size_t n;
	} cases[] = {
		{ WT_UNAUTHENTICATED_MAX, 1 }, { WT_UNAUTHENTICATED_MAX, 64 }, { WT_RECORD_MAX, 1 },
		{ WT_RECORD_MAX, 7 },	       { WT_RECORD_MAX, 64 },
	};
	static uint8_t bytes[1000 * 100];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wt_tcp_receiving r;
		size_t len = 0;

		wt_tcp_receiving_start(&r, cases[i].max, cases[i].n);
		for (uint32_t k = 0; k < 1000; k++)
			len += wt_tcp_rig_frame(bytes + len, 8 + k % 64, k);
		wt_tcp_rig_write(r.peer, bytes, len);
		WT_LOOP_UNTIL(r.rig.host, r.reader.next == 1000);
		assert_int_equal(r.rig.host->slots_out, 0);
		wt_tcp_receiving_stop(&r);
	}
}

/* ---- the contract of recv */

/* However little the core reads in one turn, one report is enough. */
static void reading_can_stop_anywhere(void **state)
{
	/* Records of `len` in one write, and `part` bytes of one more. With 8 of
	 * 60 and their lengths the first read gets exactly what it asks for. */
	static const struct {
		uint32_t count, len;
		size_t n, part;
	} cases[] = { { 5, 40, 1, 0 }, { 8, 60, 1, 0 }, { 8, 60, 4, 0 }, { 1, 40, 4, 20 } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wt_tcp_receiving r;
		uint8_t bytes[1024];
		size_t len = 0;

		wt_tcp_receiving_start(&r, WT_RECORD_MAX, cases[i].n);
		r.reader.calls = 1;
		for (uint32_t k = 0; k <= cases[i].count; k++)
			len += wt_tcp_rig_frame(bytes + len, cases[i].len, k);
		wt_tcp_rig_write(r.peer, bytes, len - cases[i].len - 4 + cases[i].part);
		/* No further byte comes, yet each of them is given out, and at
		 * last the slot goes back. */
		WT_LOOP_UNTIL(r.rig.host, r.reader.next == cases[i].count);
		WT_LOOP_UNTIL(r.rig.host, r.reader.status == WT_AGAIN);
		assert_int_equal(r.rig.host->slots_out, cases[i].part > 0);

		unsigned wakeups = r.rig.host->wakeups;

		let_pass(&r);
		assert_int_equal(r.rig.host->wakeups, wakeups);
		wt_tcp_receiving_stop(&r);
	}
}

static void what_the_core_leaves_wakes_nobody(void **state)
{
	struct wt_tcp_receiving r;
	struct wt_record record;
	uint8_t bytes[512];
	size_t len = 0, got;

	(void)state;
	wt_tcp_receiving_start(&r, WT_RECORD_MAX, 1);
	r.conn->on_readable = NULL;
	for (uint32_t k = 0; k < 3; k++)
		len += wt_tcp_rig_frame(bytes + len, 40, k);
	wt_tcp_rig_write(r.peer, bytes, len);
	WT_LOOP_UNTIL(r.rig.host, r.conn->readable);
	assert_int_equal(wt_rig_recv(&r.rig, r.conn, &record, 1, &got), WT_OK);

	unsigned wakeups = r.rig.host->wakeups;

	let_pass(&r);
	assert_int_equal(r.rig.host->wakeups, wakeups);
	assert_int_equal(wt_rig_recv(&r.rig, r.conn, &record, 1, &got), WT_OK);
	wt_rig_check(record.data, 40, 1);
	wt_tcp_receiving_stop(&r);
}

static void a_kernel_that_has_no_more_is_not_asked(void **state)
{
	struct wt_tcp_receiving r;
	uint8_t frame[128];

	(void)state;
	wt_tcp_receiving_start(&r, WT_RECORD_MAX, 4);
	for (uint32_t k = 0; k < 20; k++) {
		wt_tcp_rig_write(r.peer, frame, wt_tcp_rig_frame(frame, 100, k));
		WT_LOOP_UNTIL(r.rig.host, r.reader.next == k + 1);
		assert_int_equal(r.reader.status, WT_AGAIN);
	}
	assert_int_equal(wt_loop_host_counter(r.rig.host, "tcp_rx_calls"), 20);
	wt_tcp_receiving_stop(&r);
}

static void a_record_stays_valid_until_the_next_call(void **state)
{
	struct wt_tcp_receiving r;
	struct wt_record records[2];
	uint8_t bytes[512];
	size_t len = 0, got;

	(void)state;
	wt_tcp_receiving_start(&r, WT_RECORD_MAX, 1);
	r.conn->on_readable = NULL;
	for (uint32_t k = 0; k < 3; k++)
		len += wt_tcp_rig_frame(bytes + len, 40, k);
	wt_tcp_rig_write(r.peer, bytes, len);
	WT_LOOP_UNTIL(r.rig.host, r.conn->readable);
	assert_int_equal(wt_rig_recv(&r.rig, r.conn, records, 2, &got), WT_OK);
	assert_int_equal(got, 2);
	wt_tcp_rig_write(r.peer, bytes, len);
	let_pass(&r);
	wt_rig_check(records[0].data, 40, 0);
	wt_rig_check(records[1].data, 40, 1);
	assert_null(records[0].slot);
	assert_int_equal(r.rig.host->slots_out, 1);
	assert_int_equal(wt_rig_recv(&r.rig, r.conn, records, 0, &got), WT_ERR_INVALID);
	wt_tcp_receiving_stop(&r);
}

static void a_packet_lies_where_slots_want_it(void **state)
{
	static uint8_t bytes[WT_RECORD_MAX + 4];
	static const uint32_t lens[] = { 33, 1400, 16 * 1024, WT_RECORD_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		struct wt_tcp_receiving r;
		struct wt_record record;
		size_t got;

		wt_tcp_receiving_start(&r, WT_RECORD_MAX, 1);
		r.conn->on_readable = NULL;
		wt_tcp_rig_write(r.peer, bytes, wt_tcp_rig_frame(bytes, lens[i], 0));
		do
			wt_loop_host_turn(r.rig.host, 20);
		while (wt_rig_recv(&r.rig, r.conn, &record, 1, &got) == WT_AGAIN);
		assert_int_equal(got, 1);
		/* Record header and inner kind come before the packet. */
		assert_int_equal((uintptr_t)(record.data + WT_RECORD_HEADER + 1) % 64, 0);
		wt_tcp_receiving_stop(&r);
	}
}

static void the_limit_may_rise_between_two_records_of_one_segment(void **state)
{
	static uint8_t bytes[8192];

	(void)state;
	for (uint32_t second = 500; second <= 3000; second += 500) {
		struct wt_tcp_receiving r;
		struct wt_record records[8];
		size_t len, got;

		wt_tcp_receiving_start(&r, WT_UNAUTHENTICATED_MAX, 8);
		r.conn->on_readable = NULL;
		len = wt_tcp_rig_frame(bytes, 48, 0);
		len += wt_tcp_rig_frame(bytes + len, second, 1);
		len += wt_tcp_rig_frame(bytes + len, 100, 2);
		wt_tcp_rig_write(r.peer, bytes, len);
		WT_LOOP_UNTIL(r.rig.host, r.conn->readable);
		/* Asked for more, it gives out the first and judges no other. */
		assert_int_equal(wt_rig_recv(&r.rig, r.conn, records, 8, &got), WT_OK);
		wt_rig_check(records[0].data, records[0].len, 0);
		wt_tcp_rig_set_max(&r.rig, r.conn, WT_RECORD_MAX);
		r.reader.next = (uint32_t)got;
		wt_tcp_reader_start(&r.reader, r.conn);
		WT_LOOP_UNTIL(r.rig.host, r.reader.next == 3);
		wt_tcp_receiving_stop(&r);
	}
}

/* ---- slots */

static void a_stranger_holds_no_slot(void **state)
{
	struct wt_tcp_receiving r;
	uint8_t bytes[600];

	(void)state;
	wt_tcp_receiving_start(&r, WT_UNAUTHENTICATED_MAX, 4);
	r.rig.host->slot_limit = 0;
	wt_tcp_rig_frame(bytes, 512, 0);
	wt_tcp_rig_write(r.peer, bytes, 300);
	let_pass(&r);
	wt_tcp_rig_write(r.peer, bytes + 300, 216);
	WT_LOOP_UNTIL(r.rig.host, r.reader.next == 1);
	wt_tcp_receiving_stop(&r);
}

static void without_slots_reading_waits(void **state)
{
	struct wt_tcp_receiving r;
	uint8_t bytes[2048];

	(void)state;
	wt_tcp_receiving_start(&r, WT_RECORD_MAX, 4);
	r.rig.host->slot_limit = 0;
	wt_tcp_rig_write(r.peer, bytes, wt_tcp_rig_frame(bytes, 1400, 0));
	/* It asks again now and then; spinning would be tens of thousands. */
	uint64_t until = wt_loop_host_now_ms(r.rig.host) + 50;

	while (wt_loop_host_now_ms(r.rig.host) < until)
		wt_loop_host_turn(r.rig.host, 20);
	assert_int_equal(r.reader.status, WT_AGAIN);
	assert_in_range(wt_loop_host_counter(r.rig.host, "tcp_slot_waits"), 2, 30);
	assert_in_range(r.rig.host->wakeups, 2, 100);
	r.rig.host->slot_limit = 1;
	WT_LOOP_UNTIL(r.rig.host, r.reader.next == 1);
	assert_int_equal(r.rig.host->slots_out, 0);
	wt_tcp_receiving_stop(&r);
}

static void silence_in_a_record_ends_after_ten_seconds(void **state)
{
	static uint8_t bytes[WT_RECORD_MAX + 4];
	static const size_t parts[] = { 2, 4, 100, 60000 };

	(void)state;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		struct wt_tcp_receiving r;

		wt_tcp_receiving_start(&r, WT_RECORD_MAX, 4);
		wt_tcp_rig_frame(bytes, WT_RECORD_MAX, 0);
		wt_tcp_rig_write(r.peer, bytes, parts[i]);
		WT_LOOP_UNTIL(r.rig.host, r.rig.host->slots_out == 1);
		let_pass(&r);
		wt_loop_host_advance(r.rig.host, 9000);
		let_pass(&r);
		assert_int_equal(r.conn->ended, 0);
		wt_loop_host_advance(r.rig.host, 1000);
		WT_LOOP_UNTIL(r.rig.host, r.conn->ended);
		assert_int_equal(r.conn->why, WT_ERR_IO);
		assert_string_equal(r.conn->text, "stalled in the middle of a record");
		assert_int_equal(r.rig.host->slots_out, 0);
		wt_tcp_receiving_stop(&r);
	}
}

/* The time of one record is not that of the next, which the core has not asked for,
 * and nothing that it was given goes away under it. */
static void a_slow_core_is_no_stall(void **state)
{
	struct wt_tcp_receiving r;
	struct wt_record record;
	uint8_t bytes[256];
	size_t len, got;

	(void)state;
	wt_tcp_receiving_start(&r, WT_RECORD_MAX, 1);
	len = wt_tcp_rig_frame(bytes, 40, 0);
	len += wt_tcp_rig_frame(bytes + len, 60, 1);
	wt_tcp_rig_write(r.peer, bytes, 10);
	WT_LOOP_UNTIL(r.rig.host, r.rig.host->slots_out == 1);
	r.conn->on_readable = NULL;
	wt_tcp_rig_write(r.peer, bytes + 10, len - 20);
	do
		wt_loop_host_turn(r.rig.host, 20);
	while (wt_rig_recv(&r.rig, r.conn, &record, 1, &got) == WT_AGAIN);
	wt_loop_host_advance(r.rig.host, 10000);
	let_pass(&r);
	assert_int_equal(r.conn->ended, 0);
	assert_int_equal(r.rig.host->slots_out, 1);
	wt_rig_check(record.data, 40, 0);
	wt_tcp_rig_write(r.peer, bytes + len - 10, 10);
	r.reader.next = 1;
	wt_tcp_reader_start(&r.reader, r.conn);
	r.conn->due = true;
	WT_LOOP_UNTIL(r.rig.host, r.reader.next == 2);
	wt_tcp_receiving_stop(&r);
}

static void our_own_sleep_is_no_stall(void **state)
{
	static uint8_t bytes[WT_RECORD_MAX + 4];
	struct wt_tcp_receiving r;
	size_t len;

	(void)state;
	wt_tcp_receiving_start(&r, WT_RECORD_MAX, 4);
	len = wt_tcp_rig_frame(bytes, WT_RECORD_MAX, 0);
	wt_tcp_rig_write(r.peer, bytes, 1000);
	WT_LOOP_UNTIL(r.rig.host, r.rig.host->slots_out == 1);
	/* The rest came while this process did not run. */
	wt_tcp_rig_write(r.peer, bytes + 1000, len - 1000);
	wt_loop_host_advance(r.rig.host, 60000);
	WT_LOOP_UNTIL(r.rig.host, r.reader.next == 1);
	assert_int_equal(r.conn->ended, 0);
	wt_tcp_receiving_stop(&r);
}

static void a_close_gives_back_what_is_held(void **state)
{
	static uint8_t bytes[WT_RECORD_MAX + 4];

	(void)state;
	for (int abort = 0; abort < 2; abort++) {
		struct wt_tcp_receiving r;

		wt_tcp_receiving_start(&r, WT_RECORD_MAX, 4);
		wt_tcp_rig_frame(bytes, WT_RECORD_MAX, 0);
		wt_tcp_rig_write(r.peer, bytes, 40000);
		WT_LOOP_UNTIL(r.rig.host, r.rig.host->slots_out == 1);
		wt_rig_close_conn(&r.rig, r.conn, abort);
		assert_int_equal(r.rig.host->slots_out, 0);
		wt_tcp_receiving_stop(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_lengths_in_range_are_records),
		cmocka_unit_test(records_before_a_bad_length_are_given_out),
		cmocka_unit_test(one_byte_at_a_time),
		cmocka_unit_test(split_in_two_at_every_byte),
		cmocka_unit_test(a_thousand_in_one_write),
		cmocka_unit_test(reading_can_stop_anywhere),
		cmocka_unit_test(what_the_core_leaves_wakes_nobody),
		cmocka_unit_test(a_kernel_that_has_no_more_is_not_asked),
		cmocka_unit_test(a_record_stays_valid_until_the_next_call),
		cmocka_unit_test(a_packet_lies_where_slots_want_it),
		cmocka_unit_test(the_limit_may_rise_between_two_records_of_one_segment),
		cmocka_unit_test(a_stranger_holds_no_slot),
		cmocka_unit_test(without_slots_reading_waits),
		cmocka_unit_test(silence_in_a_record_ends_after_ten_seconds),
		cmocka_unit_test(a_slow_core_is_no_stall),
		cmocka_unit_test(our_own_sleep_is_no_stall),
		cmocka_unit_test(a_close_gives_back_what_is_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
