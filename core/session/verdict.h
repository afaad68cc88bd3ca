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

/* Where an auth plugin puts what it has to say, and the room for its reply. Holds
 * keys: the caller wipes it. */
struct wt_answer {
	struct wt_auth_out out;
	uint8_t reply[WT_AUTH_MESSAGE_MAX];
};

/* For a call of the plugin: zero, with the size and the room. */
void wt_answer_init(struct wt_answer *answer);
/* What a plugin made itself, for auth_complete, and perhaps with another size than
 * ours. `answer` was initialised. */
void wt_answer_copy(struct wt_answer *answer, const struct wt_auth_out *theirs);

/* NULL: `verdict` and `answer` are possible as an answer to `question` on `conn`
 * (NULL: a first message that came as a datagram). Otherwise what is wrong with
 * them, in words. */
const char *wt_verdict_flaw(const struct wt_worker *worker, const struct wt_conn *conn,
			    const struct wt_question *question, enum wt_auth_verdict verdict,
			    const struct wt_answer *answer);

/* The plugin broke its contract: count and log it, and let it forget a handshake
 * that it began. `source` is where the message came from. */
void wt_verdict_disbelieved(struct wt_worker *worker, const char *source,
			    const struct wt_question *question, enum wt_auth_verdict verdict,
			    const struct wt_auth_out *out, const char *flaw);

#endif
