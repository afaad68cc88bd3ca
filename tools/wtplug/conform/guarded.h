/* SPDX-License-Identifier: MIT
 *
 * guarded.h: memory between two pages that cannot be touched.
 *
 * A block is placed flush against one of them, or at an offset, and painted
 * around: a read or write past the flush end dies, a write past the other one
 * is seen.
 */
#ifndef WT_CONFORM_GUARDED_H
#define WT_CONFORM_GUARDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <whispertunnel/status.h>

struct wt_guarded {
	const char *what; /* for messages, a string constant; NULL: nobody asks */
	uint8_t *map;	  /* guard page, `size` bytes, guard page */
	size_t map_size;
	uint8_t *start;
	size_t size;
};

/* Room for `size` bytes, rounded up to pages. False: no memory. Not from two
 * threads at once, as wt_guarded_free. */
bool wt_guarded_init(struct wt_guarded *g, const char *what, size_t size) WT_MUST_CHECK;
void wt_guarded_free(struct wt_guarded *g); /* also of a zeroed one */

/* Places a block of `len` bytes `offset` bytes behind the first guard page, or
 * flush against the second one, and paints it and what lies around. */
#define WT_GUARDED_END SIZE_MAX
uint8_t *wt_guarded_place(struct wt_guarded *g, size_t len, size_t offset);

/* Whose guard page is at this address? NULL: nobody's. *behind: how many bytes
 * behind its last one (negative: before its first). From a signal handler, too. */
const char *wt_guarded_find(const void *address, ptrdiff_t *behind);

/* Is the paint around the block as it was? */
bool wt_guarded_kept(const struct wt_guarded *g, const uint8_t *block, size_t len);

#endif
