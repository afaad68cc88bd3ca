/* SPDX-License-Identifier: MIT */
#include "session/endpoints.h"

#include <stdlib.h>

#include "base/secret.h"

/* Fisher and Yates. Without random numbers it stays as it is. */
static void shuffle(struct wt_endpoints *endpoints)
{
	for (size_t i = endpoints->count; i > 1; i--) {
		size_t r = 0, other;

		if (wt_random(&r, sizeof r) != WT_OK)
			return;
		r %= i;
		other = endpoints->order[r];
		endpoints->order[r] = endpoints->order[i - 1];
		endpoints->order[i - 1] = other;
	}
}

static void begin_round(struct wt_endpoints *endpoints)
{
	endpoints->at = 0;
	if (endpoints->policy == WT_POLICY_RANDOM)
		shuffle(endpoints);
}

enum wt_status wt_endpoints_init(struct wt_endpoints *endpoints,
				 const struct wt_peer_settings *peer)
{
	*endpoints = (struct wt_endpoints){ .policy = peer->policy, .count = peer->endpoint_count };
	if (endpoints->count == 0)
		return WT_OK;
	endpoints->order = calloc(endpoints->count, sizeof *endpoints->order);
	if (!endpoints->order)
		return WT_ERR_NOMEM;
	for (size_t i = 0; i < endpoints->count; i++)
		endpoints->order[i] = i;
	begin_round(endpoints);
	return WT_OK;
}

void wt_endpoints_fini(struct wt_endpoints *endpoints)
{
	free(endpoints->order);
	*endpoints = (struct wt_endpoints){ .count = 0 };
}

bool wt_endpoints_next(struct wt_endpoints *endpoints)
{
	if (++endpoints->at < endpoints->count)
		return false;
	begin_round(endpoints);
	return true;
}

static size_t place_of(const struct wt_endpoints *endpoints, size_t index)
{
	size_t at = 0;

	while (at + 1 < endpoints->count && endpoints->order[at] != index)
		at++;
	return at;
}

void wt_endpoints_ended(struct wt_endpoints *endpoints, size_t index, bool silent)
{
	endpoints->at = place_of(endpoints, index);
	if (silent)
		endpoints->at = (endpoints->at + 1) % endpoints->count;
}

bool wt_endpoints_better(const struct wt_endpoints *endpoints, size_t index)
{
	switch (endpoints->policy) {
	case WT_POLICY_ORDER:
		return place_of(endpoints, index) > 0;
	case WT_POLICY_LATENCY:
		return endpoints->count > 1;
	default:
		return false;
	}
}

/* From endpoints->at on. */
static bool seek(struct wt_endpoints *endpoints, size_t index)
{
	size_t used = place_of(endpoints, index);
	bool all = endpoints->policy == WT_POLICY_LATENCY;

	if (endpoints->at == used && all)
		endpoints->at++;
	return endpoints->at < (all ? endpoints->count : used);
}

bool wt_endpoints_seek(struct wt_endpoints *endpoints, size_t index)
{
	endpoints->at = 0;
	return wt_endpoints_better(endpoints, index) && seek(endpoints, index);
}

bool wt_endpoints_seek_next(struct wt_endpoints *endpoints, size_t index)
{
	endpoints->at++;
	return wt_endpoints_better(endpoints, index) && seek(endpoints, index);
}
