/* SPDX-License-Identifier: MIT */
#include "pipeline/tun_queue.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/log.h"
#include "pipeline/piece.h"
#include "record/vnet.h"
#include "session/node.h"
#include "tun/flow.h"
#include "tun/tun.h"

/* The kernel sends what answers this packet to the queue it is written to. A flow
 * that moves leaves packets behind in the other queue; they are read first. */
static int queue_of(struct wt_worker *worker, const struct wt_inner *inner)
{
	struct wt_tun_queue *tun = &worker->tun;
	struct wt_flow *flow;

	if (!tun->flows)
		return tun->inputs[WT_TUN_SPARSE].fd;
	flow = wt_flow_of(tun->flows, inner->body, inner->len, &inner->packet);
	if (!wt_flow_is_bulk(flow, worker->loop.now_ms))
		return tun->inputs[WT_TUN_SPARSE].fd;
	if (!flow->moved)
		tun->sparse_first = worker->node->settings->tunnel.txqueuelen;
	flow->moved = true;
	return tun->inputs[WT_TUN_BULK].fd;
}

/* `len` bytes of packet, with its offload header in front. */
static bool write_once(int fd, const uint8_t *packet, size_t len)
{
	ssize_t n;

	do
		n = write(fd, packet - WT_TUN_HEADER, WT_TUN_HEADER + len);
	while (n < 0 && errno == EINTR);
	return n >= 0;
}

bool wt_tun_queue_write_complete(const struct wt_worker *worker, uint8_t *packet, size_t len)
{
	memset(packet - WT_TUN_HEADER, 0, WT_TUN_HEADER);
	return write_once(worker->tun.inputs[WT_TUN_SPARSE].fd, packet, len);
}

/* Said once: a kernel that refuses one refuses thousands a second. */
static void note_refused(struct wt_worker *worker)
{
	if (worker->offloads.refused++ == 0)
		wt_log(WT_LOG_WARN,
		       "the kernel refused a packet that it took when it was tried; doing its work "
		       "here, which is slower, and counting it as offload_refused "
		       "(offload = csum or off in [tunnel] leaves it to the other end)");
}

/* The run packet by packet, through one spare buffer. */
static bool write_cut(struct wt_worker *worker, int fd, const struct wt_inner *inner,
		      const struct wt_vnet *vnet)
{
	struct wt_buffer *buffer = wt_slot_get(&worker->slots);
	struct wt_segments segments;
	bool ok = false;
	size_t len;

	if (!buffer)
		return false;
	uint8_t *packet = buffer->slot.base + WT_SLOT_PACKET;

	if (wt_segments_start(&segments, inner->body, inner->len, &inner->packet, vnet) ==
	    WT_DROP_NONE) {
		ok = true;
		while (ok && (len = wt_piece_next(worker, &segments, packet)) > 0)
			ok = write_once(fd, packet, len);
	}
	(void)wt_worker_slot_put(worker, &buffer->slot);
	return ok;
}

bool wt_tun_queue_write(struct wt_worker *worker, struct wt_inner *inner)
{
	int fd = queue_of(worker, inner);

	wt_vnet_write(inner);
	if (inner->kind == WT_INNER_PARTIAL)
		worker->offloads.received_partial++;
	else if (inner->kind == WT_INNER_SEGMENTS)
		worker->offloads.received_segments++;
	if (write_once(fd, inner->body, inner->len))
		return true;
	if (errno != EINVAL || inner->kind == WT_INNER_PACKET)
		return false;

	struct wt_vnet vnet = wt_vnet_read(inner->body - WT_TUN_HEADER);

	note_refused(worker);
	if (inner->kind == WT_INNER_SEGMENTS)
		return write_cut(worker, fd, inner, &vnet);
	wt_vnet_finish(&vnet, inner->body, inner->len);
	return wt_tun_queue_write_complete(worker, inner->body, inner->len);
}

bool wt_tun_queue_write_run(struct wt_worker *worker, struct wt_merge *merge)
{
	int fd = queue_of(worker, &merge->first), count = wt_merge_finish(merge);
	ssize_t n;

	do
		n = writev(fd, merge->parts, count);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		if (errno == EINVAL)
			note_refused(worker);
		return false;
	}
	worker->offloads.received_partial += merge->count;
	worker->offloads.merged_runs++;
	worker->offloads.merged_packets += merge->count;
	return true;
}
