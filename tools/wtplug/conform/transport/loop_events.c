/* SPDX-License-Identifier: MIT */
#include "conform/transport/loop_events.h"

#include <fcntl.h>
#include <stdlib.h>

/* What a transport has as `struct wt_watch *`. */
struct wt_loop_watch {
	struct wt_watch watch;
	wt_watch_fn *fn;
	void *arg;
	struct wt_worker *worker;
	struct wt_loop_host *host;
	int fd;
	bool freed; /* reaped at the end of the turn */
};

struct wt_loop_timer {
	struct wt_timer timer;
	wt_timer_fn *fn;
	void *arg;
	struct wt_worker *worker;
	struct wt_loop_host *host;
	bool freed;
};

/* May one more timer or watch be made? */
static bool allow(struct wt_loop_host *host)
{
	if (host->allowance == 0)
		return false;
	if (host->allowance > 0)
		host->allowance--;
	return true;
}

/* Runs a callback of the transport for a worker. */
static void enter(struct wt_loop_host *host, struct wt_worker *worker)
{
	host->callbacks++;
	host->current = worker;
}

/* ---- timers */

static void on_timer(void *arg, struct wt_worker *unused)
{
	struct wt_loop_timer *timer = arg;
	struct wt_loop_host *host = timer->host;

	(void)unused;
	enter(host, timer->worker);
	timer->fn(timer->arg, timer->worker);
	host->current = NULL;
}

static struct wt_timer *loop_timer_new(const struct wt_host *table, struct wt_worker *worker,
				       wt_timer_fn *fn, void *arg)
{
	struct wt_loop_host *host = wt_loop_host_of(table);

	if (!wt_loop_host_called(host, worker, "timer_new") || !allow(host))
		return NULL;
	for (size_t i = 0; i < WT_LOOP_TIMERS; i++) {
		struct wt_loop_timer *timer;

		if (host->timers[i])
			continue;
		timer = calloc(1, sizeof *timer);
		if (!timer || wt_timer_init(host->loop, &timer->timer, on_timer, timer) != WT_OK) {
			free(timer);
			return NULL;
		}
		timer->fn = fn;
		timer->arg = arg;
		timer->worker = worker;
		timer->host = host;
		host->timers[i] = timer;
		return (struct wt_timer *)timer;
	}
	return NULL;
}

/* The timer that the transport means; NULL: it has none such. */
static struct wt_loop_timer *timer_of(const struct wt_host *table, struct wt_timer *timer,
				      const char *call)
{
	struct wt_loop_host *host = wt_loop_host_of(table);

	for (size_t i = 0; timer && i < WT_LOOP_TIMERS; i++)
		if ((void *)host->timers[i] == timer && !host->timers[i]->freed)
			return host->timers[i];
	wt_loop_host_found(host, WT_FAULT_EVENTS, "%s is called for a timer that it has not", call);
	return NULL;
}

static void loop_timer_set(const struct wt_host *host, struct wt_timer *timer, uint64_t after_ms)
{
	struct wt_loop_timer *known = timer_of(host, timer, "timer_set");

	if (known)
		wt_timer_arm(&known->timer, after_ms);
}

static void loop_timer_stop(const struct wt_host *host, struct wt_timer *timer)
{
	struct wt_loop_timer *known = timer_of(host, timer, "timer_stop");

	if (known)
		wt_timer_disarm(&known->timer);
}

static void loop_timer_free(const struct wt_host *host, struct wt_timer *timer)
{
	struct wt_loop_timer *known = timer ? timer_of(host, timer, "timer_free") : NULL;

	if (!known)
		return;
	known->freed = true;
	wt_timer_fini(&known->timer);
}

/* ---- watches */

static void on_event(void *arg, struct wt_worker *unused, int fd, unsigned events)
{
	struct wt_loop_watch *watch = arg;
	struct wt_loop_host *host = watch->host;

	(void)unused;
	enter(host, watch->worker);
	watch->fn(watch->arg, watch->worker, fd, events);
	host->current = NULL;
}

static struct wt_watch *loop_watch_new(const struct wt_host *table, struct wt_worker *worker,
				       int fd, unsigned events, wt_watch_fn *fn, void *arg)
{
	struct wt_loop_host *host = wt_loop_host_of(table);

	if (!wt_loop_host_called(host, worker, "watch_new"))
		return NULL;
	if (fcntl(fd, F_GETFD) < 0) {
		wt_loop_host_found(host, WT_FAULT_EVENTS, "watch_new is called with descriptor %d",
				   fd);
		return NULL;
	}
	if (!allow(host))
		return NULL;
	for (size_t i = 0; i < WT_LOOP_WATCHES; i++) {
		struct wt_loop_watch *watch;

		if (host->watches[i])
			continue;
		watch = calloc(1, sizeof *watch);
		if (!watch || wt_watch_start(host->loop, &watch->watch, fd, events, on_event,
					     watch) != WT_OK) {
			free(watch);
			return NULL;
		}
		watch->fn = fn;
		watch->arg = arg;
		watch->worker = worker;
		watch->host = host;
		watch->fd = fd;
		host->watches[i] = watch;
		return (struct wt_watch *)watch;
	}
	return NULL;
}

static struct wt_loop_watch *watch_of(const struct wt_host *table, struct wt_watch *watch,
				      const char *call)
{
	struct wt_loop_host *host = wt_loop_host_of(table);

	for (size_t i = 0; watch && i < WT_LOOP_WATCHES; i++)
		if ((void *)host->watches[i] == watch && !host->watches[i]->freed)
			return host->watches[i];
	wt_loop_host_found(host, WT_FAULT_EVENTS, "%s is called for a watch that it has not", call);
	return NULL;
}

static enum wt_status loop_watch_set(const struct wt_host *host, struct wt_watch *watch,
				     unsigned events)
{
	struct wt_loop_watch *known = watch_of(host, watch, "watch_set");

	return known ? wt_watch_change(&known->watch, events) : WT_ERR_INVALID;
}

static void loop_watch_free(const struct wt_host *table, struct wt_watch *watch)
{
	struct wt_loop_host *host = wt_loop_host_of(table);
	struct wt_loop_watch *known = watch ? watch_of(table, watch, "watch_free") : NULL;

	if (!known)
		return;
	if (fcntl(known->fd, F_GETFD) < 0)
		wt_loop_host_found(host, WT_FAULT_EVENTS,
				   "descriptor %d is closed before watch_free", known->fd);
	known->freed = true;
	wt_watch_stop(&known->watch);
}

int wt_loop_host_fd(const struct wt_loop_host *host, size_t i)
{
	return host->watches[i] && !host->watches[i]->freed ? host->watches[i]->fd : -1;
}

size_t wt_loop_host_held(const struct wt_loop_host *host)
{
	size_t n = 0;

	for (size_t i = 0; i < WT_LOOP_WATCHES; i++)
		n += host->watches[i] && !host->watches[i]->freed;
	for (size_t i = 0; i < WT_LOOP_TIMERS; i++)
		n += host->timers[i] && !host->timers[i]->freed;
	return n;
}

/* ---- the loop */

void wt_loop_events_reap(struct wt_loop_host *host)
{
	for (size_t i = 0; i < WT_LOOP_TIMERS; i++) {
		if (host->timers[i] && host->timers[i]->freed) {
			free(host->timers[i]);
			host->timers[i] = NULL;
		}
	}
	for (size_t i = 0; i < WT_LOOP_WATCHES; i++) {
		if (host->watches[i] && host->watches[i]->freed) {
			free(host->watches[i]);
			host->watches[i] = NULL;
		}
	}
}

void wt_loop_host_turn(struct wt_loop_host *host, int wait_ms)
{
	unsigned before = host->callbacks;

	wt_loop_turn(host->loop, host->busy ? 0 : (uint64_t)wait_ms);
	if (host->callbacks != before)
		host->wakeups++;
	wt_loop_host_settle(host);
}

void wt_loop_events_fill(struct wt_host *table)
{
	table->timer_new = loop_timer_new;
	table->timer_set = loop_timer_set;
	table->timer_stop = loop_timer_stop;
	table->timer_free = loop_timer_free;
	table->watch_new = loop_watch_new;
	table->watch_set = loop_watch_set;
	table->watch_free = loop_watch_free;
}

void wt_loop_events_drop(struct wt_loop_host *host)
{
	for (size_t i = 0; i < WT_LOOP_WATCHES; i++) {
		if (host->watches[i])
			wt_watch_stop(&host->watches[i]->watch);
		free(host->watches[i]);
	}
	for (size_t i = 0; i < WT_LOOP_TIMERS; i++) {
		if (host->timers[i])
			wt_timer_fini(&host->timers[i]->timer);
		free(host->timers[i]);
	}
}
