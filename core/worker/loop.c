/* SPDX-License-Identifier: MIT */
#include "worker/loop.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum wt_status wt_loop_init(struct wt_loop *loop, const struct wt_clock *clock,
			    struct wt_worker *worker)
{
	*loop = (struct wt_loop){ .clock = clock, .worker = worker };
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		return WT_ERR_NOMEM;
	wt_loop_update(loop);
	return WT_OK;
}

void wt_loop_fini(struct wt_loop *loop)
{
	free(loop->heap);
	if (loop->epoll_fd >= 0)
		close(loop->epoll_fd);
	*loop = (struct wt_loop){ .epoll_fd = -1 };
}

void wt_loop_update(struct wt_loop *loop)
{
	loop->now_ms = loop->clock->boot_ms(loop->clock);
}

/* ---- timers: a binary heap of pointers, each timer knowing its place -------- */

static void place(struct wt_loop *loop, size_t i, struct wt_timer *timer)
{
	loop->heap[i] = timer;
	timer->at = i + 1;
}

static void sift_up(struct wt_loop *loop, size_t i, struct wt_timer *timer)
{
	while (i > 0) {
		size_t parent = (i - 1) / 2;

		if (loop->heap[parent]->due_ms <= timer->due_ms)
			break;
		place(loop, i, loop->heap[parent]);
		i = parent;
	}
	place(loop, i, timer);
}

static void sift_down(struct wt_loop *loop, size_t i, struct wt_timer *timer)
{
	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= loop->armed)
			break;
		if (child + 1 < loop->armed &&
		    loop->heap[child + 1]->due_ms < loop->heap[child]->due_ms)
			child++;
		if (timer->due_ms <= loop->heap[child]->due_ms)
			break;
		place(loop, i, loop->heap[child]);
		i = child;
	}
	place(loop, i, timer);
}

enum wt_status wt_timer_init(struct wt_loop *loop, struct wt_timer *timer, wt_timer_fn *fn,
			     void *arg)
{
	if (loop->timers == loop->capacity) {
		size_t capacity = loop->capacity ? 2 * loop->capacity : 64;
		struct wt_timer **heap = realloc(loop->heap, capacity * sizeof(*heap));

		if (!heap)
			return WT_ERR_NOMEM;
		loop->heap = heap;
		loop->capacity = capacity;
	}
	loop->timers++;
	*timer = (struct wt_timer){ .loop = loop, .fn = fn, .arg = arg };
	return WT_OK;
}

void wt_timer_arm(struct wt_timer *timer, uint64_t after_ms)
{
	struct wt_loop *loop = timer->loop;
	size_t i = timer->at ? timer->at - 1 : loop->armed++;

	timer->due_ms = loop->now_ms + after_ms;
	sift_up(loop, i, timer);
	sift_down(loop, timer->at - 1, timer);
}

void wt_timer_disarm(struct wt_timer *timer)
{
	struct wt_loop *loop = timer->loop;

	if (!timer->at)
		return;
	size_t i = timer->at - 1;
	struct wt_timer *last = loop->heap[--loop->armed];

	timer->at = 0;
	if (last == timer)
		return;
	sift_up(loop, i, last);
	sift_down(loop, last->at - 1, last);
}

bool wt_timer_armed(const struct wt_timer *timer)
{
	return timer->at != 0;
}

void wt_timer_fini(struct wt_timer *timer)
{
	if (!timer->loop)
		return;
	wt_timer_disarm(timer);
	timer->loop->timers--;
	timer->loop = NULL;
}

/* Timers armed by a callback wait for the next turn, so that a timer which
 * re-arms itself with 0 ms cannot keep the loop from its descriptors. */
static void run_due_timers(struct wt_loop *loop)
{
	uint64_t now = loop->now_ms;
	size_t most = loop->armed;

	while (most-- > 0 && loop->armed > 0 && loop->heap[0]->due_ms <= now) {
		struct wt_timer *timer = loop->heap[0];

		wt_timer_disarm(timer);
		timer->fn(timer->arg, loop->worker);
	}
}

/* ---- watches ------------------------------------------------------------------ */

static uint32_t to_epoll(unsigned events)
{
	return (events & WT_EVENT_READ ? (uint32_t)EPOLLIN : 0) |
	       (events & WT_EVENT_WRITE ? (uint32_t)EPOLLOUT : 0);
}

static unsigned from_epoll(uint32_t events)
{
	unsigned out = 0;

	if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		out |= WT_EVENT_READ;
	if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
		out |= WT_EVENT_WRITE;
	return out;
}

enum wt_status wt_watch_start(struct wt_loop *loop, struct wt_watch *watch, int fd, unsigned events,
			      wt_watch_fn *fn, void *arg)
{
	struct epoll_event event = { .events = to_epoll(events), .data.ptr = watch };

	*watch = (struct wt_watch){ loop, -1, events, fn, arg };
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
		return errno == EBADF || errno == EPERM ? WT_ERR_INVALID : WT_ERR_NOMEM;
	watch->fd = fd;
	return WT_OK;
}

enum wt_status wt_watch_change(struct wt_watch *watch, unsigned events)
{
	struct epoll_event event = { .events = to_epoll(events), .data.ptr = watch };

	if (watch->events == events)
		return WT_OK;
	if (epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) != 0)
		return errno == ENOMEM ? WT_ERR_NOMEM : WT_ERR_INVALID;
	watch->events = events;
	return WT_OK;
}

void wt_watch_stop(struct wt_watch *watch)
{
	struct wt_loop *loop = watch->loop;

	if (!loop || watch->fd < 0)
		return;
	(void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->fd = -1;
	/* Its event may wait in the batch that is being worked through. */
	for (int i = loop->event_at; i < loop->event_count; i++)
		if (loop->events[i].data.ptr == watch)
			loop->events[i].data.ptr = NULL;
}

void wt_loop_turn(struct wt_loop *loop, uint64_t max_wait_ms)
{
	uint64_t wait = max_wait_ms;

	if (loop->armed > 0) {
		uint64_t due = loop->heap[0]->due_ms;
		uint64_t now = loop->clock->boot_ms(loop->clock);

		wait = due <= now ? 0 : due - now < wait ? due - now : wait;
	}
	if (wait > INT_MAX)
		wait = INT_MAX;
	if (wait > 0)
		wt_pulse_rest(&loop->pulse);
	loop->event_count = epoll_wait(loop->epoll_fd, loop->events, WT_LOOP_EVENTS, (int)wait);
	wt_pulse_beat(&loop->pulse);
	wt_loop_update(loop);
	for (loop->event_at = 0; loop->event_at < loop->event_count;) {
		const struct epoll_event *event = &loop->events[loop->event_at++];
		struct wt_watch *watch = event->data.ptr;

		if (watch)
			watch->fn(watch->arg, loop->worker, watch->fd, from_epoll(event->events));
	}
	loop->event_count = 0;
	run_due_timers(loop);
}
