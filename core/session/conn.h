/* SPDX-License-Identifier: MIT
 *
 * conn.h: one association with one other end, with the keys that were negotiated
 * on it and die with it. It goes over a link (session/link): one of its own, or
 * one that it shares, with the path of the other end.
 *
 * Life: dialled or accepted -> OPEN (a stranger) -> PROVEN (its handshake
 * holds, keys not confirmed) -> UP -> perhaps DRAINING (another took its place)
 * -> closed. wt_conn_close ends it from any state; the memory is freed at the
 * end of the turn, so that a caller up the stack can still look at `closed`.
 */
#ifndef WT_SESSION_CONN_H
#define WT_SESSION_CONN_H

#include <stdbool.h>
#include <whispertunnel/auth.h>
#include <whispertunnel/transport.h>

#include "record/inner.h"
#include "record/params.h"
#include "session/keyring.h"
#include "session/link.h"
#include "session/track.h"

enum wt_conn_state {
	WT_CONN_DIALLING, /* the transport is at it */
	WT_CONN_OPEN,	  /* connected; nothing is known of the other end */
	WT_CONN_PROVEN,	  /* keys are in `next`, not confirmed */
	WT_CONN_UP,	  /* carries traffic */
	WT_CONN_DRAINING  /* replaced: receives for a while */
};

/* What an auth plugin was given. */
enum wt_handshake_role {
	WT_HANDSHAKE_ACCEPT,  /* a first message: somebody begins */
	WT_HANDSHAKE_OWN,     /* an answer in ours */
	WT_HANDSHAKE_PENDING, /* a later message in theirs */
	WT_HANDSHAKE_START    /* none: one of ours was to begin */
};

/* A handshake under way. */
struct wt_handshake {
	struct wt_instance *auth; /* NULL: none */
	void *handle;		  /* the plugin's */
	uint32_t local_index;
	bool done; /* datagrams, theirs: confirmed, kept for its last message's repeats */
	struct wt_origin from; /* theirs: where it began */
	uint64_t deadline_ms;  /* when it is given up; 0: never */
	uint64_t sent_ns;      /* its last message, for the round trip */
};

/* What an auth plugin was asked. */
struct wt_question {
	uint64_t ticket; /* 0: nothing */
	struct wt_instance *auth;
	enum wt_handshake_role role;
	uint32_t fresh_index; /* ACCEPT, START: what it was given for a new handshake */
	struct wt_origin from;
};

struct wt_repeat;

struct wt_conn {
	struct wt_worker *worker;
	struct wt_link *link; /* what it goes over */
	struct wt_path path;  /* where its records go; zero unless the link is shared */
	uint64_t number;
	enum wt_conn_state state;
	bool dialled; /* by this end */
	bool closed;
	bool asked;	      /* a first message of ours has no answer yet */
	bool sought;	      /* dialled to see whether it is better than what was up */
	bool silent;	      /* it ended because nothing was heard any more */
	size_t endpoint;      /* dialled: which of the peer's */
	bool answered;	      /* theirs got a RETRY: the next one must be accepted */
	struct wt_peer *peer; /* NULL: not known yet */
	struct wt_source source;

	struct wt_keyring keys;
	struct wt_handshake own;       /* begun here */
	struct wt_handshake pending;   /* begun there */
	struct wt_repeat *repeat;      /* what is said again in `own`; NULL: nothing is */
	struct wt_question question;   /* an auth plugin is still thinking about it */
	struct wt_params theirs;       /* of the keys in use; zero before */
	struct wt_params theirs_next;  /* ... and of those in `next` */
	struct wt_track track;	       /* of the other end's path */
	uint32_t path_record_max;      /* largest record that the path is known to take */
	struct wt_inner_limits limits; /* what the other end takes: what follows from both */
	uint64_t rtt_ns;	       /* of the first handshake */

	struct wt_timer timer; /* the soonest of what follows, all boot time, 0: never */
	uint64_t opened_ms, up_ms;
	uint64_t give_up_ms;   /* not up by then: close */
	uint64_t rekey_ms;     /* dialler: start a handshake */
	uint64_t ask_ms;       /* responder: ask for a rekey (units) */
	uint64_t wipe_ms;      /* no handshake since: the keys end */
	uint64_t keepalive_ms; /* received, nothing sent since */
	uint64_t ping_ms;      /* `keepalive =` */
	uint64_t dead_ms;      /* sent, nothing accepted since */
	uint64_t drain_ms;     /* DRAINING ends */
	uint64_t again_ms;     /* say again what `repeat` holds */
	uint64_t previous_ms;  /* datagrams: the previous keys end */
	uint64_t said_up_ms;   /* when the other end was last told that its proof arrived */
	unsigned closes_said;

	struct wt_conn *prev, *next; /* link->conns, or worker->dead */
	struct wt_conn *half_prev, *half_next;
	bool in_half_open;
};

/* A new one on `link`. NULL: no memory. */
struct wt_conn *wt_conn_new(struct wt_link *link) WT_MUST_CHECK;

/* Its records go this way from now on. Of a shared link only. */
void wt_conn_move(struct wt_conn *conn, const struct wt_origin *to);
/* The path takes records of up to `max` bytes; sets conn->limits. */
void wt_conn_path_takes(struct wt_conn *conn, uint32_t max);
/* The largest inner packet: what both ends and the path take. */
uint32_t wt_conn_inner_mtu(const struct wt_conn *conn);

/* End it: wipes its keys, closes its link unless that is shared (`abort`: without
 * waiting for what was not sent) and tells its peer `why`, in words for the log. */
void wt_conn_close(struct wt_conn *conn, bool abort, const char *why);

/* Free what was closed; at the end of a turn. */
void wt_conn_reap(struct wt_worker *worker);

/* Find the connection whose input got this ticket, or NULL. */
struct wt_conn *wt_conn_by_ticket(struct wt_worker *worker, uint64_t ticket);

/* Arm the timer for the soonest of the times above. */
void wt_conn_schedule(struct wt_conn *conn);
/* One of them was set to `due_ms`: see that the timer is not later. Cheap. */
void wt_conn_schedule_at(struct wt_conn *conn, uint64_t due_ms);

#endif
