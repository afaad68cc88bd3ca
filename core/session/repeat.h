/* SPDX-License-Identifier: MIT
 *
 * repeat.h: datagrams are lost, so what this end says in a handshake of its own
 * is said again until it is answered: first messages after 0.2, 0.5, 1, 2 and then
 * every 5 s, the last one each second, five times. docs/protocol.md "Sessions and
 * keys". Only what was dialled over datagrams has one; of the others nothing is
 * said twice, and all of this does nothing.
 */
#ifndef WT_SESSION_REPEAT_H
#define WT_SESSION_REPEAT_H

#include "session/conn.h"

/* Make room for it. WT_ERR_NOMEM. */
enum wt_status wt_repeat_init(struct wt_conn *conn) WT_MUST_CHECK;
/* Nothing is said again any more, and the room is given back. */
void wt_repeat_stop(struct wt_conn *conn);

/* A handshake begins whose waits are counted anew. */
void wt_repeat_begin(struct wt_conn *conn);
/* This was sent, and waits for an answer; `last`: it proves us, and the answer is
 * a record under the new keys. With no bytes the last thing said was a record,
 * and it is PING that is said from then on. */
void wt_repeat_said(struct wt_conn *conn, const uint8_t *message, size_t len, bool last);
/* The way to the other end may be another now: say it at once, and count the
 * waits anew. */
void wt_repeat_hurry(struct wt_conn *conn);
/* It was answered, or given up. */
void wt_repeat_answered(struct wt_conn *conn);

/* conn->again_ms is due: say it again, begin anew, or end an association that
 * never was up. */
void wt_repeat_run(struct wt_conn *conn);

#endif
