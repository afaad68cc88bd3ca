/* SPDX-License-Identifier: MIT
 *
 * peer.h: one other end of the tunnel, as configured, and what is between us.
 *
 * With `connections = N` each of them is a struct wt_peer of its own, a lane
 * (session/lanes): what is said here of a peer is said of a lane then.
 *
 * With several workers each has a struct wt_peer for every peer, with the
 * connections that it has itself; the peer's seat says on which of them the
 * traffic is now. Who takes the seat posts a note to who had it, who then
 * drains its connection; nothing else is shared and nothing waits.
 */
#ifndef WT_SESSION_PEER_H
#define WT_SESSION_PEER_H

#include <stdatomic.h>

#include "config/settings.h"
#include "session/conn.h"
#include "session/endpoints.h"
#include "session/node.h"
#include "session/notice.h"

struct wt_lanes;
struct wt_resolve;

/* Dialling: one attempt at a time, endpoint by endpoint, address by address. */
struct wt_dial {
	struct wt_timer timer;		    /* the next attempt */
	struct wt_resolve *resolve;	    /* names are being looked up */
	struct sockaddr_storage *addresses; /* of the current endpoint; owned */
	size_t address_count, address;	    /* `address`: the next to try */
	struct wt_endpoints endpoints;	    /* which is current */
	bool seeking;			    /* up, and trying what would be better */
	bool elsewhere;			    /* up, but silent: trying the others beside it */
	uint64_t seek_ms;		    /* from one search for better to the next */
	unsigned rounds;		    /* through the whole list without success */
	unsigned short_lives;		    /* sessions in a row that did not last */
	uint32_t unanswered;		    /* first messages without any answer */
	bool held;			    /* the timer is not to be moved */
	bool connected;			    /* in this outage the transport got through */
	bool told;			    /* the causes were printed in this outage */
	char last_error[128];
};

struct wt_peer_counters {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes; /* inner packets */
	uint64_t handshakes;
	uint64_t drops[WT_DROP_COUNT];
};

/* What the workers have to agree on about one peer. A note is posted after a
 * change and says only that there was one, so the last to read it sees the last. */
struct wt_seat {
	_Atomic uint32_t owner;	  /* the worker whose connection is UP; or WT_SEAT_FREE */
	_Atomic uint32_t pending; /* the worker that accepted a first message last */
};
#define WT_SEAT_FREE UINT32_MAX

struct wt_peer {
	uint32_t id; /* of the configured peer */
	uint32_t at; /* in worker->peers, of every worker */
	unsigned lane;
	struct wt_lanes *lanes; /* of the configured peer, this one among them */
	const char *name;	/* for people; of its own memory if there are several lanes */
	struct wt_node *node;
	struct wt_worker *worker;
	const struct wt_peer_settings *settings;
	struct wt_instance *auth;
	void *auth_memory;    /* the plugin's state of this peer; all workers' */
	struct wt_seat *seat; /* NULL: there is one worker */
	struct wt_note note;  /* the seat changed */

	struct wt_conn *active;	  /* UP: sends and receives */
	struct wt_conn *draining; /* replaced: receives for a while */
	struct wt_conn *attempt;  /* ours, on its way to be active */
	struct wt_conn *pending;  /* theirs, with keys that wait for proof */
	struct wt_queue queue;	  /* packets while `active` is blocked, not sealed */
	struct wt_dial dial;
	struct wt_notices notices;
	struct wt_peer_counters counters;
};

/* Set up what is at `at` in worker->peers. Lane 0 of the first worker, which must
 * be the first of them, also makes the peer known to its auth plugin.
 * WT_ERR_CONFIG: its credentials, in words. Dials nothing yet. */
enum wt_status wt_peer_init(struct wt_peer *peer, struct wt_node *node, struct wt_worker *worker,
			    uint32_t at, struct wt_error *err) WT_MUST_CHECK;
/* Its connections are closed before; in the reverse order. */
void wt_peer_fini(struct wt_peer *peer);

static inline const char *wt_peer_name(const struct wt_peer *peer)
{
	return peer->name;
}

static inline bool wt_peer_dials(const struct wt_peer *peer)
{
	return peer->settings->endpoint_count > 0;
}

/* Is there a session, on whichever worker? */
bool wt_peer_is_up(const struct wt_peer *peer);
/* Is this the worker that dials the peer, if anybody does? The lanes of one are
 * spread over the workers. */
bool wt_peer_is_home(const struct wt_peer *peer);
/* Which worker the peer's packets are for: this one, if nobody has a session. */
static inline unsigned wt_peer_owner(const struct wt_peer *peer)
{
	uint32_t owner;

	if (!peer->seat)
		return peer->worker->index;
	owner = atomic_load_explicit(&peer->seat->owner, memory_order_relaxed);
	return owner == WT_SEAT_FREE ? peer->worker->index : owner;
}

/* The largest packet that fits towards it, which is UP. */
uint32_t wt_peer_mtu(const struct wt_peer *peer);

/* A first message of the peer was accepted on `conn`: its auth plugin has given
 * up what waited for proof before, wherever that was. */
void wt_peer_pending_set(struct wt_peer *peer, struct wt_conn *conn);

/* `conn` is confirmed for `peer`: it carries the traffic from now on, and one
 * that did before only receives for a while. */
void wt_peer_conn_up(struct wt_peer *peer, struct wt_conn *conn);

/* A connection of the peer is gone (wt_conn_close calls this). */
void wt_peer_conn_closed(struct wt_peer *peer, struct wt_conn *conn, const char *why);

/* The other end said CLOSE on `conn`, under its keys `under`. They end, and unless
 * newer ones took their place `conn` is closed. */
void wt_peer_conn_said_close(struct wt_peer *peer, struct wt_conn *conn,
			     const struct wt_keypair *under, uint8_t reason);

/* Throw away the packets that wait, counted as `drop`. */
void wt_peer_queue_clear(struct wt_peer *peer, enum wt_drop drop);

/* Count a drop: for the worker, and for the peer if it is known. */
void wt_drop_count(struct wt_worker *worker, struct wt_peer *peer, enum wt_drop drop);

#endif
