/* SPDX-License-Identifier: MIT */
#include "engine/whereabouts.h"

#include <string.h>

const char *const wt_stage_text[WT_STAGES] = {
	[WT_STAGE_EVENTS] = "events and timers", [WT_STAGE_NOTES] = "notes of other workers",
	[WT_STAGE_RECEIVE] = "received records", [WT_STAGE_TRANSMIT] = "packets of the TUN device",
	[WT_STAGE_REAP] = "closed connections",	 [WT_STAGE_STOP] = "the end of all connections",
};

void wt_whereabouts_name(const void *slot, char out[WT_CALLING_NAME])
{
	static const char core[] = "the core", at[] = ", at ";

	if (wt_calling_name(slot, out))
		return;
	memcpy(out, core, sizeof core);
	for (size_t i = 0; i < WT_STAGES; i++) {
		if (slot != &wt_stage_text[i])
			continue;
		memcpy(out + sizeof core - 1, at, sizeof at);
		memcpy(out + sizeof core + sizeof at - 2, wt_stage_text[i],
		       strlen(wt_stage_text[i]) + 1);
	}
}
