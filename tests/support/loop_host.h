/* SPDX-License-Identifier: MIT
 *
 * loop_host.h: a host for transports under test: workers that share the test's
 * thread and one poll loop, timers
 * on a clock that a test can push forward, slots that notice misuse, and a
 * record of everything that a transport reports.
 *
 * It fails the running test when a transport breaks a rule that only the host
 * can see: a slot given back twice or written beyond its ends, a report for a
 * connection that was closed, conn_ended said twice.
 */
#ifndef WT_TEST_SUPPORT_LOOP_HOST_H
#define WT_TEST_SUPPORT_LOOP_HOST_H

#include <stdbool.h>
#include <whispertunnel/transport.h>

#include "support/plain_host.h"

#define WT_LOOP_WATCHES 1024
#define WT_LOOP_TIMERS 1024
#define WT_LOOP_CONNS 512
#define WT_LOOP_SLOTS 256
#define WT_LOOP_COUNTERS 32
#define WT_LOOP_LISTEN 4
#define WT_LOOP_WORKERS 4
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

/* The core's side of one connection; `struct wt_link` to the transport. */
struct wt_loop_conn {
	struct wt_loop_host *host;
	struct wt_worker *worker;
	void *tconn;
	bool closed; /* by the test: reports are forbidden from then on */
	unsigned connected, readable, writable, ended;
	enum wt_status why;
	char text[128];
	/* Called by the report, if set. */
	void (*on_readable)(struct wt_loop_conn *conn);
	void (*on_writable)(struct wt_loop_conn *conn);
	void (*on_ended)(struct wt_loop_conn *conn);
	void *arg; /* the test's own */
};

struct wt_loop_slot {
	struct wt_slot slot;
	bool out;
	uint8_t *memory; /* canary | slot | canary */
};

struct wt_loop_counter {
	const char *name;
	uint64_t value;
};

struct wt_loop_host {
	struct wt_plain_host plain; /* first: plain.host is the table */
	struct wt_loop_config config;
	char workers[WT_LOOP_WORKERS]; /* what their addresses are good for */
	uint64_t ahead_ms;	       /* how far the test pushed the clock */
	unsigned wakeups;	       /* turns in which something was called */
	/* How many more timer_new and watch_new succeed; -1: all. */
	int allowance;
	/* What conn_accepted answers. */
	enum wt_status accept;
	struct wt_loop_conn conns[WT_LOOP_CONNS];
	size_t conn_count;
	size_t accepted; /* how many of them came in */
	struct wt_loop_slot slots[WT_LOOP_SLOTS];
	size_t slot_limit; /* the pool's size */
	size_t slots_out;
	struct wt_loop_counter counters[WT_LOOP_COUNTERS];
	size_t counter_count;
	struct wt_watch *watches[WT_LOOP_WATCHES];
	struct wt_timer *timers[WT_LOOP_TIMERS];
};

/* `config` is copied. */
struct wt_loop_host *wt_loop_host_new(const struct wt_loop_config *config);
/* Fails the test if a watch, timer or slot was not given back. */
void wt_loop_host_free(struct wt_loop_host *host);

/* What the transport is given. */
static inline const struct wt_host *wt_loop_host_table(const struct wt_loop_host *host)
{
	return &host->plain.host;
}
struct wt_worker *wt_loop_host_worker(struct wt_loop_host *host); /* the first */
struct wt_worker *wt_loop_host_worker_at(struct wt_loop_host *host, uint32_t index);
const struct wt_config *wt_loop_host_config(const struct wt_loop_host *host);

/* A connection of the core's, to dial with. */
struct wt_loop_conn *wt_loop_host_conn(struct wt_loop_host *host);
/* A slot, as the core would take one to send from; fails the test if none is left. */
struct wt_slot *wt_loop_host_slot(struct wt_loop_host *host);
/* The descriptor of watch number `i`, -1 if there is none. */
int wt_loop_host_fd(const struct wt_loop_host *host, size_t i);
uint64_t wt_loop_host_counter(const struct wt_loop_host *host, const char *name);

/* Due timers, then one poll that waits up to wait_ms, then its events. */
void wt_loop_host_turn(struct wt_loop_host *host, int wait_ms);
/* Push the clock: timers become due without waiting. */
void wt_loop_host_advance(struct wt_loop_host *host, uint64_t ms);
uint64_t wt_loop_host_now_ms(const struct wt_loop_host *host);

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

#endif
