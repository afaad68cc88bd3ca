/* SPDX-License-Identifier: MIT */
#include "session/index_table.h"

#include <stdlib.h>

#include "base/secret.h"

struct wt_index_table *wt_index_table_new(size_t peers, unsigned workers, unsigned worker)
{
	size_t most = (peers ? peers : 1) * WT_INDICES_PER_PEER, size = 1;
	struct wt_index_table *table;

	while (size < 2 * most)
		size *= 2;
	table = calloc(1, sizeof(*table) + size * sizeof(table->entries[0]));
	if (!table)
		return NULL;
	table->workers = workers;
	table->worker = worker;
	table->most = most;
	table->mask = (uint32_t)(size - 1);
	return table;
}

void wt_index_table_free(struct wt_index_table *table)
{
	free(table);
}

/* The remainder is the same in all of them and says nothing. */
static uint32_t home(const struct wt_index_table *table, uint32_t index)
{
	return index / table->workers & table->mask;
}

/* Where `index` is, or the free place where its search ends. There is one: at
 * most half are taken. */
static uint32_t place(const struct wt_index_table *table, uint32_t index)
{
	uint32_t at = home(table, index);

	while (table->entries[at].index != 0 && table->entries[at].index != index)
		at = (at + 1) & table->mask;
	return at;
}

uint32_t wt_index_table_draw(const struct wt_index_table *table)
{
	uint32_t index;

	do {
		index = 0;
		if (wt_random(&index, sizeof index) != WT_OK)
			continue;
		index -= index % table->workers;
		if (index > UINT32_MAX - table->workers)
			index = 0;
		index = index ? index + table->worker : 0;
	} while (index == 0 || wt_index_table_find(table, index));
	return index;
}

bool wt_index_table_put(struct wt_index_table *table, uint32_t index, struct wt_conn *conn)
{
	struct wt_index_entry *entry = &table->entries[place(table, index)];

	if (entry->index == index)
		return entry->conn == conn;
	if (table->count == table->most)
		return false;
	*entry = (struct wt_index_entry){ index, conn };
	table->count++;
	return true;
}

void wt_index_table_remove(struct wt_index_table *table, uint32_t index)
{
	uint32_t hole = place(table, index);

	if (table->entries[hole].index == 0)
		return;
	table->count--;
	/* Whoever stands behind the hole and was pushed past it moves up, so that
	 * no search ends too early. */
	for (uint32_t at = (hole + 1) & table->mask; table->entries[at].index != 0;
	     at = (at + 1) & table->mask) {
		uint32_t from = home(table, table->entries[at].index);

		if (((at - from) & table->mask) < ((at - hole) & table->mask))
			continue;
		table->entries[hole] = table->entries[at];
		hole = at;
	}
	table->entries[hole] = (struct wt_index_entry){ 0, NULL };
}

struct wt_conn *wt_index_table_find(const struct wt_index_table *table, uint32_t index)
{
	return index ? table->entries[place(table, index)].conn : NULL;
}
