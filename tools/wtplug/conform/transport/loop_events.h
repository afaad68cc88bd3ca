/* SPDX-License-Identifier: MIT
 *
 * loop_events.h: watches and timers of a loop host (conform/transport/loop_host.h), which
 * notice calls for one that is gone, and descriptors that are closed too early.
 */
#ifndef WT_CONFORM_TRANSPORT_LOOP_EVENTS_H
#define WT_CONFORM_TRANSPORT_LOOP_EVENTS_H

#include "conform/transport/loop_host.h"

/* Its calls for watches and timers. */
void wt_loop_events_fill(struct wt_host *table);
/* What was freed in this turn goes. */
void wt_loop_events_reap(struct wt_loop_host *host);
/* Frees what the transport left. */
void wt_loop_events_drop(struct wt_loop_host *host);

#endif
