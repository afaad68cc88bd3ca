/* SPDX-License-Identifier: MIT
 *
 * tcp_rig.h: transport-tcp on a loop host, with plain sockets of the test's own
 * at the other end. Loopback only.
 */
#ifndef WT_TEST_SUPPORT_TCP_RIG_H
#define WT_TEST_SUPPORT_TCP_RIG_H

#include "support/loop_host.h"

/* Records that one recv() may give out. */
#define WT_TCP_RIG_RECORDS 64

struct wt_tcp_rig {
	void *library;
	const struct wt_plugin_descriptor *plugin;
	const struct wt_transport_ops *ops;
	struct wt_loop_host *host;
	void *self; /* the instance; NULL if create failed */
};

/* Addresses with port 0 (any free one) unless `port` says otherwise. */
struct sockaddr_storage wt_tcp_rig_ipv4(const char *address, uint16_t port);
struct sockaddr_storage wt_tcp_rig_ipv6(const char *address, uint16_t port);
socklen_t wt_tcp_rig_len(const struct sockaddr_storage *address);
bool wt_tcp_rig_has_ipv6(void);

/* create() with these settings, which may fail: then only err and status tell. */
enum wt_status wt_tcp_rig_create(struct wt_tcp_rig *rig, const struct wt_loop_config *config,
				 struct wt_error *err);
/* create() and listen(), which must succeed; NULL: listens on 127.0.0.1. */
void wt_tcp_rig_open(struct wt_tcp_rig *rig, const struct wt_loop_config *config);
/* Aborts what is open, destroys, and checks that everything was given back. */
void wt_tcp_rig_close(struct wt_tcp_rig *rig);

/* Where listening socket `i` is bound. */
struct sockaddr_storage wt_tcp_rig_address(const struct wt_tcp_rig *rig, size_t i);

/* A blocking socket that listens, -1 where the kernel has no such address. */
int wt_tcp_rig_listen_raw(struct sockaddr_storage *address);
/* A blocking socket connected to `address`. */
int wt_tcp_rig_connect_raw(const struct sockaddr_storage *address);
void wt_tcp_rig_write(int fd, const void *bytes, size_t len);
/* Reads to the end of `fd`: 0 if that is an orderly one, otherwise the errno. */
int wt_tcp_rig_end_of(int fd);

/* Start a dial; it must be taken. */
struct wt_loop_conn *wt_tcp_rig_dial(struct wt_tcp_rig *rig, const struct sockaddr_storage *to);
/* A connection of the plugin's, dialled, and a blocking socket at its other end. */
struct wt_loop_conn *wt_tcp_rig_pair(struct wt_tcp_rig *rig, int *peer);
void wt_tcp_rig_set_max(struct wt_tcp_rig *rig, struct wt_loop_conn *conn, uint32_t max);
void wt_tcp_rig_close_conn(struct wt_tcp_rig *rig, struct wt_loop_conn *conn, bool abort);

enum wt_status wt_tcp_rig_recv(struct wt_tcp_rig *rig, struct wt_loop_conn *conn,
			       struct wt_record *records, size_t n, size_t *got);
enum wt_status wt_tcp_rig_send(struct wt_tcp_rig *rig, struct wt_loop_conn *conn,
			       const struct wt_record *records, size_t n, size_t *taken);

/* ---- records whose content follows from their number */

void wt_tcp_rig_fill(uint8_t *data, uint32_t len, uint32_t number);
/* Fails the test if `data` is not record `number`. */
void wt_tcp_rig_check(const uint8_t *data, uint32_t len, uint32_t number);
/* Length prefix and record; returns the bytes written to `out`. */
size_t wt_tcp_rig_frame(uint8_t *out, uint32_t len, uint32_t number);
/* Record `number` in a slot of the host's, ready for send(). */
struct wt_record wt_tcp_rig_record(struct wt_tcp_rig *rig, uint32_t len, uint32_t number);

/* A small generator for seeded tests: the same numbers everywhere. */
uint32_t wt_tcp_rig_random(uint64_t *state, uint32_t below);

/* ---- reading records on report, and checking them */

struct wt_tcp_reader {
	struct wt_tcp_rig *rig;
	size_t n;		   /* records asked for in one call */
	unsigned calls;		   /* recv calls in one report; 0: until WT_AGAIN */
	uint32_t (*len)(uint32_t); /* the length of record number; NULL: any */
	uint32_t next;		   /* the number that comes next */
	uint64_t bytes;
	enum wt_status status; /* what recv said last */
};

/* Reads on every conn_readable from now on. */
void wt_tcp_reader_start(struct wt_tcp_reader *reader, struct wt_loop_conn *conn);
/* One report's worth. */
void wt_tcp_reader_read(struct wt_loop_conn *conn);

/* A connection of the plugin's that reads, and a socket at its other end. */
struct wt_tcp_receiving {
	struct wt_tcp_rig rig;
	struct wt_loop_conn *conn;
	struct wt_tcp_reader reader;
	int peer;
};

/* With records up to `max`, asking for `n` at a time. */
void wt_tcp_receiving_start(struct wt_tcp_receiving *r, uint32_t max, size_t n);
void wt_tcp_receiving_stop(struct wt_tcp_receiving *r);

#endif
