/* SPDX-License-Identifier: MIT
 *
 * nudge.h: this machine's links, addresses or routes changed: do at once what
 * would come later, and see whether what stands still stands.
 *
 *	a peer that waits to be dialled		is dialled
 *	a message that waits to be repeated	is sent
 *	a connection that this end dialled	is asked by PING whether the other end
 *						is there, which over datagrams also
 *						tells it our address
 *	a stream from an address that is gone	ends, and is dialled again
 *
 * News come in bursts: at most one nudge a second, the last of them after the
 * last news. All calls are made on the engine's thread.
 */
#ifndef WT_ENGINE_NUDGE_H
#define WT_ENGINE_NUDGE_H

#include "base/error.h"
#include "session/node.h"

struct wt_nudge;

/* Listen to `fd` of wt_surroundings_open, which stays the caller's to close, on
 * the first worker of `node`. NULL: err says why. */
struct wt_nudge *wt_nudge_new(struct wt_node *node, int fd, struct wt_error *err) WT_MUST_CHECK;
/* The loop of the first worker hears of it no more. NULL is allowed. */
void wt_nudge_stop(struct wt_nudge *nudge);
/* All workers are gone. NULL is allowed. */
void wt_nudge_free(struct wt_nudge *nudge);

#endif
