/* SPDX-License-Identifier: MIT
 *
 * delivery.h: opened packets on their way to the TUN device, as many as can be in
 * one write.
 *
 * Packets stay where they were received until they are written. So whoever lets
 * go of that memory (the next recv on the link; closing it) flushes before, and
 * nothing waits for packets that are still to come.
 */
#ifndef WT_PIPELINE_DELIVERY_H
#define WT_PIPELINE_DELIVERY_H

#include "record/merge.h"
#include "worker/worker.h"

struct wt_delivery {
	struct wt_worker *worker;
	struct wt_peer *peer; /* whose packets are held */
	struct wt_merge merge;
};

void wt_delivery_init(struct wt_delivery *delivery, struct wt_worker *worker);

/* Write a packet that `peer` sent, or hold it for others of its flow; if its source
 * is not the peer's, it is dropped. What is held of others is written first. */
void wt_delivery_packet(struct wt_delivery *delivery, struct wt_peer *peer,
			const struct wt_inner *inner);

/* Write what is held. */
void wt_delivery_flush(struct wt_delivery *delivery);

#endif
