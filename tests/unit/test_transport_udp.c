/* SPDX-License-Identifier: MIT
 *
 * transport-udp: listening, dialling, and which path an answer takes.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/child.h"
#include "support/udp_rig.h"

static const struct wt_loop_config no_listen = { .listen_count = 0 };

static struct wt_loop_config one_address(struct sockaddr_storage address)
{
	return (struct wt_loop_config){ .listen = { address }, .listen_count = 1 };
}

/* The port is at the same place in both families. */
static in_port_t *port_of(struct sockaddr_storage *address)
{
	return &((struct sockaddr_in *)address)->sin_port;
}

static enum wt_status listen_once(struct wt_rig *rig, struct wt_error *err)
{
	return rig->ops->listen(rig->self, wt_loop_host_worker(rig->host), err);
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof value;

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

/* ---- the descriptor */

static void it_says_what_it_is(void **state)
{
	struct wt_rig rig;

	(void)state;
	wt_rig_open(&rig, "udp", &no_listen);
	assert_int_equal(rig.plugin->kind, WT_KIND_TRANSPORT);
	assert_string_equal(rig.plugin->name, "udp");
	assert_int_equal(rig.ops->mode, WT_CHANNEL_DATAGRAM);
	assert_int_equal(rig.ops->headroom, 0);
	assert_int_equal(rig.ops->overhead_ipv4, 28);
	assert_int_equal(rig.ops->overhead_ipv6, 48);
	assert_null(rig.ops->set_max_record);
	wt_rig_close(&rig);
}

/* ---- listening */

static void each_address_is_a_link(void **state)
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
	wt_rig_open(&rig, "udp", &config);
	/* Inside listen(). */
	assert_int_equal(rig.host->accepted, config.listen_count);
	for (size_t i = 0; i < config.listen_count; i++) {
		struct wt_source source = { .struct_size = sizeof source };
		struct sockaddr_storage address = wt_rig_address(&rig, i), said;
		struct wt_loop_conn *conn = &rig.host->conns[i];
		char text[64];

		/* Nobody is there; the text is for logs. */
		rig.ops->source(rig.self, wt_loop_host_worker(rig.host), conn->tconn, NULL,
				&source);
		snprintf(text, sizeof text, "%s:%u",
			 i == 0	  ? "127.0.0.1"
			 : i == 1 ? "127.0.0.2"
				  : "[::1]",
			 ntohs(*port_of(&address)));
		assert_string_equal(source.text, text);
		assert_int_equal(source.token_len, 0);
		assert_int_equal(source.prefix_len, 0);
		assert_int_equal(rig.ops->local_address(rig.self, wt_loop_host_worker(rig.host),
							conn->tconn, NULL, &said),
				 WT_OK);
		assert_memory_equal(&said, &address, wt_rig_len(&address));
	}
	wt_rig_close(&rig);
}

static void a_link_that_the_core_refuses_is_closed(void **state)
{
	struct wt_loop_config config = one_address(wt_rig_ipv4("127.0.0.1", 0));
	struct wt_error err = { .struct_size = sizeof err };
	struct wt_rig rig;

	(void)state;
	assert_int_equal(wt_rig_create(&rig, "udp", &config, &err), WT_OK);
	rig.host->accept = WT_ERR_LIMIT;
	assert_int_equal(listen_once(&rig, &err), WT_ERR_LIMIT);
	/* wt_rig_close sees that nothing of it is left. */
	wt_rig_close(&rig);
}

static int no_descriptors(void)
{
	struct wt_loop_config config = one_address(wt_rig_ipv4("127.0.0.1", 0));
	struct sockaddr_storage remote = wt_rig_ipv4("127.0.0.1", 9);
	struct wt_error err = { .struct_size = sizeof err };
	struct rlimit limit;
	void *tconn = NULL;
	struct wt_rig rig;

	if (wt_rig_create(&rig, "udp", &config, &err) != WT_OK)
		return __LINE__;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return __LINE__;
	limit.rlim_cur = 0;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		return __LINE__;
	if (listen_once(&rig, &err) != WT_ERR_NOMEM || !strstr(err.text, "UDP") ||
	    !strstr(err.text, "ulimit -n"))
		return __LINE__;
	err.text[0] = '\0';
	if (rig.ops->dial(rig.self, wt_loop_host_worker(rig.host), (struct sockaddr *)&remote,
			  wt_rig_len(&remote), NULL, NULL, &tconn, &err) != WT_ERR_NOMEM ||
	    !strstr(err.text, "ulimit -n"))
		return __LINE__;
	return 0;
}

static void want_of_descriptors_is_said(void **state)
{
	(void)state;
	wt_in_child(no_descriptors);
}

/* ---- options */

static void a_socket_has_its_options(void **state)
{
	struct wt_loop_config config = {
		.listen = { wt_rig_ipv4("127.0.0.1", 0), wt_rig_ipv6("::1", 0) },
		.listen_count = wt_rig_has_ipv6() ? 2 : 1,
		.send_buffer = 64,
		.recv_buffer = 128,
	};
	struct wt_rig rig;

	(void)state;
	wt_rig_open(&rig, "udp", &config);
	for (size_t i = 0; i < config.listen_count; i++) {
		int fd = wt_loop_host_fd(rig.host, i);

		/* Below every system's limit. */
		assert_int_equal(option(fd, SOL_SOCKET, SO_SNDBUF), 64 * 1024);
		assert_int_equal(option(fd, SOL_SOCKET, SO_RCVBUF), 128 * 1024);
		assert_int_equal(option(fd, SOL_SOCKET, SO_REUSEPORT), 0);
		assert_int_equal(option(fd, IPPROTO_UDP, UDP_GRO), 1);
		if (i == 0) {
			assert_int_equal(option(fd, IPPROTO_IP, IP_MTU_DISCOVER),
					 IP_PMTUDISC_PROBE);
			assert_int_equal(option(fd, IPPROTO_IP, IP_PKTINFO), 1);
			assert_int_equal(option(fd, IPPROTO_IP, IP_RECVERR), 0);
		} else {
			assert_int_equal(option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER),
					 IPV6_PMTUDISC_PROBE);
			assert_int_equal(option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO), 1);
			assert_int_equal(option(fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
			assert_int_equal(option(fd, IPPROTO_IPV6, IPV6_RECVERR), 0);
		}
	}
	wt_rig_close(&rig);
}

/* ---- dialling */

static void a_dial_sends_nothing(void **state)
{
	struct wt_source source = { .struct_size = sizeof source };
	struct sockaddr_storage address = wt_rig_ipv4("127.0.0.1", 0), ours;
	int peer = wt_udp_rig_socket(&address);
	struct wt_rig rig;
	char text[32];

	(void)state;
	wt_rig_open(&rig, "udp", &no_listen);

	struct wt_loop_conn *conn = wt_rig_dial(&rig, &address);

	WT_LOOP_UNTIL(rig.host, conn->connected);
	assert_true(wt_udp_rig_is_quiet(peer));
	wt_loop_host_turn(rig.host, 0);
	assert_int_equal(conn->connected, 1);

	rig.ops->source(rig.self, wt_loop_host_worker(rig.host), conn->tconn, NULL, &source);
	snprintf(text, sizeof text, "127.0.0.1:%u", ntohs(*port_of(&address)));
	assert_string_equal(source.text, text);
	assert_int_equal(source.token_len, 7);
	assert_int_equal(source.prefix_len, 5);
	/* The route's address, and the socket's own port. */
	assert_int_equal(rig.ops->local_address(rig.self, wt_loop_host_worker(rig.host),
						conn->tconn, NULL, &ours),
			 WT_OK);
	assert_int_equal(((struct sockaddr_in *)&ours)->sin_addr.s_addr, htonl(INADDR_LOOPBACK));

	struct sockaddr_storage bound = wt_rig_address(&rig, 0);

	assert_int_equal(*port_of(&bound), *port_of(&ours));
	assert_int_not_equal(*port_of(&ours), 0);
	close(peer);
	wt_rig_close(&rig);
}

static void what_is_no_address_is_refused(void **state)
{
	struct sockaddr_storage address = { .ss_family = AF_UNIX };
	struct wt_error err = { .struct_size = sizeof err };
	struct wt_rig rig;
	void *tconn = NULL;

	(void)state;
	wt_rig_open(&rig, "udp", &no_listen);
	assert_int_equal(rig.ops->dial(rig.self, wt_loop_host_worker(rig.host),
				       (struct sockaddr *)&address, sizeof address, NULL, NULL,
				       &tconn, &err),
			 WT_ERR_INVALID);
	WT_RIG_HAS(err.text, "IPv4");
	wt_rig_close(&rig);
}

static void a_full_event_loop_fails_the_dial(void **state)
{
	struct sockaddr_storage remote = wt_rig_ipv4("127.0.0.1", 9);
	struct wt_rig rig;

	(void)state;
	wt_rig_open(&rig, "udp", &no_listen);
	for (int allowance = 0; allowance < 3; allowance++) {
		struct wt_error err = { .struct_size = sizeof err };
		void *tconn = NULL;

		rig.host->allowance = allowance;
		assert_int_equal(rig.ops->dial(rig.self, wt_loop_host_worker(rig.host),
					       (struct sockaddr *)&remote, wt_rig_len(&remote),
					       NULL, NULL, &tconn, &err),
				 WT_ERR_NOMEM);
		WT_RIG_HAS(err.text, "out of memory");
	}
	wt_rig_close(&rig);
}

/* ---- paths */

/* Ask `at`, from a plain socket, and answer by the path that this gave. */
static struct wt_path exchange(struct wt_rig *rig, struct wt_loop_conn *conn,
			       const struct sockaddr_storage *at, struct sockaddr_storage *from,
			       uint32_t number)
{
	struct sockaddr_storage answered = { .ss_family = AF_UNSPEC };
	struct wt_udp_reader reader = { .n = 4, .next = number };
	int peer = wt_udp_rig_socket(from);
	uint8_t bytes[2000];

	wt_udp_reader_start(&reader, rig, conn);
	wt_rig_fill(bytes, 1000, number);
	wt_udp_rig_throw(peer, at, bytes, 1000, 0);
	WT_LOOP_UNTIL(rig->host, reader.next == number + 1);

	struct wt_record answer = wt_rig_record(rig, 1000, number);

	answer.path = reader.path;
	wt_udp_rig_send_all(rig, conn, &answer, 1);
	assert_int_equal(wt_udp_rig_catch(peer, bytes, sizeof bytes, &answered), 1000);
	/* From where it was asked, not from where the kernel would. */
	assert_memory_equal(&answered, at, wt_rig_len(at));
	/* And so by the way for strangers. */
	answered.ss_family = AF_UNSPEC;
	assert_int_equal(
		rig->ops->answer(rig->self, conn->worker, conn->tconn, &reader.path, bytes, 300),
		WT_OK);
	assert_int_equal(wt_udp_rig_catch(peer, bytes, sizeof bytes, &answered), 300);
	assert_memory_equal(&answered, at, wt_rig_len(at));
	close(peer);
	conn->on_readable = NULL;
	return reader.path;
}

static void check_path(struct wt_rig *rig, struct wt_loop_conn *conn, const struct wt_path *path,
		       struct sockaddr_storage *from, struct sockaddr_storage *at, const char *host,
		       uint16_t token_len, uint16_t prefix_len)
{
	struct wt_source source = { .struct_size = sizeof source };
	struct sockaddr_storage local;
	char text[64];

	rig->ops->source(rig->self, wt_loop_host_worker(rig->host), conn->tconn, path, &source);
	snprintf(text, sizeof text, "%s:%u", host, ntohs(*port_of(from)));
	assert_string_equal(source.text, text);
	assert_int_equal(source.token_len, token_len);
	assert_int_equal(source.prefix_len, prefix_len);
	assert_int_equal(rig->ops->local_address(rig->self, wt_loop_host_worker(rig->host),
						 conn->tconn, path, &local),
			 WT_OK);
	assert_memory_equal(&local, at, wt_rig_len(at));
	/* The loopback's MTU is 65536 unless somebody changed it. */
	assert_in_range(
		rig->ops->max_record(rig->self, wt_loop_host_worker(rig->host), conn->tconn, path),
		1232, 65507);
}

static void an_answer_leaves_from_where_it_was_asked(void **state)
{
	struct wt_loop_config config = {
		.listen = { wt_rig_ipv4("0.0.0.0", 0), wt_rig_ipv6("::", 0) },
		.listen_count = wt_rig_has_ipv6() ? 2 : 1,
	};
	struct sockaddr_storage from = wt_rig_ipv4("127.0.0.9", 0), at = from;
	struct wt_path one, two, again;
	struct wt_rig rig;

	(void)state;
	wt_rig_open(&rig, "udp", &config);

	struct sockaddr_storage bound = wt_rig_address(&rig, 0);
	struct wt_loop_conn *conn = &rig.host->conns[0];

	at = wt_rig_ipv4("127.0.0.1", ntohs(*port_of(&bound)));
	one = exchange(&rig, conn, &at, &from, 3);
	check_path(&rig, conn, &one, &from, &at, "127.0.0.9", 7, 5);
	at = wt_rig_ipv4("127.0.0.7", ntohs(*port_of(&bound)));
	two = exchange(&rig, conn, &at, &from, 4);
	check_path(&rig, conn, &two, &from, &at, "127.0.0.9", 7, 5);
	/* Another path, since this end is another; the same is the same bytes. */
	assert_memory_not_equal(&one, &two, sizeof one);
	again = exchange(&rig, conn, &at, &from, 5);
	assert_memory_equal(&again, &two, sizeof two);
	if (config.listen_count == 2) {
		bound = wt_rig_address(&rig, 1);
		from = wt_rig_ipv6("::1", 0);
		at = wt_rig_ipv6("::1", ntohs(*port_of(&bound)));
		one = exchange(&rig, &rig.host->conns[1], &at, &from, 6);
		check_path(&rig, &rig.host->conns[1], &one, &from, &at, "[::1]", 19, 9);
	} else {
		print_message("no ::1 here: IPv6 is left out\n");
	}
	wt_rig_close(&rig);
}

/* Equal records are a run only on one path. */
static void each_path_has_its_own_run(void **state)
{
	enum { PEERS = 3, EACH = 5 };
	struct sockaddr_storage at, from[PEERS];
	struct wt_record records[PEERS * EACH];
	struct wt_path paths[PEERS];
	int peers[PEERS];
	struct wt_rig rig;

	(void)state;
	wt_rig_open(&rig, "udp", NULL);
	at = wt_rig_address(&rig, 0);
	for (uint32_t i = 0; i < PEERS; i++) {
		from[i] = wt_rig_ipv4("127.0.0.1", 0);
		paths[i] = exchange(&rig, &rig.host->conns[0], &at, &from[i], 0);
		peers[i] = wt_udp_rig_socket(&from[i]);
	}
	for (uint32_t i = 0; i < PEERS * EACH; i++) {
		records[i] = wt_rig_record(&rig, 1000, i);
		records[i].path = paths[i / EACH];
	}
	wt_udp_rig_send_all(&rig, &rig.host->conns[0], records, PEERS * EACH);
	for (uint32_t i = 0; i < PEERS; i++) {
		wt_udp_rig_catch_run(peers[i], EACH * 1000, 1000, i * EACH);
		assert_true(wt_udp_rig_is_quiet(peers[i]));
		close(peers[i]);
	}
	/* All with one call. */
	assert_int_equal(wt_loop_host_counter(rig.host, "udp_gso_sends"), PEERS);
	assert_int_equal(wt_loop_host_counter(rig.host, "udp_tx_calls"), 2 * PEERS + 1);
	wt_rig_close(&rig);
}

/* ---- several workers */

enum { WORKERS = 3 };

/* Send `message` to the shared address: which worker's link has it? */
static uint32_t worker_of(struct wt_rig *rig, const uint8_t *message, size_t len)
{
	struct sockaddr_storage at = wt_rig_address(rig, 0), from = wt_rig_ipv4("127.0.0.1", 0);
	int peer = wt_udp_rig_socket(&from);
	uint32_t heard = 0;

	wt_udp_rig_throw(peer, &at, message, len, 0);
	close(peer);
	while (heard == 0) {
		wt_loop_host_turn(rig->host, 20);
		for (uint32_t i = 0; i < WORKERS; i++)
			heard += rig->host->conns[i].readable > 0;
	}
	assert_int_equal(heard, 1);
	for (uint32_t i = 0; i < WORKERS; i++) {
		struct wt_loop_conn *conn = &rig->host->conns[i];
		struct wt_record record;
		size_t got;

		if (conn->readable == 0)
			continue;
		conn->readable = 0;
		assert_int_equal(wt_rig_recv(rig, conn, &record, 1, &got), WT_OK);
		assert_int_equal(record.len, len);
		assert_memory_equal(record.data, message, len);
		assert_int_equal(wt_rig_recv(rig, conn, &record, 1, &got), WT_AGAIN);
		assert_ptr_equal(conn->worker, wt_loop_host_worker_at(rig->host, i));
		return i;
	}
	return WORKERS;
}

static void datagrams_go_to_the_worker_of_their_index(void **state)
{
	static const uint8_t hello[16] = { 1, 1, 1, 1 };
	struct wt_loop_config config = one_address(wt_rig_ipv4("127.0.0.1", 0));
	struct wt_error err = { .struct_size = sizeof err };
	uint32_t seen = 0;
	struct wt_rig rig;

	(void)state;
	config.workers = WORKERS;
	assert_int_equal(wt_rig_create(&rig, "udp", &config, &err), WT_OK);
	assert_int_equal(listen_once(&rig, &err), WT_OK);
	/* Once for each of them. */
	assert_int_equal(listen_once(&rig, &err), WT_ERR_INVALID);
	for (uint32_t i = 1; i < WORKERS; i++)
		assert_int_equal(
			rig.ops->listen(rig.self, wt_loop_host_worker_at(rig.host, i), &err),
			WT_OK);
	assert_int_equal(rig.host->accepted, WORKERS);
	for (uint32_t index = 1; index < 40; index++) {
		uint8_t message[32] = { 2, 1, 0, 0, 0x80, 0, 0, (uint8_t)index };

		assert_int_equal(worker_of(&rig, message, sizeof message),
				 (0x80000000u + index) % WORKERS);
	}
	/* A handshake has no index: by its source, to any. */
	for (unsigned i = 0; i < 500 && seen != (1u << WORKERS) - 1u; i++)
		seen |= 1u << worker_of(&rig, hello, sizeof hello);
	assert_int_equal(seen, (1u << WORKERS) - 1u);
	wt_rig_close(&rig);
}

/* A path in the form of plugins/transport-udp/path.h. */
static struct wt_path make_path(struct sockaddr_storage *remote, struct sockaddr_storage *local)
{
	struct wt_path path = { .bytes = { 4 } };

	memcpy(path.bytes + 2, port_of(remote), 2);
	memcpy(path.bytes + 8, &((struct sockaddr_in *)remote)->sin_addr, 4);
	if (local)
		memcpy(path.bytes + 24, &((struct sockaddr_in *)local)->sin_addr, 4);
	return path;
}

/* By whatever socket, each worker answers from the address that it shares. */
static void every_worker_answers_strangers(void **state)
{
	struct wt_loop_config config = one_address(wt_rig_ipv4("127.0.0.1", 0));
	struct wt_rig rig;

	(void)state;
	config.workers = WORKERS;
	wt_rig_open(&rig, "udp", &config);

	struct sockaddr_storage at = wt_rig_address(&rig, 0);

	for (uint32_t i = 0; i < WORKERS; i++) {
		struct sockaddr_storage from = wt_rig_ipv4("127.0.0.1", 0), answered = from;
		int peer = wt_udp_rig_socket(&from);
		const struct wt_path path = make_path(&from, &at);
		uint8_t bytes[100] = { 0 };

		assert_int_equal(rig.ops->answer(rig.self, wt_loop_host_worker_at(rig.host, i),
						 rig.host->conns[i].tconn, &path, bytes, 72),
				 WT_OK);
		assert_int_equal(wt_udp_rig_catch(peer, bytes, sizeof bytes, &answered), 72);
		assert_memory_equal(&answered, &at, wt_rig_len(&at));
		close(peer);
	}
	wt_rig_close(&rig);
}

static void only_who_asked_a_listening_socket_is_answered_so(void **state)
{
	static const uint8_t message[72] = { 1, 1 };
	const struct wt_path nobody = { .bytes = { 0 } };
	struct sockaddr_storage remote = wt_rig_ipv4("127.0.0.1", 0);
	int peer = wt_udp_rig_socket(&remote);
	struct wt_path path;
	struct wt_rig rig;

	(void)state;
	wt_rig_open(&rig, "udp", NULL);

	struct sockaddr_storage at = wt_rig_address(&rig, 0);
	struct wt_loop_conn *dialled = wt_rig_dial(&rig, &remote);

	path = make_path(&remote, &at);
	assert_int_equal(rig.ops->answer(rig.self, dialled->worker, dialled->tconn, &path, message,
					 sizeof message),
			 WT_ERR_UNSUPPORTED);
	assert_int_equal(rig.ops->answer(rig.self, rig.host->conns[0].worker,
					 rig.host->conns[0].tconn, &nobody, message,
					 sizeof message),
			 WT_ERR_INVALID);
	/* Its own address is not known: the listening socket lets the kernel choose. */
	path = make_path(&remote, NULL);
	assert_int_equal(rig.ops->answer(rig.self, rig.host->conns[0].worker,
					 rig.host->conns[0].tconn, &path, message, sizeof message),
			 WT_ERR_UNSUPPORTED);
	assert_true(wt_udp_rig_is_quiet(peer));
	close(peer);
	wt_rig_close(&rig);
}

/* The socket for answers shares the address: nobody else may. */
static void nobody_takes_part_in_the_address(void **state)
{
	(void)state;
	for (uint32_t workers = 1; workers <= 2; workers++) {
		struct wt_loop_config config = one_address(wt_rig_ipv4("127.0.0.1", 0));
		const int on = 1;
		struct wt_rig rig;

		config.workers = workers;
		wt_rig_open(&rig, "udp", &config);

		struct sockaddr_storage at = wt_rig_address(&rig, 0);
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
		assert_int_equal(bind(fd, (struct sockaddr *)&at, wt_rig_len(&at)), -1);
		assert_int_equal(errno, EADDRINUSE);
		close(fd);
		wt_rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_what_it_is),
		cmocka_unit_test(each_address_is_a_link),
		cmocka_unit_test(a_link_that_the_core_refuses_is_closed),
		cmocka_unit_test(want_of_descriptors_is_said),
		cmocka_unit_test(a_socket_has_its_options),
		cmocka_unit_test(a_dial_sends_nothing),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(a_full_event_loop_fails_the_dial),
		cmocka_unit_test(an_answer_leaves_from_where_it_was_asked),
		cmocka_unit_test(each_path_has_its_own_run),
		cmocka_unit_test(datagrams_go_to_the_worker_of_their_index),
		cmocka_unit_test(every_worker_answers_strangers),
		cmocka_unit_test(only_who_asked_a_listening_socket_is_answered_so),
		cmocka_unit_test(nobody_takes_part_in_the_address),
	};

	return cmocka_run_group_tests_name("transport_udp", tests, NULL, NULL);
}
