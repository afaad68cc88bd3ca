/* SPDX-License-Identifier: MIT
 *
 * The datagram transport that `wtplug new` writes, on a loop host: whose a datagram
 * is, what becomes of those that nobody can have, and who owns what when.
 */
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/netns.h"
#include "support/slow_network.h"
#include "support/udp_rig.h"

static const struct wt_loop_config no_listen = { .listen_count = 0 };

static struct wt_loop_config one_address(struct sockaddr_storage address)
{
	return (struct wt_loop_config){ .listen = { address }, .listen_count = 1 };
}

static uint64_t counted(const struct wt_rig *rig, const char *name)
{
	return wt_loop_host_counter(rig->host, name);
}

/* The port is at the same place in both families. */
static in_port_t port_of(const struct sockaddr_storage *address)
{
	return ((const struct sockaddr_in *)address)->sin_port;
}

static enum wt_status listen_once(struct wt_rig *rig, struct wt_error *err)
{
	return rig->ops->listen(rig->self, wt_loop_host_worker(rig->host), err);
}

static struct wt_loop_conn *dial(struct wt_rig *rig, const struct sockaddr_storage *remote)
{
	struct wt_loop_conn *conn;

	wt_rig_open(rig, "datagram", &no_listen);
	conn = wt_rig_dial(rig, remote);
	WT_LOOP_UNTIL(rig->host, conn->connected);
	return conn;
}

/* Nothing that nobody waits for keeps the loop awake. */
static void rests(struct wt_loop_host *host)
{
	unsigned wakeups = host->wakeups;

	for (int turn = 0; turn < 3; turn++)
		wt_loop_host_turn(host, 2);
	assert_int_equal(host->wakeups, wakeups);
}

/* ---- a socket that listens */

/* A datagram to listening socket `i`, and an answer on its path. */
static void exchange(struct wt_rig *rig, size_t i, struct sockaddr_storage from, const char *host,
		     uint16_t token_len, uint16_t prefix_len)
{
	struct sockaddr_storage at = wt_rig_address(rig, i), answered = at;
	struct wt_loop_conn *conn = &rig->host->conns[i];
	struct wt_source source = { .struct_size = sizeof source };
	struct wt_udp_reader reader = { .n = 4 };
	int peer = wt_udp_rig_socket(&from);
	uint8_t bytes[2000];
	char text[64];

	wt_udp_reader_start(&reader, rig, conn);
	wt_rig_fill(bytes, 1000, 0);
	wt_udp_rig_throw(peer, &at, bytes, 1000, 0);
	WT_LOOP_UNTIL(rig->host, reader.next == 1);
	snprintf(text, sizeof text, "%s:%u", host, ntohs(port_of(&from)));
	rig->ops->source(rig->self, wt_loop_host_worker(rig->host), conn->tconn, &reader.path,
			 &source);
	assert_string_equal(source.text, text);
	assert_int_equal(source.token_len, token_len);
	assert_int_equal(source.prefix_len, prefix_len);
	assert_memory_equal(source.token, source.prefix, prefix_len);
	assert_int_equal(rig->ops->max_record(rig->self, wt_loop_host_worker(rig->host),
					      conn->tconn, &reader.path),
			 from.ss_family == AF_INET6 ? 1452 : 1472);

	struct wt_record answer = wt_udp_rig_run(rig, 2500, 1000, 0);

	answer.path = reader.path;
	wt_udp_rig_send_all(rig, conn, &answer, 1);
	wt_udp_rig_catch_run(peer, 2000, 1000, 0);
	assert_int_equal(wt_udp_rig_catch(peer, bytes, sizeof bytes, &answered), 500);
	assert_memory_equal(&answered, &at, wt_rig_len(&at));
	close(peer);
}

static void an_answer_goes_where_its_path_says(void **state)
{
	struct wt_loop_config config = {
		.listen = { wt_rig_ipv4("127.0.0.1", 0), wt_rig_ipv4("127.0.0.2", 0),
			    wt_rig_ipv6("::1", 0) },
		.listen_count = wt_rig_has_ipv6() ? 3 : 2,
	};
	struct wt_source source = { .struct_size = sizeof source };
	struct wt_rig rig;

	(void)state;
	wt_rig_open(&rig, "datagram", &config);
	assert_int_equal(rig.host->accepted, config.listen_count);
	exchange(&rig, 0, wt_rig_ipv4("127.0.0.9", 0), "127.0.0.9", 7, 5);
	exchange(&rig, 1, wt_rig_ipv4("127.0.0.9", 0), "127.0.0.9", 7, 5);
	if (config.listen_count == 3)
		exchange(&rig, 2, wt_rig_ipv6("::1", 0), "[::1]", 19, 9);
	else
		print_message("no ::1 here: IPv6 is left out\n");
	/* Nobody is there where no path is named. */
	rig.ops->source(rig.self, wt_loop_host_worker(rig.host), rig.host->conns[1].tconn, NULL,
			&source);
	assert_memory_equal(source.text, "127.0.0.2:", 10);
	assert_int_equal(source.token_len + source.prefix_len, 0);
	assert_int_equal(rig.ops->max_record(rig.self, wt_loop_host_worker(rig.host),
					     rig.host->conns[1].tconn, NULL),
			 0);
	wt_rig_close(&rig);
}

static void a_record_without_a_path_is_lost(void **state)
{
	struct wt_rig rig;

	(void)state;
	wt_rig_open(&rig, "datagram", NULL);

	struct wt_record record = wt_rig_record(&rig, 100, 0);

	wt_udp_rig_send_all(&rig, &rig.host->conns[0], &record, 1);
	assert_int_equal(counted(&rig, "datagram_unsent"), 1);
	wt_rig_close(&rig);
}

static void any_address_is_refused_with_reason(void **state)
{
	const struct sockaddr_storage any[] = { wt_rig_ipv4("0.0.0.0", 4433),
						wt_rig_ipv6("::", 4433) };
	struct wt_error err = { .struct_size = sizeof err };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct wt_loop_config config = one_address(wt_rig_ipv4("127.0.0.1", 0));
		struct wt_rig rig;

		config.listen[config.listen_count++] = any[i];
		assert_int_equal(wt_rig_create(&rig, "datagram", &config, &err), WT_OK);
		assert_int_equal(listen_once(&rig, &err), WT_ERR_CONFIG);
		WT_RIG_HAS(err.text, i == 0 ? "0.0.0.0:4433: name" : "[::]:4433: name");
		/* Nothing stays open. */
		assert_int_equal(rig.host->accepted, 0);
		wt_rig_close(&rig);
	}
}

static void listening_is_all_or_nothing(void **state)
{
	struct sockaddr_storage taken = wt_rig_ipv4("127.0.0.1", 0);
	int holder = wt_udp_rig_socket(&taken);
	struct wt_loop_config config = one_address(wt_rig_ipv4("127.0.0.1", 0));
	struct wt_error err = { .struct_size = sizeof err };
	struct wt_rig rig;

	(void)state;
	config.listen[config.listen_count++] = taken;
	assert_int_equal(wt_rig_create(&rig, "datagram", &config, &err), WT_OK);
	assert_int_equal(listen_once(&rig, &err), WT_ERR_IO);
	WT_RIG_HAS(err.text, "listen = 127.0.0.1:");
	WT_RIG_HAS(err.text, "in use");
	assert_int_equal(rig.host->accepted, 0);
	close(holder);
	for (int allowance = 0; allowance < 4; allowance++) {
		rig.host->allowance = allowance;
		assert_int_equal(listen_once(&rig, &err), WT_ERR_NOMEM);
		WT_RIG_HAS(err.text, "out of memory");
	}
	rig.host->allowance = -1;
	rig.host->accept = WT_ERR_LIMIT;
	assert_int_equal(listen_once(&rig, &err), WT_ERR_LIMIT);
	assert_int_equal(rig.host->accepted, 0);
	rig.host->accept = WT_OK;
	assert_int_equal(listen_once(&rig, &err), WT_OK);
	wt_rig_close(&rig);
}

/* ---- a socket that was dialled */

static void only_the_remote_is_heard(void **state)
{
	struct sockaddr_storage remote = wt_rig_ipv4("127.0.0.1", 0), other = remote, ours;
	int peer = wt_udp_rig_socket(&remote), stranger = wt_udp_rig_socket(&other);
	const struct wt_path none = { { 0 } };
	struct wt_udp_reader reader = { .n = 4 };
	uint8_t bytes[100];
	struct wt_rig rig;
	struct wt_loop_conn *conn = dial(&rig, &remote);
	struct wt_record record = wt_rig_record(&rig, 100, 0);

	(void)state;
	/* Nothing was sent before that. */
	assert_true(wt_udp_rig_is_quiet(peer));
	wt_udp_rig_send_all(&rig, conn, &record, 1);
	assert_int_equal(wt_udp_rig_catch(peer, bytes, sizeof bytes, &ours), 100);
	wt_udp_reader_start(&reader, &rig, conn);
	wt_udp_rig_throw(stranger, &ours, bytes, 100, 0);
	wt_udp_rig_throw(peer, &ours, bytes, 7, 0);
	wt_udp_rig_throw(peer, &ours, bytes, 0, 0);
	wt_rig_fill(bytes, 8, 0);
	wt_udp_rig_throw(peer, &ours, bytes, 8, 0);
	WT_LOOP_UNTIL(rig.host, reader.next == 1);
	assert_int_equal(reader.bytes, 8);
	assert_memory_equal(&reader.path, &none, sizeof none);
	assert_int_equal(counted(&rig, "datagram_foreign"), 1);
	assert_int_equal(counted(&rig, "datagram_too_short"), 2);
	close(peer);
	close(stranger);
	wt_rig_close(&rig);
}

/* ICMP "port unreachable" comes back at once on loopback. */
static void a_port_that_nobody_listens_on_ends_nothing(void **state)
{
	struct sockaddr_storage remote = wt_rig_ipv4("127.0.0.1", 0);
	int fd = wt_udp_rig_socket(&remote);
	struct wt_rig rig;

	(void)state;
	close(fd);

	struct wt_loop_conn *conn = dial(&rig, &remote);

	for (uint32_t i = 0; i < 5; i++) {
		struct wt_record record = wt_rig_record(&rig, 100, 0);

		wt_udp_rig_send_all(&rig, conn, &record, 1);
		wt_loop_host_turn(rig.host, 1);
	}
	fd = wt_udp_rig_socket(&remote);

	struct wt_record record = wt_rig_record(&rig, 100, 7);

	wt_udp_rig_send_all(&rig, conn, &record, 1);
	wt_udp_rig_catch_run(fd, 100, 100, 7);
	assert_int_equal(conn->ended, 0);
	close(fd);
	wt_rig_close(&rig);
}

/* Too large for the link, with DF, or forbidden: lost, counted, and nothing ends. */
static void what_cannot_be_sent_is_lost(void **state)
{
	struct sockaddr_storage remote = wt_rig_ipv4("127.0.0.1", 0);
	struct sockaddr_storage broadcast = wt_rig_ipv4("255.255.255.255", 9);
	struct wt_rig rig;
	int peer;

	(void)state;
	wt_netns_enter();
	wt_netns_loopback(true);
	assert_int_equal(system("ip link set lo mtu 1500"), 0);
	peer = wt_udp_rig_socket(&remote);

	struct wt_loop_conn *conn = dial(&rig, &remote);
	struct wt_record records[] = { wt_rig_record(&rig, 1472, 0), wt_rig_record(&rig, 1473, 9),
				       wt_rig_record(&rig, 1000, 1) };

	wt_udp_rig_send_all(&rig, conn, records, 3);
	wt_udp_rig_catch_run(peer, 1472, 1472, 0);
	wt_udp_rig_catch_run(peer, 1000, 1000, 1);
	assert_int_equal(counted(&rig, "datagram_unsent"), 1);
	assert_int_equal(rig.host->slots_out, 0);
	assert_int_equal(conn->ended, 0);
	close(peer);
	wt_rig_close(&rig);

	conn = dial(&rig, &broadcast);

	struct wt_record run = wt_udp_rig_run(&rig, 2050, 1000, 1);

	wt_udp_rig_send_all(&rig, conn, &run, 1);
	assert_int_equal(counted(&rig, "datagram_unsent"), 3);
	wt_rig_close(&rig);
}

/* ---- back-pressure */

static struct wt_loop_conn *dial_slowly(struct wt_rig *rig)
{
	const struct sockaddr_storage remote = wt_rig_ipv4("10.9.0.2", 4433);
	const int narrow = 32 * 1024;
	struct wt_loop_conn *conn = dial(rig, &remote);

	assert_int_equal(setsockopt(wt_loop_host_fd(rig->host, 0), SOL_SOCKET, SO_SNDBUF, &narrow,
				    sizeof narrow),
			 0);
	return conn;
}

/* Stopped in the middle of the first run; the second one stays the caller's. */
static void a_full_buffer_is_told_once(void **state)
{
	int tap = wt_slow_network_enter();
	struct wt_rig rig;
	struct wt_loop_conn *conn = dial_slowly(&rig);
	struct wt_record runs[] = { wt_udp_rig_run(&rig, 60 * 1000, 1000, 0),
				    wt_udp_rig_run(&rig, 5 * 1000, 1000, 60) };
	size_t taken;

	(void)state;
	assert_int_equal(wt_rig_send(&rig, conn, runs, 2, &taken), WT_OK);
	assert_int_equal(taken, 1);
	assert_int_equal(rig.host->slots_out, 2);
	/* Asked again: nothing is taken, and still one report is due. */
	assert_int_equal(wt_rig_send(&rig, conn, &runs[1], 1, &taken), WT_OK);
	assert_int_equal(taken, 0);
	for (int i = 0; i < 5; i++)
		wt_loop_host_turn(rig.host, 1);
	assert_int_equal(conn->writable, 0);
	wt_slow_network_answer();
	WT_LOOP_UNTIL(rig.host, conn->writable == 1);
	assert_int_equal(rig.host->slots_out, 1);
	wt_udp_rig_send_all(&rig, conn, &runs[1], 1);
	wt_slow_network_check(tap, 1000, 65);
	rests(rig.host);
	assert_int_equal(conn->writable, 1);
	wt_rig_close(&rig);
	close(tap);
}

/* Nothing was refused, so the rest leaves without a report, whatever was before. */
static void a_full_take_is_not_followed_by_writable(void **state)
{
	int tap = wt_slow_network_enter();
	struct wt_rig rig;
	struct wt_loop_conn *conn = dial_slowly(&rig);
	size_t taken;

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		struct wt_record run = wt_udp_rig_run(&rig, 60 * 1000, 1000, 0);

		wt_udp_rig_send_all(&rig, conn, &run, 1);
		assert_int_equal(rig.host->slots_out, 1);
		/* One that was refused before must not be remembered. */
		if (round == 1)
			assert_int_equal(wt_rig_send(&rig, conn, &run, 1, &taken), WT_OK);
		wt_slow_network_answer();
		WT_LOOP_UNTIL(rig.host, rig.host->slots_out == 0);
		wt_slow_network_check(tap, 1000, 60);
		rests(rig.host);
		assert_int_equal(conn->writable, round >= 1);
		wt_slow_network_silence();
	}
	wt_rig_close(&rig);
	close(tap);
}

static void close_when_writable(struct wt_loop_conn *conn)
{
	wt_rig_close_conn(conn->arg, conn, true);
}

static void a_close_gives_back_what_is_held(void **state)
{
	size_t taken;

	(void)state;
	for (int when = 0; when < 3; when++) {
		int tap = wt_slow_network_enter();
		struct wt_rig rig;
		struct wt_loop_conn *conn = dial_slowly(&rig);
		struct wt_record runs[] = { wt_udp_rig_run(&rig, 60 * 1000, 1000, 0),
					    wt_udp_rig_run(&rig, 60 * 1000, 1000, 0) };
		const struct wt_host *host = wt_loop_host_table(rig.host);

		assert_int_equal(wt_rig_send(&rig, conn, runs, 2, &taken), WT_OK);
		assert_int_equal(taken, 1);
		host->slot_done(host, conn->worker, runs[1].slot);
		if (when == 0) {
			wt_rig_close_conn(&rig, conn, true);
		} else if (when == 1) {
			/* What the kernel takes at once still leaves. */
			wt_slow_network_answer();
			wt_rig_close_conn(&rig, conn, false);
			wt_slow_network_check(tap, 1000, 60);
		} else {
			/* Inside the report. */
			conn->arg = &rig;
			conn->on_writable = close_when_writable;
			wt_slow_network_answer();
			WT_LOOP_UNTIL(rig.host, conn->closed);
		}
		assert_int_equal(rig.host->slots_out, 0);
		wt_rig_close(&rig);
		close(tap);
	}
}

static void close_when_readable(struct wt_loop_conn *conn)
{
	wt_rig_close_conn(conn->arg, conn, false);
}

static void the_core_may_close_when_told_readable(void **state)
{
	struct sockaddr_storage at, from = wt_rig_ipv4("127.0.0.1", 0);
	int peer = wt_udp_rig_socket(&from);
	struct wt_rig rig;

	(void)state;
	wt_rig_open(&rig, "datagram", NULL);
	at = wt_rig_address(&rig, 0);
	rig.host->conns[0].arg = &rig;
	rig.host->conns[0].on_readable = close_when_readable;
	wt_udp_rig_throw(peer, &at, "12345678", 8, 0);
	WT_LOOP_UNTIL(rig.host, rig.host->conns[0].closed);
	close(peer);
	wt_rig_close(&rig);
}

/* Bytes of memory that wait to be received on it. */
static uint32_t queued(int fd)
{
	uint32_t info[SK_MEMINFO_VARS];
	socklen_t len = sizeof info;

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len), 0);
	return info[SK_MEMINFO_RMEM_ALLOC];
}

/* What is for nobody takes no place in one call, and ends none. */
static void what_is_too_short_hides_nothing(void **state)
{
	struct sockaddr_storage at, from = wt_rig_ipv4("127.0.0.1", 0);
	int peer = wt_udp_rig_socket(&from);
	struct wt_record records[4];
	struct wt_rig rig;
	uint8_t bytes[8];
	size_t got;

	(void)state;
	wt_rig_open(&rig, "datagram", NULL);
	at = wt_rig_address(&rig, 0);
	for (uint32_t i = 0; i < 5; i++) {
		const int fd = wt_loop_host_fd(rig.host, 0);
		const uint32_t before = queued(fd);

		wt_rig_fill(bytes, 8, i / 2);
		wt_udp_rig_throw(peer, &at, bytes, i % 2 ? 8 : 7, 0);
		WT_LOOP_UNTIL(rig.host, queued(fd) > before);
	}
	assert_int_equal(wt_rig_recv(&rig, &rig.host->conns[0], records, 4, &got), WT_OK);
	assert_int_equal(got, 2);
	for (uint32_t i = 0; i < 2; i++) {
		wt_rig_fill(bytes, 8, i);
		assert_int_equal(records[i].len, 8);
		assert_memory_equal(records[i].data, bytes, 8);
	}
	assert_int_equal(counted(&rig, "datagram_too_short"), 2);
	assert_int_equal(wt_rig_recv(&rig, &rig.host->conns[0], records, 4, &got), WT_AGAIN);
	assert_int_equal(counted(&rig, "datagram_too_short"), 3);
	close(peer);
	wt_rig_close(&rig);
}

/* One at a time, and then the loop rests. */
static void many_datagrams(void **state)
{
	struct sockaddr_storage at, from = wt_rig_ipv4("127.0.0.1", 0);
	int peer = wt_udp_rig_socket(&from);
	struct wt_udp_reader reader = { .n = 1 };
	struct wt_rig rig;

	(void)state;
	wt_rig_open(&rig, "datagram", NULL);
	at = wt_rig_address(&rig, 0);
	wt_udp_reader_start(&reader, &rig, &rig.host->conns[0]);
	for (uint32_t i = 0; i < 10; i++) {
		uint8_t bytes[40];

		wt_rig_fill(bytes, sizeof bytes, i);
		wt_udp_rig_throw(peer, &at, bytes, sizeof bytes, 0);
	}
	WT_LOOP_UNTIL(rig.host, reader.next == 10);
	rests(rig.host);
	close(peer);
	wt_rig_close(&rig);
}

/* ---- several workers */

enum { WORKERS = 3 };

/* Send `message` to the shared address: which worker has it? */
static uint32_t worker_of(struct wt_rig *rig, const struct sockaddr_storage *at,
			  const uint8_t *message, size_t len)
{
	struct sockaddr_storage from = wt_rig_ipv4("127.0.0.1", 0);
	int peer = wt_udp_rig_socket(&from);
	struct wt_loop_conn *conns = rig->host->conns;
	struct wt_record record;
	uint32_t worker = 0;
	size_t got;

	for (uint32_t i = 0; i < WORKERS; i++)
		conns[i].readable = 0;
	wt_udp_rig_throw(peer, at, message, len, 0);
	close(peer);
	WT_LOOP_UNTIL(rig->host, conns[0].readable + conns[1].readable + conns[2].readable);
	while (conns[worker].readable == 0)
		worker++;
	assert_ptr_equal(conns[worker].worker, wt_loop_host_worker_at(rig->host, worker));
	assert_int_equal(wt_rig_recv(rig, &conns[worker], &record, 1, &got), WT_OK);
	assert_int_equal(record.len, len);
	assert_memory_equal(record.data, message, len);
	assert_int_equal(wt_rig_recv(rig, &conns[worker], &record, 1, &got), WT_AGAIN);
	return worker;
}

static void datagrams_go_to_the_worker_of_their_index(void **state)
{
	static const uint8_t hello[16] = { 1, 1, 1, 1 };
	struct sockaddr_storage address = wt_rig_ipv4("127.0.0.1", 0);
	int holder = wt_udp_rig_socket(&address);
	struct wt_loop_config config = one_address(address);
	struct wt_error err = { .struct_size = sizeof err };
	struct wt_rig rig, other;
	uint32_t seen = 0;

	(void)state;
	close(holder);
	config.workers = WORKERS;
	wt_rig_open(&rig, "datagram", &config);
	assert_int_equal(rig.host->accepted, WORKERS);
	/* They share it with each other, not with another daemon. */
	assert_int_equal(wt_rig_create(&other, "datagram", &config, &err), WT_OK);
	assert_int_equal(listen_once(&other, &err), WT_ERR_IO);
	WT_RIG_HAS(err.text, "in use");
	wt_rig_close(&other);
	for (uint32_t index = 1; index < 40; index++) {
		uint8_t message[32] = { 2, 1, 0, 0, 0x80, 0, 0, (uint8_t)index };

		assert_int_equal(worker_of(&rig, &address, message, sizeof message),
				 (0x80000000u + index) % WORKERS);
	}
	/* A handshake has no index: by its source, to any. */
	for (unsigned i = 0; i < 500 && seen != (1u << WORKERS) - 1u; i++)
		seen |= 1u << worker_of(&rig, &address, hello, sizeof hello);
	assert_int_equal(seen, (1u << WORKERS) - 1u);
	wt_rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_goes_where_its_path_says),
		cmocka_unit_test(a_record_without_a_path_is_lost),
		cmocka_unit_test(any_address_is_refused_with_reason),
		cmocka_unit_test(listening_is_all_or_nothing),
		cmocka_unit_test(only_the_remote_is_heard),
		cmocka_unit_test(a_port_that_nobody_listens_on_ends_nothing),
		cmocka_unit_test(the_core_may_close_when_told_readable),
		cmocka_unit_test(what_is_too_short_hides_nothing),
		cmocka_unit_test(many_datagrams),
		cmocka_unit_test(datagrams_go_to_the_worker_of_their_index),
		/* In network namespaces of their own. */
		cmocka_unit_test(what_cannot_be_sent_is_lost),
		cmocka_unit_test(a_full_buffer_is_told_once),
		cmocka_unit_test(a_full_take_is_not_followed_by_writable),
		cmocka_unit_test(a_close_gives_back_what_is_held),
	};

	return cmocka_run_group_tests_name("template_datagram", tests, NULL, NULL);
}
