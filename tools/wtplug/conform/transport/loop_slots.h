/* SPDX-License-Identifier: MIT
 *
 * loop_slots.h: the packet buffers of a loop host (conform/transport/loop_host.h), which
 * notice a write beyond their ends and a return that is one too many.
 */
#ifndef WT_CONFORM_TRANSPORT_LOOP_SLOTS_H
#define WT_CONFORM_TRANSPORT_LOOP_SLOTS_H

#include "conform/transport/loop_host.h"

/* Its calls for slots. */
void wt_loop_slots_fill(struct wt_host *table);
/* Frees them all. */
void wt_loop_slots_drop(struct wt_loop_host *host);

#endif
