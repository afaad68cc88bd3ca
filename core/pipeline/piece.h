/* SPDX-License-Identifier: MIT
 *
 * piece.h: the one place in the core where the payload of packets is copied:
 * out of a run that is cut, here and not by a kernel.
 */
#ifndef WT_PIPELINE_PIECE_H
#define WT_PIPELINE_PIECE_H

#include "record/segment.h"
#include "worker/worker.h"

/* Write the next packet of the run to `packet`, which has room for the largest
 * and WT_TUN_HEADER bytes before it, where its offload header will be. Its
 * length, or 0 after the last. What was copied is counted. */
size_t wt_piece_next(struct wt_worker *worker, struct wt_segments *segments,
		     uint8_t *packet) WT_MUST_CHECK;

#endif
