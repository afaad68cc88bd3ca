/* SPDX-License-Identifier: MIT
 *
 * dial.h: reaching a peer that has endpoints: when, where, how often.
 *
 * The core's policy for all transports: names are resolved again in every
 * round, each address and endpoint is tried in turn, and the waits grow to 5 s
 * and stay there, for ever. While the peer is up, endpoints that would be better
 * (session/endpoints) are tried beside it, and take its place if they answer.
 * docs/protocol.md "Keys, sessions, life".
 */
#ifndef WT_SESSION_DIAL_H
#define WT_SESSION_DIAL_H

#include "session/peer.h"

enum wt_status wt_dial_init(struct wt_peer *peer) WT_MUST_CHECK;
void wt_dial_fini(struct wt_peer *peer);

/* Try after `after_ms` unless an attempt is under way or the peer is up. */
void wt_dial_schedule(struct wt_peer *peer, uint64_t after_ms);

/* The network changed: do not wait with the next attempt, unless the peer's key is
 * at work elsewhere (wt_dial_hold). */
void wt_dial_nudge(struct wt_peer *peer);
/* Another dialler has the peer's key: wait, whatever happens. */
void wt_dial_hold(struct wt_peer *peer, uint64_t ms);

/* The attempt got nowhere: `why` in words. The next one is scheduled. */
void wt_dial_failed(struct wt_peer *peer, const char *why);

/* How long to wait after the n-th time in vain, from 0. */
uint64_t wt_dial_wait(unsigned n);
/* A first message over `conn` had no answer; a datagram's was sent several times. */
void wt_dial_silent(const struct wt_conn *conn);
/* A first message was answered: it is not silence that is wrong. */
void wt_dial_answered(struct wt_peer *peer);
/* A session is up: the outage is over, or it took the place of `before` (NULL:
 * none). If something may be better still, it is looked for from time to time. */
void wt_dial_succeeded(struct wt_peer *peer, const struct wt_conn *before);
/* The session over `conn` is gone: dial as after a first failure, or after one more
 * if it was too short to count, beginning where it was, or behind that if it
 * was the silence that ended it. */
void wt_dial_again(struct wt_peer *peer, const struct wt_conn *conn);
/* The session is there, but nothing is heard of the other end: try the other
 * endpoints beside it. */
void wt_dial_elsewhere(struct wt_peer *peer);
/* The responder of `conn`, an attempt beside a session, is proven. Is it worth
 * taking its place? */
bool wt_dial_is_better(const struct wt_peer *peer, const struct wt_conn *conn) WT_MUST_CHECK;
/* How long a first handshake over `conn` may take. */
uint64_t wt_dial_patience(const struct wt_conn *conn) WT_MUST_CHECK;

/* The text of endpoint `i`, "tcp://host:port". */
const char *wt_dial_endpoint_text(const struct wt_peer *peer, size_t i, char *out, size_t size);

#endif
