/* SPDX-License-Identifier: MIT */
#include "record/carve.h"

#include <string.h>

bool wt_carve_start(struct wt_carve *carve, const struct wt_segments *segments, uint8_t *run,
		    uint8_t kind)
{
	size_t headers = segments->layer4.payload;

	if (headers > WT_CARVE_HEADERS_MAX)
		return false;
	carve->segments = *segments;
	carve->run = run;
	carve->kind = kind;
	memcpy(carve->headers, run, headers);
	return true;
}

size_t wt_carve_next(struct wt_carve *carve, const uint8_t **text)
{
	struct wt_segments *segments = &carve->segments;
	size_t headers = segments->layer4.payload;
	/* All before the payload that is next has been sealed. */
	uint8_t *packet = carve->run + segments->at - headers;

	if (wt_segments_payload(segments) == 0)
		return 0;
	memcpy(packet, carve->headers, headers);
	packet[-(ptrdiff_t)WT_CARVE_PREFIX] = carve->kind;
	*text = packet - WT_CARVE_PREFIX;
	return WT_CARVE_PREFIX + wt_segments_finish(segments, packet);
}
