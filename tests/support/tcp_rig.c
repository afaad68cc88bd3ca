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

/* ---- plain sockets */

int wt_tcp_rig_listen_raw(struct sockaddr_storage *address)
{
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof *address;

	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)address, wt_rig_len(address)) < 0 || listen(fd, 16) < 0) {
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
	assert_int_equal(connect(fd, (const struct sockaddr *)address, wt_rig_len(address)), 0);
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

struct wt_loop_conn *wt_tcp_rig_pair(struct wt_rig *rig, int *peer)
{
	struct sockaddr_storage address = wt_rig_ipv4("127.0.0.1", 0);
	int listener = wt_tcp_rig_listen_raw(&address);
	int on = 1;

	assert_true(listener >= 0);

	struct wt_loop_conn *conn = wt_rig_dial(rig, &address);

	WT_LOOP_UNTIL(rig->host, conn->connected);
	*peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(*peer >= 0);
	assert_int_equal(setsockopt(*peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
	close(listener);
	return conn;
}

void wt_tcp_rig_set_max(struct wt_rig *rig, struct wt_loop_conn *conn, uint32_t max)
{
	rig->ops->set_max_record(rig->self, wt_loop_host_worker(rig->host), conn->tconn, max);
}

/* ---- records */

size_t wt_tcp_rig_frame(uint8_t *out, uint32_t len, uint32_t number)
{
	uint32_t prefix = htonl(len);

	memcpy(out, &prefix, sizeof prefix);
	wt_rig_fill(out + sizeof prefix, len, number);
	return sizeof prefix + len;
}

/* ---- the reader */

void wt_tcp_reader_read(struct wt_loop_conn *conn)
{
	struct wt_tcp_reader *reader = conn->arg;
	struct wt_record records[WT_RIG_RECORDS];
	size_t got;

	for (unsigned call = 0; reader->calls == 0 || call < reader->calls; call++) {
		reader->status = wt_rig_recv(reader->rig, conn, records, reader->n, &got);
		if (reader->status != WT_OK)
			return;
		for (size_t i = 0; i < got; i++) {
			if (reader->len)
				assert_int_equal(records[i].len, reader->len(reader->next));
			wt_rig_check(records[i].data, records[i].len, reader->next);
			/* The core may write there. */
			memset(records[i].data, 0, records[i].len);
			reader->bytes += records[i].len;
			reader->next++;
		}
	}
	conn->due = true;
}

void wt_tcp_reader_start(struct wt_tcp_reader *reader, struct wt_loop_conn *conn)
{
	assert_in_range(reader->n, 1, WT_RIG_RECORDS);
	conn->arg = reader;
	conn->on_readable = wt_tcp_reader_read;
}

void wt_tcp_receiving_start(struct wt_tcp_receiving *r, uint32_t max, size_t n)
{
	static const struct wt_loop_config no_listen = { .listen_count = 0 };

	*r = (struct wt_tcp_receiving){ .peer = -1 };
	wt_rig_open(&r->rig, "tcp", &no_listen);
	r->conn = wt_tcp_rig_pair(&r->rig, &r->peer);
	if (max != WT_UNAUTHENTICATED_MAX)
		wt_tcp_rig_set_max(&r->rig, r->conn, max);
	r->reader = (struct wt_tcp_reader){ .rig = &r->rig, .n = n };
	wt_tcp_reader_start(&r->reader, r->conn);
}

void wt_tcp_receiving_stop(struct wt_tcp_receiving *r)
{
	close(r->peer);
	wt_rig_close(&r->rig);
}
