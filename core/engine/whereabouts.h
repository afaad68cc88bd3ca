/* SPDX-License-Identifier: MIT
 *
 * whereabouts.h: where a thread is, in words: in an operation of a plugin, or in
 * a part of the core.
 */
#ifndef WT_ENGINE_WHEREABOUTS_H
#define WT_ENGINE_WHEREABOUTS_H

#include "plugin/calling.h"

/* Where in the core a worker is when it is in no plugin. */
enum wt_stage {
	WT_STAGE_EVENTS,
	WT_STAGE_NOTES,
	WT_STAGE_RECEIVE,
	WT_STAGE_TRANSMIT,
	WT_STAGE_REAP,
	WT_STAGE_STOP,
	WT_STAGES
};
extern const char *const wt_stage_text[WT_STAGES];

/* The worker's own thread, in no plugin. */
static inline void wt_stage_enter(enum wt_stage stage)
{
	wt_calling_leave(&wt_stage_text[stage]);
}

/* What plugin/calling.h says of a thread. "send() of transport plugin "x"", "the
 * core, at received records", "the core". Any thread, and signal handlers. */
void wt_whereabouts_name(const void *slot, char out[WT_CALLING_NAME]);

#endif
