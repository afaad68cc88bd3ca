/* SPDX-License-Identifier: MIT
 *
 * verdict.h: what an auth plugin said of a message, held to its contract
 * (whispertunnel/auth.h) before anything is done about it. A plugin that names
 * another plugin's peer, or no handshake at all, is wrong; believing it would
 * let somebody in.
 */
#ifndef WT_SESSION_VERDICT_H
#define WT_SESSION_VERDICT_H

#include "session/conn.h"

/* NULL: `verdict` and `out` are possible as an answer to `question` on `conn`
 * (NULL: a first message that came as a datagram). Otherwise what is wrong with
 * them, in words. */
const char *wt_verdict_flaw(const struct wt_worker *worker, const struct wt_conn *conn,
			    const struct wt_question *question, enum wt_auth_verdict verdict,
			    const struct wt_auth_out *out);

/* The plugin broke its contract: count and log it, and let it forget a handshake
 * that it began. `source` is where the message came from. */
void wt_verdict_disbelieved(struct wt_worker *worker, const char *source,
			    const struct wt_question *question, enum wt_auth_verdict verdict,
			    const struct wt_auth_out *out, const char *flaw);

#endif
