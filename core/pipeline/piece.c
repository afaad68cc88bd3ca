/* SPDX-License-Identifier: MIT */
#include "pipeline/piece.h"

#include <string.h>

#include "tun/tun.h"

size_t wt_piece_next(struct wt_worker *worker, struct wt_segments *segments, uint8_t *packet)
{
	size_t len = wt_segments_next(segments, packet);

	memset(packet - WT_TUN_HEADER, 0, WT_TUN_HEADER);
	worker->offloads.copied_bytes += len;
	return len;
}
