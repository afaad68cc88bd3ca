/* SPDX-License-Identifier: MIT
 *
 * transport-tcp: dialling, and how connections end.
 */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/child.h"
#include "support/tcp_rig.h"

static const struct wt_loop_config no_listen = { .listen_count = 0 };

/* ---- dialling */

static void a_refused_dial_says_so(void **state)
{
	struct sockaddr_storage addresses[] = { wt_rig_ipv4("127.0.0.1", 0),
						wt_rig_ipv6("::1", 0) };
	size_t count = wt_rig_has_ipv6() ? 2 : 1;
	struct wt_rig rig;

	(void)state;
	if (count == 1)
		print_message("no ::1 here: IPv6 is left out\n");
	wt_rig_open(&rig, "tcp", &no_listen);
	for (size_t i = 0; i < count; i++) {
		/* Nobody listens where somebody did. */
		int fd = wt_tcp_rig_listen_raw(&addresses[i]);

		assert_true(fd >= 0);
		close(fd);

		struct wt_loop_conn *conn = wt_rig_dial(&rig, &addresses[i]);

		WT_LOOP_UNTIL(rig.host, conn->ended);
		assert_int_equal(conn->connected, 0);
		assert_int_equal(conn->why, WT_ERR_IO);
		assert_string_equal(conn->text, "connection refused");
	}
	wt_rig_close(&rig);
}

static void an_unanswered_dial_ends_after_five_seconds(void **state)
{
	struct sockaddr_storage address = wt_rig_ipv4("127.0.0.1", 0);
	int listener = wt_tcp_rig_listen_raw(&address);
	struct wt_rig rig;
	int queue[2];

	(void)state;
	/* A full queue makes the kernel ignore further SYNs. */
	assert_true(listener >= 0);
	assert_int_equal(listen(listener, 0), 0);
	queue[0] = wt_tcp_rig_connect_raw(&address);
	wt_rig_open(&rig, "tcp", &no_listen);

	struct wt_loop_conn *conn = wt_rig_dial(&rig, &address);

	for (int i = 0; i < 5; i++)
		wt_loop_host_turn(rig.host, 5);
	assert_int_equal(conn->connected + conn->ended, 0);
	wt_loop_host_advance(rig.host, 4500);
	wt_loop_host_turn(rig.host, 0);
	assert_int_equal(conn->ended, 0);
	wt_loop_host_advance(rig.host, 600);
	wt_loop_host_turn(rig.host, 0);
	assert_int_equal(conn->ended, 1);
	assert_string_equal(conn->text, "timed out after 5 s");
	close(queue[0]);
	close(listener);
	wt_rig_close(&rig);
}

static int dial_without_network(void)
{
	struct sockaddr_storage address = wt_rig_ipv4("192.0.2.1", 4433);
	struct wt_rig rig;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0 && unshare(CLONE_NEWNET) != 0) {
		fprintf(stderr, "no network namespace of our own to be had\n");
		return -1;
	}
	wt_rig_open(&rig, "tcp", &no_listen);

	struct wt_loop_conn *conn = wt_rig_dial(&rig, &address);

	WT_LOOP_UNTIL(rig.host, conn->ended);
	if (strcmp(conn->text, "network unreachable") != 0)
		return __LINE__;
	wt_rig_close(&rig);
	return 0;
}

static void an_unreachable_network_is_named(void **state)
{
	(void)state;
	wt_in_child(dial_without_network);
}

static void a_dial_can_be_given_up(void **state)
{
	struct sockaddr_storage address = wt_rig_ipv4("127.0.0.1", 0);
	int listener = wt_tcp_rig_listen_raw(&address);
	struct wt_rig rig;

	(void)state;
	assert_true(listener >= 0);
	wt_rig_open(&rig, "tcp", &no_listen);
	wt_rig_close_conn(&rig, wt_rig_dial(&rig, &address), false);
	wt_rig_close_conn(&rig, wt_rig_dial(&rig, &address), true);
	/* The loop host fails the test if anything is reported now. */
	wt_loop_host_advance(rig.host, 6000);
	wt_loop_host_turn(rig.host, 10);
	close(listener);
	wt_rig_close(&rig);
}

static void an_address_of_another_family_is_refused(void **state)
{
	struct sockaddr_storage address = { .ss_family = AF_UNIX };
	struct wt_error err = { .struct_size = sizeof err };
	struct wt_rig rig;
	void *tconn = NULL;

	(void)state;
	wt_rig_open(&rig, "tcp", &no_listen);
	assert_int_equal(rig.ops->dial(rig.self, wt_loop_host_worker(rig.host),
				       (struct sockaddr *)&address, sizeof address, NULL, NULL,
				       &tconn, &err),
			 WT_ERR_INVALID);
	assert_non_null(strstr(err.text, "IPv4 or IPv6"));
	wt_rig_close(&rig);
}

static void a_dial_without_an_event_loop_fails_at_once(void **state)
{
	struct sockaddr_storage address = wt_rig_ipv4("127.0.0.1", 9);
	struct wt_error err = { .struct_size = sizeof err };
	struct wt_rig rig;
	void *tconn = NULL;

	(void)state;
	wt_rig_open(&rig, "tcp", &no_listen);
	for (int allowance = 0; allowance < 2; allowance++) {
		rig.host->allowance = allowance;
		assert_int_equal(rig.ops->dial(rig.self, wt_loop_host_worker(rig.host),
					       (struct sockaddr *)&address, wt_rig_len(&address),
					       NULL, NULL, &tconn, &err),
				 WT_ERR_NOMEM);
		assert_null(tconn);
	}
	wt_rig_close(&rig);
}

/* ---- ends */

enum ending { FIN, FIN_MID_RECORD, FIN_MID_LENGTH, HALF_CLOSE, RESET, RESET_MID_RECORD };

static void an_end_is_told_in_words_after_the_last_record(void **state)
{
	static const struct {
		enum ending ending;
		size_t extra; /* bytes of one more record */
		const char *text;
	} cases[] = {
		{ FIN, 0, "closed by the other end" },
		{ FIN_MID_RECORD, 20, "closed by the other end in the middle of a record" },
		{ FIN_MID_LENGTH, 2, "closed by the other end in the middle of a record" },
		{ HALF_CLOSE, 0, "closed by the other end" },
		{ RESET, 0, "connection reset by the other end" },
		{ RESET_MID_RECORD, 20,
		  "connection reset by the other end in the middle of a record" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wt_rig rig;
		uint8_t bytes[128];
		size_t len;
		int peer;

		wt_rig_open(&rig, "tcp", &no_listen);

		struct wt_loop_conn *conn = wt_tcp_rig_pair(&rig, &peer);
		struct wt_tcp_reader reader = { .rig = &rig, .n = 1 };

		len = wt_tcp_rig_frame(bytes, 40, 0);
		wt_tcp_rig_frame(bytes + len, 40, 1);
		wt_tcp_rig_write(peer, bytes, len + cases[i].extra);
		if (cases[i].ending == HALF_CLOSE)
			assert_int_equal(shutdown(peer, SHUT_WR), 0);
		if (cases[i].ending == RESET || cases[i].ending == RESET_MID_RECORD)
			assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_LINGER,
						    &(struct linger){ .l_onoff = 1 },
						    sizeof(struct linger)),
					 0);
		if (cases[i].ending != HALF_CLOSE)
			close(peer);
		/* All of it has arrived before the first look. */
		wt_tcp_reader_start(&reader, conn);
		WT_LOOP_UNTIL(rig.host, conn->ended);
		assert_int_equal(reader.next, 1);
		assert_int_equal(reader.status, WT_ERR_CLOSED);
		assert_int_equal(conn->why, WT_ERR_CLOSED);
		assert_string_equal(conn->text, cases[i].text);
		/* Until close() the loop can rest. */
		unsigned wakeups = rig.host->wakeups;

		for (int turn = 0; turn < 3; turn++)
			wt_loop_host_turn(rig.host, 2);
		assert_int_equal(rig.host->wakeups, wakeups);
		if (cases[i].ending == HALF_CLOSE)
			close(peer);
		wt_rig_close(&rig);
	}
}

static void close_conn(struct wt_loop_conn *conn)
{
	struct wt_rig *rig = conn->arg;

	wt_rig_close_conn(rig, conn, false);
}

static void close_read_conn(struct wt_loop_conn *conn)
{
	const struct wt_tcp_reader *reader = conn->arg;

	assert_int_equal(reader->status, WT_ERR_CLOSED);
	wt_rig_close_conn(reader->rig, conn, false);
}

static void the_core_may_close_inside_a_report(void **state)
{
	struct wt_rig rig;
	struct wt_loop_conn *conn;
	uint8_t frame[64];
	int peer;

	(void)state;
	wt_rig_open(&rig, "tcp", &no_listen);

	conn = wt_tcp_rig_pair(&rig, &peer);
	conn->arg = &rig;
	conn->on_readable = close_conn;
	wt_tcp_rig_write(peer, frame, wt_tcp_rig_frame(frame, 40, 0));
	WT_LOOP_UNTIL(rig.host, conn->closed);
	close(peer);

	struct wt_tcp_reader reader = { .rig = &rig, .n = 1 };

	conn = wt_tcp_rig_pair(&rig, &peer);
	wt_tcp_reader_start(&reader, conn);
	conn->on_ended = close_read_conn;
	close(peer);
	WT_LOOP_UNTIL(rig.host, conn->closed);
	wt_rig_close(&rig);
}

static void close_is_orderly_and_abort_resets(void **state)
{
	struct wt_rig rig;
	int peer;

	(void)state;
	wt_rig_open(&rig, "tcp", &no_listen);
	wt_rig_close_conn(&rig, wt_tcp_rig_pair(&rig, &peer), false);
	assert_int_equal(wt_tcp_rig_end_of(peer), 0);
	close(peer);
	wt_rig_close_conn(&rig, wt_tcp_rig_pair(&rig, &peer), true);
	assert_int_equal(wt_tcp_rig_end_of(peer), ECONNRESET);
	close(peer);
	wt_rig_close(&rig);
}

/* A close(2) with unread bytes resets, and takes the last records with it. */
static void an_orderly_close_delivers_in_spite_of_unread_bytes(void **state)
{
	struct wt_rig rig;
	struct wt_record record;
	uint8_t frame[128], expected[128];
	size_t len, taken;
	int peer;

	(void)state;
	wt_rig_open(&rig, "tcp", &no_listen);

	struct wt_loop_conn *conn = wt_tcp_rig_pair(&rig, &peer);

	wt_tcp_rig_write(peer, frame, wt_tcp_rig_frame(frame, 100, 0));
	WT_LOOP_UNTIL(rig.host, conn->readable);
	record = wt_rig_record(&rig, 50, 9);
	assert_int_equal(wt_rig_send(&rig, conn, &record, 1, &taken), WT_OK);
	assert_int_equal(taken, 1);
	wt_rig_close_conn(&rig, conn, false);
	len = wt_tcp_rig_frame(expected, 50, 9);
	assert_int_equal(recv(peer, frame, len, MSG_WAITALL), (ssize_t)len);
	assert_memory_equal(frame, expected, len);
	assert_int_equal(wt_tcp_rig_end_of(peer), 0);
	close(peer);
	wt_rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refused_dial_says_so),
		cmocka_unit_test(an_unanswered_dial_ends_after_five_seconds),
		cmocka_unit_test(an_unreachable_network_is_named),
		cmocka_unit_test(a_dial_can_be_given_up),
		cmocka_unit_test(an_address_of_another_family_is_refused),
		cmocka_unit_test(a_dial_without_an_event_loop_fails_at_once),
		cmocka_unit_test(an_end_is_told_in_words_after_the_last_record),
		cmocka_unit_test(the_core_may_close_inside_a_report),
		cmocka_unit_test(close_is_orderly_and_abort_resets),
		cmocka_unit_test(an_orderly_close_delivers_in_spite_of_unread_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
