/* SPDX-License-Identifier: MIT
 *
 * secret.h: memory for keys, and the one wipe and one compare.
 *
 * Blocks come from pages of their own that are locked (when RLIMIT_MEMLOCK
 * lets us; otherwise one warning), left out of core dumps and zeroed in a
 * forked child.
 */
#ifndef WT_BASE_SECRET_H
#define WT_BASE_SECRET_H

#include <stddef.h>
#include <whispertunnel/status.h>

/* Set to zero; never removed by the optimiser. */
void wt_wipe(void *p, size_t len);

/* 1 if equal, 0 if not; time depends on len alone. */
int wt_equal(const void *a, const void *b, size_t len) WT_MUST_CHECK;

/* `size` (1..1 MiB) zeroed bytes at `align` (a power of two up to 4096).
 * NULL: no memory. Any thread. */
void *wt_secret_alloc(size_t size, size_t align) WT_MUST_CHECK;

/* Wipes and gives back; NULL is allowed. Any thread. */
void wt_secret_free(void *p);

/* Bytes handed out and not freed: 0 after an orderly end. */
size_t wt_secret_in_use(void);

/* How many pages could not be locked. */
size_t wt_secret_unlocked(void);

/* Fill with random bytes from getrandom(2), waiting for the kernel's pool at
 * boot. WT_ERR_UNAVAILABLE when the kernel has none: only possible at start. */
enum wt_status wt_random(void *buf, size_t len) WT_MUST_CHECK;

#endif
