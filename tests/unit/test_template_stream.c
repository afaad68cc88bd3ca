/* SPDX-License-Identifier: MIT
 *
 * The stream transport that `wtplug new` writes, on a loop host: what the kernel
 * can do to a connection, and who owns what when. It writes what transport-tcp
 * does, so that tcp_rig's frames are its own.
 */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/child.h"
#include "support/tcp_rig.h"

#define NARROW (64 * 1024) /* bytes: a few long records fill the way */

static const struct wt_loop_config no_listen = { .listen_count = 0 };

/* One connection of the plugin's that reads, and a socket at its other end. */
struct end {
	struct wt_rig rig;
	struct wt_loop_conn *conn;
	struct wt_tcp_reader reader;
	int peer;
};

static void start(struct end *end, uint32_t max, size_t n)
{
	*end = (struct end){ .peer = -1 };
	wt_rig_open(&end->rig, "stream", &no_listen);
	end->conn = wt_tcp_rig_pair(&end->rig, &end->peer);
	end->reader = (struct wt_tcp_reader){ .rig = &end->rig, .n = n };
	if (max != WT_UNAUTHENTICATED_MAX)
		wt_tcp_rig_set_max(&end->rig, end->conn, max);
	wt_tcp_reader_start(&end->reader, end->conn);
}

static void stop(struct end *end)
{
	if (end->peer >= 0)
		close(end->peer);
	wt_rig_close(&end->rig);
}

/* Nothing that nobody waits for keeps the loop awake. */
static void rests(struct wt_loop_host *host)
{
	unsigned wakeups = host->wakeups;

	for (int turn = 0; turn < 3; turn++)
		wt_loop_host_turn(host, 2);
	assert_int_equal(host->wakeups, wakeups);
}

/* ---- receiving */

static void split_at_every_byte(void **state)
{
	uint8_t bytes[256];
	size_t len = wt_tcp_rig_frame(bytes, 8, 0);
	struct end end;

	(void)state;
	len += wt_tcp_rig_frame(bytes + len, 100, 1);
	for (size_t at = 1; at < len; at++) {
		start(&end, WT_UNAUTHENTICATED_MAX, 4);
		wt_tcp_rig_write(end.peer, bytes, at);
		WT_LOOP_UNTIL(end.rig.host, end.conn->readable);
		wt_tcp_rig_write(end.peer, bytes + at, len - at);
		WT_LOOP_UNTIL(end.rig.host, end.reader.next == 2);
		stop(&end);
	}
}

/* One report is enough, also for what the kernel no longer holds. */
static void many_records_in_one_write(void **state)
{
	enum { RECORDS = 50 };
	uint8_t bytes[RECORDS * 64];
	size_t len = 0;
	struct end end;

	(void)state;
	start(&end, WT_UNAUTHENTICATED_MAX, 1);
	for (uint32_t i = 0; i < RECORDS; i++)
		len += wt_tcp_rig_frame(bytes + len, 40, i);
	wt_tcp_rig_write(end.peer, bytes, len);
	WT_LOOP_UNTIL(end.rig.host, end.reader.next == RECORDS);
	assert_int_equal(end.reader.status, WT_AGAIN);
	rests(end.rig.host);
	stop(&end);
}

static void only_lengths_in_range_are_records(void **state)
{
	static const struct {
		uint32_t max, len;
		enum wt_status status;
	} cases[] = {
		{ WT_UNAUTHENTICATED_MAX, 0, WT_ERR_LIMIT },
		{ WT_UNAUTHENTICATED_MAX, 7, WT_ERR_LIMIT },
		{ WT_UNAUTHENTICATED_MAX, 8, WT_AGAIN },
		{ WT_UNAUTHENTICATED_MAX, WT_UNAUTHENTICATED_MAX, WT_AGAIN },
		{ WT_UNAUTHENTICATED_MAX, WT_UNAUTHENTICATED_MAX + 1, WT_ERR_LIMIT },
		{ WT_RECORD_MAX, WT_RECORD_MAX, WT_AGAIN },
		{ WT_RECORD_MAX, WT_RECORD_MAX + 1, WT_ERR_LIMIT },
		{ UINT32_MAX, WT_RECORD_MAX + 1, WT_ERR_LIMIT },
		{ WT_RECORD_MAX, UINT32_MAX, WT_ERR_LIMIT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const uint32_t length = htonl(cases[i].len);
		uint8_t first[64];
		struct end end;

		start(&end, cases[i].max, 4);
		wt_tcp_rig_write(end.peer, first, wt_tcp_rig_frame(first, 40, 0));
		wt_tcp_rig_write(end.peer, &length, sizeof length);
		WT_LOOP_UNTIL(end.rig.host,
			      end.reader.next == 1 && end.reader.status == cases[i].status);
		assert_int_equal(wt_loop_host_counter(end.rig.host, "stream_bad_length") > 0,
				 cases[i].status == WT_ERR_LIMIT);
		stop(&end);
	}
}

/* Raised while the core still reads the record before it, as after a handshake. */
static void the_limit_may_rise_between_two_records(void **state)
{
	uint8_t bytes[4096];
	size_t len = wt_tcp_rig_frame(bytes, 100, 0), got;
	struct wt_record record;
	struct end end;

	(void)state;
	start(&end, WT_UNAUTHENTICATED_MAX, 1);
	end.conn->on_readable = NULL;
	len += wt_tcp_rig_frame(bytes + len, 3000, 1);
	wt_tcp_rig_write(end.peer, bytes, len);
	WT_LOOP_UNTIL(end.rig.host, end.conn->readable);
	assert_int_equal(wt_rig_recv(&end.rig, end.conn, &record, 1, &got), WT_OK);
	wt_tcp_rig_set_max(&end.rig, end.conn, WT_RECORD_MAX);
	wt_rig_check(record.data, 100, 0);
	while (wt_rig_recv(&end.rig, end.conn, &record, 1, &got) == WT_AGAIN)
		wt_loop_host_turn(end.rig.host, 20);
	assert_int_equal(record.len, 3000);
	wt_rig_check(record.data, 3000, 1);
	stop(&end);
}

static uint32_t mixed(uint32_t number)
{
	return number % 3 == 0 ? WT_RECORD_MAX - number : WT_MESSAGE_HEADER + number * 7;
}

/* ---- sending: a connection to itself */

struct carrier {
	struct wt_rig rig;
	struct wt_loop_conn *out, *in;
	struct wt_tcp_reader reader;
	uint32_t sent, wanted;
	unsigned shorts;
};

/* Offer records until one is not taken or there are no more. */
static void offer(struct carrier *c)
{
	const struct wt_host *host = wt_loop_host_table(c->rig.host);

	while (c->sent < c->wanted) {
		struct wt_record records[3];
		size_t n = c->wanted - c->sent < 3 ? c->wanted - c->sent : 3, taken;

		for (uint32_t i = 0; i < n; i++)
			records[i] = wt_rig_record(&c->rig, mixed(c->sent + i), c->sent + i);
		assert_int_equal(wt_rig_send(&c->rig, c->out, records, n, &taken), WT_OK);
		for (size_t i = taken; i < n; i++)
			host->slot_done(host, c->out->worker, records[i].slot);
		c->sent += (uint32_t)taken;
		/* At most the partly written one is kept. */
		assert_in_range(c->rig.host->slots_out, 0, 1);
		if (taken < n) {
			c->shorts++;
			return;
		}
	}
}

static void offer_more(struct wt_loop_conn *conn)
{
	offer(conn->arg);
}

static void connect_to_itself(struct carrier *c, struct sockaddr_storage address)
{
	struct wt_loop_config config = { .listen = { address }, .listen_count = 1 };
	const int narrow = NARROW;

	*c = (struct carrier){ .sent = 0 };
	wt_rig_open(&c->rig, "stream", &config);
	address = wt_rig_address(&c->rig, 0);
	c->out = wt_rig_dial(&c->rig, &address);
	WT_LOOP_UNTIL(c->rig.host, c->out->connected && c->rig.host->accepted == 1);
	c->in = &c->rig.host->conns[1];
	assert_int_equal(setsockopt(wt_loop_host_fd(c->rig.host, 1), SOL_SOCKET, SO_SNDBUF, &narrow,
				    sizeof narrow),
			 0);
	c->reader = (struct wt_tcp_reader){ .rig = &c->rig, .n = 4, .len = mixed };
	c->out->arg = c;
	c->out->on_writable = offer_more;
}

/* One long record after the other, each taken, until one is partly written. */
static void begin_a_record(struct carrier *c)
{
	while (c->rig.host->slots_out == 0) {
		struct wt_record record = wt_rig_record(&c->rig, WT_RECORD_MAX, c->sent++);
		size_t taken;

		assert_int_equal(wt_rig_send(&c->rig, c->out, &record, 1, &taken), WT_OK);
		assert_int_equal(taken, 1);
	}
}

static void back_pressure(void **state)
{
	struct carrier c;
	size_t taken;

	(void)state;
	connect_to_itself(&c, wt_rig_ipv4("127.0.0.1", 0));
	c.wanted = 300;
	/* Nobody reads yet: the way fills up, and says nothing more. */
	offer(&c);
	for (int i = 0; i < 30; i++)
		wt_loop_host_turn(c.rig.host, 5);
	assert_in_range(c.sent, 1, c.wanted - 1);
	/* Asked again while it is full: nothing is taken, still one report is due. */
	offer(&c);
	c.shorts--;
	assert_int_equal(wt_rig_send(&c.rig, c.out, NULL, 0, &taken), WT_OK);
	wt_tcp_rig_set_max(&c.rig, c.in, WT_RECORD_MAX);
	wt_tcp_reader_start(&c.reader, c.in);
	WT_LOOP_UNTIL(c.rig.host, c.reader.next == c.wanted);
	assert_int_equal(c.out->writable, c.shorts);
	assert_true(c.shorts > 3);
	assert_int_equal(c.rig.host->slots_out, 0);
	/* Nothing is refused from now on, so the rest leaves without a report. */
	c.out->on_writable = NULL;
	c.out->writable = 0;
	c.reader.len = NULL;
	begin_a_record(&c);
	WT_LOOP_UNTIL(c.rig.host, c.reader.next == c.sent && c.rig.host->slots_out == 0);
	rests(c.rig.host);
	assert_int_equal(c.out->writable, 0);
	wt_rig_close(&c.rig);
}

static void a_close_gives_back_the_record_that_was_begun(void **state)
{
	(void)state;
	for (int abort = 0; abort < 2; abort++) {
		struct carrier c;

		connect_to_itself(&c, wt_rig_ipv4("127.0.0.1", 0));
		begin_a_record(&c);
		wt_rig_close_conn(&c.rig, c.out, abort);
		assert_int_equal(c.rig.host->slots_out, 0);
		wt_rig_close(&c.rig);
	}
}

static void close_conn(struct wt_loop_conn *conn)
{
	wt_rig_close_conn(conn->arg, conn, false);
}

static void close_reader(struct wt_loop_conn *conn)
{
	struct wt_tcp_reader *reader = conn->arg;

	wt_rig_close_conn(reader->rig, conn, false);
}

static void the_core_may_close_inside_a_report(void **state)
{
	uint8_t frame[64];
	struct carrier c;
	struct end end;

	(void)state;
	start(&end, WT_UNAUTHENTICATED_MAX, 1);
	end.conn->arg = &end.rig;
	end.conn->on_readable = close_conn;
	wt_tcp_rig_write(end.peer, frame, wt_tcp_rig_frame(frame, 40, 0));
	WT_LOOP_UNTIL(end.rig.host, end.conn->closed);
	stop(&end);

	start(&end, WT_UNAUTHENTICATED_MAX, 1);
	close(end.peer);
	end.peer = -1;
	end.conn->on_ended = close_reader;
	WT_LOOP_UNTIL(end.rig.host, end.conn->closed);
	assert_int_equal(end.reader.status, WT_ERR_CLOSED);
	stop(&end);

	connect_to_itself(&c, wt_rig_ipv4("127.0.0.1", 0));
	c.wanted = 300;
	offer(&c);
	c.out->arg = &c.rig;
	c.out->on_writable = close_conn;
	wt_tcp_rig_set_max(&c.rig, c.in, WT_RECORD_MAX);
	wt_tcp_reader_start(&c.reader, c.in);
	WT_LOOP_UNTIL(c.rig.host, c.out->closed && c.in->ended);
	wt_rig_close(&c.rig);
}

/* ---- ends */

static void an_end_is_told_in_words_after_the_last_record(void **state)
{
	static const struct {
		bool reset;
		size_t extra; /* bytes of one more record */
		const char *text;
	} cases[] = {
		{ false, 0, "closed by the other end" },
		{ false, 2, "closed by the other end in the middle of a record" },
		{ false, 20, "closed by the other end in the middle of a record" },
		{ true, 0, "Connection reset by peer" },
		{ true, 20, "Connection reset by peer in the middle of a record" },
	};
	const struct linger reset = { .l_onoff = 1 };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint8_t bytes[128];
		size_t len = wt_tcp_rig_frame(bytes, 40, 0);
		struct end end;

		start(&end, WT_UNAUTHENTICATED_MAX, 1);
		wt_tcp_rig_frame(bytes + len, 40, 1);
		wt_tcp_rig_write(end.peer, bytes, len + cases[i].extra);
		if (cases[i].reset)
			assert_int_equal(
				setsockopt(end.peer, SOL_SOCKET, SO_LINGER, &reset, sizeof reset),
				0);
		close(end.peer);
		end.peer = -1;
		WT_LOOP_UNTIL(end.rig.host, end.conn->ended);
		assert_int_equal(end.reader.next, 1);
		assert_string_equal(end.conn->text, cases[i].text);
		assert_int_equal(end.conn->why, end.reader.status);
		stop(&end);
	}
}

/* What met the end first is a send: what came in before it is still delivered. */
static void a_failed_send_loses_nothing_that_came(void **state)
{
	uint8_t frame[64];
	size_t taken;
	struct end end;

	(void)state;
	start(&end, WT_UNAUTHENTICATED_MAX, 1);
	end.conn->on_readable = NULL;
	wt_tcp_rig_write(end.peer, frame, wt_tcp_rig_frame(frame, 40, 0));
	close(end.peer);
	end.peer = -1;
	for (enum wt_status status = WT_OK; status == WT_OK;) {
		struct wt_record record = wt_rig_record(&end.rig, 100, 0);

		status = wt_rig_send(&end.rig, end.conn, &record, 1, &taken);
		if (taken == 0)
			wt_loop_host_table(end.rig.host)
				->slot_done(wt_loop_host_table(end.rig.host), end.conn->worker,
					    record.slot);
		wt_loop_host_turn(end.rig.host, 1);
	}
	assert_int_equal(end.conn->ended, 0);
	assert_int_equal(end.rig.host->slots_out, 0);
	wt_tcp_reader_start(&end.reader, end.conn);
	WT_LOOP_UNTIL(end.rig.host, end.conn->ended);
	assert_int_equal(end.reader.next, 1);
	assert_string_equal(end.conn->text, "Broken pipe");
	stop(&end);
}

/* An error that leaves the connection as it was is its end all the same. */
static void any_failed_send_is_followed_by_the_end(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), taken;
	uint8_t *pages =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct end end;

	(void)state;
	assert_true(pages != MAP_FAILED);
	assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
	start(&end, WT_UNAUTHENTICATED_MAX, 1);

	/* Only its length can be read: a part of it goes out, and then the kernel refuses. */
	struct wt_record record = { .struct_size = sizeof record,
				    .len = 100,
				    .data = pages + page };

	(void)wt_rig_send(&end.rig, end.conn, &record, 1, &taken);
	WT_LOOP_UNTIL(end.rig.host, end.conn->ended);
	assert_string_equal(end.conn->text, "Bad address");
	munmap(pages, 2 * page);
	stop(&end);
}

static void close_is_orderly_and_abort_resets(void **state)
{
	uint8_t frame[128];
	size_t taken;
	struct end end;

	(void)state;
	for (int abort = 0; abort < 2; abort++) {
		start(&end, WT_UNAUTHENTICATED_MAX, 1);
		end.conn->on_readable = NULL;
		/* Never read: a plain close(2) would reset, and take the record along. */
		if (!abort) {
			wt_tcp_rig_write(end.peer, frame, wt_tcp_rig_frame(frame, 100, 0));
			WT_LOOP_UNTIL(end.rig.host, end.conn->readable);
		}

		struct wt_record record = wt_rig_record(&end.rig, 50, 9);

		assert_int_equal(wt_rig_send(&end.rig, end.conn, &record, 1, &taken), WT_OK);
		assert_int_equal(taken, 1);
		wt_rig_close_conn(&end.rig, end.conn, abort);
		assert_int_equal(wt_tcp_rig_end_of(end.peer), abort ? ECONNRESET : 0);
		stop(&end);
	}
}

/* ---- dialling */

static void a_refused_dial_says_so(void **state)
{
	struct sockaddr_storage address = wt_rig_ipv4("127.0.0.1", 0);
	int holder = wt_tcp_rig_listen_raw(&address);
	struct wt_rig rig;

	(void)state;
	close(holder);
	wt_rig_open(&rig, "stream", &no_listen);

	struct wt_loop_conn *conn = wt_rig_dial(&rig, &address);

	WT_LOOP_UNTIL(rig.host, conn->ended);
	assert_int_equal(conn->connected, 0);
	assert_string_equal(conn->text, "Connection refused");
	wt_rig_close(&rig);
}

static void a_full_event_loop_is_said(void **state)
{
	struct sockaddr_storage address = wt_rig_ipv4("127.0.0.1", 9);
	struct wt_loop_config config = { .listen = { wt_rig_ipv4("127.0.0.1", 0) },
					 .listen_count = 1 };
	struct wt_error err = { .struct_size = sizeof err };
	struct wt_rig rig;
	void *tconn = NULL;

	(void)state;
	assert_int_equal(wt_rig_create(&rig, "stream", &config, &err), WT_OK);
	for (int allowance = 0; allowance < 2; allowance++) {
		struct wt_worker *worker = wt_loop_host_worker(rig.host);

		rig.host->allowance = allowance;
		assert_int_equal(rig.ops->dial(rig.self, worker, (struct sockaddr *)&address,
					       wt_rig_len(&address), NULL, NULL, &tconn, &err),
				 WT_ERR_NOMEM);
		assert_null(tconn);
		rig.host->allowance = allowance;
		assert_int_equal(rig.ops->listen(rig.self, worker, &err), WT_ERR_NOMEM);
	}
	wt_rig_close(&rig);
}

/* ---- listening */

static void both_families(void **state)
{
	struct sockaddr_storage local = { .ss_family = AF_UNSPEC };
	struct wt_source source = { .struct_size = sizeof source };
	struct carrier c;

	(void)state;
	connect_to_itself(&c, wt_rig_ipv4("127.0.0.1", 0));
	c.rig.ops->source(c.rig.self, wt_loop_host_worker(c.rig.host), c.in->tconn, NULL, &source);
	assert_int_equal(source.token_len, 7);
	assert_int_equal(source.prefix_len, 5);
	assert_memory_equal(source.text, "127.0.0.1:", 10);
	wt_rig_close(&c.rig);
	if (!wt_rig_has_ipv6()) {
		print_message("no ::1 here: IPv6 is left out\n");
		return;
	}
	connect_to_itself(&c, wt_rig_ipv6("::1", 0));
	c.rig.ops->source(c.rig.self, wt_loop_host_worker(c.rig.host), c.in->tconn, NULL, &source);
	assert_int_equal(source.token_len, 19);
	assert_int_equal(source.prefix_len, 9);
	assert_memory_equal(source.text, "[::1]:", 6);
	assert_int_equal(c.rig.ops->local_address(c.rig.self, wt_loop_host_worker(c.rig.host),
						  c.in->tconn, NULL, &local),
			 WT_OK);
	assert_int_equal(local.ss_family, AF_INET6);
	wt_rig_close(&c.rig);
}

static void refuse_accepted(struct wt_rig *rig)
{
	struct sockaddr_storage address = wt_rig_address(rig, 0);
	int peer = wt_tcp_rig_connect_raw(&address);

	rig->host->accept = WT_ERR_LIMIT;
	while (recv(peer, NULL, 0, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN)
		wt_loop_host_turn(rig->host, 20);
	close(peer);
	rig->host->accept = WT_OK;
}

static void what_the_core_refuses_is_closed(void **state)
{
	struct wt_rig rig;

	(void)state;
	wt_rig_open(&rig, "stream", NULL);
	refuse_accepted(&rig);
	assert_int_equal(rig.host->conn_count, 0);
	wt_rig_close(&rig);
}

static void listening_is_all_or_nothing(void **state)
{
	struct sockaddr_storage taken = wt_rig_ipv4("127.0.0.1", 0);
	int holder = wt_tcp_rig_listen_raw(&taken);
	struct wt_loop_config config = { .listen = { wt_rig_ipv4("127.0.0.1", 0), taken },
					 .listen_count = 2 };
	struct wt_error err = { .struct_size = sizeof err };
	struct wt_rig rig;

	(void)state;
	assert_int_equal(wt_rig_create(&rig, "stream", &config, &err), WT_OK);
	assert_int_equal(rig.ops->listen(rig.self, wt_loop_host_worker(rig.host), &err), WT_ERR_IO);
	WT_RIG_HAS(err.text, "listen = 127.0.0.1:");
	WT_RIG_HAS(err.text, "in use");
	wt_loop_host_turn(rig.host, 0);
	assert_int_equal(wt_loop_host_fd(rig.host, 0), -1);
	close(holder);
	assert_int_equal(rig.ops->listen(rig.self, wt_loop_host_worker(rig.host), &err), WT_OK);
	wt_rig_close(&rig);
}

static void any_ipv4_and_any_ipv6_share_a_port(void **state)
{
	struct sockaddr_storage any = wt_rig_ipv4("0.0.0.0", 0);
	int holder = wt_tcp_rig_listen_raw(&any);
	struct wt_loop_config config = { .listen = { any }, .listen_count = 2 };
	struct wt_rig rig;

	(void)state;
	close(holder);
	if (!wt_rig_has_ipv6()) {
		print_message("no ::1 here\n");
		skip();
	}
	config.listen[1] = wt_rig_ipv6("::", ntohs(((struct sockaddr_in *)&any)->sin_port));
	wt_rig_open(&rig, "stream", &config);
	wt_rig_close(&rig);
}

/* Each worker gets some of the connections; another daemon gets none. */
static void workers_share_the_address_with_nobody_else(void **state)
{
	struct sockaddr_storage address = wt_rig_ipv4("127.0.0.1", 0);
	int holder = wt_tcp_rig_listen_raw(&address), peers[100];
	struct wt_error err = { .struct_size = sizeof err };
	unsigned seen = 0, count = 0;
	struct wt_rig rig, other;

	(void)state;
	close(holder);

	struct wt_loop_config config = { .listen = { address }, .listen_count = 1, .workers = 3 };

	wt_rig_open(&rig, "stream", &config);
	assert_int_equal(wt_rig_create(&other, "stream", &config, &err), WT_OK);
	assert_int_equal(other.ops->listen(other.self, wt_loop_host_worker(other.host), &err),
			 WT_ERR_IO);
	WT_RIG_HAS(err.text, "in use");
	wt_rig_close(&other);
	while (seen != 7 && count < sizeof peers / sizeof peers[0]) {
		peers[count++] = wt_tcp_rig_connect_raw(&address);
		WT_LOOP_UNTIL(rig.host, rig.host->accepted == count);
		for (uint32_t i = 0; i < 3; i++)
			if (rig.host->conns[count - 1].worker ==
			    wt_loop_host_worker_at(rig.host, i))
				seen |= 1u << i;
	}
	assert_int_equal(seen, 7);
	while (count > 0)
		close(peers[--count]);
	wt_rig_close(&rig);
}

static int accept_without_descriptors(void)
{
	struct sockaddr_storage address;
	struct rlimit before, none;
	struct wt_rig rig;
	int peer;

	wt_rig_open(&rig, "stream", NULL);
	address = wt_rig_address(&rig, 0);
	peer = wt_tcp_rig_connect_raw(&address);
	if (getrlimit(RLIMIT_NOFILE, &before) != 0)
		return __LINE__;
	none = before;
	none.rlim_cur = (rlim_t)peer + 1;
	if (setrlimit(RLIMIT_NOFILE, &none) != 0)
		return __LINE__;

	/* A busy loop would wake up thousands of times in 100 ms. */
	uint64_t until = wt_loop_host_now_ms(rig.host) + 100;

	while (wt_loop_host_now_ms(rig.host) < until)
		wt_loop_host_turn(rig.host, 20);
	if (rig.host->wakeups > 2 || rig.host->accepted != 0)
		return __LINE__;
	if (setrlimit(RLIMIT_NOFILE, &before) != 0)
		return __LINE__;
	wt_loop_host_advance(rig.host, 200);
	WT_LOOP_UNTIL(rig.host, rig.host->accepted == 1);
	close(peer);
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
		cmocka_unit_test(split_at_every_byte),
		cmocka_unit_test(many_records_in_one_write),
		cmocka_unit_test(only_lengths_in_range_are_records),
		cmocka_unit_test(the_limit_may_rise_between_two_records),
		cmocka_unit_test(back_pressure),
		cmocka_unit_test(a_close_gives_back_the_record_that_was_begun),
		cmocka_unit_test(the_core_may_close_inside_a_report),
		cmocka_unit_test(an_end_is_told_in_words_after_the_last_record),
		cmocka_unit_test(a_failed_send_loses_nothing_that_came),
		cmocka_unit_test(any_failed_send_is_followed_by_the_end),
		cmocka_unit_test(close_is_orderly_and_abort_resets),
		cmocka_unit_test(a_refused_dial_says_so),
		cmocka_unit_test(a_full_event_loop_is_said),
		cmocka_unit_test(both_families),
		cmocka_unit_test(what_the_core_refuses_is_closed),
		cmocka_unit_test(listening_is_all_or_nothing),
		cmocka_unit_test(any_ipv4_and_any_ipv6_share_a_port),
		cmocka_unit_test(workers_share_the_address_with_nobody_else),
		cmocka_unit_test(accepting_without_descriptors_rests),
	};

	return cmocka_run_group_tests_name("template_stream", tests, NULL, NULL);
}
