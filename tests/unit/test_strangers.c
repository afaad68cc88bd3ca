/* SPDX-License-Identifier: MIT
 *
 * What somebody without a key can do to a server: nothing that lasts.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "record/limits.h"
#include "support/later_auth.h"
#include "support/world.h"

/* A connection from 127.0.0.`from` that has sent `len` bytes. */
static int stranger(const struct wt_world *w, uint8_t from, const void *bytes, size_t len)
{
	struct sockaddr_in source = { .sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(0x7f000000u | from) };
	struct sockaddr_in server = { .sin_family = AF_INET,
				      .sin_port = htons(w->port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&source, sizeof source), 0);
	int rc = connect(fd, (struct sockaddr *)&server, sizeof server);

	assert_true(rc == 0 || errno == EINPROGRESS);
	if (len)
		assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
	return fd;
}

/* Nothing was answered; closed or still open. */
static bool is_closed(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);

	assert_true(n <= 0);
	return n == 0 || errno != EAGAIN;
}

static void one_source_gets_eight_and_the_oldest_goes(void **state)
{
	enum { N = 20 };
	struct wt_world *w = *state;
	int fds[N];

	wt_world_server(w, "");
	for (int i = 0; i < N; i++) {
		fds[i] = stranger(w, 9, "\0", 1);
		wt_world_settle(w);
		assert_true(w->server.worker->half_open_count <= WT_HALF_OPEN_PER_SOURCE);
	}
	for (int i = 0; i < N; i++)
		assert_int_equal(is_closed(fds[i]), i < N - (int)WT_HALF_OPEN_PER_SOURCE);
	/* A peer is let in at once, from the same address as well. */
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	/* Five seconds, whatever came meanwhile. */
	for (int i = 0; i < 6; i++) {
		for (int k = N - 4; k < N; k++)
			(void)!send(fds[k], "\0", i < 3, MSG_NOSIGNAL);
		wt_world_pass(w, 1000);
	}
	for (int i = 0; i < N; i++)
		assert_true(is_closed(fds[i]));
	assert_int_equal(w->server.worker->half_open_count, 0);
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
	for (int i = 0; i < N; i++)
		close(fds[i]);
}

static void all_together_are_256_and_the_oldest_goes(void **state)
{
	enum { N = 280 };
	struct wt_world *w = *state;
	int fds[N];

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	for (int i = 0; i < N; i++) {
		fds[i] = stranger(w, (uint8_t)(10 + i / 8), "\0", 1);
		if (i % 16 == 15)
			wt_world_settle(w);
		assert_true(w->server.worker->half_open_count <= WT_HALF_OPEN_MAX);
	}
	wt_world_settle(w);
	assert_int_equal(w->server.worker->half_open_count, WT_HALF_OPEN_MAX);
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
	wt_world_bob(w);
	wt_world_until(w, wt_world_all_up);
	for (int i = 0; i < N; i++)
		close(fds[i]);
	wt_world_settle(w);
	assert_int_equal(w->server.worker->half_open_count, 0);
}

/* A first message that auth plugin "later" takes for alice's, and then ever more
 * strangers from the same address: is the connection that brought it closed? */
static bool is_pushed_out(struct wt_world *w, int *fd)
{
	/* length, header, index, name, and the rest that is nothing */
	static const uint8_t m1[49] = "\0\0\0\55\1\1\310\1\0\0\0\0\0\0\0\7\1";
	uint8_t m2[600];
	int others[WT_HALF_OPEN_PER_SOURCE];
	bool closed;

	wt_end_plugin(&wt_later_plugin);
	w->auth = "later";
	wt_world_server(w, "");
	*fd = stranger(w, 9, m1, sizeof m1);
	wt_world_settle(w);
	if (recv(*fd, m2, sizeof m2, MSG_DONTWAIT) <= 0)
		fail_msg("no answer; the log:\n%s", w->log);
	for (size_t i = 0; i < WT_HALF_OPEN_PER_SOURCE; i++) {
		others[i] = stranger(w, 9, "\0", 1);
		wt_world_settle(w);
	}
	closed = is_closed(*fd);
	for (size_t i = 0; i < WT_HALF_OPEN_PER_SOURCE; i++) {
		assert_false(is_closed(others[i]));
		close(others[i]);
	}
	return closed;
}

/* It is no stranger's any more, and has the time that a handshake takes. */
static void a_proven_first_message_is_pushed_out_by_nobody(void **state)
{
	struct wt_world *w = *state;
	int fd;

	wt_later = (struct wt_later){ .keys_with_done = true, .asks_nothing = true };
	assert_false(is_pushed_out(w, &fd));
	wt_world_pass(w, WT_HALF_OPEN_MS + 1000);
	assert_false(is_closed(fd));
	wt_world_pass(w, WT_PENDING_MS);
	assert_true(is_closed(fd));
	close(fd);
}

static void one_that_anybody_can_make_is(void **state)
{
	int fd;

	wt_later =
		(struct wt_later){ .keys_with_done = true, .asks_nothing = true, .unproven = true };
	assert_true(is_pushed_out(*state, &fd));
	close(fd);
}

static void what_is_not_a_handshake_closes_in_silence(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{ "\0\0\0\0", 4 },		     /* empty */
		{ "\0\0\0\7", 4 },		     /* shorter than a header */
		{ "\0\0\2\1", 4 },		     /* 513 */
		{ "\xff\xff\xff\xff", 4 },	     /* 2^32 - 1 */
		{ "GET / HTTP/1.1\r\n\r\n", 18 },    /* another protocol */
		{ "\0\0\0\10\1\1\1\1\0\0\0\0", 12 }, /* M1, too short */
		{ "\0\0\0\10\1\2\1\1\0\0\0\0", 12 }, /* version 2 */
		{ "\0\0\0\10\3\1\1\1\0\0\0\0", 12 }, /* type 3 */
		{ "\0\0\0\10\1\1\7\1\0\0\0\0", 12 }, /* no such method */
		{ "\0\0\0\10\1\1\1\2\0\0\0\1", 12 }, /* M2 that nobody waits for */
		{ "\0\0\0\50\1\1\1\3\0\0\0\1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 44 }, /* M3 */
		{ "\0\0\0\41\2\1\0\0\0\0\0\1AAAAAAAAAAAAAAAAAAAAAAAAA", 37 },	     /* data */
	};
	struct wt_world *w = *state;

	wt_world_server(w, "");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int fd = stranger(w, 9, cases[i].bytes, cases[i].len);

		wt_world_settle(w);
		if (!is_closed(fd))
			fail_msg("case %zu is still open", i);
		close(fd);
	}
	assert_int_equal(w->server.worker->half_open_count, 0);
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
}

int main(void)
{
#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, wt_world_setup, wt_world_teardown)
	const struct CMUnitTest tests[] = {
		WORLD_TEST(one_source_gets_eight_and_the_oldest_goes),
		WORLD_TEST(all_together_are_256_and_the_oldest_goes),
		WORLD_TEST(a_proven_first_message_is_pushed_out_by_nobody),
		WORLD_TEST(one_that_anybody_can_make_is),
		WORLD_TEST(what_is_not_a_handshake_closes_in_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
