/* SPDX-License-Identifier: MIT
 *
 * transport-udp: receiving records and runs.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/udp_rig.h"

static const struct wt_loop_config no_listen = { .listen_count = 0 };

/* A socket of the plugin's that listens and reads, and one that sends to it. */
struct receiving {
	struct wt_rig rig;
	struct wt_loop_conn *conn;
	struct wt_udp_reader reader;
	struct sockaddr_storage ours, theirs;
	int peer;
};

static void start(struct receiving *r, size_t n, const struct wt_loop_config *config)
{
	*r = (struct receiving){ .reader = { .n = n } };
	wt_rig_open(&r->rig, "udp", config);
	r->conn = &r->rig.host->conns[0];
	r->ours = wt_rig_address(&r->rig, 0);
	r->theirs = wt_rig_ipv4("127.0.0.1", 0);
	r->peer = wt_udp_rig_socket(&r->theirs);
	wt_udp_reader_start(&r->reader, &r->rig, r->conn);
}

static void stop(struct receiving *r)
{
	close(r->peer);
	wt_rig_close(&r->rig);
}

static void throw(struct receiving * r, uint32_t len, uint32_t segment, uint32_t number)
{
	uint8_t bytes[65536];

	wt_udp_rig_fill(bytes, len, segment > 0 ? segment : len, number);
	wt_udp_rig_throw(r->peer, &r->ours, bytes, len, segment);
}

static uint64_t counted(const struct receiving *r, const char *name)
{
	return wt_loop_host_counter(r->rig.host, name);
}

/* The slots come back when all was read, and nothing is reported any more. */
static void assert_at_rest(struct receiving *r)
{
	WT_LOOP_UNTIL(r->rig.host, r->rig.host->slots_out == 0);

	unsigned before = r->conn->readable;

	wt_loop_host_turn(r->rig.host, 0);
	wt_loop_host_turn(r->rig.host, 0);
	assert_int_equal(r->conn->readable, before);
}

static void a_datagram_is_a_record(void **state)
{
	static const uint32_t lengths[] = { 8, 9, 500, 1472, 9000, 65507 };
	struct receiving r;

	(void)state;
	start(&r, 4, NULL);
	for (uint32_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		throw(&r, lengths[i], 0, i);
		WT_LOOP_UNTIL(r.rig.host, r.reader.next == i + 1);
	}
	assert_int_equal(r.reader.runs, 0);
	assert_at_rest(&r);
	stop(&r);
}

static void a_run_stays_a_run(void **state)
{
	struct receiving r;

	(void)state;
	start(&r, 4, NULL);
	throw(&r, 45 * 1400 + 99, 1400, 0);
	WT_LOOP_UNTIL(r.rig.host, r.reader.next == 46);
	assert_int_equal(r.reader.runs, 1);
	assert_int_equal(r.reader.longest, 46);
	assert_int_equal(counted(&r, "udp_gro_receives"), 1);
	assert_int_equal(counted(&r, "udp_gro_segments"), 46);
	assert_at_rest(&r);
	stop(&r);
}

static void several_runs_come_with_one_call(void **state)
{
	struct receiving r;

	(void)state;
	start(&r, 8, NULL);
	throw(&r, 60000, 1000, 0);
	throw(&r, 60000, 1000, 60);
	throw(&r, 100, 0, 120);
	WT_LOOP_UNTIL(r.rig.host, r.reader.next == 121);
	assert_int_equal(counted(&r, "udp_rx_calls"), 1);
	assert_at_rest(&r);
	/* That there was no more, it knew. */
	assert_int_equal(counted(&r, "udp_rx_calls"), 1);
	stop(&r);
}

/* Newer kernels let a sender put 128 together. */
static void a_longer_run_is_given_in_parts(void **state)
{
	struct receiving r;
	uint8_t bytes[99 * 200 + 50];

	(void)state;
	start(&r, 1, NULL);
	r.reader.calls = 1;
	wt_udp_rig_fill(bytes, sizeof bytes, 200, 0);
	if (wt_udp_rig_try(r.peer, &r.ours, bytes, sizeof bytes, 200) == 0) {
		WT_LOOP_UNTIL(r.rig.host, r.reader.next == 100);
		assert_int_equal(r.reader.longest, 64);
		assert_int_equal(r.reader.runs, 2);
		assert_at_rest(&r);
	}
	stop(&r);
	if (r.reader.next == 0) {
		print_message("this kernel sends no more than 64 together\n");
		skip();
	}
}

/* However little the core reads in one turn, one report is enough. */
static void reading_can_stop_anywhere(void **state)
{
	struct receiving r;

	(void)state;
	for (size_t n = 1; n <= 3; n++) {
		start(&r, n, NULL);
		r.reader.calls = 1;
		for (uint32_t i = 0; i < 20; i++)
			throw(&r, 3 * 1000, 1000, 3 * i);
		WT_LOOP_UNTIL(r.rig.host, r.reader.next == 60);
		assert_at_rest(&r);
		stop(&r);
	}
}

static void what_the_core_leaves_wakes_nobody(void **state)
{
	struct wt_record record;
	struct receiving r;
	unsigned before;
	size_t got;

	(void)state;
	start(&r, 1, NULL);
	r.conn->on_readable = NULL;
	throw(&r, 500, 0, 0);
	WT_LOOP_UNTIL(r.rig.host, r.conn->readable > 0);
	assert_int_equal(wt_rig_recv(&r.rig, r.conn, &record, 1, &got), WT_OK);
	before = r.rig.host->wakeups;
	for (int i = 0; i < 4; i++)
		wt_loop_host_turn(r.rig.host, 5);
	assert_int_equal(r.rig.host->wakeups, before);
	wt_rig_check(record.data, record.len, 0);
	assert_int_equal(wt_rig_recv(&r.rig, r.conn, &record, 1, &got), WT_AGAIN);
	assert_int_equal(r.rig.host->slots_out, 0);
	stop(&r);
}

static void what_is_too_short_is_dropped(void **state)
{
	struct receiving r;

	(void)state;
	start(&r, 4, NULL);
	throw(&r, 0, 0, 0);
	throw(&r, 1, 0, 0);
	throw(&r, 7, 0, 0);
	throw(&r, 8, 0, 0);
	WT_LOOP_UNTIL(r.rig.host, r.reader.next == 1);
	assert_int_equal(counted(&r, "udp_too_short"), 3);
	/* A whole run of them, and the end of one. */
	throw(&r, 7 * 6, 7, 0);
	throw(&r, 3 * 100 + 7, 100, 1);
	throw(&r, 3 * 100 + 8, 100, 4);
	WT_LOOP_UNTIL(r.rig.host, r.reader.next == 8);
	assert_int_equal(counted(&r, "udp_too_short"), 3 + 6 + 1);
	assert_int_equal(r.reader.bytes, 8 + 300 + 308);
	assert_at_rest(&r);
	stop(&r);
}

/* As many as there are slots for, once it is known that they are small; and few
 * when they are not any more. */
static void small_ones_come_sixteen_at_a_time(void **state)
{
	struct wt_record records[32];
	struct receiving r;
	size_t got;

	(void)state;
	start(&r, 32, NULL);
	for (uint32_t i = 0; i < 50; i++)
		throw(&r, 100, 0, i);
	for (uint32_t i = 0; i < 4; i++)
		throw(&r, 20 * 1000, 1000, 50 + 20 * i);
	for (unsigned call = 0; call < 5; call++) {
		/* 30 datagrams and 2 runs are left of sixteen at a time; the last
		 * two runs come with more room than they need. */
		static const size_t expected[] = { 4, 16, 16, 16, 2 };

		assert_int_equal(wt_rig_recv(&r.rig, r.conn, records, 32, &got), WT_OK);
		assert_int_equal(got, expected[call]);
		assert_int_equal(r.rig.host->slots_out, call == 0 ? 2 : 8);
	}
	assert_int_equal(wt_rig_recv(&r.rig, r.conn, records, 32, &got), WT_AGAIN);
	assert_int_equal(r.rig.host->slots_out, 0);
	throw(&r, 100, 0, 0);
	assert_int_equal(wt_rig_recv(&r.rig, r.conn, records, 32, &got), WT_OK);
	assert_int_equal(r.rig.host->slots_out, 2);
	stop(&r);
}

static void without_segmentation_datagrams_come_alone(void **state)
{
	struct wt_loop_config config = {
		.listen = { wt_rig_ipv4("127.0.0.1", 0) },
		.listen_count = 1,
		.segmentation = "off",
	};
	struct receiving r;

	(void)state;
	start(&r, 8, &config);
	throw(&r, 20 * 1000, 1000, 0);
	WT_LOOP_UNTIL(r.rig.host, r.reader.next == 20);
	assert_int_equal(r.reader.runs, 0);
	assert_at_rest(&r);
	stop(&r);
}

static void without_slots_datagrams_wait(void **state)
{
	struct receiving r;

	(void)state;
	start(&r, 4, NULL);
	r.rig.host->slot_limit = 0;
	throw(&r, 1000, 0, 0);
	WT_LOOP_UNTIL(r.rig.host, counted(&r, "udp_slot_waits") >= 2);
	assert_int_equal(r.reader.next, 0);
	/* One is enough. */
	r.rig.host->slot_limit = 1;
	WT_LOOP_UNTIL(r.rig.host, r.reader.next == 1);
	assert_at_rest(&r);
	stop(&r);
}

static void close_gives_back_what_was_not_read(void **state)
{
	struct receiving r;
	struct wt_record record;
	size_t got;

	(void)state;
	start(&r, 1, NULL);
	r.conn->on_readable = NULL;
	throw(&r, 50 * 1000, 1000, 0);
	throw(&r, 50 * 1000, 1000, 50);
	WT_LOOP_UNTIL(r.rig.host, r.conn->readable > 0);
	assert_int_equal(wt_rig_recv(&r.rig, r.conn, &record, 1, &got), WT_OK);
	assert_int_not_equal(r.rig.host->slots_out, 0);
	wt_rig_close_conn(&r.rig, r.conn, false);
	assert_int_equal(r.rig.host->slots_out, 0);
	stop(&r);
}

static void close_here(struct wt_loop_conn *conn)
{
	struct wt_rig *rig = conn->arg;

	wt_rig_close_conn(rig, conn, true);
}

static void the_core_may_close_in_a_report(void **state)
{
	struct receiving r;

	(void)state;
	start(&r, 1, NULL);
	r.conn->on_readable = close_here;
	r.conn->arg = &r.rig;
	throw(&r, 100, 0, 0);
	WT_LOOP_UNTIL(r.rig.host, r.conn->closed);
	stop(&r);
}

/* ---- a dialled link */

static void only_the_remote_is_heard(void **state)
{
	struct sockaddr_storage other = wt_rig_ipv4("127.0.0.1", 0), same_port = other, ours;
	struct wt_udp_reader reader = { .n = 4 };
	static const struct wt_path zero;
	struct wt_rig rig;
	uint8_t bytes[3000];
	int peer, stranger = wt_udp_rig_socket(&other), impostor;

	(void)state;
	wt_rig_open(&rig, "udp", &no_listen);

	struct wt_loop_conn *conn = wt_udp_rig_pair(&rig, &peer, &ours);
	socklen_t len = sizeof same_port;

	/* The remote's port, another address. */
	assert_int_equal(getsockname(peer, (struct sockaddr *)&same_port, &len), 0);
	((struct sockaddr_in *)&same_port)->sin_addr.s_addr = htonl(0x7f000002);
	impostor = wt_udp_rig_socket(&same_port);
	wt_udp_reader_start(&reader, &rig, conn);
	wt_udp_rig_fill(bytes, sizeof bytes, 1000, 0);
	wt_udp_rig_throw(stranger, &ours, bytes, 3000, 1000);
	wt_udp_rig_throw(impostor, &ours, bytes, 1000, 0);
	wt_udp_rig_throw(peer, &ours, bytes, 2000, 1000);
	WT_LOOP_UNTIL(rig.host, reader.next == 2);
	assert_int_equal(wt_loop_host_counter(rig.host, "udp_foreign"), 4);
	assert_memory_equal(&reader.path, &zero, sizeof zero);
	close(peer);
	close(stranger);
	close(impostor);
	wt_rig_close(&rig);
}

/* ---- bulk */

static uint32_t segment_size(uint64_t *seed)
{
	static const uint32_t sizes[] = { 8, 100, 1000, 1400, 1472, 9000 };

	return sizes[wt_rig_random(seed, sizeof sizes / sizeof sizes[0])];
}

/* Whatever is mixed comes in order and whole: loopback loses nothing of what fits
 * the buffer, which the sender gives time to be read. */
static void any_mixture_arrives(void **state)
{
	struct receiving r;
	uint64_t seed = 7;
	uint32_t number = 0;

	(void)state;
	start(&r, 5, NULL);
	for (unsigned i = 0; i < 300; i++) {
		uint32_t segment = segment_size(&seed);
		uint32_t most = 65507 / segment < 64 ? 65507 / segment : 64;
		uint32_t count = 1 + wt_rig_random(&seed, most);
		uint32_t len = (count - 1) * segment + 8 + wt_rig_random(&seed, segment - 7);

		r.reader.calls = wt_rig_random(&seed, 3);
		throw(&r, len, count > 1 ? segment : 0, number);
		number += count;
		if (i % 2 == 0)
			WT_LOOP_UNTIL(r.rig.host, r.reader.next == number);
	}
	WT_LOOP_UNTIL(r.rig.host, r.reader.next == number);
	assert_at_rest(&r);
	stop(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_datagram_is_a_record),
		cmocka_unit_test(a_run_stays_a_run),
		cmocka_unit_test(several_runs_come_with_one_call),
		cmocka_unit_test(a_longer_run_is_given_in_parts),
		cmocka_unit_test(reading_can_stop_anywhere),
		cmocka_unit_test(what_the_core_leaves_wakes_nobody),
		cmocka_unit_test(what_is_too_short_is_dropped),
		cmocka_unit_test(small_ones_come_sixteen_at_a_time),
		cmocka_unit_test(without_segmentation_datagrams_come_alone),
		cmocka_unit_test(without_slots_datagrams_wait),
		cmocka_unit_test(close_gives_back_what_was_not_read),
		cmocka_unit_test(the_core_may_close_in_a_report),
		cmocka_unit_test(only_the_remote_is_heard),
		cmocka_unit_test(any_mixture_arrives),
	};

	return cmocka_run_group_tests_name("transport_udp_recv", tests, NULL, NULL);
}
