/* SPDX-License-Identifier: MIT */
#include "session/half_open.h"

#include <string.h>

#include "base/log.h"

static bool same_prefix(const struct wt_source *a, const struct wt_source *b)
{
	return a->prefix_len == b->prefix_len && memcmp(a->prefix, b->prefix, a->prefix_len) == 0;
}

static void make_room(struct wt_worker *worker, const struct wt_source *source)
{
	struct wt_conn *oldest_there = NULL;
	size_t there = 0;

	for (struct wt_conn *c = worker->half_open; c; c = c->half_next) {
		if (!same_prefix(&c->source, source))
			continue;
		there++;
		if (!oldest_there)
			oldest_there = c;
	}
	if (there >= WT_HALF_OPEN_PER_SOURCE) {
		wt_log_limited(WT_LOG_INFO, "half-open source",
			       "%s: %u unauthenticated connections, the oldest is closed",
			       source->text, WT_HALF_OPEN_PER_SOURCE);
		wt_conn_close(oldest_there, true, "too many from its source");
	} else if (worker->half_open_count >= WT_HALF_OPEN_MAX) {
		wt_log_limited(WT_LOG_INFO, "half-open",
			       "%u unauthenticated connections, the oldest (%s) is closed",
			       WT_HALF_OPEN_MAX, worker->half_open->source.text);
		wt_conn_close(worker->half_open, true, "too many strangers");
	}
}

void wt_half_open_add(struct wt_conn *conn)
{
	struct wt_worker *worker = conn->worker;

	make_room(worker, &conn->source);
	conn->in_half_open = true;
	conn->half_next = NULL;
	conn->half_prev = worker->half_open_last;
	if (conn->half_prev)
		conn->half_prev->half_next = conn;
	else
		worker->half_open = conn;
	worker->half_open_last = conn;
	worker->half_open_count++;
	conn->give_up_ms = worker->loop.now_ms + WT_HALF_OPEN_MS;
	wt_conn_schedule(conn);
}

void wt_half_open_remove(struct wt_conn *conn)
{
	struct wt_worker *worker = conn->worker;

	if (!conn->in_half_open)
		return;
	if (conn->half_prev)
		conn->half_prev->half_next = conn->half_next;
	else
		worker->half_open = conn->half_next;
	if (conn->half_next)
		conn->half_next->half_prev = conn->half_prev;
	else
		worker->half_open_last = conn->half_prev;
	conn->in_half_open = false;
	worker->half_open_count--;
}
