/* SPDX-License-Identifier: MIT
 *
 * handshake.h: driving an auth plugin: who is asked, what its verdict leads
 * to, and which keys come of it. The method itself is the plugin's.
 */
#ifndef WT_SESSION_HANDSHAKE_H
#define WT_SESSION_HANDSHAKE_H

#include "record/header.h"
#include "session/conn.h"

/* A handshake message that is for `conn` and came from `from`. May close it. */
void wt_handshake_receive(struct wt_conn *conn, const struct wt_origin *from,
			  const struct wt_message *message, const uint8_t *data, size_t len);

/* A first message was accepted: the peer is known, its keys wait for proof on
 * `conn`, and the answer is sent. */
void wt_handshake_accepted(struct wt_conn *conn, const struct wt_question *question,
			   const struct wt_auth_out *out);

/* The verdict of a plugin that had said WT_AUTH_PENDING. */
void wt_handshake_complete(struct wt_worker *worker, uint64_t ticket, enum wt_auth_verdict verdict,
			   const struct wt_auth_out *out);

/* The other end has shown that it holds the keys in `next`. */
void wt_handshake_confirmed(struct wt_conn *conn);

/* Tell the plugin to forget one of conn's two, and wait no more for what it says in
 * it. One that is not under way is fine. */
void wt_handshake_abandon(struct wt_conn *conn, struct wt_handshake *handshake);

/* Give up theirs, and with it... */
void wt_handshake_forget_theirs(struct wt_conn *conn);
/* ... the keys that wait for proof. */
void wt_handshake_drop_pending(struct wt_conn *conn);

/* Send what the plugin answers, if anything. False: the connection is closed, since a
 * stream had no room for it. */
bool wt_handshake_reply(struct wt_conn *conn, const struct wt_origin *to,
			const struct wt_auth_out *out);

/* A random index, not 0 and not in use on this connection. */
uint32_t wt_handshake_index(const struct wt_conn *conn);

#endif
