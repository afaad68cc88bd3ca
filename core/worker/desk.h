/* SPDX-License-Identifier: MIT
 *
 * desk.h: where a worker receives what other workers have for it.
 *
 * Three things arrive at a desk:
 *  - packet buffers, through one ring for each worker that may send them;
 *  - its own buffers, given back by workers that had them;
 *  - notes, which say that something that this worker should look at changed.
 *
 * Only the desk's own worker takes things from it; any other worker brings
 * them, on its own thread. A worker that sleeps is woken through an eventfd, one
 * that is awake is not rung for. With one worker there are no desks: `desk` of
 * that worker is NULL, and nothing here is called.
 */
#ifndef WT_WORKER_DESK_H
#define WT_WORKER_DESK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "worker/loop.h"
#include "worker/ring.h"
#include "worker/slot.h"

struct wt_worker;

/* "Look again": it carries nothing but whose it is, so it can be posted any
 * number of times before it is read and is then read once. Embedded in what it
 * is about; needs no memory, so posting cannot fail. */
struct wt_note {
	struct wt_note *next;
	bool posted; /* it lies on the desk; guarded by the desk's lock */
	/* On the thread of the desk's worker, in its turn. */
	void (*read)(struct wt_note *note, struct wt_worker *worker);
};

struct wt_desk {
	_Atomic bool asleep;		      /* its worker waits, or is about to: ring */
	_Atomic bool noted;		      /* there may be notes */
	_Atomic(struct wt_buffer *) returned; /* the newest first */
	int bell;			      /* eventfd */
	struct wt_watch watch;
	struct wt_ring *rings; /* one for each worker, by its index */
	unsigned ring_count;
	unsigned ring_next;   /* who is asked first, in turn */
	size_t guests;	      /* buffers of other workers that its worker has */
	uint64_t to_ring;     /* a bit for each worker that got something in this turn */
	pthread_mutex_t lock; /* of the list of notes */
	struct wt_note *first, *last;
};

/* Put a desk before each of `count` (2..WT_WORKERS_MAX) workers, whose index,
 * loop, slots and `crew` are set up, and which do not run yet. On failure none
 * has one. */
enum wt_status wt_desks_init(struct wt_worker *workers, unsigned count) WT_MUST_CHECK;
/* None runs any more; nothing lies there (wt_desks_clear). Without desks: nothing. */
void wt_desks_fini(struct wt_worker *workers, unsigned count);
/* Give every buffer that lies on a desk back to its pool. None runs any more. */
void wt_desks_clear(struct wt_worker *workers, unsigned count);

/* ---- on any worker's own thread: to others -------------------------------------- */

/* Hand a packet's buffer to worker `to`. False: the ring is full, the buffer is
 * still the caller's. The other is woken by wt_desk_ring at the latest. */
bool wt_desk_hand(struct wt_worker *from, unsigned to, struct wt_buffer *buffer) WT_MUST_CHECK;
/* Wake those who got something since the last call; at the end of a turn. */
void wt_desk_ring(struct wt_worker *from);
/* Give a buffer back to the worker whose it is. False, and nothing happens, for
 * one that `from` does not have. */
bool wt_desk_give_back(struct wt_worker *from, struct wt_slot *slot);
/* Any thread, also the desk's own. */
void wt_note_post(struct wt_note *note, struct wt_worker *to);

/* ---- on the desk's own thread ------------------------------------------------------ */

/* Before waiting. False: something arrived already, do not wait. */
bool wt_desk_sleep(struct wt_worker *worker);
/* After waiting, and in each turn: takes back what was given back, reads notes. */
void wt_desk_look(struct wt_worker *worker);
/* The next packet that was handed over, from each worker in turn; NULL: none. */
struct wt_buffer *wt_desk_next(struct wt_worker *worker);
/* Is there one? */
bool wt_desk_waits(const struct wt_worker *worker);

#endif
