/* SPDX-License-Identifier: MIT
 *
 * ring.h: packet buffers on their way from one worker to one other.
 *
 * Bounded, first in, first out. Exactly one thread puts and exactly one takes;
 * neither waits, locks or allocates. Each end keeps its own index in a cache
 * line of its own, with what it last saw of the other's, so that the line moves
 * between cores once in a while and not for every buffer.
 */
#ifndef WT_WORKER_RING_H
#define WT_WORKER_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a worker reads from its device in one turn: it can always be handed on
 * when the other keeps up. A power of two, so that indices may wrap. */
#define WT_RING_BUFFERS 64u
#define WT_RING_LINE 64 /* bytes of a cache line */

struct wt_buffer;

struct wt_ring {
	/* The taker's. */
	_Alignas(WT_RING_LINE) _Atomic uint32_t taken;
	uint32_t put_seen;
	/* The putter's. */
	_Alignas(WT_RING_LINE) _Atomic uint32_t put;
	uint32_t taken_seen;
	_Alignas(WT_RING_LINE) struct wt_buffer *buffers[WT_RING_BUFFERS];
};

/* All bytes zero is an empty ring. */

/* False: full. What was written to the buffer before is seen by who takes it. */
static inline bool wt_ring_put(struct wt_ring *ring, struct wt_buffer *buffer)
{
	uint32_t put = atomic_load_explicit(&ring->put, memory_order_relaxed);

	if (put - ring->taken_seen == WT_RING_BUFFERS) {
		ring->taken_seen = atomic_load_explicit(&ring->taken, memory_order_acquire);
		if (put - ring->taken_seen == WT_RING_BUFFERS)
			return false;
	}
	ring->buffers[put % WT_RING_BUFFERS] = buffer;
	atomic_store_explicit(&ring->put, put + 1, memory_order_release);
	return true;
}

/* NULL: empty. */
static inline struct wt_buffer *wt_ring_take(struct wt_ring *ring)
{
	uint32_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);

	if (taken == ring->put_seen) {
		ring->put_seen = atomic_load_explicit(&ring->put, memory_order_acquire);
		if (taken == ring->put_seen)
			return NULL;
	}
	struct wt_buffer *buffer = ring->buffers[taken % WT_RING_BUFFERS];

	atomic_store_explicit(&ring->taken, taken + 1, memory_order_release);
	return buffer;
}

/* Is there something to take? The taker asks. */
static inline bool wt_ring_waits(const struct wt_ring *ring)
{
	return atomic_load_explicit(&ring->put, memory_order_acquire) !=
	       atomic_load_explicit(&ring->taken, memory_order_relaxed);
}

#endif
