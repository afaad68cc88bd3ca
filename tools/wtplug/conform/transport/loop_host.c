/* SPDX-License-Identifier: MIT */
#include "conform/transport/loop_host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "conform/transport/loop_events.h"
#include "conform/transport/loop_slots.h"
#include "plugin/source.h"

void wt_loop_host_found(struct wt_loop_host *host, enum wt_fault fault, const char *fmt, ...)
{
	struct wt_finding finding = { .fault = WT_FAULT_NONE };
	char text[sizeof finding.text];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	wt_find(&finding, fault, "%s", text);
	if (host->finding.fault == WT_FAULT_NONE)
		host->finding = finding;
	if (host->on_finding)
		host->on_finding(host, &finding);
}

/* ---- workers */

struct wt_worker *wt_loop_host_worker(struct wt_loop_host *host)
{
	return wt_loop_host_worker_at(host, 0);
}

struct wt_worker *wt_loop_host_worker_at(struct wt_loop_host *host, uint32_t index)
{
	return (struct wt_worker *)&host->workers[index % WT_LOOP_WORKERS];
}

static int loop_rate_allow(const struct wt_host *host, struct wt_worker *worker, uint32_t peer_id,
			   const void *source, size_t source_len, uint32_t per_second,
			   uint32_t burst)
{
	(void)host, (void)worker, (void)peer_id, (void)source, (void)source_len;
	(void)per_second, (void)burst;
	return 1;
}

static uint32_t loop_worker_count(const struct wt_host *host)
{
	return wt_loop_host_of(host)->worker_count;
}

static uint32_t loop_worker_index(const struct wt_host *table, const struct wt_worker *worker)
{
	const struct wt_loop_host *host = wt_loop_host_of(table);
	const char *at = (const char *)worker;

	if (at >= host->workers && at < host->workers + host->worker_count)
		return (uint32_t)(at - host->workers);
	wt_loop_host_found(wt_loop_host_of(table), WT_FAULT_WORKER,
			   "worker_index is asked of no worker");
	return 0;
}

/* A call of the host with a worker: is it one, and the one whose turn it is? */
bool wt_loop_host_called(struct wt_loop_host *host, const struct wt_worker *worker,
			 const char *call)
{
	const char *at = (const char *)worker;

	if (!pthread_equal(pthread_self(), host->thread))
		wt_loop_host_found(host, WT_FAULT_WORKER, "%s is called from another thread", call);
	else if (at < host->workers || at >= host->workers + host->worker_count)
		wt_loop_host_found(host, WT_FAULT_WORKER, "%s is called with no worker", call);
	else if (host->current && worker != host->current)
		wt_loop_host_found(host, WT_FAULT_WORKER,
				   "%s is called for worker %td in the turn of worker %td", call,
				   at - host->workers, (char *)host->current - host->workers);
	else
		return true;
	return false;
}

/* ---- time */

static const struct wt_loop_host *of_clock(const struct wt_clock *clock)
{
	return (const void *)((const char *)clock - offsetof(struct wt_loop_host, clock));
}

static uint64_t ahead_boot_ms(const struct wt_clock *clock)
{
	return wt_clock_system.boot_ms(&wt_clock_system) + of_clock(clock)->ahead_ms;
}

static uint64_t ahead_unix_ms(const struct wt_clock *clock)
{
	return wt_clock_system.unix_ms(&wt_clock_system) + of_clock(clock)->ahead_ms;
}

static uint64_t ahead_mono_ns(const struct wt_clock *clock)
{
	return wt_clock_system.mono_ns(&wt_clock_system) + of_clock(clock)->ahead_ms * 1000000u;
}

uint64_t wt_loop_host_now_ms(const struct wt_loop_host *host)
{
	return host->loop->clock->boot_ms(host->loop->clock);
}

void wt_loop_host_advance(struct wt_loop_host *host, uint64_t ms)
{
	host->ahead_ms += ms;
	wt_loop_update(host->loop);
}

/* ---- log and counters */

static void WT_PRINTF(3, 4)
	loop_log(const struct wt_host *host, enum wt_log_level level, const char *fmt, ...)
{
	char line[512];
	va_list args;

	/* Nobody reads it, but what it formats must be there. */
	(void)host;
	(void)level;
	va_start(args, fmt);
	vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
}

static void WT_PRINTF(4, 5) loop_log_limited(const struct wt_host *host, enum wt_log_level level,
					     const char *topic, const char *fmt, ...)
{
	char line[512];
	va_list args;

	(void)host;
	(void)level;
	(void)topic;
	va_start(args, fmt);
	vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
}

static uint32_t loop_counter(const struct wt_host *table, const char *name)
{
	struct wt_loop_host *host = wt_loop_host_of(table);

	if (name[0] == '\0' || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")])
		wt_loop_host_found(host, WT_FAULT_COUNTERS, "no name of a counter: \"%s\"", name);
	for (size_t i = 0; i < host->counter_count; i++)
		if (strcmp(host->counters[i].name, name) == 0)
			return (uint32_t)i + 1;
	if (host->counter_count == WT_LOOP_COUNTERS)
		return 0;
	host->counters[host->counter_count].name = name;
	return (uint32_t)++host->counter_count;
}

static void loop_count(const struct wt_host *table, struct wt_worker *worker, uint32_t counter,
		       uint64_t n)
{
	struct wt_loop_host *host = wt_loop_host_of(table);

	/* Outside of a worker it may come from anywhere. */
	if (worker && !wt_loop_host_called(host, worker, "count"))
		return;
	if (counter > host->counter_count)
		wt_loop_host_found(host, WT_FAULT_COUNTERS, "there is no counter %u", counter);
	else if (counter > 0)
		host->counters[counter - 1].value += n;
}

uint64_t wt_loop_host_counter(const struct wt_loop_host *host, const char *name)
{
	for (size_t i = 0; i < host->counter_count; i++)
		if (strcmp(host->counters[i].name, name) == 0)
			return host->counters[i].value;
	return UINT64_MAX;
}

/* ---- reports */

void wt_loop_host_forget(struct wt_loop_host *host)
{
	size_t kept = 0;

	/* Only from the end: the transport has the addresses of the others. */
	for (size_t i = 0; i < host->conn_count; i++)
		if (!host->conns[i].closed)
			kept = i + 1;
	host->conn_count = kept;
}

struct wt_loop_conn *wt_loop_host_conn(struct wt_loop_host *host)
{
	if (host->conn_count == WT_LOOP_CONNS)
		return NULL;
	struct wt_loop_conn *conn = &host->conns[host->conn_count++];

	*conn = (struct wt_loop_conn){ .host = host, .worker = wt_loop_host_worker(host) };
	return conn;
}

/* NULL: it must not be reported so. */
static struct wt_loop_conn *reported(const struct wt_host *table, struct wt_worker *worker,
				     struct wt_link *link, const char *call)
{
	struct wt_loop_host *host = wt_loop_host_of(table);
	struct wt_loop_conn *conn = (struct wt_loop_conn *)link;

	if (!wt_loop_host_called(host, worker, call))
		return NULL;
	if (conn < host->conns || conn >= host->conns + WT_LOOP_CONNS)
		wt_loop_host_found(host, WT_FAULT_REPORT_LATE, "%s for what is no connection",
				   call);
	else if (conn->closed)
		wt_loop_host_found(host, WT_FAULT_REPORT_LATE, "%s after close()", call);
	else if (conn->ended && strcmp(call, "link_ended") != 0)
		wt_loop_host_found(host, WT_FAULT_REPORT_LATE, "%s after link_ended", call);
	else if (host->inside)
		wt_loop_host_found(host, WT_FAULT_REPORT_INSIDE, "%s inside %s()", call,
				   host->inside);
	else if (worker != conn->worker)
		wt_loop_host_found(host, WT_FAULT_WORKER, "%s for a connection of another worker",
				   call);
	else
		return conn;
	return NULL;
}

static enum wt_status loop_conn_accepted(const struct wt_host *table, struct wt_worker *worker,
					 void *tconn, struct wt_link **conn)
{
	struct wt_loop_host *host = wt_loop_host_of(table);

	if (!wt_loop_host_called(host, worker, "link_accepted"))
		return WT_ERR_INVALID;
	struct wt_loop_conn *made = host->accept == WT_OK ? wt_loop_host_conn(host) : NULL;

	if (!made) {
		host->refused++;
		return host->accept == WT_OK ? WT_ERR_LIMIT : host->accept;
	}
	made->tconn = tconn;
	made->worker = worker;
	host->accepted++;
	*conn = (struct wt_link *)made;
	if (host->on_accepted)
		host->on_accepted(made);
	return WT_OK;
}

static void loop_conn_connected(const struct wt_host *host, struct wt_worker *worker,
				struct wt_link *link)
{
	struct wt_loop_conn *conn = reported(host, worker, link, "link_connected");

	if (!conn)
		return;
	if (conn->connected++ || conn->ended)
		wt_loop_host_found(conn->host, WT_FAULT_END_TWICE,
				   "link_connected for a dial whose outcome was reported before");
	else if (conn->on_connected)
		conn->on_connected(conn);
}

static void loop_conn_readable(const struct wt_host *host, struct wt_worker *worker,
			       struct wt_link *link)
{
	struct wt_loop_conn *conn = reported(host, worker, link, "link_readable");

	if (!conn)
		return;
	conn->readable++;
	if (conn->host->defers)
		conn->due = true;
	else if (conn->on_readable)
		conn->on_readable(conn);
}

static void loop_conn_writable(const struct wt_host *host, struct wt_worker *worker,
			       struct wt_link *link)
{
	struct wt_loop_conn *conn = reported(host, worker, link, "link_writable");

	if (!conn)
		return;
	conn->writable++;
	if (conn->on_writable)
		conn->on_writable(conn);
}

static void loop_conn_ended(const struct wt_host *host, struct wt_worker *worker,
			    struct wt_link *link, enum wt_status why, const char *text)
{
	struct wt_loop_conn *conn = reported(host, worker, link, "link_ended");

	if (!conn)
		return;
	if (conn->ended++) {
		wt_loop_host_found(conn->host, WT_FAULT_END_TWICE, "link_ended, and again");
		return;
	}
	conn->why = why;
	snprintf(conn->text, sizeof conn->text, "%s", text ? text : "");
	if (conn->on_ended)
		conn->on_ended(conn);
}

void wt_loop_host_settle(struct wt_loop_host *host)
{
	host->busy = false;
	for (size_t i = 0; i < host->conn_count; i++) {
		struct wt_loop_conn *conn = &host->conns[i];

		if (!conn->due || conn->closed || !conn->on_readable)
			continue;
		conn->due = false;
		host->current = conn->worker;
		conn->on_readable(conn);
		host->current = NULL;
		host->busy |= conn->due && !conn->closed;
	}
	wt_loop_events_reap(host);
}

/* ---- life */

struct wt_loop_host *wt_loop_host_new(const char *name, struct wt_loop *loop)
{
	struct wt_loop_host *host = calloc(1, sizeof *host);
	struct wt_error err = { .struct_size = sizeof err };

	if (!host)
		return NULL;
	host->clock = (struct wt_clock){ ahead_boot_ms, ahead_unix_ms, ahead_mono_ns };
	host->loop = loop ? loop : &host->own_loop;
	host->own_loop.epoll_fd = -1;
	if ((!loop && wt_loop_init(&host->own_loop, &host->clock, NULL) != WT_OK) ||
	    wt_host_base_init(&host->base, WT_KIND_TRANSPORT, name, host->loop->clock, NULL,
			      &err) != WT_OK) {
		wt_loop_fini(&host->own_loop);
		free(host);
		return NULL;
	}
	host->slot_limit = WT_LOOP_SLOTS;
	host->allowance = -1;
	host->worker_count = 1;
	host->thread = pthread_self();

	struct wt_host *table = &host->base.host;

	/* base is the first member: its functions still find themselves. */
	table->log = loop_log;
	table->log_limited = loop_log_limited;
	wt_loop_events_fill(table);
	wt_loop_slots_fill(table);
	table->counter = loop_counter;
	table->count = loop_count;
	table->worker_count = loop_worker_count;
	table->worker_index = loop_worker_index;
	table->source_of_address = wt_source_of_address;
	table->rate_allow = loop_rate_allow;
	table->link_accepted = loop_conn_accepted;
	table->link_connected = loop_conn_connected;
	table->link_readable = loop_conn_readable;
	table->link_writable = loop_conn_writable;
	table->link_ended = loop_conn_ended;
	return host;
}

void wt_loop_host_check_empty(struct wt_loop_host *host)
{
	size_t held = wt_loop_host_held(host);

	if (held > 0)
		wt_loop_host_found(host, WT_FAULT_EVENTS,
				   "%zu watches or timers are not freed by destroy()", held);
	if (host->slots_out > 0)
		wt_loop_host_found(host, WT_FAULT_SLOT_KEPT, "%zu are out after destroy()",
				   host->slots_out);
}

void wt_loop_host_free(struct wt_loop_host *host)
{
	if (!host)
		return;
	wt_loop_events_drop(host);
	wt_loop_slots_drop(host);
	wt_loop_fini(&host->own_loop);
	free(host);
}
