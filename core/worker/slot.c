/* SPDX-License-Identifier: MIT */
#include "worker/slot.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum wt_status wt_slot_pool_init(struct wt_slot_pool *pool, size_t count)
{
	*pool = (struct wt_slot_pool){ .memory_size = count * WT_SLOT_CAPACITY, .count = count };
	pool->memory = mmap(NULL, pool->memory_size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (pool->memory == MAP_FAILED)
		goto no_memory;
	/* Plaintext of other people's packets has no place in a core file. */
	(void)madvise(pool->memory, pool->memory_size, MADV_DONTDUMP);
	pool->buffers = calloc(count, sizeof(*pool->buffers));
	pool->free_stack = calloc(count, sizeof(*pool->free_stack));
	if (!pool->buffers || !pool->free_stack)
		goto no_tables;
	for (size_t i = 0; i < count; i++) {
		pool->buffers[i].slot = (struct wt_slot){
			.struct_size = sizeof(struct wt_slot),
			.capacity = WT_SLOT_CAPACITY,
			.base = pool->memory + i * WT_SLOT_CAPACITY,
		};
		pool->free_stack[i] = (uint32_t)(count - 1 - i);
	}
	pool->free_count = count;
	return WT_OK;

no_tables:
	free(pool->buffers);
	free(pool->free_stack);
	munmap(pool->memory, pool->memory_size);
no_memory:
	*pool = (struct wt_slot_pool){ .count = 0 };
	return WT_ERR_NOMEM;
}

void wt_slot_pool_fini(struct wt_slot_pool *pool)
{
	if (!pool->memory)
		return;
	munmap(pool->memory, pool->memory_size);
	free(pool->buffers);
	free(pool->free_stack);
	*pool = (struct wt_slot_pool){ .count = 0 };
}

struct wt_buffer *wt_slot_get(struct wt_slot_pool *pool)
{
	if (pool->free_count == 0)
		return NULL;
	struct wt_buffer *buffer = &pool->buffers[pool->free_stack[--pool->free_count]];

	buffer->in_use = true;
	return buffer;
}

bool wt_slot_pool_has(const struct wt_slot_pool *pool, const struct wt_slot *slot)
{
	uintptr_t at = (uintptr_t)slot - (uintptr_t)pool->buffers;

	return at % sizeof(struct wt_buffer) == 0 && at / sizeof(struct wt_buffer) < pool->count;
}

bool wt_slot_put(struct wt_slot_pool *pool, struct wt_slot *slot)
{
	uintptr_t at = (uintptr_t)slot - (uintptr_t)pool->buffers;
	size_t i = at / sizeof(struct wt_buffer);

	if (at % sizeof(struct wt_buffer) != 0 || i >= pool->count || !pool->buffers[i].in_use)
		return false;
	pool->buffers[i].in_use = false;
	pool->free_stack[pool->free_count++] = (uint32_t)i;
	return true;
}

void wt_queue_push(struct wt_queue *queue, struct wt_buffer *buffer, uint64_t now_ms)
{
	buffer->next = NULL;
	buffer->queued_ms = now_ms;
	if (queue->tail)
		queue->tail->next = buffer;
	else
		queue->head = buffer;
	queue->tail = buffer;
	queue->bytes += buffer->len;
	queue->buffers++;
}

void wt_queue_prepend(struct wt_queue *queue, struct wt_queue *first)
{
	if (!first->head)
		return;
	first->tail->next = queue->head;
	queue->head = first->head;
	if (!queue->tail)
		queue->tail = first->tail;
	queue->bytes += first->bytes;
	queue->buffers += first->buffers;
	*first = (struct wt_queue){ .head = NULL };
}

struct wt_buffer *wt_queue_pop(struct wt_queue *queue)
{
	struct wt_buffer *buffer = queue->head;

	if (!buffer)
		return NULL;
	queue->head = buffer->next;
	if (!queue->head)
		queue->tail = NULL;
	queue->bytes -= buffer->len;
	queue->buffers--;
	return buffer;
}
