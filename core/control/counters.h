/* SPDX-License-Identifier: MIT
 *
 * counters.h: named counters that many workers add to without a lock.
 *
 * Each worker has a column of its own, written by it alone; a reader sums the
 * columns and may see a value that is a moment old, never one that is torn.
 * What is counted outside a worker goes to one shared column, by atomic
 * addition. Values wrap at 2^64.
 *
 * Names are registered while the process starts or reloads, by any thread, and
 * are never forgotten: a name registered twice is one counter.
 */
#ifndef WT_CONTROL_COUNTERS_H
#define WT_CONTROL_COUNTERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <whispertunnel/status.h>

#define WT_COUNTERS_MAX 256u	/* ids 1..255; a column is 2 KiB */
#define WT_COUNTER_NAME_MAX 95u /* [a-z0-9_.-], without the NUL */
#define WT_COUNTER_OUTSIDE ~0u	/* as `worker`: not on a worker's thread */

struct wt_counters {
	unsigned workers;
	_Atomic uint64_t
		*values; /* columns of WT_COUNTERS_MAX: the workers', then the shared one */
	struct wt_counter_names *names;
};

/* NULL: out of memory. */
struct wt_counters *wt_counters_new(unsigned workers) WT_MUST_CHECK;
void wt_counters_free(struct wt_counters *counters); /* NULL is allowed */

/* The id of `name`, which is copied. 0 when the table is full or the name is
 * not one: adding to id 0 counts nothing. */
uint32_t wt_counter_register(struct wt_counters *counters, const char *name) WT_MUST_CHECK;

/* Add `n` for worker `worker` (0..workers-1, on its thread) or
 * WT_COUNTER_OUTSIDE (any thread). */
static inline void wt_counter_add(struct wt_counters *counters, unsigned worker, uint32_t id,
				  uint64_t n)
{
	if (id == 0 || id >= WT_COUNTERS_MAX)
		return;
	if (worker >= counters->workers) {
		atomic_fetch_add_explicit(
			&counters->values[(size_t)counters->workers * WT_COUNTERS_MAX + id], n,
			memory_order_relaxed);
		return;
	}
	_Atomic uint64_t *value = &counters->values[(size_t)worker * WT_COUNTERS_MAX + id];

	/* Load and store, not a locked addition: the column has one writer. */
	atomic_store_explicit(value, atomic_load_explicit(value, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

/* The sum over all columns; 0 for an id that is none. Any thread. */
uint64_t wt_counter_read(const struct wt_counters *counters, uint32_t id);

/* Ids run from 1 to wt_counter_count(). The name lives as long as `counters`;
 * NULL for an id that is none. Any thread. */
uint32_t wt_counter_count(const struct wt_counters *counters);
const char *wt_counter_name(const struct wt_counters *counters, uint32_t id);

#endif
