/* SPDX-License-Identifier: MIT */
#include "support/tcp_rig.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- addresses */

struct sockaddr_storage wt_tcp_rig_ipv4(const char *address, uint16_t port)
{
	struct sockaddr_storage out = { .ss_family = AF_INET };
	struct sockaddr_in *in = (struct sockaddr_in *)&out;

	assert_int_equal(inet_pton(AF_INET, address, &in->sin_addr), 1);
	in->sin_port = htons(port);
	return out;
}

struct sockaddr_storage wt_tcp_rig_ipv6(const char *address, uint16_t port)
{
	struct sockaddr_storage out = { .ss_family = AF_INET6 };
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out;

	assert_int_equal(inet_pton(AF_INET6, address, &in6->sin6_addr), 1);
	in6->sin6_port = htons(port);
	return out;
}

socklen_t wt_tcp_rig_len(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					      : sizeof(struct sockaddr_in);
}

bool wt_tcp_rig_has_ipv6(void)
{
	struct sockaddr_storage address = wt_tcp_rig_ipv6("::1", 0);
	int fd = wt_tcp_rig_listen_raw(&address);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* ---- the instance */

enum wt_status wt_tcp_rig_create(struct wt_tcp_rig *rig, const struct wt_loop_config *config,
				 struct wt_error *err)
{
	*rig = (struct wt_tcp_rig){
		.library = dlopen(WT_TEST_PLUGIN_DIR "/transport-tcp.so", RTLD_NOW | RTLD_LOCAL),
	};
	if (!rig->library)
		fail_msg("%s", dlerror());
	rig->plugin = dlsym(rig->library, WT_PLUGIN_SYMBOL);
	assert_non_null(rig->plugin);
	rig->ops = rig->plugin->ops;
	rig->host = wt_loop_host_new(config);
	return rig->ops->create(wt_loop_host_table(rig->host), wt_loop_host_config(rig->host),
				&rig->self, err);
}

void wt_tcp_rig_open(struct wt_tcp_rig *rig, const struct wt_loop_config *config)
{
	struct wt_loop_config local = {
		.listen = { wt_tcp_rig_ipv4("127.0.0.1", 0) },
		.listen_count = 1,
		.send_buffer = 512,
	};
	struct wt_error err = { .struct_size = sizeof err };

	if (wt_tcp_rig_create(rig, config ? config : &local, &err) != WT_OK)
		fail_msg("create: %s", err.text);
	if (rig->ops->listen(rig->self, wt_loop_host_worker(rig->host), &err) != WT_OK)
		fail_msg("listen: %s", err.text);
}

void wt_tcp_rig_close(struct wt_tcp_rig *rig)
{
	for (size_t i = 0; i < rig->host->conn_count; i++)
		if (!rig->host->conns[i].closed && rig->host->conns[i].tconn)
			wt_tcp_rig_close_conn(rig, &rig->host->conns[i], true);
	if (rig->self)
		rig->ops->destroy(rig->self);
	wt_loop_host_free(rig->host);
	dlclose(rig->library);
}

struct sockaddr_storage wt_tcp_rig_address(const struct wt_tcp_rig *rig, size_t i)
{
	struct sockaddr_storage out = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof out;

	assert_int_equal(getsockname(wt_loop_host_fd(rig->host, i), (struct sockaddr *)&out, &len),
			 0);
	return out;
}

/* ---- plain sockets */

int wt_tcp_rig_listen_raw(struct sockaddr_storage *address)
{
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof *address;

	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)address, wt_tcp_rig_len(address)) < 0 ||
	    listen(fd, 16) < 0) {
		close(fd);
		return -1;
	}
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, &len), 0);
	return fd;
}

int wt_tcp_rig_connect_raw(const struct sockaddr_storage *address)
{
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)address, wt_tcp_rig_len(address)), 0);
	return fd;
}

void wt_tcp_rig_write(int fd, const void *bytes, size_t len)
{
	assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

int wt_tcp_rig_end_of(int fd)
{
	char bytes[4096];
	ssize_t n;

	do
		n = recv(fd, bytes, sizeof bytes, 0);
	while (n > 0);
	return n == 0 ? 0 : errno;
}

/* ---- connections */

struct wt_loop_conn *wt_tcp_rig_dial(struct wt_tcp_rig *rig, const struct sockaddr_storage *to)
{
	struct wt_loop_conn *conn = wt_loop_host_conn(rig->host);
	struct wt_error err = { .struct_size = sizeof err };

	if (rig->ops->dial(rig->self, wt_loop_host_worker(rig->host), (const struct sockaddr *)to,
			   wt_tcp_rig_len(to), NULL, (struct wt_link *)conn, &conn->tconn,
			   &err) != WT_OK)
		fail_msg("dial: %s", err.text);
	/* Reports come later than the call. */
	assert_int_equal(conn->connected + conn->ended, 0);
	return conn;
}

struct wt_loop_conn *wt_tcp_rig_pair(struct wt_tcp_rig *rig, int *peer)
{
	struct sockaddr_storage address = wt_tcp_rig_ipv4("127.0.0.1", 0);
	int listener = wt_tcp_rig_listen_raw(&address);
	int on = 1;

	assert_true(listener >= 0);

	struct wt_loop_conn *conn = wt_tcp_rig_dial(rig, &address);

	WT_LOOP_UNTIL(rig->host, conn->connected);
	*peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(*peer >= 0);
	assert_int_equal(setsockopt(*peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
	close(listener);
	return conn;
}

void wt_tcp_rig_set_max(struct wt_tcp_rig *rig, struct wt_loop_conn *conn, uint32_t max)
{
	rig->ops->set_max_record(rig->self, wt_loop_host_worker(rig->host), conn->tconn, max);
}

void wt_tcp_rig_close_conn(struct wt_tcp_rig *rig, struct wt_loop_conn *conn, bool abort)
{
	assert_false(conn->closed);
	conn->closed = true;
	rig->ops->close(rig->self, wt_loop_host_worker(rig->host), conn->tconn, abort);
}

enum wt_status wt_tcp_rig_recv(struct wt_tcp_rig *rig, struct wt_loop_conn *conn,
			       struct wt_record *records, size_t n, size_t *got)
{
	uint64_t before = wt_loop_host_counter(rig->host, "tcp_rx_calls");

	for (size_t i = 0; i < n; i++)
		records[i].struct_size = sizeof records[i];
	*got = SIZE_MAX;

	enum wt_status status = rig->ops->recv(rig->self, wt_loop_host_worker(rig->host),
					       conn->tconn, records, n, got);

	assert_true(wt_loop_host_counter(rig->host, "tcp_rx_calls") - before <= 1);
	if (status == WT_OK)
		assert_in_range(*got, 1, n);
	else
		assert_int_equal(*got, 0);
	return status;
}

enum wt_status wt_tcp_rig_send(struct wt_tcp_rig *rig, struct wt_loop_conn *conn,
			       const struct wt_record *records, size_t n, size_t *taken)
{
	*taken = SIZE_MAX;

	enum wt_status status = rig->ops->send(rig->self, wt_loop_host_worker(rig->host),
					       conn->tconn, records, n, taken);

	assert_in_range(*taken, 0, n);
	return status;
}

/* ---- records */

void wt_tcp_rig_fill(uint8_t *data, uint32_t len, uint32_t number)
{
	for (uint32_t i = 0; i < len; i++)
		data[i] = (uint8_t)(number * 151u + i + (i >> 8) * 3u);
}

void wt_tcp_rig_check(const uint8_t *data, uint32_t len, uint32_t number)
{
	static uint8_t expected[WT_RECORD_MAX];

	assert_true(len <= sizeof expected);
	wt_tcp_rig_fill(expected, len, number);
	if (memcmp(data, expected, len) != 0)
		fail_msg("record %u of %u bytes came damaged", number, len);
}

size_t wt_tcp_rig_frame(uint8_t *out, uint32_t len, uint32_t number)
{
	uint32_t prefix = htonl(len);

	memcpy(out, &prefix, sizeof prefix);
	wt_tcp_rig_fill(out + sizeof prefix, len, number);
	return sizeof prefix + len;
}

struct wt_record wt_tcp_rig_record(struct wt_tcp_rig *rig, uint32_t len, uint32_t number)
{
	struct wt_slot *slot = wt_loop_host_slot(rig->host);
	struct wt_record record = {
		.struct_size = sizeof record,
		.len = len,
		.data = slot->base + rig->ops->headroom,
		.slot = slot,
	};

	wt_tcp_rig_fill(record.data, len, number);
	return record;
}

uint32_t wt_tcp_rig_random(uint64_t *state, uint32_t below)
{
	/* Marsaglia's xorshift64, "Xorshift RNGs" (2003), triple 13, 7, 17. */
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)((*state >> 32) % below);
}

/* ---- the reader */

void wt_tcp_reader_read(struct wt_loop_conn *conn)
{
	struct wt_tcp_reader *reader = conn->arg;
	struct wt_record records[WT_TCP_RIG_RECORDS];
	size_t got;

	for (unsigned call = 0; reader->calls == 0 || call < reader->calls; call++) {
		reader->status = wt_tcp_rig_recv(reader->rig, conn, records, reader->n, &got);
		if (reader->status != WT_OK)
			return;
		for (size_t i = 0; i < got; i++) {
			if (reader->len)
				assert_int_equal(records[i].len, reader->len(reader->next));
			wt_tcp_rig_check(records[i].data, records[i].len, reader->next);
			/* The core may write there. */
			memset(records[i].data, 0, records[i].len);
			reader->bytes += records[i].len;
			reader->next++;
		}
	}
}

void wt_tcp_reader_start(struct wt_tcp_reader *reader, struct wt_loop_conn *conn)
{
	assert_in_range(reader->n, 1, WT_TCP_RIG_RECORDS);
	conn->arg = reader;
	conn->on_readable = wt_tcp_reader_read;
}

void wt_tcp_receiving_start(struct wt_tcp_receiving *r, uint32_t max, size_t n)
{
	static const struct wt_loop_config no_listen = { .listen_count = 0 };

	*r = (struct wt_tcp_receiving){ .peer = -1 };
	wt_tcp_rig_open(&r->rig, &no_listen);
	r->conn = wt_tcp_rig_pair(&r->rig, &r->peer);
	if (max != WT_UNAUTHENTICATED_MAX)
		wt_tcp_rig_set_max(&r->rig, r->conn, max);
	r->reader = (struct wt_tcp_reader){ .rig = &r->rig, .n = n };
	wt_tcp_reader_start(&r->reader, r->conn);
}

void wt_tcp_receiving_stop(struct wt_tcp_receiving *r)
{
	close(r->peer);
	wt_tcp_rig_close(&r->rig);
}
