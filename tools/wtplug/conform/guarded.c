/* SPDX-License-Identifier: MIT */
#include "conform/guarded.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAINT 0xa5
#define MARGIN ((size_t)256) /* what is painted on either side */

/* All that have a name, for wt_guarded_find. */
#define GUARDS_MAX 64u
static struct {
	const char *what;
	const uint8_t *map;
	size_t map_size;
} guards[GUARDS_MAX];

static void enlist(const struct wt_guarded *g)
{
	for (size_t i = 0; g->what && i < GUARDS_MAX; i++) {
		if (guards[i].map)
			continue;
		guards[i].what = g->what;
		guards[i].map_size = g->map_size;
		guards[i].map = g->map;
		return;
	}
}

static void strike(const struct wt_guarded *g)
{
	for (size_t i = 0; i < GUARDS_MAX; i++)
		if (guards[i].map == g->map)
			guards[i].map = NULL;
}

const char *wt_guarded_find(const void *address, ptrdiff_t *behind)
{
	uintptr_t at = (uintptr_t)address, page = (uintptr_t)sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < GUARDS_MAX; i++) {
		uintptr_t map = (uintptr_t)guards[i].map, end = map + guards[i].map_size;

		if (!map || at < map || at >= end)
			continue;
		*behind = at < map + page ? -(ptrdiff_t)(map + page - at)
					  : (ptrdiff_t)(at - (end - page)) + 1;
		return guards[i].what;
	}
	return NULL;
}

bool wt_guarded_init(struct wt_guarded *g, const char *what, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	size = (size + page - 1) / page * page;
	*g = (struct wt_guarded){ .what = what, .map_size = size + 2 * page, .size = size };
	g->map = mmap(NULL, g->map_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (g->map == MAP_FAILED) {
		g->map = NULL;
		return false;
	}
	g->start = g->map + page;
	enlist(g);
	return mprotect(g->start, size, PROT_READ | PROT_WRITE) == 0;
}

void wt_guarded_free(struct wt_guarded *g)
{
	if (g->map) {
		strike(g);
		munmap(g->map, g->map_size);
	}
	*g = (struct wt_guarded){ 0 };
}

static size_t margin(size_t room)
{
	return room < MARGIN ? room : MARGIN;
}

static size_t room_before(const struct wt_guarded *g, const uint8_t *block)
{
	return margin((size_t)(block - g->start));
}

static size_t room_behind(const struct wt_guarded *g, const uint8_t *block, size_t len)
{
	return margin(g->size - (size_t)(block - g->start) - len);
}

uint8_t *wt_guarded_place(struct wt_guarded *g, size_t len, size_t offset)
{
	uint8_t *block = g->start + (offset == WT_GUARDED_END ? g->size - len : offset);
	size_t before = room_before(g, block);

	memset(block - before, PAINT, before + len + room_behind(g, block, len));
	return block;
}

static bool painted(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != PAINT)
			return false;
	return true;
}

bool wt_guarded_kept(const struct wt_guarded *g, const uint8_t *block, size_t len)
{
	size_t before = room_before(g, block);

	return painted(block - before, before) && painted(block + len, room_behind(g, block, len));
}
