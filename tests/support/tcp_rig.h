/* SPDX-License-Identifier: MIT
 *
 * tcp_rig.h: transport-tcp on a loop host, with plain sockets of the test's own
 * at the other end. Loopback only.
 */
#ifndef WT_TEST_SUPPORT_TCP_RIG_H
#define WT_TEST_SUPPORT_TCP_RIG_H

#include "support/rig.h"

/* A blocking socket that listens, -1 where the kernel has no such address. */
int wt_tcp_rig_listen_raw(struct sockaddr_storage *address);
/* A blocking socket connected to `address`. */
int wt_tcp_rig_connect_raw(const struct sockaddr_storage *address);
void wt_tcp_rig_write(int fd, const void *bytes, size_t len);
/* Reads to the end of `fd`: 0 if that is an orderly one, otherwise the errno. */
int wt_tcp_rig_end_of(int fd);

/* A connection of the plugin's, dialled, and a blocking socket at its other end. */
struct wt_loop_conn *wt_tcp_rig_pair(struct wt_rig *rig, int *peer);
void wt_tcp_rig_set_max(struct wt_rig *rig, struct wt_loop_conn *conn, uint32_t max);

/* Length prefix and record; returns the bytes written to `out`. */
size_t wt_tcp_rig_frame(uint8_t *out, uint32_t len, uint32_t number);

/* ---- reading records on report, and checking them */

struct wt_tcp_reader {
	struct wt_rig *rig;
	size_t n;		   /* records asked for in one call */
	unsigned calls;		   /* recv calls in one turn; 0: until WT_AGAIN */
	uint32_t (*len)(uint32_t); /* the length of record number; NULL: any */
	uint32_t next;		   /* the number that comes next */
	uint64_t bytes;
	enum wt_status status; /* what recv said last */
};

/* Reads on link_readable from now on, and after that in each turn until WT_AGAIN. */
void wt_tcp_reader_start(struct wt_tcp_reader *reader, struct wt_loop_conn *conn);
/* One turn's worth. */
void wt_tcp_reader_read(struct wt_loop_conn *conn);

/* A connection of the plugin's that reads, and a socket at its other end. */
struct wt_tcp_receiving {
	struct wt_rig rig;
	struct wt_loop_conn *conn;
	struct wt_tcp_reader reader;
	int peer;
};

/* With records up to `max`, asking for `n` at a time. */
void wt_tcp_receiving_start(struct wt_tcp_receiving *r, uint32_t max, size_t n);
void wt_tcp_receiving_stop(struct wt_tcp_receiving *r);

#endif
