/* SPDX-License-Identifier: MIT
 *
 * slot.h: a worker's packet buffers, and queues of them.
 *
 * One mapping, cut into slots when the worker starts and touched only as far
 * as slots are used: the free list is a stack, so that the few hot slots stay
 * in the cache and the others cost no memory. No allocation and no lock after
 * wt_slot_pool_init; one thread.
 */
#ifndef WT_WORKER_SLOT_H
#define WT_WORKER_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <whispertunnel/host.h>

/* What the core knows of a slot; `slot` is what plugins see. */
struct wt_buffer {
	struct wt_slot slot;	/* first: a plugin's pointer is ours */
	struct wt_buffer *next; /* in a queue */
	uint64_t queued_ms;	/* when it was put there */
	uint32_t len;		/* bytes of the IP packet at base + WT_SLOT_PACKET */
	bool in_use;
	uint8_t holder; /* of a buffer that another worker was handed: that worker */
};

#define WT_HOLDER_NONE 0xffu

struct wt_slot_pool {
	uint8_t *memory;
	size_t memory_size;
	struct wt_buffer *buffers;
	uint32_t *free_stack; /* indices */
	size_t count, free_count;
};

enum wt_status wt_slot_pool_init(struct wt_slot_pool *pool, size_t count) WT_MUST_CHECK;
/* Slots that plugins still hold become invalid: they are gone by then. */
void wt_slot_pool_fini(struct wt_slot_pool *pool);

/* NULL when all are in use. */
struct wt_buffer *wt_slot_get(struct wt_slot_pool *pool);
/* False, and nothing happens, for a slot that is not of this pool or not in
 * use: a plugin's mistake that must not become ours. */
bool wt_slot_put(struct wt_slot_pool *pool, struct wt_slot *slot);

/* Is this the slot of one of its buffers? Reads only what init set: any thread. */
bool wt_slot_pool_has(const struct wt_slot_pool *pool, const struct wt_slot *slot);

/* First in, first out; bytes and buffers are counted. */
struct wt_queue {
	struct wt_buffer *head, *tail;
	size_t bytes, buffers;
};

void wt_queue_push(struct wt_queue *queue, struct wt_buffer *buffer, uint64_t now_ms);
/* All of `first`, which is empty then, goes before what is there. */
void wt_queue_prepend(struct wt_queue *queue, struct wt_queue *first);
struct wt_buffer *wt_queue_pop(struct wt_queue *queue); /* NULL when empty */

#endif
