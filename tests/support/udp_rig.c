/* SPDX-License-Identifier: MIT */
#include "support/udp_rig.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include <cmocka.h>

/* ---- plain sockets */

int wt_udp_rig_socket(struct sockaddr_storage *address)
{
	const struct timeval patience = { .tv_sec = WT_LOOP_PATIENCE_MS / 1000u };
	const int megabyte = 1 << 20;
	int fd = socket(address->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof *address;

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &megabyte, sizeof megabyte);
	assert_int_equal(bind(fd, (struct sockaddr *)address, wt_rig_len(address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, &len), 0);
	return fd;
}

int wt_udp_rig_try(int fd, const struct sockaddr_storage *to, const void *bytes, size_t len,
		   uint32_t segment)
{
	struct sockaddr_storage name = *to;
	struct iovec piece = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(uint16_t))] = { 0 };
	struct msghdr msg = {
		.msg_name = &name, .msg_namelen = wt_rig_len(to), .msg_iov = &piece, .msg_iovlen = 1
	};

	if (segment > 0) {
		struct cmsghdr *header = (struct cmsghdr *)control;
		uint16_t size = (uint16_t)segment;

		header->cmsg_level = IPPROTO_UDP;
		header->cmsg_type = UDP_SEGMENT;
		header->cmsg_len = CMSG_LEN(sizeof size);
		memcpy(CMSG_DATA(header), &size, sizeof size);
		msg.msg_control = control;
		msg.msg_controllen = sizeof control;
	}
	return sendmsg(fd, &msg, 0) == (ssize_t)len ? 0 : errno;
}

void wt_udp_rig_throw(int fd, const struct sockaddr_storage *to, const void *bytes, size_t len,
		      uint32_t segment)
{
	int error = wt_udp_rig_try(fd, to, bytes, len, segment);

	if (error != 0)
		fail_msg("%zu bytes in segments of %u: %s", len, segment, strerror(error));
}

size_t wt_udp_rig_catch(int fd, void *bytes, size_t size, struct sockaddr_storage *from)
{
	struct sockaddr_storage ignored;
	socklen_t len = sizeof ignored;
	ssize_t n = recvfrom(fd, bytes, size, 0, (struct sockaddr *)(from ? from : &ignored), &len);

	if (n < 0)
		fail_msg("nothing came: %s", strerror(errno));
	return (size_t)n;
}

bool wt_udp_rig_is_quiet(int fd)
{
	uint8_t byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0;
}

/* ---- runs */

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

void wt_udp_rig_fill(uint8_t *data, uint32_t len, uint32_t segment, uint32_t number)
{
	for (uint32_t at = 0; at < len; at += segment)
		wt_rig_fill(data + at, least(segment, len - at), number++);
}

struct wt_record wt_udp_rig_run(struct wt_rig *rig, uint32_t len, uint32_t segment, uint32_t number)
{
	struct wt_record record = wt_rig_record(rig, 0, 0);

	wt_udp_rig_fill(record.data, len, segment, number);
	record.len = len;
	record.segment = segment;
	return record;
}

void wt_udp_rig_catch_run(int fd, uint32_t len, uint32_t segment, uint32_t number)
{
	uint8_t bytes[65536];

	for (uint32_t at = 0; at < len; at += segment) {
		size_t n = wt_udp_rig_catch(fd, bytes, sizeof bytes, NULL);

		assert_int_equal(n, least(segment, len - at));
		wt_rig_check(bytes, (uint32_t)n, number++);
	}
}

void wt_udp_rig_send_all(struct wt_rig *rig, struct wt_loop_conn *conn,
			 const struct wt_record *records, size_t n)
{
	size_t taken;

	assert_int_equal(wt_rig_send(rig, conn, records, n, &taken), WT_OK);
	assert_int_equal(taken, n);
}

/* ---- the reader */

static void read_record(struct wt_udp_reader *reader, const struct wt_record *record)
{
	uint32_t segment = record->segment > 0 ? record->segment : record->len, count = 0;

	for (uint32_t at = 0; at < record->len; at += segment, count++)
		wt_rig_check(record->data + at, least(segment, record->len - at), reader->next++);
	if (record->segment > 0) {
		/* A run of one is a record. */
		assert_in_range(count, 2, WT_RUN_SEGMENTS);
		assert_in_range(record->len, 1, WT_RUN_BYTES);
		reader->runs++;
		if (count > reader->longest)
			reader->longest = count;
	}
	reader->bytes += record->len;
	reader->path = record->path;
	/* The core may write there. */
	memset(record->data, 0, record->len);
}

static void read_report(struct wt_loop_conn *conn)
{
	struct wt_udp_reader *reader = conn->arg;
	struct wt_record records[WT_RIG_RECORDS];
	size_t got;

	for (unsigned call = 0; reader->calls == 0 || call < reader->calls; call++) {
		if (wt_rig_recv(reader->rig, conn, records, reader->n, &got) != WT_OK)
			return;
		for (size_t i = 0; i < got; i++)
			read_record(reader, &records[i]);
	}
	conn->due = true;
}

void wt_udp_reader_start(struct wt_udp_reader *reader, struct wt_rig *rig,
			 struct wt_loop_conn *conn)
{
	reader->rig = rig;
	assert_in_range(reader->n, 1, WT_RIG_RECORDS);
	conn->arg = reader;
	conn->on_readable = read_report;
}

struct wt_loop_conn *wt_udp_rig_pair(struct wt_rig *rig, int *peer, struct sockaddr_storage *ours)
{
	struct sockaddr_storage address = wt_rig_ipv4("127.0.0.1", 0);

	*peer = wt_udp_rig_socket(&address);

	struct wt_loop_conn *conn = wt_rig_dial(rig, &address);

	WT_LOOP_UNTIL(rig->host, conn->connected);
	if (ours)
		assert_int_equal(rig->ops->local_address(rig->self, wt_loop_host_worker(rig->host),
							 conn->tconn, NULL, ours),
				 WT_OK);
	return conn;
}
