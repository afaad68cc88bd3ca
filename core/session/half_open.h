/* SPDX-License-Identifier: MIT
 *
 * half_open.h: connections of strangers: few, short, and never in the way.
 *
 * At most WT_HALF_OPEN_MAX of them, WT_HALF_OPEN_PER_SOURCE from one source
 * prefix; each is closed WT_HALF_OPEN_MS after it was accepted, whatever came.
 * When a limit is reached the oldest is closed, not the new one refused: a
 * flood cannot keep a peer out. A first message that is new takes it out of the
 * table. docs/protocol.md "Before authentication".
 */
#ifndef WT_SESSION_HALF_OPEN_H
#define WT_SESSION_HALF_OPEN_H

#include "session/conn.h"

void wt_half_open_add(struct wt_conn *conn);
void wt_half_open_remove(struct wt_conn *conn); /* one that is not in it is fine */

#endif
