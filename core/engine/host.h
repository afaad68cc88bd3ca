/* SPDX-License-Identifier: MIT
 *
 * host.h: the slots of a plugin's host table that need the engine: the AEAD,
 * timers, watches, names, packet buffers, connections, handshakes.
 */
#ifndef WT_ENGINE_HOST_H
#define WT_ENGINE_HOST_H

#include "plugin/host.h"
#include "session/node.h"

/* Put them into a table made with wt_host_base_init; `node` becomes its owner
 * and outlives it. */
void wt_host_engine_init(struct wt_host_instance *instance, struct wt_node *node);

#endif
