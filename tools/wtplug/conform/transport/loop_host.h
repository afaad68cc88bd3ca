/* SPDX-License-Identifier: MIT
 *
 * loop_host.h: a host for transports under test: the daemon's event loop, workers
 * that share the tester's thread, timers on a clock that can be pushed forward,
 * slots that notice misuse, and a record of everything that a transport reports.
 *
 * It sees what a transport does against the rules of whispertunnel/host.h: a slot
 * given back twice or written beyond its ends, a report for a connection that was
 * closed, an end that is reported twice, a call for another worker or from another
 * thread. The first such misdeed is kept as a finding.
 *
 * All of one thread. Hosts may share a loop; who owns it turns it.
 */
#ifndef WT_CONFORM_TRANSPORT_LOOP_HOST_H
#define WT_CONFORM_TRANSPORT_LOOP_HOST_H

#include <pthread.h>
#include <stdbool.h>
#include <whispertunnel/transport.h>

#include "conform/finding.h"
#include "plugin/host.h"
#include "worker/loop.h"

#define WT_LOOP_WATCHES 1024
#define WT_LOOP_TIMERS 1024
#define WT_LOOP_CONNS 512
#define WT_LOOP_SLOTS 256
#define WT_LOOP_COUNTERS 32
#define WT_LOOP_WORKERS 4
/* Bytes around a record in its slot that nobody may touch. */
#define WT_LOOP_FENCE 64u

struct wt_loop_host;

/* The core's side of one connection; `struct wt_link` to the transport. */
struct wt_loop_conn {
	struct wt_loop_host *host;
	struct wt_worker *worker;
	void *tconn;
	bool closed; /* by the tester: reports are forbidden from then on */
	unsigned connected, readable, writable, ended;
	enum wt_status why;
	char text[128];
	/* Called by the report, if set. */
	void (*on_connected)(struct wt_loop_conn *conn);
	void (*on_readable)(struct wt_loop_conn *conn);
	void (*on_writable)(struct wt_loop_conn *conn);
	void (*on_ended)(struct wt_loop_conn *conn);
	void *arg; /* the tester's own */
	bool due;  /* to be read at the end of the turn, report or not */
};

struct wt_loop_slot {
	struct wt_slot slot;
	bool out;
	uint8_t *memory;     /* canary | slot | canary */
	uint8_t *low, *high; /* fences end and begin here; NULL: there are none */
};

struct wt_loop_counter {
	const char *name;
	uint64_t value;
};

struct wt_loop_watch;
struct wt_loop_timer;

struct wt_loop_host {
	struct wt_host_instance base; /* first: base.host is the table */
	struct wt_loop *loop;	      /* this host's own, or one that it shares */
	struct wt_loop own_loop;
	struct wt_clock clock; /* of its own loop: the machine's, and ahead of it */
	uint64_t ahead_ms;     /* how far the tester pushed it */
	uint32_t worker_count;
	char workers[WT_LOOP_WORKERS]; /* what their addresses are good for */
	pthread_t thread;	       /* the only one that may call */
	/* The call of the transport that is under way, and whose it is: "dial"; a
	 * tester that makes calls may say so, and then reports in it are seen. */
	const char *inside;
	struct wt_worker *current; /* whose callback or call runs; NULL: nobody's */
	struct wt_finding finding; /* the first misdeed */
	/* Called for each misdeed, if set. */
	void (*on_finding)(struct wt_loop_host *host, const struct wt_finding *finding);
	unsigned callbacks; /* of watches and timers */
	unsigned wakeups;   /* turns in which something was called */
	/* How many more timer_new and watch_new succeed; -1: all. */
	int allowance;
	/* on_readable waits for the end of the turn, as recv() does in the daemon, which
	 * asks on over several turns when it has had enough of one: who does so sets
	 * `due`. Without it, it is called inside the report. */
	bool defers;
	bool busy; /* something is due in the next turn */
	/* What link_accepted answers, and who is told of what it took. */
	enum wt_status accept;
	void (*on_accepted)(struct wt_loop_conn *conn);
	struct wt_loop_conn conns[WT_LOOP_CONNS];
	size_t conn_count;
	size_t accepted; /* how many of them came in */
	size_t refused;	 /* and how many were not taken */
	struct wt_loop_slot slots[WT_LOOP_SLOTS];
	size_t slot_limit; /* the pool's size */
	size_t slots_out;
	struct wt_loop_counter counters[WT_LOOP_COUNTERS];
	size_t counter_count;
	struct wt_loop_watch *watches[WT_LOOP_WATCHES];
	struct wt_loop_timer *timers[WT_LOOP_TIMERS];
};

/* A host for a transport called `name`. `loop` is borrowed; NULL: one of its own,
 * on a clock that can be pushed. NULL: out of memory, or the kernel's. */
struct wt_loop_host *wt_loop_host_new(const char *name, struct wt_loop *loop) WT_MUST_CHECK;
/* What was not given back is a misdeed: call it before freeing, when the transport
 * was destroyed. */
void wt_loop_host_check_empty(struct wt_loop_host *host);
void wt_loop_host_free(struct wt_loop_host *host); /* NULL is allowed */

/* The transport has done something wrong: kept if it is the first, and told. */
void wt_loop_host_found(struct wt_loop_host *host, enum wt_fault fault, const char *fmt, ...)
	WT_PRINTF(3, 4);

/* What the transport is given. */
static inline const struct wt_host *wt_loop_host_table(const struct wt_loop_host *host)
{
	return &host->base.host;
}
static inline struct wt_loop_host *wt_loop_host_of(const struct wt_host *table)
{
	return (struct wt_loop_host *)table->self;
}
/* Is a call of the table with this worker one of its thread, and in its turn? If
 * not, it is a misdeed. */
bool wt_loop_host_called(struct wt_loop_host *host, const struct wt_worker *worker,
			 const char *call) WT_MUST_CHECK;
struct wt_worker *wt_loop_host_worker(struct wt_loop_host *host); /* the first */
struct wt_worker *wt_loop_host_worker_at(struct wt_loop_host *host, uint32_t index);

/* A connection of the core's, to dial with. NULL: there are too many. */
struct wt_loop_conn *wt_loop_host_conn(struct wt_loop_host *host) WT_MUST_CHECK;
/* Make room: forget the closed connections behind the last open one. */
void wt_loop_host_forget(struct wt_loop_host *host);
/* A slot, as the core would take one to send from; NULL: none is left. */
struct wt_slot *wt_loop_host_slot(struct wt_loop_host *host) WT_MUST_CHECK;
/* Of that slot only [low, high) may be written by who has it: the bytes next to it
 * are looked at when it comes back. */
void wt_loop_host_fence(struct wt_loop_host *host, struct wt_slot *slot, uint8_t *low,
			uint8_t *high);
/* The descriptor of watch number `i`, -1 if there is none. */
int wt_loop_host_fd(const struct wt_loop_host *host, size_t i);
/* Watches and timers that the transport has. */
size_t wt_loop_host_held(const struct wt_loop_host *host);
/* The value of that counter. UINT64_MAX: there is none of that name. */
uint64_t wt_loop_host_counter(const struct wt_loop_host *host, const char *name);

/* One turn of its loop, which waits up to wait_ms. */
void wt_loop_host_turn(struct wt_loop_host *host, int wait_ms);
/* After a turn of a shared loop: what is due is read, what was freed goes. */
void wt_loop_host_settle(struct wt_loop_host *host);
/* Push the clock of its own loop: timers become due without waiting. */
void wt_loop_host_advance(struct wt_loop_host *host, uint64_t ms);
uint64_t wt_loop_host_now_ms(const struct wt_loop_host *host);

#endif
