/* SPDX-License-Identifier: MIT
 *
 * transmit.h: TUN -> peer -> seal -> transport.
 */
#ifndef WT_PIPELINE_TRANSMIT_H
#define WT_PIPELINE_TRANSMIT_H

#include "session/link.h"

/* Per peer, while its connection takes nothing: more would only be delay. */
#define WT_QUEUE_BYTES (256u * 1024u)
#define WT_QUEUE_MS 5u

/* Read what the turn's budget allows, seal and send. True: there is more. */
bool wt_transmit_turn(struct wt_worker *worker);

/* Seal and send what other workers read for peers that are here, within the
 * turn's budget. True: there is more. With several workers only. */
bool wt_transmit_handed(struct wt_worker *worker);

/* The transport can go on with `link`: what waits is sent. */
void wt_transmit_writable(struct wt_link *link);

#endif
