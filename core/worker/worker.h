/* SPDX-License-Identifier: MIT
 *
 * worker.h: what one thread owns: its loop, its packet buffers, its TUN queue
 * and its connections. A connection and the session on it belong to exactly
 * one worker, so that nothing here needs a lock or an atomic. What workers have
 * for each other goes over their desks (worker/desk).
 */
#ifndef WT_WORKER_WORKER_H
#define WT_WORKER_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "record/drop.h"
#include "worker/desk.h"
#include "worker/loop.h"
#include "worker/slot.h"

struct wt_node;
struct wt_conn;
struct wt_index_table;
struct wt_link;
struct wt_peer;
struct wt_resolver_client;
struct wt_flows;

/* A bit each in a word; far more than one interface has use for. */
#define WT_WORKERS_MAX 64u

/* Values of enum wt_auth_reason that are counted. */
#define WT_REASON_COUNT 15u

/* The queues of the TUN device that one worker has. */
enum wt_tun_input_index { WT_TUN_SPARSE, WT_TUN_BULK, WT_TUN_INPUTS };
/* So many packets come from the sparse queue before one of the other. */
#define WT_TUN_SPARSE_ROW 32u

struct wt_tun_input {
	int fd;
	struct wt_watch watch;
	bool readable; /* since the last EAGAIN */
};

/* The TUN device as this worker reads it (pipeline/tun_input). */
struct wt_tun_queue {
	struct wt_tun_input inputs[WT_TUN_INPUTS];
	unsigned count;		/* 1: all flows are in the first */
	unsigned sparse_first;	/* so many from the sparse queue come first */
	unsigned in_row;	/* from the sparse queue, since one from the other */
	struct wt_flows *flows; /* NULL with one queue */
	bool gone;		/* the device was deleted: nothing more to read, ever */
	bool paused;		/* not read while the link of `last_peer` is blocked */
	struct wt_timer pause;	/* ends the pause whatever happens */
	/* The peer that was sent to last, and when another was: who has the
	 * device for himself may stop it (docs/architecture.md). */
	const struct wt_peer *last_peer;
	uint64_t last_peer_ms, other_peer_ms;
};

/* How packets were shaped, in numbers of packets or runs. */
struct wt_offload_counters {
	uint64_t sent_partial, sent_segments; /* checksum, cutting left to the far kernel */
	uint64_t finished, cut;		      /* done here, before sealing */
	uint64_t received_partial, received_segments;
	uint64_t carved;		      /* runs cut in place, likewise */
	uint64_t sent_runs, sent_run_packets; /* several records with one call */
	uint64_t merged_runs, merged_packets; /* writes of packets that came one by one */
	uint64_t copied_bytes;		      /* of packets that were cut here */
	uint64_t clamped;		      /* an MSS lowered */
	uint64_t too_big;		      /* a sender was told that its packet is too large */
	uint64_t refused; /* the kernel would not take it so: done here, after opening */
};

struct wt_worker {
	_Alignas(WT_RING_LINE) unsigned index; /* workers share no cache line */
	struct wt_worker *crew;		       /* all workers, by index: this one among them */
	struct wt_node *node;
	struct wt_desk *desk; /* NULL: this is the only worker */
	struct wt_loop loop;
	struct wt_slot_pool slots;
	/* While no more than these are free, a connection may hold what it needs
	 * to go on, and nothing ahead: however many links stand, the others go on. */
	size_t spare_slots;
	size_t guests_max; /* the same for buffers that other workers handed over */
	struct wt_tun_queue tun;

	struct wt_resolver_client *resolver;
	struct wt_watch resolver_watch;
	/* The peers as this worker sees them, each lane of each (session/lanes): the
	 * connections that are here, and what was counted here. Where a lane's
	 * traffic is, its seat says. */
	struct wt_peer *peers;
	size_t peer_count;
	bool stopping; /* nothing is dialled or accepted any more */
	bool busy;     /* the last turn left something to do */

	struct wt_link *links;			    /* all of them */
	struct wt_index_table *indices;		    /* whose a datagram is */
	struct wt_conn *dead;			    /* closed in this turn, freed at its end */
	struct wt_link *dead_links;		    /* likewise */
	struct wt_link *readable, *readable_last;   /* recv has not said WT_AGAIN */
	struct wt_link *unsent;			    /* with records to send, not blocked */
	struct wt_conn *half_open, *half_open_last; /* strangers, the oldest first */
	size_t half_open_count;

	uint64_t last_number; /* of a connection; never reused */
	uint64_t last_ticket; /* of an input to an auth plugin */

	uint64_t drops[WT_DROP_COUNT];
	uint64_t handoffs, handoff_full; /* packets for other workers; those of no room */
	struct wt_offload_counters offloads;
	uint64_t refusals[WT_REASON_COUNT]; /* handshake messages, by reason */
};

/* May packets wait here, or be sealed ahead of what their link takes? */
static inline bool wt_worker_has_plenty(const struct wt_worker *worker)
{
	return worker->slots.free_count > worker->spare_slots &&
	       (!worker->desk || worker->desk->guests <= worker->guests_max);
}

/* Give a packet buffer back, whichever worker's pool it is from. False, and
 * nothing happens, for one that this worker does not have. */
static inline bool wt_worker_slot_put(struct wt_worker *worker, struct wt_slot *slot)
{
	return wt_slot_put(&worker->slots, slot) ||
	       (worker->desk && wt_desk_give_back(worker, slot));
}

#endif
