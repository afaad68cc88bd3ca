/* SPDX-License-Identifier: MIT */
#include "support/loop_host.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CANARY_BYTES 64u
#define CANARY 0xc5
#define POISON 0xa5

struct wt_watch {
	int fd;
	unsigned events;
	wt_watch_fn *fn;
	void *arg;
	struct wt_worker *worker;
	bool freed; /* reaped at the end of the turn */
};

struct wt_timer {
	bool armed;
	uint64_t due_ms;
	wt_timer_fn *fn;
	void *arg;
	struct wt_worker *worker;
	bool freed;
};

static struct wt_loop_host *loop_of(const struct wt_host *host)
{
	return (struct wt_loop_host *)host->self;
}

struct wt_worker *wt_loop_host_worker(struct wt_loop_host *host)
{
	return wt_loop_host_worker_at(host, 0);
}

struct wt_worker *wt_loop_host_worker_at(struct wt_loop_host *host, uint32_t index)
{
	assert_in_range(index, 0, WT_LOOP_WORKERS - 1);
	return (struct wt_worker *)&host->workers[index];
}

static bool is_worker(const struct wt_loop_host *host, const struct wt_worker *worker)
{
	const char *at = (const char *)worker;

	return at >= host->workers && at < host->workers + WT_LOOP_WORKERS;
}

static uint32_t loop_worker_count(const struct wt_host *host)
{
	const struct wt_loop_host *loop = loop_of(host);

	return loop->config.workers > 0 ? loop->config.workers : 1;
}

const struct wt_config *wt_loop_host_config(const struct wt_loop_host *host)
{
	return (const struct wt_config *)&host->config;
}

uint64_t wt_loop_host_now_ms(const struct wt_loop_host *host)
{
	return wt_clock_system.mono_ns(&wt_clock_system) / 1000000u + host->ahead_ms;
}

void wt_loop_host_advance(struct wt_loop_host *host, uint64_t ms)
{
	host->ahead_ms += ms;
}

/* May one more timer or watch be made? */
static bool allow(struct wt_loop_host *host)
{
	if (host->allowance == 0)
		return false;
	if (host->allowance > 0)
		host->allowance--;
	return true;
}

/* ---- timers */

static struct wt_timer *loop_timer_new(const struct wt_host *host, struct wt_worker *worker,
				       wt_timer_fn *fn, void *arg)
{
	assert_true(is_worker(loop_of(host), worker));
	if (!allow(loop_of(host)))
		return NULL;
	for (size_t i = 0; i < WT_LOOP_TIMERS; i++) {
		struct wt_timer **place = &loop_of(host)->timers[i];

		if (*place)
			continue;
		*place = calloc(1, sizeof **place);
		assert_non_null(*place);
		(*place)->fn = fn;
		(*place)->arg = arg;
		(*place)->worker = worker;
		return *place;
	}
	fail_msg("too many timers");
	return NULL;
}

static void loop_timer_set(const struct wt_host *host, struct wt_timer *timer, uint64_t after_ms)
{
	assert_false(timer->freed);
	timer->armed = true;
	timer->due_ms = wt_loop_host_now_ms(loop_of(host)) + after_ms;
}

static void loop_timer_stop(const struct wt_host *host, struct wt_timer *timer)
{
	(void)host;
	assert_false(timer->freed);
	timer->armed = false;
}

static void loop_timer_free(const struct wt_host *host, struct wt_timer *timer)
{
	(void)host;
	assert_false(timer->freed);
	timer->freed = true;
	timer->armed = false;
}

/* ---- watches */

static struct wt_watch *loop_watch_new(const struct wt_host *host, struct wt_worker *worker, int fd,
				       unsigned events, wt_watch_fn *fn, void *arg)
{
	assert_true(is_worker(loop_of(host), worker));
	assert_true(fd >= 0);
	if (!allow(loop_of(host)))
		return NULL;
	for (size_t i = 0; i < WT_LOOP_WATCHES; i++) {
		struct wt_watch **place = &loop_of(host)->watches[i];

		if (*place)
			continue;
		*place = calloc(1, sizeof **place);
		assert_non_null(*place);
		**place = (struct wt_watch){ fd, events, fn, arg, worker, false };
		return *place;
	}
	fail_msg("too many watches");
	return NULL;
}

static enum wt_status loop_watch_set(const struct wt_host *host, struct wt_watch *watch,
				     unsigned events)
{
	(void)host;
	assert_false(watch->freed);
	watch->events = events;
	return WT_OK;
}

static void loop_watch_free(const struct wt_host *host, struct wt_watch *watch)
{
	(void)host;
	assert_false(watch->freed);
	watch->freed = true;
}

int wt_loop_host_fd(const struct wt_loop_host *host, size_t i)
{
	return host->watches[i] && !host->watches[i]->freed ? host->watches[i]->fd : -1;
}

/* ---- the loop */

static void reap(struct wt_loop_host *host)
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

/* Returns whether one was due. A timer set anew by a callback waits for the next
 * turn. */
static bool run_timers(struct wt_loop_host *host)
{
	struct wt_timer *due[WT_LOOP_TIMERS];
	uint64_t now = wt_loop_host_now_ms(host);
	size_t n = 0;

	for (size_t i = 0; i < WT_LOOP_TIMERS; i++)
		if (host->timers[i] && host->timers[i]->armed && host->timers[i]->due_ms <= now)
			due[n++] = host->timers[i];
	for (size_t i = 0; i < n; i++) {
		if (due[i]->freed || !due[i]->armed || due[i]->due_ms > now)
			continue;
		due[i]->armed = false;
		due[i]->fn(due[i]->arg, due[i]->worker);
	}
	return n > 0;
}

static int until_next_timer(const struct wt_loop_host *host, int wait_ms)
{
	uint64_t now = wt_loop_host_now_ms(host);

	for (size_t i = 0; i < WT_LOOP_TIMERS; i++) {
		const struct wt_timer *timer = host->timers[i];

		if (!timer || !timer->armed)
			continue;
		if (timer->due_ms <= now)
			return 0;
		if (timer->due_ms - now < (uint64_t)wait_ms)
			wait_ms = (int)(timer->due_ms - now);
	}
	return wait_ms;
}

static bool run_watches(struct wt_loop_host *host, int wait_ms)
{
	struct pollfd polls[WT_LOOP_WATCHES];
	struct wt_watch *watches[WT_LOOP_WATCHES];
	nfds_t n = 0;

	for (size_t i = 0; i < WT_LOOP_WATCHES; i++) {
		struct wt_watch *watch = host->watches[i];

		if (!watch || watch->freed)
			continue;
		watches[n] = watch;
		polls[n++] = (struct pollfd){
			.fd = watch->fd,
			.events = (short)((watch->events & WT_EVENT_READ ? POLLIN : 0) |
					  (watch->events & WT_EVENT_WRITE ? POLLOUT : 0)),
		};
	}

	int ready = poll(polls, n, wait_ms);

	for (nfds_t i = 0; ready > 0 && i < n; i++) {
		unsigned events = 0;

		if (polls[i].revents == 0 || watches[i]->freed)
			continue;
		assert_false(polls[i].revents & POLLNVAL);
		if (polls[i].revents & (POLLIN | POLLERR | POLLHUP))
			events |= WT_EVENT_READ;
		if (polls[i].revents & (POLLOUT | POLLERR | POLLHUP))
			events |= WT_EVENT_WRITE;
		watches[i]->fn(watches[i]->arg, watches[i]->worker, watches[i]->fd, events);
	}
	return ready > 0;
}

void wt_loop_host_turn(struct wt_loop_host *host, int wait_ms)
{
	bool timers = run_timers(host);
	bool watches = run_watches(host, timers ? 0 : until_next_timer(host, wait_ms));

	if (timers || watches)
		host->wakeups++;
	reap(host);
}

/* ---- counters and settings */

static uint32_t loop_counter(const struct wt_host *host, const char *name)
{
	struct wt_loop_host *loop = loop_of(host);

	assert_true(loop->counter_count < WT_LOOP_COUNTERS);
	loop->counters[loop->counter_count].name = name;
	return (uint32_t)++loop->counter_count;
}

static void loop_count(const struct wt_host *host, struct wt_worker *worker, uint32_t counter,
		       uint64_t n)
{
	assert_true(is_worker(loop_of(host), worker));
	assert_in_range(counter, 1, loop_of(host)->counter_count);
	loop_of(host)->counters[counter - 1].value += n;
}

uint64_t wt_loop_host_counter(const struct wt_loop_host *host, const char *name)
{
	for (size_t i = 0; i < host->counter_count; i++)
		if (strcmp(host->counters[i].name, name) == 0)
			return host->counters[i].value;
	fail_msg("no counter %s", name);
	return 0;
}

static const char *loop_config_string(const struct wt_host *host, const struct wt_config *cfg,
				      const char *key)
{
	(void)cfg;
	if (strcmp(key, "segmentation") == 0)
		return loop_of(host)->config.segmentation;
	assert_string_equal(key, "congestion");
	return loop_of(host)->config.congestion;
}

static uint64_t loop_config_uint(const struct wt_host *host, const struct wt_config *cfg,
				 const char *key)
{
	(void)cfg;
	if (strcmp(key, "recv_buffer") == 0)
		return loop_of(host)->config.recv_buffer;
	assert_string_equal(key, "send_buffer");
	return loop_of(host)->config.send_buffer;
}

static enum wt_status loop_config_sockaddr(const struct wt_host *host, const struct wt_config *cfg,
					   const char *key, size_t i, struct sockaddr_storage *out)
{
	(void)cfg;
	assert_string_equal(key, "listen");
	if (i >= loop_of(host)->config.listen_count)
		return WT_ERR_INVALID;
	*out = loop_of(host)->config.listen[i];
	return WT_OK;
}

/* ---- slots */

static void check_canaries(const struct wt_loop_slot *slot)
{
	for (size_t i = 0; i < CANARY_BYTES; i++) {
		assert_int_equal(slot->memory[i], CANARY);
		assert_int_equal(slot->memory[CANARY_BYTES + WT_SLOT_CAPACITY + i], CANARY);
	}
}

static struct wt_slot *loop_slot_get(const struct wt_host *host, struct wt_worker *worker)
{
	struct wt_loop_host *loop = loop_of(host);

	(void)worker;
	if (loop->slots_out >= loop->slot_limit)
		return NULL;
	for (size_t i = 0; i < WT_LOOP_SLOTS; i++) {
		struct wt_loop_slot *slot = &loop->slots[i];

		if (slot->out)
			continue;
		if (!slot->memory) {
			slot->memory = aligned_alloc(64, 2 * CANARY_BYTES + WT_SLOT_CAPACITY);
			assert_non_null(slot->memory);
			memset(slot->memory, CANARY, 2 * CANARY_BYTES + WT_SLOT_CAPACITY);
			slot->slot = (struct wt_slot){ sizeof(struct wt_slot), WT_SLOT_CAPACITY,
						       slot->memory + CANARY_BYTES };
		}
		slot->out = true;
		loop->slots_out++;
		return &slot->slot;
	}
	return NULL;
}

static void loop_slot_done(const struct wt_host *host, struct wt_worker *worker,
			   struct wt_slot *returned)
{
	struct wt_loop_host *loop = loop_of(host);

	(void)worker;
	for (size_t i = 0; i < WT_LOOP_SLOTS; i++) {
		struct wt_loop_slot *slot = &loop->slots[i];

		if (&slot->slot != returned)
			continue;
		if (!slot->out)
			fail_msg("slot %zu given back twice", i);
		check_canaries(slot);
		/* Whoever still reads it gets something else. */
		memset(slot->slot.base, POISON, slot->slot.capacity);
		slot->out = false;
		loop->slots_out--;
		return;
	}
	fail_msg("not a slot of this host");
}

struct wt_slot *wt_loop_host_slot(struct wt_loop_host *host)
{
	struct wt_slot *slot = loop_slot_get(&host->plain.host, wt_loop_host_worker(host));

	assert_non_null(slot);
	return slot;
}

/* ---- reports */

struct wt_loop_conn *wt_loop_host_conn(struct wt_loop_host *host)
{
	assert_true(host->conn_count < WT_LOOP_CONNS);

	struct wt_loop_conn *conn = &host->conns[host->conn_count++];

	*conn = (struct wt_loop_conn){ .host = host, .worker = wt_loop_host_worker(host) };
	return conn;
}

static struct wt_loop_conn *reported(struct wt_link *conn)
{
	struct wt_loop_conn *loop_conn = (struct wt_loop_conn *)conn;

	assert_non_null(conn);
	if (loop_conn->closed)
		fail_msg("a report for a connection that was closed");
	return loop_conn;
}

static enum wt_status loop_conn_accepted(const struct wt_host *host, struct wt_worker *worker,
					 void *tconn, struct wt_link **conn)
{
	struct wt_loop_host *loop = loop_of(host);

	if (loop->accept != WT_OK)
		return loop->accept;

	struct wt_loop_conn *made = wt_loop_host_conn(loop);

	made->tconn = tconn;
	made->worker = worker;
	loop->accepted++;
	*conn = (struct wt_link *)made;
	return WT_OK;
}

static void loop_conn_connected(const struct wt_host *host, struct wt_worker *worker,
				struct wt_link *conn)
{
	(void)host;
	(void)worker;
	reported(conn)->connected++;
}

static void loop_conn_readable(const struct wt_host *host, struct wt_worker *worker,
			       struct wt_link *conn)
{
	struct wt_loop_conn *c = reported(conn);

	(void)host;
	(void)worker;
	c->readable++;
	if (c->on_readable)
		c->on_readable(c);
}

static void loop_conn_writable(const struct wt_host *host, struct wt_worker *worker,
			       struct wt_link *conn)
{
	struct wt_loop_conn *c = reported(conn);

	(void)host;
	(void)worker;
	c->writable++;
	if (c->on_writable)
		c->on_writable(c);
}

static void loop_conn_ended(const struct wt_host *host, struct wt_worker *worker,
			    struct wt_link *conn, enum wt_status why, const char *text)
{
	struct wt_loop_conn *c = reported(conn);

	(void)host;
	(void)worker;
	if (c->ended++)
		fail_msg("the end was reported twice");
	c->why = why;
	snprintf(c->text, sizeof c->text, "%s", text);
	if (c->on_ended)
		c->on_ended(c);
}

/* ---- life */

struct wt_loop_host *wt_loop_host_new(const struct wt_loop_config *config)
{
	struct wt_loop_host *loop = calloc(1, sizeof *loop);

	assert_non_null(loop);
	wt_plain_host_init(&loop->plain, NULL);
	loop->config = *config;
	loop->slot_limit = WT_LOOP_SLOTS;
	loop->allowance = -1;

	struct wt_host *host = &loop->plain.host;

	/* plain is the first member: its functions still find themselves. */
	host->self = loop;
	host->timer_new = loop_timer_new;
	host->timer_set = loop_timer_set;
	host->timer_stop = loop_timer_stop;
	host->timer_free = loop_timer_free;
	host->watch_new = loop_watch_new;
	host->watch_set = loop_watch_set;
	host->watch_free = loop_watch_free;
	host->counter = loop_counter;
	host->count = loop_count;
	host->config_string = loop_config_string;
	host->config_uint = loop_config_uint;
	host->config_sockaddr = loop_config_sockaddr;
	host->worker_count = loop_worker_count;
	host->slot_get = loop_slot_get;
	host->slot_done = loop_slot_done;
	host->conn_accepted = loop_conn_accepted;
	host->conn_connected = loop_conn_connected;
	host->conn_readable = loop_conn_readable;
	host->conn_writable = loop_conn_writable;
	host->conn_ended = loop_conn_ended;
	return loop;
}

void wt_loop_host_free(struct wt_loop_host *host)
{
	reap(host);
	for (size_t i = 0; i < WT_LOOP_WATCHES; i++)
		assert_null(host->watches[i]);
	for (size_t i = 0; i < WT_LOOP_TIMERS; i++)
		assert_null(host->timers[i]);
	assert_int_equal(host->slots_out, 0);
	for (size_t i = 0; i < WT_LOOP_SLOTS; i++)
		free(host->slots[i].memory);
	free(host);
}
