/* SPDX-License-Identifier: MIT
 *
 * rig.h: a transport plugin on a loop host, whose findings fail the test.
 * tcp_rig.h and udp_rig.h add plain sockets of the test's own at the other end.
 * Loopback only.
 */
#ifndef WT_TEST_SUPPORT_RIG_H
#define WT_TEST_SUPPORT_RIG_H

#include "conform/transport/loop_host.h"

#define WT_LOOP_LISTEN 4
/* How long WT_LOOP_UNTIL waits before the test fails. */
#define WT_LOOP_PATIENCE_MS 20000u

/* The section that the transport is created with. */
struct wt_loop_config {
	struct sockaddr_storage listen[WT_LOOP_LISTEN];
	size_t listen_count;
	const char *congestion, *segmentation;
	uint64_t send_buffer, recv_buffer; /* KiB */
	uint32_t workers;		   /* 0: one */
};

/* Turn until `expr` holds; the test fails if it never does. */
#define WT_LOOP_UNTIL(host_, expr_)                                                                \
	do {                                                                                       \
		uint64_t deadline_ = wt_loop_host_now_ms(host_) + WT_LOOP_PATIENCE_MS;             \
		while (!(expr_)) {                                                                 \
			if (wt_loop_host_now_ms(host_) > deadline_)                                \
				fail_msg("never came true: %s", #expr_);                           \
			wt_loop_host_turn(host_, 20);                                              \
		}                                                                                  \
	} while (0)

/* Records that one recv() may give out. */
#define WT_RIG_RECORDS 64

/* Does an error's text say this? Fails the test if not. */
#define WT_RIG_HAS(text_, part_)                                                                   \
	do {                                                                                       \
		if (!strstr(text_, part_))                                                         \
			fail_msg("\"%s\" does not say \"%s\"", text_, part_);                      \
	} while (0)

struct wt_rig {
	void *library;
	const struct wt_plugin_descriptor *plugin;
	const struct wt_transport_ops *ops;
	struct wt_loop_host *host;
	struct wt_loop_config *config;
	void *self;	   /* the instance; NULL if create failed */
	char rx_calls[32]; /* the counter of its receive calls */
};

/* Addresses with port 0 (any free one) unless `port` says otherwise. */
struct sockaddr_storage wt_rig_ipv4(const char *address, uint16_t port);
struct sockaddr_storage wt_rig_ipv6(const char *address, uint16_t port);
socklen_t wt_rig_len(const struct sockaddr_storage *address);
bool wt_rig_has_ipv6(void);

/* create() of a plugin, or else a fixture, with these settings, which may fail: then
 * only err and status tell. */
enum wt_status wt_rig_create(struct wt_rig *rig, const char *transport,
			     const struct wt_loop_config *config, struct wt_error *err);
/* create() and listen() for each worker, which must succeed; NULL: listens on 127.0.0.1. */
void wt_rig_open(struct wt_rig *rig, const char *transport, const struct wt_loop_config *config);
/* Aborts what is open, destroys, and checks that everything was given back. */
void wt_rig_close(struct wt_rig *rig);

/* Where listening socket `i` is bound. */
struct sockaddr_storage wt_rig_address(const struct wt_rig *rig, size_t i);

/* Start a dial; it must be taken. */
struct wt_loop_conn *wt_rig_dial(struct wt_rig *rig, const struct sockaddr_storage *to);
void wt_rig_close_conn(struct wt_rig *rig, struct wt_loop_conn *conn, bool abort);

enum wt_status wt_rig_recv(struct wt_rig *rig, struct wt_loop_conn *conn, struct wt_record *records,
			   size_t n, size_t *got);
enum wt_status wt_rig_send(struct wt_rig *rig, struct wt_loop_conn *conn,
			   const struct wt_record *records, size_t n, size_t *taken);

/* ---- records whose content follows from their number */

void wt_rig_fill(uint8_t *data, uint32_t len, uint32_t number);
/* Fails the test if `data` is not record `number`. */
void wt_rig_check(const uint8_t *data, uint32_t len, uint32_t number);
/* Record `number` in a slot of the host's, ready for send(). */
struct wt_record wt_rig_record(struct wt_rig *rig, uint32_t len, uint32_t number);

/* A small generator for seeded tests: the same numbers everywhere. */
uint32_t wt_rig_random(uint64_t *state, uint32_t below);

#endif
