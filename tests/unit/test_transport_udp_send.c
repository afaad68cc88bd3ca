/* SPDX-License-Identifier: MIT
 *
 * transport-udp: sending records and runs.
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

struct sending {
	struct wt_rig rig;
	struct wt_loop_conn *conn;
	int peer;
};

static void start(struct sending *s, const struct wt_loop_config *config)
{
	wt_rig_open(&s->rig, "udp", config);
	s->conn = wt_udp_rig_pair(&s->rig, &s->peer, NULL);
}

static void stop(struct sending *s)
{
	close(s->peer);
	wt_rig_close(&s->rig);
}

static uint64_t counted(const struct sending *s, const char *name)
{
	return wt_loop_host_counter(s->rig.host, name);
}

static void a_record_is_a_datagram(void **state)
{
	static const uint32_t lengths[] = { 8, 9, 500, 1472, 9000, 65507 };
	struct sending s;

	(void)state;
	start(&s, &no_listen);
	for (uint32_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		struct wt_record record = wt_rig_record(&s.rig, lengths[i], i);

		wt_udp_rig_send_all(&s.rig, s.conn, &record, 1);
		wt_udp_rig_catch_run(s.peer, lengths[i], lengths[i], i);
	}
	assert_true(wt_udp_rig_is_quiet(s.peer));
	assert_int_equal(s.rig.host->slots_out, 0);
	stop(&s);
}

static void a_run_is_one_call(void **state)
{
	struct sending s;

	(void)state;
	start(&s, &no_listen);

	struct wt_record run = wt_udp_rig_run(&s.rig, 40 * 1400 + 77, 1400, 5);

	wt_udp_rig_send_all(&s.rig, s.conn, &run, 1);
	wt_udp_rig_catch_run(s.peer, 40 * 1400 + 77, 1400, 5);
	assert_true(wt_udp_rig_is_quiet(s.peer));
	assert_int_equal(counted(&s, "udp_tx_calls"), 1);
	assert_int_equal(counted(&s, "udp_gso_sends"), 1);
	assert_int_equal(counted(&s, "udp_gso_segments"), 41);
	stop(&s);
}

static void equal_records_become_a_run(void **state)
{
	static const uint32_t lengths[] = { 700, 700, 700, 300, 700, 700, 900 };
	enum { COUNT = sizeof lengths / sizeof lengths[0] };
	struct wt_record records[COUNT];
	struct sending s;

	(void)state;
	start(&s, &no_listen);
	for (uint32_t i = 0; i < COUNT; i++)
		records[i] = wt_rig_record(&s.rig, lengths[i], i);
	wt_udp_rig_send_all(&s.rig, s.conn, records, COUNT);
	for (uint32_t i = 0; i < COUNT; i++)
		wt_udp_rig_catch_run(s.peer, lengths[i], lengths[i], i);
	/* 3 x 700 + 300; 2 x 700; 900: one call. */
	assert_int_equal(counted(&s, "udp_tx_calls"), 1);
	assert_int_equal(counted(&s, "udp_gso_sends"), 2);
	assert_int_equal(counted(&s, "udp_gso_segments"), 6);
	stop(&s);
}

static void runs_join_within_the_limits(void **state)
{
	struct wt_record records[4];
	struct sending s;

	(void)state;
	start(&s, &no_listen);
	/* 40 and 24 fill one train, the next one begins another; a single record of
	 * the same size joins that. */
	records[0] = wt_udp_rig_run(&s.rig, 40 * 100, 100, 0);
	records[1] = wt_udp_rig_run(&s.rig, 24 * 100, 100, 40);
	records[2] = wt_udp_rig_run(&s.rig, 10 * 100, 100, 64);
	records[3] = wt_rig_record(&s.rig, 100, 74);
	wt_udp_rig_send_all(&s.rig, s.conn, records, 4);
	wt_udp_rig_catch_run(s.peer, 75 * 100, 100, 0);
	assert_int_equal(counted(&s, "udp_tx_calls"), 1);
	assert_int_equal(counted(&s, "udp_gso_sends"), 2);

	/* Bytes are limited too. */
	records[0] = wt_udp_rig_run(&s.rig, 40000, 20000, 0);
	records[1] = wt_udp_rig_run(&s.rig, 40000, 20000, 2);
	wt_udp_rig_send_all(&s.rig, s.conn, records, 2);
	wt_udp_rig_catch_run(s.peer, 80000, 20000, 0);
	assert_int_equal(counted(&s, "udp_gso_sends"), 4);
	stop(&s);
}

static void what_is_no_run_is_refused(void **state)
{
	static const struct {
		uint32_t len, segment;
		bool fits;
	} cases[] = {
		{ 7, 0, false },	   { 8, 0, true },
		{ 65507, 0, true },	   { 65508, 0, false },
		{ 64 * 1000, 1000, true }, { 65 * 1000, 1000, false },
		{ 64 * 8, 8, true },	   { 64 * 7, 7, false },
		{ 65507, 1024, true },	   { 65508, 1024, false },
		{ 100, 100, true },	   { 100, 200, true },
	};
	struct sending s;
	size_t taken;

	(void)state;
	start(&s, &no_listen);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint32_t segment = cases[i].segment > 0 ? cases[i].segment : cases[i].len;
		struct wt_record record = wt_udp_rig_run(&s.rig, cases[i].len, segment, 0);

		record.segment = cases[i].segment;
		assert_int_equal(wt_rig_send(&s.rig, s.conn, &record, 1, &taken),
				 cases[i].fits ? WT_OK : WT_ERR_INVALID);
		assert_int_equal(taken, cases[i].fits ? 1 : 0);
		if (cases[i].fits)
			wt_udp_rig_catch_run(s.peer, cases[i].len, segment, 0);
		else
			s.rig.host->base.host.slot_done(&s.rig.host->base.host, s.conn->worker,
							record.slot);
	}
	assert_true(wt_udp_rig_is_quiet(s.peer));
	stop(&s);
}

static void a_path_is_for_sockets_that_listen(void **state)
{
	struct sending s;
	size_t taken;

	(void)state;
	start(&s, NULL);

	struct wt_record record = wt_rig_record(&s.rig, 100, 0);

	/* Nobody is named at a listening socket. */
	assert_int_equal(wt_rig_send(&s.rig, &s.rig.host->conns[0], &record, 1, &taken),
			 WT_ERR_INVALID);
	/* Somebody is at a dialled one. */
	record.path.bytes[0] = 4;
	assert_int_equal(wt_rig_send(&s.rig, s.conn, &record, 1, &taken), WT_ERR_INVALID);
	/* Of the other family. */
	record.path.bytes[0] = 6;
	assert_int_equal(wt_rig_send(&s.rig, &s.rig.host->conns[0], &record, 1, &taken),
			 WT_ERR_INVALID);
	s.rig.host->base.host.slot_done(&s.rig.host->base.host, s.conn->worker, record.slot);
	stop(&s);
}

/* The kernel cuts no runs for a socket that sends without checksums: a refusal of
 * its own (EINVAL), with single datagrams passing. */
static void a_kernel_that_cuts_no_runs_gets_datagrams(void **state)
{
	const int on = 1;
	struct sending s;

	(void)state;
	start(&s, &no_listen);
	assert_int_equal(
		setsockopt(wt_loop_host_fd(s.rig.host, 0), SOL_SOCKET, SO_NO_CHECK, &on, sizeof on),
		0);
	for (uint32_t i = 0; i < 3; i++) {
		struct wt_record records[] = { wt_udp_rig_run(&s.rig, 30 * 1000 + 10, 1000, 0),
					       wt_udp_rig_run(&s.rig, 30 * 1000, 1000, 31),
					       wt_rig_record(&s.rig, 1000, 61) };

		wt_udp_rig_send_all(&s.rig, s.conn, records, 3);
		wt_udp_rig_catch_run(s.peer, 30 * 1000 + 10, 1000, 0);
		wt_udp_rig_catch_run(s.peer, 31 * 1000, 1000, 31);
	}
	assert_true(wt_udp_rig_is_quiet(s.peer));
	assert_int_equal(counted(&s, "udp_fallbacks"), 1);
	assert_int_equal(counted(&s, "udp_gso_sends"), 0);
	assert_int_equal(counted(&s, "udp_unreachable"), 0);
	assert_int_equal(counted(&s, "udp_too_large"), 0);
	assert_int_equal(s.rig.host->slots_out, 0);
	stop(&s);
}

static void segmentation_can_be_switched_off(void **state)
{
	static const struct wt_loop_config config = { .segmentation = "off" };
	struct sending s;

	(void)state;
	start(&s, &config);

	struct wt_record records[] = { wt_udp_rig_run(&s.rig, 64 * 1000, 1000, 0),
				       wt_rig_record(&s.rig, 1000, 64) };

	wt_udp_rig_send_all(&s.rig, s.conn, records, 2);
	wt_udp_rig_catch_run(s.peer, 65 * 1000, 1000, 0);
	/* 64 in one call, all the same. */
	assert_int_equal(counted(&s, "udp_tx_calls"), 2);
	assert_int_equal(counted(&s, "udp_gso_sends"), 0);
	assert_int_equal(counted(&s, "udp_fallbacks"), 0);
	stop(&s);
}

/* ICMP "port unreachable" comes back at once on loopback. */
static void a_port_that_nobody_listens_on_ends_nothing(void **state)
{
	struct sockaddr_storage address = wt_rig_ipv4("127.0.0.1", 0);
	struct wt_rig rig;
	int fd = wt_udp_rig_socket(&address);

	(void)state;
	close(fd);
	wt_rig_open(&rig, "udp", &no_listen);

	struct wt_loop_conn *conn = wt_rig_dial(&rig, &address);

	WT_LOOP_UNTIL(rig.host, conn->connected);
	for (uint32_t i = 0; i < 5; i++) {
		struct wt_record records[2] = { wt_rig_record(&rig, 100, 0),
						wt_rig_record(&rig, 200, 1) };

		wt_udp_rig_send_all(&rig, conn, records, 2);
	}
	WT_LOOP_UNTIL(rig.host, wt_loop_host_counter(rig.host, "udp_hints") > 0);
	/* Somebody does from now on. */
	fd = wt_udp_rig_socket(&address);
	for (uint32_t i = 0; i < 5; i++) {
		struct wt_record record = wt_rig_record(&rig, 100, i);

		wt_udp_rig_send_all(&rig, conn, &record, 1);
		wt_udp_rig_catch_run(fd, 100, 100, i);
	}
	/* And nothing is left that would keep the loop awake. */
	unsigned before, turns = 0;

	do {
		before = rig.host->wakeups;
		wt_loop_host_turn(rig.host, 0);
		assert_in_range(turns++, 0, 20);
	} while (rig.host->wakeups != before);
	assert_int_equal(conn->ended, 0);
	assert_int_equal(wt_loop_host_counter(rig.host, "udp_unreachable"), 0);
	close(fd);
	wt_rig_close(&rig);
}

/* Forbidden by the kernel itself: lost, counted, and the link lives. */
static void a_datagram_without_a_way_is_lost(void **state)
{
	struct sockaddr_storage broadcast = wt_rig_ipv4("255.255.255.255", 9);
	struct wt_rig rig;

	(void)state;
	wt_rig_open(&rig, "udp", &no_listen);

	struct wt_loop_conn *conn = wt_rig_dial(&rig, &broadcast);

	WT_LOOP_UNTIL(rig.host, conn->connected);

	struct wt_record records[] = { wt_rig_record(&rig, 100, 0),
				       wt_udp_rig_run(&rig, 2050, 1000, 1) };

	wt_udp_rig_send_all(&rig, conn, records, 2);
	assert_int_equal(wt_loop_host_counter(rig.host, "udp_unreachable"), 4);
	assert_int_equal(conn->ended, 0);
	wt_rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_a_datagram),
		cmocka_unit_test(a_run_is_one_call),
		cmocka_unit_test(equal_records_become_a_run),
		cmocka_unit_test(runs_join_within_the_limits),
		cmocka_unit_test(what_is_no_run_is_refused),
		cmocka_unit_test(a_path_is_for_sockets_that_listen),
		cmocka_unit_test(a_kernel_that_cuts_no_runs_gets_datagrams),
		cmocka_unit_test(segmentation_can_be_switched_off),
		cmocka_unit_test(a_port_that_nobody_listens_on_ends_nothing),
		cmocka_unit_test(a_datagram_without_a_way_is_lost),
	};

	return cmocka_run_group_tests_name("transport_udp_send", tests, NULL, NULL);
}
