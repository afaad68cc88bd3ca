/* SPDX-License-Identifier: MIT
 *
 * index_table.h: receiver_index -> association, for datagrams that arrive where
 * anyone may send. One for each worker, of a size that follows from the number
 * of peers; nothing is allocated later, and no datagram adds to it.
 *
 * An index is random, so it is its own hash: a stranger cannot choose where ours
 * lie, and a look-up in a table that is at most half full ends after few steps.
 * The kernel hands a datagram to worker (index mod workers): a worker draws its
 * indices accordingly. One thread.
 */
#ifndef WT_SESSION_INDEX_TABLE_H
#define WT_SESSION_INDEX_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <whispertunnel/status.h>

struct wt_conn;

/* What one peer may have of them on one worker: the association that sends has
 * three pairs of keys and a handshake, one that is replaced two pairs, and one
 * that waits for proof one of each. */
#define WT_INDICES_PER_PEER 8u

struct wt_index_entry {
	uint32_t index; /* 0: free */
	struct wt_conn *conn;
};

struct wt_index_table {
	unsigned workers, worker; /* all of its indices are `worker` modulo `workers` */
	size_t count, most;
	uint32_t mask;
	struct wt_index_entry entries[]; /* mask + 1 of them, a power of two */
};

/* Room for `peers` peers. NULL: no memory. */
struct wt_index_table *wt_index_table_new(size_t peers, unsigned workers,
					  unsigned worker) WT_MUST_CHECK;
void wt_index_table_free(struct wt_index_table *table); /* NULL is allowed */

/* A random index for this worker: not 0, and not in the table. */
uint32_t wt_index_table_draw(const struct wt_index_table *table);

/* From now on `index` (drawn here) is `conn`'s; said again it changes nothing.
 * False: there is no room, or it is another's. */
bool wt_index_table_put(struct wt_index_table *table, uint32_t index,
			struct wt_conn *conn) WT_MUST_CHECK;
/* One that is not there is fine. */
void wt_index_table_remove(struct wt_index_table *table, uint32_t index);

/* Whose it is, or NULL. */
struct wt_conn *wt_index_table_find(const struct wt_index_table *table, uint32_t index);

#endif
