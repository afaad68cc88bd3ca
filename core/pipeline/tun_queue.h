/* SPDX-License-Identifier: MIT
 *
 * tun_queue.h: writing what was received to the TUN device.
 */
#ifndef WT_PIPELINE_TUN_QUEUE_H
#define WT_PIPELINE_TUN_QUEUE_H

#include "record/merge.h"
#include "worker/worker.h"

/* Write the packet of an accepted record (kind 0x01 to 0x03) to the worker's
 * device, from where it lies. What the kernel refuses in that shape is brought
 * into a simpler one here and written again. False: it takes none of it. */
bool wt_tun_queue_write(struct wt_worker *worker, struct wt_inner *inner) WT_MUST_CHECK;

/* Write the two packets or more that are held in `merge` as one run, from where
 * they lie. False: the kernel does not take it. */
bool wt_tun_queue_write_run(struct wt_worker *worker, struct wt_merge *merge) WT_MUST_CHECK;

/* Write a complete packet, which has WT_TUN_HEADER bytes of room in front. */
bool wt_tun_queue_write_complete(const struct wt_worker *worker, uint8_t *packet,
				 size_t len) WT_MUST_CHECK;

#endif
