/* SPDX-License-Identifier: MIT */
#include "base/secret.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

/* A chunk is one mapping; blocks are cut from it by address, and equal sizes
 * are reused from a free list. Sizes are few (key contexts, peer state), so
 * lists by size class waste little and never fragment. */
#define CHUNK_SIZE ((size_t)256 * 1024)
#define BLOCK_MAX ((size_t)1024 * 1024)
#define HEADER ((size_t)64) /* keeps a block's own alignment of 64 */
#define CLASSES 24

struct block {
	size_t class_index; /* the block holds 64 << class_index bytes */
	size_t offset;	    /* of this header in its block */
	struct block *next_free;
};

static struct {
	pthread_mutex_t lock;
	struct block *free_list[CLASSES];
	uint8_t *chunk;
	size_t chunk_left;
	size_t in_use;
	size_t unlocked_pages;
} arena = { .lock = PTHREAD_MUTEX_INITIALIZER };

void wt_wipe(void *p, size_t len)
{
	explicit_bzero(p, len);
}

int wt_equal(const void *a, const void *b, size_t len)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t diff = 0;

	for (size_t i = 0; i < len; i++)
		diff = (uint8_t)(diff | (x[i] ^ y[i]));
	return (int)((((uint32_t)diff - 1u) >> 8) & 1u);
}

static uint8_t *map_pages(size_t size)
{
	uint8_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	if (mlock(p, size) != 0)
		arena.unlocked_pages += size / (size_t)sysconf(_SC_PAGESIZE);
	(void)madvise(p, size, MADV_DONTDUMP);
	(void)madvise(p, size, MADV_WIPEONFORK);
	return p;
}

/* A block of 64 << class bytes; small ones share chunks. */
static uint8_t *carve(size_t bytes)
{
	if (bytes > CHUNK_SIZE / 2)
		return map_pages(bytes);
	if (arena.chunk_left < bytes) {
		uint8_t *chunk = map_pages(CHUNK_SIZE);

		if (!chunk)
			return NULL;
		arena.chunk = chunk;
		arena.chunk_left = CHUNK_SIZE;
	}
	uint8_t *p = arena.chunk;

	arena.chunk += bytes;
	arena.chunk_left -= bytes;
	return p;
}

void *wt_secret_alloc(size_t size, size_t align)
{
	if (size == 0 || size > BLOCK_MAX || align == 0 || align > 4096 || (align & (align - 1)))
		return NULL;
	size_t slack = align > 64 ? align : 0;
	size_t class_index = 0;

	while (((size_t)64 << class_index) < size + HEADER + slack)
		class_index++;

	pthread_mutex_lock(&arena.lock);
	uint8_t *raw = NULL;
	struct block *b = arena.free_list[class_index];

	if (b) {
		arena.free_list[class_index] = b->next_free;
		raw = (uint8_t *)b;
	} else {
		raw = carve((size_t)64 << class_index);
	}
	if (raw)
		arena.in_use += (size_t)64 << class_index;
	pthread_mutex_unlock(&arena.lock);
	if (!raw)
		return NULL;

	uintptr_t data = (uintptr_t)raw + HEADER;

	data = (data + align - 1) & ~((uintptr_t)align - 1);
	b = (struct block *)(data - HEADER);
	*b = (struct block){ .class_index = class_index, .offset = data - HEADER - (uintptr_t)raw };
	return (void *)data;
}

void wt_secret_free(void *p)
{
	if (!p)
		return;
	struct block *b = (struct block *)((uint8_t *)p - HEADER);
	size_t class_index = b->class_index;
	uint8_t *raw = (uint8_t *)b - b->offset;

	wt_wipe(raw, (size_t)64 << class_index);
	b = (struct block *)raw;
	pthread_mutex_lock(&arena.lock);
	b->next_free = arena.free_list[class_index];
	arena.free_list[class_index] = b;
	arena.in_use -= (size_t)64 << class_index;
	pthread_mutex_unlock(&arena.lock);
}

size_t wt_secret_in_use(void)
{
	pthread_mutex_lock(&arena.lock);
	size_t n = arena.in_use;

	pthread_mutex_unlock(&arena.lock);
	return n;
}

size_t wt_secret_unlocked(void)
{
	pthread_mutex_lock(&arena.lock);
	size_t n = arena.unlocked_pages;

	pthread_mutex_unlock(&arena.lock);
	return n;
}

enum wt_status wt_random(void *buf, size_t len)
{
	uint8_t *p = buf;

	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return WT_ERR_UNAVAILABLE;
		p += n;
		len -= (size_t)n;
	}
	return WT_OK;
}
