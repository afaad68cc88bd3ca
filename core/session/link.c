/* SPDX-License-Identifier: MIT */
#include "session/link.h"

#include <stdlib.h>

#include "plugin/call.h"
#include "session/conn.h"

struct wt_link *wt_link_new(struct wt_worker *worker, struct wt_instance *transport, bool dialled)
{
	struct wt_link *link = calloc(1, sizeof(*link));

	if (!link)
		return NULL;
	link->worker = worker;
	link->transport = transport;
	link->dialled = dialled;
	link->datagram = wt_transport_ops(transport)->mode == WT_CHANNEL_DATAGRAM;
	link->next = worker->links;
	if (link->next)
		link->next->prev = link;
	worker->links = link;
	return link;
}

struct wt_source wt_origin_source(const struct wt_origin *origin)
{
	const struct wt_link *link = origin->link;
	struct wt_source source = { .struct_size = sizeof source };

	wt_transport_source(link->transport, link->worker, link->tconn,
			    wt_link_shared(link) ? &origin->path : NULL, &source);
	return source;
}

static void unlink_readable(struct wt_link *link)
{
	struct wt_worker *worker = link->worker;
	struct wt_link *before = NULL;

	if (!link->in_readable)
		return;
	for (struct wt_link *l = worker->readable; l != link; l = l->next_readable)
		before = l;
	if (before)
		before->next_readable = link->next_readable;
	else
		worker->readable = link->next_readable;
	if (worker->readable_last == link)
		worker->readable_last = before;
	link->in_readable = false;
}

static void unlink_unsent(struct wt_link *link)
{
	struct wt_link **at = &link->worker->unsent;

	if (!link->in_unsent)
		return;
	while (*at != link)
		at = &(*at)->next_unsent;
	*at = link->next_unsent;
	link->in_unsent = false;
}

void wt_link_close(struct wt_link *link, bool abort)
{
	struct wt_worker *worker = link->worker;

	if (link->closed)
		return;
	link->closed = true;
	unlink_readable(link);
	unlink_unsent(link);
	for (size_t i = 0; i < link->out_count; i++)
		(void)wt_worker_slot_put(worker, link->out[i].slot);
	link->out_count = link->out_urgent = link->out_bytes = 0;
	if (link->tconn)
		wt_transport_close(link->transport, worker, link->tconn, abort);
	link->tconn = NULL;

	if (link->prev)
		link->prev->next = link->next;
	else
		worker->links = link->next;
	if (link->next)
		link->next->prev = link->prev;
	link->prev = NULL;
	link->next = worker->dead_links;
	worker->dead_links = link;
}

void wt_link_end(struct wt_link *link, bool abort, const char *why)
{
	while (link->conns)
		wt_conn_close(link->conns, abort, why);
	wt_link_close(link, abort);
}

void wt_link_reap(struct wt_worker *worker)
{
	while (worker->dead_links) {
		struct wt_link *link = worker->dead_links;

		worker->dead_links = link->next;
		free(link);
	}
}

void wt_link_readable(struct wt_link *link)
{
	struct wt_worker *worker = link->worker;

	if (link->closed || link->in_readable)
		return;
	link->in_readable = true;
	link->next_readable = NULL;
	if (worker->readable)
		worker->readable_last->next_readable = link;
	else
		worker->readable = link;
	worker->readable_last = link;
}

struct wt_link *wt_link_next_readable(struct wt_worker *worker)
{
	struct wt_link *link = worker->readable;

	if (link)
		unlink_readable(link);
	return link;
}
