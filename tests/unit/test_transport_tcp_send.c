/* SPDX-License-Identifier: MIT
 *
 * transport-tcp: records out, back-pressure, and who owns a slot when.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/tcp_rig.h"

/* So small that a few records fill the way. */
static const struct wt_loop_config narrow = { .send_buffer = 64 };
#define NARROW_RECEIVE (128 * 1024)

/* One connection of the plugin's that sends, and a socket that reads. */
struct sending {
	struct wt_rig rig;
	struct wt_loop_conn *conn;
	int peer;
	uint32_t sent; /* records taken so far */
};

static void start(struct sending *s, const struct wt_loop_config *config)
{
	int size = NARROW_RECEIVE;

	*s = (struct sending){ .peer = -1 };
	wt_rig_open(&s->rig, "tcp", config);
	s->conn = wt_tcp_rig_pair(&s->rig, &s->peer);
	s->conn->arg = s;
	assert_int_equal(setsockopt(s->peer, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
}

static void stop(struct sending *s)
{
	if (s->peer >= 0)
		close(s->peer);
	wt_rig_close(&s->rig);
}

/* Offer `n` records; what is not taken is the caller's and given back here.
 * Returns how many were taken. */
static size_t offer(struct sending *s, uint32_t (*len)(uint32_t), size_t n, enum wt_status *status)
{
	struct wt_record records[WT_RIG_RECORDS * 2];
	const struct wt_host *host = wt_loop_host_table(s->rig.host);
	size_t taken;

	assert_in_range(n, 1, sizeof records / sizeof records[0]);
	for (size_t i = 0; i < n; i++)
		records[i] =
			wt_rig_record(&s->rig, len(s->sent + (uint32_t)i), s->sent + (uint32_t)i);
	*status = wt_rig_send(&s->rig, s->conn, records, n, &taken);
	for (size_t i = taken; i < n; i++)
		host->slot_done(host, wt_loop_host_worker(s->rig.host), records[i].slot);
	s->sent += (uint32_t)taken;
	return taken;
}

/* Send until the connection takes no more. */
static void fill(struct sending *s, uint32_t (*len)(uint32_t), size_t n)
{
	enum wt_status status;

	for (int i = 0; i < 10000; i++) {
		size_t taken = offer(s, len, n, &status);

		assert_int_equal(status, WT_OK);
		if (taken < n)
			return;
	}
	fail_msg("the connection never filled up");
}

static uint32_t always_1500(uint32_t number)
{
	(void)number;
	return 1500;
}

static uint32_t always_bulk(uint32_t number)
{
	(void)number;
	return WT_RECORD_MAX;
}

static uint32_t mixed(uint32_t number)
{
	uint64_t state = (number + 1) * 0x9e3779b97f4a7c15u;

	for (int i = 0; i < 4; i++)
		(void)wt_rig_random(&state, 2);
	return number % 3 ? WT_RECORD_MIN + wt_rig_random(&state, 3000)
			  : WT_RECORD_MAX - wt_rig_random(&state, 50000);
}

/* Bytes of the first `count` records with their lengths. */
static size_t stream_of(uint8_t **bytes, uint32_t (*len)(uint32_t), uint32_t count)
{
	size_t total = 0, at = 0;

	for (uint32_t i = 0; i < count; i++)
		total += 4 + len(i);
	*bytes = malloc(total);
	assert_non_null(*bytes);
	for (uint32_t i = 0; i < count; i++)
		at += wt_tcp_rig_frame(*bytes + at, len(i), i);
	return total;
}

/* Read without waiting what is there; returns the new length. */
static size_t read_some(struct sending *s, uint8_t *out, size_t at, size_t most)
{
	ssize_t n = recv(s->peer, out + at, most, MSG_DONTWAIT);

	assert_true(n > 0 || (n < 0 && errno == EAGAIN) || most == 0);
	return n > 0 ? at + (size_t)n : at;
}

/* ---- the way out */

static void records_go_out_behind_their_lengths(void **state)
{
	/* One call of the kernel for each 64. */
	static const struct {
		size_t records, calls;
	} cases[] = { { 1, 1 }, { 2, 1 }, { 63, 1 }, { 64, 1 }, { 65, 2 }, { 100, 2 } };
	static const struct wt_loop_config wide = { .send_buffer = 4096 };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct sending s;
		enum wt_status status;
		uint8_t *expected, *received;
		size_t total = stream_of(&expected, always_1500, (uint32_t)cases[i].records);
		size_t at = 0;

		received = malloc(total);
		assert_non_null(received);
		start(&s, &wide);

		size_t taken = offer(&s, always_1500, cases[i].records, &status);

		assert_int_equal(status, WT_OK);
		assert_int_equal(taken, cases[i].records);
		assert_int_equal(wt_loop_host_counter(s.rig.host, "tcp_tx_calls"), cases[i].calls);
		while (at < total) {
			at = read_some(&s, received, at, total - at);
			wt_loop_host_turn(s.rig.host, 1);
		}
		assert_memory_equal(received, expected, total);
		assert_int_equal(s.rig.host->slots_out, 0);
		assert_int_equal(s.conn->writable, 0);
		free(expected);
		free(received);
		stop(&s);
	}
}

static void sending_nothing_is_fine(void **state)
{
	struct sending s;
	size_t taken;

	(void)state;
	start(&s, &narrow);
	assert_int_equal(wt_rig_send(&s.rig, s.conn, NULL, 0, &taken), WT_OK);
	assert_int_equal(wt_loop_host_counter(s.rig.host, "tcp_tx_calls"), 0);
	stop(&s);
}

static void a_record_outside_the_lengths_is_not_sent(void **state)
{
	static const uint32_t lens[] = { 0, 7, WT_RECORD_MAX + 1 };

	(void)state;
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		struct sending s;
		size_t taken;

		start(&s, &narrow);

		struct wt_record record = wt_rig_record(&s.rig, 100, 0);
		const struct wt_host *host = wt_loop_host_table(s.rig.host);

		record.len = lens[i];
		assert_int_equal(wt_rig_send(&s.rig, s.conn, &record, 1, &taken), WT_ERR_INVALID);
		assert_int_equal(taken, 0);
		host->slot_done(host, wt_loop_host_worker(s.rig.host), record.slot);
		stop(&s);
	}
}

/* ---- back-pressure */

/* The way is full when nothing is reported for longer than the other kernel may
 * delay an acknowledgement. Returns how often a take was short. */
static unsigned fill_up(struct sending *s)
{
	unsigned shorts = 0, before;

	do {
		before = s->conn->writable;
		fill(s, always_bulk, 3);
		shorts++;
		for (int i = 0; i < 12 && s->conn->writable == before; i++)
			wt_loop_host_turn(s->rig.host, 5);
	} while (s->conn->writable != before);
	return shorts;
}

static void writable_is_said_once_after_a_short_take(void **state)
{
	static uint8_t sink[1 << 20];
	struct sending s;
	enum wt_status status;
	unsigned shorts = 0;
	uint64_t calls;

	(void)state;
	start(&s, &narrow);
	for (int round = 0; round < 5; round++) {
		shorts += fill_up(&s);
		assert_int_equal(s.conn->writable, shorts - 1);
		/* At most the partly written one is kept. */
		assert_true(s.rig.host->slots_out <= 1);
		/* Asked again while blocked: nothing is taken, no call is made,
		 * and still there is one report. */
		calls = wt_loop_host_counter(s.rig.host, "tcp_tx_calls");
		assert_int_equal(offer(&s, always_bulk, 2, &status), 0);
		assert_int_equal(status, WT_OK);
		assert_int_equal(wt_loop_host_counter(s.rig.host, "tcp_tx_calls"), calls);
		for (int i = 0; i < 20 || s.conn->writable < shorts; i++) {
			(void)read_some(&s, sink, 0, sizeof sink);
			wt_loop_host_turn(s.rig.host, 2);
		}
		assert_int_equal(s.conn->writable, shorts);
		assert_int_equal(s.rig.host->slots_out, 0);
	}
	stop(&s);
}

/* The last record of a full take may be partly written: its rest goes out without
 * any report, since nothing was refused. */
static void a_full_take_is_not_followed_by_writable(void **state)
{
	static uint8_t sink[1 << 20];
	struct sending s;
	enum wt_status status;

	(void)state;
	start(&s, &narrow);
	/* One that was short before must not be remembered. */
	fill(&s, always_bulk, 3);
	while (s.conn->writable == 0) {
		(void)read_some(&s, sink, 0, sizeof sink);
		wt_loop_host_turn(s.rig.host, 5);
	}
	for (int i = 0; s.rig.host->slots_out == 0; i++) {
		assert_true(i < 10000);
		assert_int_equal(offer(&s, always_bulk, 1, &status), 1);
		assert_int_equal(status, WT_OK);
	}
	while (s.rig.host->slots_out > 0) {
		(void)read_some(&s, sink, 0, sizeof sink);
		wt_loop_host_turn(s.rig.host, 5);
	}
	assert_int_equal(s.conn->writable, 1);
	stop(&s);
}

static void send_more(struct wt_loop_conn *conn)
{
	fill(conn->arg, mixed, 5);
}

static void a_slow_reader_gets_every_byte_in_order(void **state)
{
	enum { RECORDS = 400 };
	uint8_t *expected, *received;
	size_t at = 0;
	uint64_t random = 7;
	struct sending s;

	(void)state;
	start(&s, &narrow);
	s.conn->on_writable = send_more;
	fill(&s, mixed, 5);

	size_t total = stream_of(&expected, mixed, RECORDS);

	received = malloc(total);
	assert_non_null(received);
	while (at < total) {
		size_t most = 1 + wt_rig_random(&random, 60000);

		at = read_some(&s, received, at, most < total - at ? most : total - at);
		wt_loop_host_turn(s.rig.host, 1);
		assert_true(s.rig.host->slots_out <= 1);
	}
	assert_memory_equal(received, expected, total);
	assert_true(s.conn->writable > 5);
	assert_true(s.sent >= RECORDS);
	free(expected);
	free(received);
	stop(&s);
}

/* ---- ends */

static void a_close_gives_back_the_partly_written_record(void **state)
{
	(void)state;
	for (int abort = 0; abort < 2; abort++) {
		struct sending s;
		enum wt_status status;

		start(&s, &narrow);
		while (s.rig.host->slots_out == 0)
			assert_int_equal(offer(&s, always_bulk, 1, &status), 1);
		wt_rig_close_conn(&s.rig, s.conn, abort);
		assert_int_equal(s.rig.host->slots_out, 0);
		assert_int_equal(wt_tcp_rig_end_of(s.peer), abort ? ECONNRESET : 0);
		stop(&s);
	}
}

static void close_in_writable(struct wt_loop_conn *conn)
{
	struct sending *s = conn->arg;

	wt_rig_close_conn(&s->rig, conn, false);
}

static void the_core_may_close_when_told_writable(void **state)
{
	static uint8_t sink[1 << 20];
	struct sending s;

	(void)state;
	start(&s, &narrow);
	s.conn->on_writable = close_in_writable;
	fill(&s, always_bulk, 3);
	while (!s.conn->closed) {
		(void)read_some(&s, sink, 0, sizeof sink);
		wt_loop_host_turn(s.rig.host, 5);
	}
	stop(&s);
}

static void reset_by(int fd)
{
	struct linger now = { .l_onoff = 1 };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
	close(fd);
}

static void read_until_the_end(struct wt_loop_conn *conn)
{
	struct sending *s = conn->arg;
	struct wt_record records[4];
	size_t got;
	enum wt_status status;

	do
		status = wt_rig_recv(&s->rig, conn, records, 4, &got);
	while (status == WT_OK);
	assert_true(status == WT_AGAIN || status == WT_ERR_CLOSED || status == WT_ERR_IO);
}

static void sending_into_a_reset_fails_and_the_end_follows(void **state)
{
	(void)state;
	for (int blocked = 0; blocked < 2; blocked++) {
		struct sending s;
		enum wt_status status = WT_OK;

		start(&s, &narrow);
		s.conn->on_readable = read_until_the_end;
		if (blocked)
			fill(&s, always_bulk, 3);
		reset_by(s.peer);
		s.peer = -1;
		if (!blocked) {
			/* The kernel knows of the reset at once on loopback. */
			assert_int_equal(offer(&s, always_1500, 1, &status), 0);
			assert_int_equal(status, WT_ERR_CLOSED);
			assert_int_equal(offer(&s, always_1500, 1, &status), 0);
			assert_int_equal(status, WT_ERR_CLOSED);
		}
		WT_LOOP_UNTIL(s.rig.host, s.conn->ended);
		assert_int_equal(s.conn->why, WT_ERR_CLOSED);
		assert_string_equal(s.conn->text, "connection reset by the other end");
		assert_int_equal(s.conn->writable, 0);
		assert_int_equal(s.rig.host->slots_out, 0);
		assert_int_equal(offer(&s, always_1500, 1, &status), 0);
		assert_int_equal(status, WT_ERR_CLOSED);
		stop(&s);
	}
}

/* What came before the reset is still delivered, though sending met it first. */
static void a_failed_send_loses_no_record_that_came(void **state)
{
	struct sending s;
	struct wt_tcp_reader reader = { .n = 4 };
	enum wt_status status;
	uint8_t frame[128];

	(void)state;
	start(&s, &narrow);
	reader.rig = &s.rig;
	wt_tcp_rig_write(s.peer, frame, wt_tcp_rig_frame(frame, 100, 0));
	reset_by(s.peer);
	s.peer = -1;
	assert_int_equal(offer(&s, always_1500, 1, &status), 0);
	assert_int_equal(status, WT_ERR_CLOSED);
	wt_tcp_reader_start(&reader, s.conn);
	WT_LOOP_UNTIL(s.rig.host, s.conn->ended);
	assert_int_equal(reader.next, 1);
	assert_string_equal(s.conn->text, "connection reset by the other end");
	stop(&s);
}

/* After a FIN the kernel answers what is sent next with a reset, and what comes
 * then with EPIPE and, if it may, with a signal that would end this process. */
static void sending_to_one_who_left_fails_without_a_signal(void **state)
{
	struct sending s;
	enum wt_status status = WT_OK;

	(void)state;
	start(&s, &narrow);
	s.conn->on_readable = read_until_the_end;
	close(s.peer);
	s.peer = -1;
	for (int i = 0; status == WT_OK && i < 1000; i++)
		(void)offer(&s, always_1500, 1, &status);
	assert_int_equal(status, WT_ERR_CLOSED);
	WT_LOOP_UNTIL(s.rig.host, s.conn->ended);
	assert_string_equal(s.conn->text, "connection closed by the other end");
	stop(&s);
}

/* An error that leaves the connection as it was is its end all the same. */
static void any_failed_send_is_followed_by_the_end(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *pages =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct sending s;
	size_t taken;

	(void)state;
	assert_true(pages != MAP_FAILED);
	assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
	start(&s, &narrow);
	s.conn->on_readable = read_until_the_end;

	/* Only its length can be read. */
	struct wt_record record = { .struct_size = sizeof record,
				    .len = 100,
				    .data = pages + page };

	assert_int_equal(wt_rig_send(&s.rig, s.conn, &record, 1, &taken), WT_ERR_IO);
	assert_int_equal(taken, 0);
	WT_LOOP_UNTIL(s.rig.host, s.conn->ended);
	assert_int_equal(s.conn->why, WT_ERR_IO);
	munmap(pages, 2 * page);
	stop(&s);
}

static void nothing_is_sent_before_the_dial_succeeded(void **state)
{
	struct sockaddr_storage address = wt_rig_ipv4("127.0.0.1", 0);
	int listener = wt_tcp_rig_listen_raw(&address);
	struct sending s = { .peer = -1 };
	enum wt_status status;

	(void)state;
	wt_rig_open(&s.rig, "tcp", &narrow);
	s.conn = wt_rig_dial(&s.rig, &address);
	assert_int_equal(offer(&s, always_1500, 1, &status), 0);
	assert_int_equal(status, WT_ERR_INVALID);
	close(listener);
	stop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_go_out_behind_their_lengths),
		cmocka_unit_test(sending_nothing_is_fine),
		cmocka_unit_test(a_record_outside_the_lengths_is_not_sent),
		cmocka_unit_test(writable_is_said_once_after_a_short_take),
		cmocka_unit_test(a_full_take_is_not_followed_by_writable),
		cmocka_unit_test(a_slow_reader_gets_every_byte_in_order),
		cmocka_unit_test(a_close_gives_back_the_partly_written_record),
		cmocka_unit_test(the_core_may_close_when_told_writable),
		cmocka_unit_test(sending_into_a_reset_fails_and_the_end_follows),
		cmocka_unit_test(a_failed_send_loses_no_record_that_came),
		cmocka_unit_test(sending_to_one_who_left_fails_without_a_signal),
		cmocka_unit_test(any_failed_send_is_followed_by_the_end),
		cmocka_unit_test(nothing_is_sent_before_the_dial_succeeded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
