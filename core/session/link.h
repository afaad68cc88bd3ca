/* SPDX-License-Identifier: MIT
 *
 * link.h: what the core keeps for one connection of a transport, which the SDK
 * calls by this same name: where it is, what is to be sent on it, and whose
 * associations (session/conn) use it.
 *
 * A stream, and what was dialled, carries one association: each ends with the
 * other. A socket that listens for datagrams is shared: associations come and
 * go on it, and it stays until the transport or the process ends.
 *
 * Life: wt_link_new -> associations -> wt_link_end; the memory is freed at the
 * end of the turn, so that a caller up the stack can still look at `closed`.
 */
#ifndef WT_SESSION_LINK_H
#define WT_SESSION_LINK_H

#include <stdbool.h>
#include <whispertunnel/transport.h>

#include "worker/worker.h"

struct wt_instance;

/* Records that wait for the transport. Sealed ones cannot be dropped (a gap
 * ends a stream), so there are few. */
#define WT_LINK_OUT 20u
#define WT_LINK_OUT_SEALED 16u /* the rest is for handshake messages */
/* From here on they are handed over: what was sealed is still in the cache, and
 * what the transport does not take is delay for all that comes behind it. Some
 * long records a call wake the other end less often; datagrams are runs of 64 KB
 * in any case, and more of them ahead was slower (docs/decisions.md). */
#define WT_LINK_OUT_BYTES_STREAM (128u * 1024u)
#define WT_LINK_OUT_BYTES_DATAGRAM (64u * 1024u)

struct wt_link {
	struct wt_worker *worker;
	struct wt_instance *transport;
	void *tconn;   /* NULL: not yet, or closed */
	bool datagram; /* neither order nor delivery, one record each */
	bool dialled;  /* by this end */
	bool closed;
	bool blocked; /* link_writable will say when to go on */
	bool stalled; /* ... and it did not for a long time */

	struct wt_conn *conns; /* the associations on it */

	struct wt_record out[WT_LINK_OUT]; /* handshake messages first */
	size_t out_count, out_urgent, out_bytes;

	struct wt_link *prev, *next; /* worker->links, or ->dead_links */
	struct wt_link *next_readable, *next_unsent;
	bool in_readable, in_unsent;
};

/* A new one in `worker`, without a transport connection yet. NULL: no memory. */
struct wt_link *wt_link_new(struct wt_worker *worker, struct wt_instance *transport,
			    bool dialled) WT_MUST_CHECK;

/* Close the transport's side (`abort`: without waiting for what was not sent).
 * No association is left on it. */
void wt_link_close(struct wt_link *link, bool abort);

/* End all associations on it, for the reason `why`, and then close it. */
void wt_link_end(struct wt_link *link, bool abort, const char *why);

/* Free what was closed; at the end of a turn. */
void wt_link_reap(struct wt_worker *worker);

/* May anyone send here, and associations come and go? */
static inline bool wt_link_shared(const struct wt_link *link)
{
	return link->datagram && !link->dialled;
}

/* Where a message came from, and the answer to it goes. The path is all zero
 * unless the link is shared. */
struct wt_origin {
	struct wt_link *link;
	struct wt_path path;
};

/* Who is there. */
struct wt_source wt_origin_source(const struct wt_origin *origin);

/* The association of a link that is not shared. NULL: it has none. */
static inline struct wt_conn *wt_link_only(const struct wt_link *link)
{
	return link->conns;
}

/* Put in the list of what is received in this turn, if it is not there. */
void wt_link_readable(struct wt_link *link);
struct wt_link *wt_link_next_readable(struct wt_worker *worker); /* takes it out */

#endif
