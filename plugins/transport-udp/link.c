/* SPDX-License-Identifier: MIT */
#include "link.h"

#include <stdlib.h>
#include <unistd.h>

#include "transport-common/failure.h"

void wt_udp_link_count(struct wt_udp_link *link, uint32_t counter, uint64_t n)
{
	const struct wt_host *host = link->udp->host;

	host->count(host, link->worker, counter, n);
}

static void hold(struct wt_udp_link *link)
{
	link->holds++;
}

static void release(struct wt_udp_link *link)
{
	if (--link->holds == 0 && link->closed)
		free(link);
}

/* ---- events */

void wt_udp_link_watch(struct wt_udp_link *link)
{
	const struct wt_host *host = link->udp->host;
	unsigned events = 0;

	if (!link->in.waits_for_slot)
		events |= WT_EVENT_READ;
	if (link->out.blocked && !link->out.paused)
		events |= WT_EVENT_WRITE;
	if (events == link->watched)
		return;
	if (host->watch_set(host, link->watch, events) == WT_OK) {
		link->watched = events;
		return;
	}
	/* Without memory for an event there is still time. */
	if (link->out.blocked)
		host->timer_set(host, link->pause, WT_UDP_FULL_PAUSE_MS);
	host->timer_set(host, link->timer, WT_UDP_SLOT_PAUSE_MS);
}

static void on_event(void *arg, struct wt_worker *worker, int fd, unsigned events)
{
	struct wt_udp_link *link = arg;
	const struct wt_host *host = link->udp->host;

	(void)worker;
	(void)fd;
	if (link->connecting)
		return;
	hold(link);
	/* An error shows as both events. */
	if (link->dialled && (events & WT_EVENT_WRITE))
		wt_udp_receiving_errors(link);
	if ((events & WT_EVENT_WRITE) && link->out.blocked)
		wt_udp_link_writable(link);
	if (!link->closed && (events & WT_EVENT_READ) && !link->in.waits_for_slot) {
		link->in.drained = false;
		host->link_readable(host, link->worker, link->core);
	}
	release(link);
}

static void on_timer(void *arg, struct wt_worker *worker)
{
	struct wt_udp_link *link = arg;
	const struct wt_host *host = link->udp->host;

	(void)worker;
	hold(link);
	if (link->connecting) {
		link->connecting = false;
		host->link_connected(host, link->worker, link->core);
	} else {
		link->in.waits_for_slot = false;
		wt_udp_link_watch(link);
	}
	release(link);
}

static void on_pause(void *arg, struct wt_worker *worker)
{
	struct wt_udp_link *link = arg;

	(void)worker;
	hold(link);
	link->out.paused = false;
	wt_udp_link_writable(link);
	release(link);
}

/* ---- making and closing */

struct wt_udp_link *wt_udp_link_new(struct wt_udp *udp, struct wt_worker *worker, int fd,
				    const struct sockaddr_storage *peer, bool dialled)
{
	const struct wt_host *host = udp->host;
	struct wt_udp_link *link = calloc(1, sizeof *link);

	if (!link)
		goto close_fd;
	link->udp = udp;
	link->worker = worker;
	link->fd = fd;
	link->answers = -1;
	link->peer = *peer;
	link->dialled = dialled;
	link->out.runs = udp->runs;
	link->timer = host->timer_new(host, worker, on_timer, link);
	if (!link->timer)
		goto free_link;
	link->pause = host->timer_new(host, worker, on_pause, link);
	if (!link->pause)
		goto free_timer;
	link->watched = WT_EVENT_READ;
	link->watch = host->watch_new(host, worker, fd, link->watched, on_event, link);
	if (!link->watch)
		goto free_pause;
	return link;

free_pause:
	host->timer_free(host, link->pause);
free_timer:
	host->timer_free(host, link->timer);
free_link:
	free(link);
close_fd:
	close(fd);
	return NULL;
}

enum wt_status wt_udp_link_dial(struct wt_udp *udp, struct wt_worker *worker,
				const struct sockaddr_storage *remote, struct wt_link *core,
				struct wt_udp_link **out, struct wt_error *err)
{
	struct wt_udp_link *link;
	int fd;
	enum wt_status status = wt_udp_socket_dial(udp, remote, &fd, err);

	if (status != WT_OK)
		return status;
	link = wt_udp_link_new(udp, worker, fd, remote, true);
	if (!link)
		return wt_socket_fail(err, WT_ERR_NOMEM, "out of memory for a UDP socket");
	link->core = core;
	link->connecting = true;
	udp->host->timer_set(udp->host, link->timer, 0);
	*out = link;
	return WT_OK;
}

void wt_udp_link_close(struct wt_udp_link *link, bool abort)
{
	const struct wt_host *host = link->udp->host;

	host->watch_free(host, link->watch);
	host->timer_free(host, link->timer);
	host->timer_free(host, link->pause);
	if (!abort)
		wt_udp_sending_finish(link);
	wt_udp_sending_drop(link);
	wt_udp_receiving_drop(link);
	close(link->fd);
	link->closed = true;
	if (link->holds == 0)
		free(link);
}
