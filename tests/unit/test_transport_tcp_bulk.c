/* SPDX-License-Identifier: MIT
 *
 * transport-tcp: long streams of records, in whatever pieces they arrive.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "support/tcp_rig.h"

static uint32_t all_bulk(uint32_t number)
{
	(void)number;
	return WT_RECORD_MAX;
}

static uint32_t all_1420(uint32_t number)
{
	(void)number;
	return WT_RECORD_HEADER + 1 + 1420 + WT_TAG_SIZE;
}

/* Data one way, acknowledgements of data the other way between them. */
static uint32_t bulk_and_acks(uint32_t number)
{
	return number % 2 ? WT_RECORD_HEADER + 1 + 52 + WT_TAG_SIZE : WT_RECORD_MAX;
}

/* Two segments, then an acknowledgement. */
static uint32_t segments_and_acks(uint32_t number)
{
	return number % 3 == 2 ? WT_RECORD_HEADER + 1 + 52 + WT_TAG_SIZE : all_1420(number);
}

/* Numbers that look random, the same for the same record. */
static uint32_t chance(uint32_t number)
{
	return (number * 2654435761u) >> 20;
}

/* Bulk TCP, and beside it datagrams. */
static uint32_t bulk_and_datagrams(uint32_t number)
{
	return chance(number) % 6 == 0 ? WT_RECORD_MAX : all_1420(number);
}

/* One after the other: a burst of each. */
static uint32_t bursts(uint32_t number)
{
	return number % 50 < 44 ? all_1420(number) : WT_RECORD_MAX;
}

/* What TCP makes of writes of any size: runs of 1 to 45 segments. */
static uint32_t runs_of_any_length(uint32_t number)
{
	return WT_RECORD_HEADER + 3 + 52 + (1 + chance(number) % 45) * 1448 + WT_TAG_SIZE;
}

/* Small ones of any length. */
static uint32_t small_of_any_length(uint32_t number)
{
	return WT_RECORD_HEADER + 1 + 20 + chance(number) % 1481 + WT_TAG_SIZE;
}

/* Write all of `bytes` while the plugin reads. */
static void stream(struct wt_tcp_receiving *r, const uint8_t *bytes, size_t len)
{
	size_t sent = 0;

	while (sent < len) {
		ssize_t n = send(r->peer, bytes + sent, len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		assert_true(n > 0 || errno == EAGAIN);
		if (n > 0)
			sent += (size_t)n;
		wt_loop_host_turn(r->rig.host, 0);
	}
}

static void bulk_is_hardly_ever_copied(void **state)
{
	static const struct {
		const char *name;
		uint32_t (*len)(uint32_t);
		uint32_t calls_per_mib; /* receive calls */
	} cases[] = {
		{ "64 KiB records", all_bulk, 24 },
		{ "1420-byte packets", all_1420, 24 },
		{ "64 KiB records and acks", bulk_and_acks, 24 },
		{ "1420-byte packets and acks", segments_and_acks, 24 },
		{ "64 KiB records and 1420-byte packets", bulk_and_datagrams, 36 },
		{ "bursts of both", bursts, 24 },
		{ "runs of any length", runs_of_any_length, 32 },
		{ "packets of any length", small_of_any_length, 32 },
	};
	const size_t total = 32u << 20;
	uint8_t *bytes = malloc(total);

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wt_tcp_receiving r;
		uint32_t number = 0;
		size_t len = 0;

		while (len + cases[i].len(number) + 4 <= total) {
			len += wt_tcp_rig_frame(bytes + len, cases[i].len(number), number);
			number++;
		}
		wt_tcp_receiving_start(&r, WT_RECORD_MAX, 64);
		r.reader.len = cases[i].len;
		stream(&r, bytes, len);
		WT_LOOP_UNTIL(r.rig.host, r.reader.next == number);

		uint64_t copied = wt_loop_host_counter(r.rig.host, "tcp_copied_bytes");
		uint64_t calls = wt_loop_host_counter(r.rig.host, "tcp_rx_calls");

		print_message("%s: %.3f %% copied, %.1f receive calls per MiB\n", cases[i].name,
			      100.0 * (double)copied / (double)len,
			      (double)calls / (double)(len >> 20));
		assert_true(copied * 1000 <= len);
		assert_true(calls <= cases[i].calls_per_mib * (len >> 20));
		assert_int_equal(r.rig.host->slots_out, 0);
		wt_tcp_receiving_stop(&r);
	}
	free(bytes);
}

static uint64_t random_state;

static uint32_t random_len(void)
{
	switch (wt_rig_random(&random_state, 4)) {
	case 0:
		return 8 + wt_rig_random(&random_state, 100);
	case 1:
		return 8 + wt_rig_random(&random_state, 1500);
	case 2:
		return 8 + wt_rig_random(&random_state, 20000);
	default:
		return WT_RECORD_MAX - wt_rig_random(&random_state, 40000);
	}
}

static void random_records_in_random_pieces(void **state)
{
	const size_t total = 4u << 20;
	uint8_t *bytes = malloc(total);

	(void)state;
	assert_non_null(bytes);
	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct wt_tcp_receiving r;
		uint32_t number = 0;
		size_t len = 0, at = 0;

		random_state = seed * 0x9e3779b97f4a7c15u;
		for (;;) {
			uint32_t next = random_len();

			if (len + next + 4 > total)
				break;
			len += wt_tcp_rig_frame(bytes + len, next, number++);
		}
		wt_tcp_receiving_start(&r, WT_RECORD_MAX, 1 + wt_rig_random(&random_state, 64));
		r.reader.calls = wt_rig_random(&random_state, 4);
		while (at < len) {
			size_t piece = 1 + wt_rig_random(&random_state, seed % 2 ? 3000 : 150000);

			if (piece > len - at)
				piece = len - at;
			stream(&r, bytes + at, piece);
			at += piece;
		}
		WT_LOOP_UNTIL(r.rig.host, r.reader.next == number);
		WT_LOOP_UNTIL(r.rig.host, r.rig.host->slots_out == 0);
		wt_tcp_receiving_stop(&r);
	}
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bulk_is_hardly_ever_copied),
		cmocka_unit_test(random_records_in_random_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
