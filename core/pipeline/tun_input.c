/* SPDX-License-Identifier: MIT */
#include "pipeline/tun_input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "record/packet.h"
#include "session/link.h"
#include "session/node.h"
#include "session/peer.h"
#include "tun/flow.h"
#include "tun/tun.h"

/* A device that is not read makes the senders wait, which is right for one
 * slow link and wrong for one that is dead: after this long it is read again,
 * unless there is no other peer that could suffer. */
#define PAUSE_MS 100u

static void on_readable(void *arg, struct wt_worker *worker, int fd, unsigned events)
{
	struct wt_tun_input *input = arg;

	(void)worker;
	(void)fd;
	(void)events;
	input->readable = true;
}

static bool watch_all(struct wt_tun_queue *tun, unsigned events)
{
	bool ok = true;

	for (unsigned i = 0; i < tun->count; i++)
		ok = wt_watch_change(&tun->inputs[i].watch, events) == WT_OK && ok;
	return ok;
}

void wt_tun_input_pause(struct wt_worker *worker, bool paused)
{
	struct wt_tun_queue *tun = &worker->tun;

	if (tun->paused == paused || tun->gone)
		return;
	/* If the kernel has no memory for this change, reading just goes on. */
	if (!watch_all(tun, paused ? 0 : WT_EVENT_READ) && watch_all(tun, WT_EVENT_READ))
		return;
	tun->paused = paused;
	wt_timer_disarm(&tun->pause);
	if (paused && worker->peer_count > 1)
		wt_timer_arm(&tun->pause, PAUSE_MS);
	for (unsigned i = 0; i < tun->count; i++)
		tun->inputs[i].readable = !paused;
}

static void on_pause_over(void *arg, struct wt_worker *worker)
{
	struct wt_conn *conn = worker->tun.last_peer ? worker->tun.last_peer->active : NULL;

	(void)arg;
	/* It has had its time: the device does not wait for it again before
	 * it moved. */
	if (conn)
		conn->link->stalled = true;
	wt_tun_input_pause(worker, false);
}

enum wt_status wt_tun_input_start(struct wt_worker *worker, const int *fds, unsigned count)
{
	struct wt_tun_queue *tun = &worker->tun;
	enum wt_status status;

	memset(tun, 0, sizeof *tun);
	for (unsigned i = 0; i < WT_TUN_INPUTS; i++)
		tun->inputs[i] = (struct wt_tun_input){ .fd = -1, .watch.fd = -1 };
	if (count > 1) {
		tun->flows = calloc(1, sizeof *tun->flows);
		if (!tun->flows)
			return WT_ERR_NOMEM;
	}
	status = wt_timer_init(&worker->loop, &tun->pause, on_pause_over, NULL);
	for (; status == WT_OK && tun->count < count; tun->count++) {
		struct wt_tun_input *input = &tun->inputs[tun->count];

		input->fd = fds[tun->count];
		status = wt_watch_start(&worker->loop, &input->watch, input->fd, WT_EVENT_READ,
					on_readable, input);
	}
	if (status != WT_OK)
		wt_tun_input_stop(worker);
	return status;
}

void wt_tun_input_stop(struct wt_worker *worker)
{
	for (unsigned i = 0; i < WT_TUN_INPUTS; i++)
		wt_watch_stop(&worker->tun.inputs[i].watch);
	wt_timer_fini(&worker->tun.pause);
	free(worker->tun.flows);
	worker->tun.flows = NULL;
}

/* A deleted device is readable for ever and gives nothing but errors. */
static void device_gone(struct wt_worker *worker, int error)
{
	for (unsigned i = 0; i < WT_TUN_INPUTS; i++) {
		wt_watch_stop(&worker->tun.inputs[i].watch);
		worker->tun.inputs[i].readable = false;
	}
	worker->tun.gone = true;
	/* Every worker's queue is gone with it; the first ends the program. */
	if (worker->index == 0)
		wt_log(WT_LOG_ERROR,
		       "the TUN device is gone (%s): was it deleted? Start this program again to "
		       "make a new one",
		       error ? strerrordesc_np(error) : "it gives nothing");
}

/* The queue to read now, or NULL. Packets of a flow that moved may still be in the
 * sparse queue: as many as it can hold are read before any from the other. */
static struct wt_tun_input *choose(struct wt_tun_queue *tun)
{
	struct wt_tun_input *sparse = &tun->inputs[WT_TUN_SPARSE];
	struct wt_tun_input *bulk = &tun->inputs[WT_TUN_BULK];

	if (!sparse->readable)
		tun->sparse_first = 0;
	if (sparse->readable &&
	    (tun->sparse_first > 0 || tun->in_row < WT_TUN_SPARSE_ROW || !bulk->readable)) {
		tun->in_row++;
		tun->sparse_first -= tun->sparse_first > 0;
		return sparse;
	}
	tun->in_row = 0;
	return bulk->readable ? bulk : NULL;
}

struct wt_buffer *wt_tun_input_next(struct wt_worker *worker)
{
	struct wt_tun_queue *tun = &worker->tun;
	struct wt_tun_input *input;

	while ((input = choose(tun)) != NULL) {
		struct wt_buffer *buffer = wt_slot_get(&worker->slots);

		/* Slots come back when transports can write; the watch is
		 * level-triggered, so nothing is forgotten. */
		if (!buffer) {
			for (unsigned i = 0; i < tun->count; i++)
				tun->inputs[i].readable = false;
			return NULL;
		}
		uint8_t *to = buffer->slot.base + WT_SLOT_PACKET - WT_TUN_HEADER;
		ssize_t n = read(input->fd, to, WT_TUN_HEADER + WT_PACKET_MAX);

		if (n > (ssize_t)WT_TUN_HEADER) {
			buffer->len = (uint32_t)n - WT_TUN_HEADER;
			return buffer;
		}
		(void)wt_worker_slot_put(worker, &buffer->slot);
		if (n > 0 || (n < 0 && errno == EINTR))
			continue;
		input->readable = false;
		if (n == 0 || (errno != EAGAIN && errno != ENOMEM && errno != ENOBUFS))
			device_gone(worker, n < 0 ? errno : 0);
	}
	return NULL;
}

bool wt_tun_input_waits(const struct wt_worker *worker)
{
	const struct wt_tun_queue *tun = &worker->tun;

	return !tun->paused &&
	       (tun->inputs[WT_TUN_SPARSE].readable || tun->inputs[WT_TUN_BULK].readable);
}
