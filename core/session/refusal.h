/* SPDX-License-Identifier: MIT
 *
 * refusal.h: a handshake message that led to nothing, told to the operator. The
 * sender hears nothing, or as little as possible, so all mistakes look alike
 * there; here each has its own words and counter.
 */
#ifndef WT_SESSION_REFUSAL_H
#define WT_SESSION_REFUSAL_H

#include <whispertunnel/auth.h>

struct wt_peer;
struct wt_worker;

/* Count and log the reason of `out`; `source` is where the message came from,
 * `peer` whose it is, if that is known otherwise (NULL: by `out`, or not), `done`
 * what became of it, in words. Returns the reason in words. */
const char *wt_refusal_report(struct wt_worker *worker, const char *source,
			      const struct wt_peer *peer, const struct wt_auth_out *out,
			      const char *done);

#endif
