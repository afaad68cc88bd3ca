/* SPDX-License-Identifier: MIT
 *
 * tun_input.h: reading the TUN device: when, and which of its queues first.
 *
 * A worker has one queue of the device or two. With two, the second takes the
 * flows that send much (tun/flow.h), and the first is read before it: what is
 * sparse does not wait behind a transfer, in which packets wait for each other
 * anyway. Within a flow order is kept, also while it moves from one to the other.
 */
#ifndef WT_PIPELINE_TUN_INPUT_H
#define WT_PIPELINE_TUN_INPUT_H

#include "worker/worker.h"

/* Start to read the device through `count` (1 or 2) descriptors: offload header,
 * then packet, in one read; non-blocking; borrowed. */
enum wt_status wt_tun_input_start(struct wt_worker *worker, const int *fds,
				  unsigned count) WT_MUST_CHECK;
void wt_tun_input_stop(struct wt_worker *worker);

/* A packet, with its offload header in front. NULL: there is none, no buffer for
 * one, or the device is gone (worker->tun.gone). */
struct wt_buffer *wt_tun_input_next(struct wt_worker *worker);

/* Is there, as far as is known, more to read? */
bool wt_tun_input_waits(const struct wt_worker *worker);

/* Do not read, so that the senders wait; bounded in time where other peers could
 * suffer: `on_over` is called then. */
void wt_tun_input_pause(struct wt_worker *worker, bool paused);

#endif
