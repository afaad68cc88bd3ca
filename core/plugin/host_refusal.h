/* SPDX-License-Identifier: MIT
 *
 * host_refusal.h: the slots of a host table that need the engine, for when
 * there is none.
 */
#ifndef WT_PLUGIN_HOST_REFUSAL_H
#define WT_PLUGIN_HOST_REFUSAL_H

#include <whispertunnel/host.h>

/* Put a refusal into every slot that works only on an event loop. */
void wt_host_refuse_all(struct wt_host *host);

#endif
