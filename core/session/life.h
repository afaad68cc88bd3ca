/* SPDX-License-Identifier: MIT
 *
 * life.h: what time does to a connection: rekeys, keepalives, time-outs, the
 * end of keys. docs/protocol.md "Keys, sessions, life".
 */
#ifndef WT_SESSION_LIFE_H
#define WT_SESSION_LIFE_H

#include "session/conn.h"

/* Do all that is due, and arm the timer for the next. May close `conn`. */
void wt_life_run(struct wt_conn *conn);

/* New keys are current: count the times from now. */
void wt_life_keys_fresh(struct wt_conn *conn);

/* It sends nothing of its own any more: no keepalive, ping, rekey. */
void wt_life_stop_traffic(struct wt_conn *conn);

/* Unless something is sealed before, send a keepalive after `ms`. */
void wt_life_keepalive_in(struct wt_conn *conn, uint64_t ms);

/* A record opened; `payload` says whether its kind was 1 to 3. */
void wt_life_received(struct wt_conn *conn, bool payload);

/* The other end asks for new keys: they come, but not sooner than
 * WT_REKEY_EARLIEST_MS after the last. */
void wt_life_rekey_asked(struct wt_conn *conn);

/* A record opened under the current keys: those before end, on a stream at once
 * (what the other end seals under new keys is the end of the old), on datagrams
 * when the late ones have had their time. */
void wt_life_previous_ends(struct wt_conn *conn);

/* A record for `pair` was refused at its limits: if it opens nothing any more,
 * too old or after too much that did not open, others are needed. */
void wt_life_key_refused(struct wt_conn *conn, const struct wt_keypair *pair);

/* Is the other end still there, and does it know where we are? Sends a PING at
 * once; without an answer a handshake follows. `conn` is UP. */
void wt_life_ask(struct wt_conn *conn);

/* A packet was sealed. */
void wt_life_sent(struct wt_conn *conn);

#endif
