/* SPDX-License-Identifier: MIT */
#include "control/counters.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_LINE 64u

struct wt_counter_names {
	pthread_mutex_t lock; /* one registration at a time */
	/* Readers take no lock: a name is written before `count` says so, and
	 * never changes after. */
	_Atomic uint32_t count;
	char text[WT_COUNTERS_MAX][WT_COUNTER_NAME_MAX + 1];
};

struct wt_counters *wt_counters_new(unsigned workers)
{
	struct wt_counters *counters = calloc(1, sizeof *counters);
	/* A column is a multiple of the cache line, so that workers share none. */
	size_t size = ((size_t)workers + 1) * WT_COUNTERS_MAX * sizeof *counters->values;

	if (!counters)
		return NULL;
	counters->workers = workers;
	counters->values = aligned_alloc(CACHE_LINE, size);
	if (!counters->values)
		goto free_counters;
	memset((void *)counters->values, 0, size);
	counters->names = calloc(1, sizeof *counters->names);
	if (!counters->names)
		goto free_values;
	if (pthread_mutex_init(&counters->names->lock, NULL) != 0)
		goto free_names;
	return counters;

free_names:
	free(counters->names);
free_values:
	free((void *)counters->values);
free_counters:
	free(counters);
	return NULL;
}

void wt_counters_free(struct wt_counters *counters)
{
	if (!counters)
		return;
	pthread_mutex_destroy(&counters->names->lock);
	free(counters->names);
	free((void *)counters->values);
	free(counters);
}

static int name_is_valid(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.-");

	return len >= 1 && len <= WT_COUNTER_NAME_MAX && name[len] == '\0';
}

uint32_t wt_counter_register(struct wt_counters *counters, const char *name)
{
	struct wt_counter_names *names = counters->names;
	uint32_t id = 0;

	if (!name_is_valid(name))
		return 0;
	pthread_mutex_lock(&names->lock);
	uint32_t count = atomic_load_explicit(&names->count, memory_order_relaxed);

	for (uint32_t i = 1; i <= count && id == 0; i++)
		if (strcmp(names->text[i], name) == 0)
			id = i;
	if (id == 0 && count + 1 < WT_COUNTERS_MAX) {
		id = count + 1;
		memcpy(names->text[id], name, strlen(name) + 1);
		atomic_store_explicit(&names->count, id, memory_order_release);
	}
	pthread_mutex_unlock(&names->lock);
	return id;
}

uint64_t wt_counter_read(const struct wt_counters *counters, uint32_t id)
{
	uint64_t sum = 0;

	if (id == 0 || id >= WT_COUNTERS_MAX)
		return 0;
	for (size_t column = 0; column <= counters->workers; column++)
		sum += atomic_load_explicit(&counters->values[column * WT_COUNTERS_MAX + id],
					    memory_order_relaxed);
	return sum;
}

uint32_t wt_counter_count(const struct wt_counters *counters)
{
	return atomic_load_explicit(&counters->names->count, memory_order_acquire);
}

const char *wt_counter_name(const struct wt_counters *counters, uint32_t id)
{
	if (id == 0 || id > wt_counter_count(counters))
		return NULL;
	return counters->names->text[id];
}
