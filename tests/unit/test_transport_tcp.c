/* SPDX-License-Identifier: MIT
 *
 * transport-tcp: listening and accepting.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/child.h"
#include "support/tcp_rig.h"

static struct wt_loop_config one_address(struct sockaddr_storage address)
{
	return (struct wt_loop_config){ .listen = { address }, .listen_count = 1 };
}

static const struct wt_loop_config no_listen = { .listen_count = 0 };

/* A first message, so that the kernel shows the connection (it waits for data). */
static void say_something(int peer)
{
	uint8_t frame[64];

	wt_tcp_rig_write(peer, frame, wt_tcp_rig_frame(frame, 40, 0));
}

/* ---- the descriptor */

static void it_says_what_it_is(void **state)
{
	struct wt_rig rig;

	(void)state;
	wt_rig_open(&rig, "tcp", &no_listen);
	assert_int_equal(rig.plugin->kind, WT_KIND_TRANSPORT);
	assert_string_equal(rig.plugin->name, "tcp");
	assert_int_equal(rig.ops->mode, WT_CHANNEL_STREAM);
	assert_int_equal(rig.ops->headroom, 4);
	assert_int_equal(rig.ops->overhead_ipv4, 4 + 32 + 20);
	assert_int_equal(rig.ops->overhead_ipv6, 4 + 32 + 40);
	assert_int_equal(rig.ops->max_record(rig.self, wt_loop_host_worker(rig.host), NULL, NULL),
			 WT_RECORD_MAX);
	wt_rig_close(&rig);
}

/* ---- listening */

static void check_source(struct wt_rig *rig, struct wt_loop_conn *conn, int peer,
			 uint16_t token_len, uint16_t prefix_len, const char *host)
{
	struct wt_source source = { .struct_size = sizeof source };
	struct sockaddr_storage mine = { .ss_family = AF_UNSPEC }, theirs = mine;
	socklen_t len = sizeof mine;
	char text[96];

	assert_int_equal(getsockname(peer, (struct sockaddr *)&mine, &len), 0);
	/* The port is at the same place in both families. */
	snprintf(text, sizeof text, "%s:%u", host, ntohs(((struct sockaddr_in *)&mine)->sin_port));
	rig->ops->source(rig->self, wt_loop_host_worker(rig->host), conn->tconn, NULL, &source);
	assert_string_equal(source.text, text);
	assert_int_equal(source.token_len, token_len);
	assert_int_equal(source.prefix_len, prefix_len);
	assert_memory_equal(source.token, source.prefix, prefix_len);
	assert_memory_equal(source.token + token_len - 2, &((struct sockaddr_in *)&mine)->sin_port,
			    2);

	len = sizeof mine;
	assert_int_equal(getpeername(peer, (struct sockaddr *)&mine, &len), 0);
	assert_int_equal(rig->ops->local_address(rig->self, wt_loop_host_worker(rig->host),
						 conn->tconn, NULL, &theirs),
			 WT_OK);
	assert_memory_equal(&mine, &theirs, len);
}

static void several_addresses_at_once(void **state)
{
	struct wt_loop_config config = {
		.listen = { wt_rig_ipv4("127.0.0.1", 0), wt_rig_ipv4("127.0.0.2", 0),
			    wt_rig_ipv6("::1", 0) },
		.listen_count = 2,
	};
	struct wt_rig rig;

	(void)state;
	if (wt_rig_has_ipv6())
		config.listen_count = 3;
	else
		print_message("no ::1 here: IPv6 is left out\n");
	wt_rig_open(&rig, "tcp", &config);
	for (size_t i = 0; i < config.listen_count; i++) {
		struct sockaddr_storage address = wt_rig_address(&rig, i);
		int peer = wt_tcp_rig_connect_raw(&address);

		say_something(peer);
		WT_LOOP_UNTIL(rig.host, rig.host->accepted == i + 1);
		if (i < 2)
			check_source(&rig, &rig.host->conns[i], peer, 7, 5, "127.0.0.1");
		else
			check_source(&rig, &rig.host->conns[i], peer, 19, 9, "[::1]");
		close(peer);
	}
	wt_rig_close(&rig);
}

/* ---- congestion control */

static void an_unknown_congestion_control_is_refused(void **state)
{
	struct wt_loop_config config = { .congestion = "nosuch" };
	struct wt_error err = { .struct_size = sizeof err };
	struct wt_rig rig;

	(void)state;
	assert_int_equal(wt_rig_create(&rig, "tcp", &config, &err), WT_ERR_CONFIG);
	assert_null(rig.self);
	WT_RIG_HAS(err.text, "nosuch");
	/* reno is always there. */
	WT_RIG_HAS(err.text, "reno");
	wt_rig_close(&rig);
}

static void check_congestion(int fd, const char *expected)
{
	char name[32] = "";
	socklen_t len = sizeof name;

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
	assert_string_equal(name, expected);
}

static void the_congestion_control_is_set_both_ways(void **state)
{
	struct wt_loop_config config = one_address(wt_rig_ipv4("127.0.0.1", 0));
	struct sockaddr_storage address;
	struct wt_rig rig;

	(void)state;
	config.congestion = "reno";
	wt_rig_open(&rig, "tcp", &config);
	address = wt_rig_address(&rig, 0);

	struct wt_loop_conn *conn = wt_rig_dial(&rig, &address);

	check_congestion(wt_loop_host_fd(rig.host, 1), "reno");
	WT_LOOP_UNTIL(rig.host, conn->connected);

	struct wt_record record = wt_rig_record(&rig, 40, 0);
	size_t taken;

	assert_int_equal(wt_rig_send(&rig, conn, &record, 1, &taken), WT_OK);
	WT_LOOP_UNTIL(rig.host, rig.host->accepted == 1);
	check_congestion(wt_loop_host_fd(rig.host, 2), "reno");
	wt_rig_close(&rig);
}

/* What dialled sockets have by default: the kernel's own default, or cubic. */
static void auto_is_cubic_where_it_may_be_used(void **state)
{
	static const char *const wanted[] = { "system", "auto" };
	char standard[32] = "", expected[32] = "";
	socklen_t len = sizeof standard;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, standard, &len), 0);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5);
	len = sizeof expected;
	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, expected, &len), 0);
	close(fd);
	for (size_t i = 0; i < 2; i++) {
		struct wt_loop_config config = one_address(wt_rig_ipv4("127.0.0.1", 0));
		struct sockaddr_storage address;
		struct wt_rig rig;

		config.congestion = wanted[i];
		wt_rig_open(&rig, "tcp", &config);
		address = wt_rig_address(&rig, 0);
		(void)wt_rig_dial(&rig, &address);
		check_congestion(wt_loop_host_fd(rig.host, 1), i == 0 ? standard : expected);
		wt_rig_close(&rig);
	}
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof value;

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

static void a_connection_has_its_options(void **state)
{
	struct wt_rig rig;
	int peer;

	(void)state;
	wt_rig_open(&rig, "tcp", NULL);
	wt_tcp_rig_pair(&rig, &peer);

	int fd = wt_loop_host_fd(rig.host, 1);

	assert_int_equal(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 10000);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 128 * 1024);
	assert_int_equal(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	/* Less where net.core.wmem_max and missing rights forbid it. */
	assert_in_range(option(fd, SOL_SOCKET, SO_SNDBUF), 64 * 1024, 512 * 1024);
	close(peer);
	wt_rig_close(&rig);
}

/* ---- accepting */

static void a_connection_that_the_core_refuses_is_closed(void **state)
{
	struct wt_rig rig;
	struct sockaddr_storage address;

	(void)state;
	wt_rig_open(&rig, "tcp", NULL);
	rig.host->accept = WT_ERR_LIMIT;
	address = wt_rig_address(&rig, 0);

	int peer = wt_tcp_rig_connect_raw(&address);

	say_something(peer);
	WT_LOOP_UNTIL(rig.host, wt_loop_host_counter(rig.host, "tcp_accept_refused") == 1);
	assert_int_equal(wt_tcp_rig_end_of(peer), ECONNRESET);
	close(peer);
	wt_rig_close(&rig);
}

static void an_event_loop_that_is_full_closes_the_connection(void **state)
{
	(void)state;
	for (int allowance = 0; allowance < 2; allowance++) {
		struct wt_rig rig;
		struct sockaddr_storage address;

		wt_rig_open(&rig, "tcp", NULL);
		rig.host->allowance = allowance;
		address = wt_rig_address(&rig, 0);

		int peer = wt_tcp_rig_connect_raw(&address);

		say_something(peer);
		WT_LOOP_UNTIL(rig.host, wt_loop_host_counter(rig.host, "tcp_accept_refused") == 1);
		assert_int_equal(wt_tcp_rig_end_of(peer), ECONNRESET);
		close(peer);
		wt_rig_close(&rig);
	}
}

static void three_hundred_connections(void **state)
{
	enum { MANY = 300 };
	struct wt_rig rig;
	struct wt_tcp_reader readers[MANY];
	int peers[MANY];
	struct sockaddr_storage address;

	(void)state;
	wt_rig_open(&rig, "tcp", NULL);
	address = wt_rig_address(&rig, 0);
	for (size_t i = 0; i < MANY; i++) {
		peers[i] = wt_tcp_rig_connect_raw(&address);
		say_something(peers[i]);
	}
	WT_LOOP_UNTIL(rig.host, rig.host->accepted == MANY);
	for (size_t i = 0; i < MANY; i++) {
		readers[i] = (struct wt_tcp_reader){ .rig = &rig, .n = 4 };
		wt_tcp_reader_start(&readers[i], &rig.host->conns[i]);
	}
	for (size_t i = 0; i < MANY; i++)
		WT_LOOP_UNTIL(rig.host, readers[i].next == 1);
	/* None of them is authenticated: not one slot was used. */
	assert_int_equal(rig.host->slots_out, 0);
	for (size_t i = 0; i < MANY; i++)
		close(peers[i]);
	for (size_t i = 0; i < MANY; i++)
		WT_LOOP_UNTIL(rig.host, rig.host->conns[i].ended);
	wt_rig_close(&rig);
}

static int accept_without_descriptors(void)
{
	struct wt_rig rig;
	struct sockaddr_storage address;
	int peers[3];

	wt_rig_open(&rig, "tcp", NULL);
	address = wt_rig_address(&rig, 0);
	for (size_t i = 0; i < 3; i++) {
		peers[i] = wt_tcp_rig_connect_raw(&address);
		say_something(peers[i]);
	}

	struct rlimit before, none;

	if (getrlimit(RLIMIT_NOFILE, &before) != 0)
		return __LINE__;
	none = before;
	none.rlim_cur = (rlim_t)peers[2] + 1;
	if (setrlimit(RLIMIT_NOFILE, &none) != 0)
		return __LINE__;

	/* A busy loop would wake up thousands of times in 100 ms. */
	uint64_t until = wt_loop_host_now_ms(rig.host) + 100;

	while (wt_loop_host_now_ms(rig.host) < until)
		wt_loop_host_turn(rig.host, 20);
	if (rig.host->wakeups > 2 || rig.host->accepted != 0)
		return __LINE__;
	if (wt_loop_host_counter(rig.host, "tcp_accept_pauses") != 1)
		return __LINE__;

	/* Still none at the next try, then there are. */
	wt_loop_host_advance(rig.host, 200);
	wt_loop_host_turn(rig.host, 0);
	wt_loop_host_turn(rig.host, 0);
	if (wt_loop_host_counter(rig.host, "tcp_accept_pauses") != 2)
		return __LINE__;
	if (setrlimit(RLIMIT_NOFILE, &before) != 0)
		return __LINE__;
	wt_loop_host_advance(rig.host, 200);
	WT_LOOP_UNTIL(rig.host, rig.host->accepted == 3);
	for (size_t i = 0; i < 3; i++)
		close(peers[i]);
	wt_rig_close(&rig);
	return 0;
}

static void accepting_without_descriptors_rests(void **state)
{
	(void)state;
	wt_in_child(accept_without_descriptors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_what_it_is),
		cmocka_unit_test(several_addresses_at_once),
		cmocka_unit_test(an_unknown_congestion_control_is_refused),
		cmocka_unit_test(the_congestion_control_is_set_both_ways),
		cmocka_unit_test(auto_is_cubic_where_it_may_be_used),
		cmocka_unit_test(a_connection_has_its_options),
		cmocka_unit_test(a_connection_that_the_core_refuses_is_closed),
		cmocka_unit_test(an_event_loop_that_is_full_closes_the_connection),
		cmocka_unit_test(three_hundred_connections),
		cmocka_unit_test(accepting_without_descriptors_rests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
