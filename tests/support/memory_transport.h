/* SPDX-License-Identifier: MIT
 *
 * memory_transport.h: a stream transport without sockets, for tests that own
 * the network: they decide what arrives, when, and what becomes of it.
 *
 * It follows the contract of transport.h as transport-tcp does: lengths in front
 * of records, a slot held for a record that is partly written or partly
 * received, strangers limited to WT_UNAUTHENTICATED_MAX, every report made from
 * the loop, and none that it is readable before recv has said WT_AGAIN. There is
 * one network in the process; addresses are ports.
 */
#ifndef WT_TEST_SUPPORT_MEMORY_TRANSPORT_H
#define WT_TEST_SUPPORT_MEMORY_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "plugin/registry.h"

extern const struct wt_plugin wt_memory_plugin;

/* One of the two sides of a connection. */
struct wt_memory_side;

struct wt_memory_link {
	/* 0: dialled; 1: accepted. NULL once that side closed it. */
	struct wt_memory_side *side[2];
	unsigned reports[2]; /* link_readable, for each side */
	struct wt_memory_link *next;
};

struct wt_memory_net {
	/* Bytes wait for wt_memory_deliver; otherwise they arrive at once. */
	bool hold;
	/* Dials are neither answered nor refused. */
	bool unreachable;
	bool recv_nothing;	      /* recv says WT_OK and gives nothing: a fault */
	size_t room;		      /* bytes that one direction takes before it blocks */
	struct wt_memory_link *links; /* the newest first */
	size_t link_count;
	unsigned connected; /* links that came to be so far */
};
extern struct wt_memory_net wt_memory_net;

/* Back to the start: nothing held, 1 MiB of room. Every engine is gone. */
void wt_memory_reset(void);

/* Let up to `n` more bytes towards side `to` arrive, and its end if all did. */
void wt_memory_deliver(struct wt_memory_link *link, int to, size_t n);
/* Bytes towards side `to` that the network takes from now on. */
void wt_memory_room(struct wt_memory_link *link, int to, size_t room);
/* Bytes that wait to arrive at side `to`. */
size_t wt_memory_waiting(const struct wt_memory_link *link, int to);
/* The first `len` of them. */
void wt_memory_peek(const struct wt_memory_link *link, int to, void *out, size_t len);
/* Change a bit of the waiting byte `at`. */
void wt_memory_flip(struct wt_memory_link *link, int to, size_t at, uint8_t mask);
/* Put bytes behind those that wait. */
void wt_memory_inject(struct wt_memory_link *link, int to, const void *bytes, size_t len);
/* The connection breaks: both sides learn of it, what waited is lost. */
void wt_memory_cut(struct wt_memory_link *link);

/* A connection to `port` of which the test is side 0. NULL: nobody listens. */
struct wt_memory_link *wt_memory_connect(uint16_t port);
/* What came for the test, up to `size` bytes. */
size_t wt_memory_read(struct wt_memory_link *link, void *out, size_t size);
/* The test's side hangs up. */
void wt_memory_hang_up(struct wt_memory_link *link);
/* Did the other end close it? */
bool wt_memory_closed(const struct wt_memory_link *link);

#endif
