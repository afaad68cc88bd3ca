/* SPDX-License-Identifier: MIT
 *
 * heap.h: the allocator of this process, so that it can be counted and made to
 * fail. In a program that links this, malloc() and the like are the ones here,
 * for every library in it; under a sanitizer they stay the sanitizer's, which
 * counts and cannot fail.
 */
#ifndef WT_CONFORM_HEAP_H
#define WT_CONFORM_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conform/finding.h"

/* What is allocated and not freed; in blocks, or under a sanitizer in bytes. */
size_t wt_heap_live(void);

bool wt_heap_can_fail(void);
/* Lets the n-th allocation from now fail, once, whichever thread makes it; 0:
 * none. */
void wt_heap_fail(uint64_t n);
/* Has the one that was asked for last failed? */
bool wt_heap_failed(void);

/* From now on, is a block freed that still holds these bytes? They are the caller's,
 * and not freed while they are looked for; NULL: look for none. One thread. Where
 * allocations cannot fail nothing is seen. */
void wt_heap_seek(const uint8_t *bytes, size_t len);
/* Was there one since wt_heap_seek? */
bool wt_heap_found(void);

/* What else a plugin may leave behind. */
struct wt_usage {
	size_t heap; /* wt_heap_live() */
	size_t descriptors, threads;
};
struct wt_usage wt_usage_now(void);
/* Has nothing grown by one for each of `rounds`? The note says what has. `what`
 * is what was made and ended that often: "keys". */
bool wt_usage_kept(const struct wt_usage *before, size_t rounds, const char *what,
		   struct wt_finding *note) WT_MUST_CHECK;

#endif
