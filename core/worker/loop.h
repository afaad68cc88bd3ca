/* SPDX-License-Identifier: MIT
 *
 * loop.h: one epoll loop: watches on descriptors, and timers.
 *
 * Watches and timers are embedded in their owners; nothing here allocates
 * after wt_loop_init but the timer heap, which grows when a timer is made and
 * never while one is armed. Everything runs on the loop's own thread.
 */
#ifndef WT_WORKER_LOOP_H
#define WT_WORKER_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <whispertunnel/host.h>

#include "base/clock.h"
#include "worker/pulse.h"

#define WT_LOOP_EVENTS 64

struct wt_loop {
	int epoll_fd;
	const struct wt_clock *clock;
	struct wt_worker *worker; /* handed to every callback */
	uint64_t now_ms;	  /* boot time, read once a turn */
	struct wt_timer **heap;	  /* armed timers, the soonest first */
	size_t armed, timers, capacity;
	struct epoll_event events[WT_LOOP_EVENTS];
	int event_count, event_at;
	struct wt_pulse pulse;
};

struct wt_watch {
	struct wt_loop *loop;
	int fd; /* -1: not watched */
	unsigned events;
	wt_watch_fn *fn;
	void *arg;
};

struct wt_timer {
	struct wt_loop *loop;
	uint64_t due_ms;
	size_t at; /* 1 + its place in the heap; 0: disarmed */
	wt_timer_fn *fn;
	void *arg;
};

/* WT_ERR_NOMEM when the kernel has no descriptors or memory left. */
enum wt_status wt_loop_init(struct wt_loop *loop, const struct wt_clock *clock,
			    struct wt_worker *worker) WT_MUST_CHECK;
/* All watches and timers are gone before. */
void wt_loop_fini(struct wt_loop *loop);

/* Wait up to `max_wait_ms` (or until the next timer is due), then call what is
 * ready. A signal ends the wait early. */
void wt_loop_turn(struct wt_loop *loop, uint64_t max_wait_ms);

/* Read the clock again: after a long step, before arming timers. */
void wt_loop_update(struct wt_loop *loop);

/* The watch must stay where it is until wt_watch_stop, which may be called
 * from any callback, its own included; no callback comes after it. */
enum wt_status wt_watch_start(struct wt_loop *loop, struct wt_watch *watch, int fd, unsigned events,
			      wt_watch_fn *fn, void *arg) WT_MUST_CHECK;
enum wt_status wt_watch_change(struct wt_watch *watch, unsigned events) WT_MUST_CHECK;
void wt_watch_stop(struct wt_watch *watch); /* a watch that never started is fine */

/* Make a timer, disarmed; makes room for it, so that arming cannot fail. */
enum wt_status wt_timer_init(struct wt_loop *loop, struct wt_timer *timer, wt_timer_fn *fn,
			     void *arg) WT_MUST_CHECK;
/* Arm once, `after_ms` from the loop's now; an armed one is moved. */
void wt_timer_arm(struct wt_timer *timer, uint64_t after_ms);
void wt_timer_disarm(struct wt_timer *timer);
bool wt_timer_armed(const struct wt_timer *timer);
void wt_timer_fini(struct wt_timer *timer); /* one that was never made is fine */

#endif
