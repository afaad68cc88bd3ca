/* SPDX-License-Identifier: MIT
 *
 * initiation.h: a handshake that this end begins. What comes of it, and those that
 * others begin, are session/handshake's.
 */
#ifndef WT_SESSION_INITIATION_H
#define WT_SESSION_INITIATION_H

#include "session/conn.h"

/* Begin one on `conn`, which this end dialled: the first, or a rekey. */
void wt_initiation_start(struct wt_conn *conn);
/* The one that is under way begins anew, with another first message and no more
 * time. */
void wt_initiation_again(struct wt_conn *conn);
/* Give it up; datagrams only: on a stream the answer is on its way. */
void wt_initiation_stop(struct wt_conn *conn);

#endif
