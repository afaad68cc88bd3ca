/* SPDX-License-Identifier: MIT
 *
 * endpoints.h: which endpoint of a peer is next, by its policy. Knows the order
 * and the place in it, and nothing of time and dialling (session/dial).
 *
 * A round goes through all endpoints. While the peer is up over one of them,
 * those that would be better are its *candidates*: with policy `order` the
 * earlier ones, with `latency` all others, with `random` none.
 */
#ifndef WT_SESSION_ENDPOINTS_H
#define WT_SESSION_ENDPOINTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "config/settings.h"

struct wt_endpoints {
	enum wt_endpoint_policy policy;
	size_t count;
	size_t *order; /* indices into the settings' endpoints */
	size_t at;     /* in `order`: the one that is next */
};

enum wt_status wt_endpoints_init(struct wt_endpoints *endpoints,
				 const struct wt_peer_settings *peer) WT_MUST_CHECK;
void wt_endpoints_fini(struct wt_endpoints *endpoints);

/* The index of the endpoint to try. */
static inline size_t wt_endpoints_current(const struct wt_endpoints *endpoints)
{
	return endpoints->order[endpoints->at];
}

/* That one was tried in vain. True: it was the last of the round. */
bool wt_endpoints_next(struct wt_endpoints *endpoints);

/* The session over endpoint `index` ended: begin with it, or, if the other end was
 * not heard any more (`silent`), with the one after it. */
void wt_endpoints_ended(struct wt_endpoints *endpoints, size_t index, bool silent);

/* Is there anything better than `index`, which is in use? */
bool wt_endpoints_better(const struct wt_endpoints *endpoints, size_t index);
/* Go to the first candidate; the one after. False: there is none (more). */
bool wt_endpoints_seek(struct wt_endpoints *endpoints, size_t index) WT_MUST_CHECK;
bool wt_endpoints_seek_next(struct wt_endpoints *endpoints, size_t index) WT_MUST_CHECK;

#endif
