/* SPDX-License-Identifier: MIT */
#include "session/keyring.h"

#include <stdlib.h>

#include "session/index_table.h"

static void wipe(const struct wt_keyring *ring, struct wt_keypair **pair)
{
	if (!*pair)
		return;
	if (ring->indices)
		wt_index_table_remove(ring->indices, (*pair)->local_index);
	wt_keypair_wipe(*pair);
	free(*pair);
	*pair = NULL;
}

struct wt_keypair *wt_keyring_find(const struct wt_keyring *ring, uint32_t local_index)
{
	if (ring->current && ring->current->local_index == local_index)
		return ring->current;
	if (ring->next && ring->next->local_index == local_index)
		return ring->next;
	if (ring->previous && ring->previous->local_index == local_index)
		return ring->previous;
	return NULL;
}

enum wt_status wt_keyring_install(struct wt_keyring *ring, struct wt_crypto *crypto,
				  struct wt_worker *worker,
				  const struct wt_keypair_options *options,
				  const struct wt_keypair_keys *keys)
{
	struct wt_keypair *pair = calloc(1, sizeof(*pair));
	enum wt_status status;

	if (!pair)
		return WT_ERR_NOMEM;
	status = wt_keypair_init(pair, crypto, worker, options, keys);
	if (status != WT_OK) {
		free(pair);
		return status;
	}
	wipe(ring, &ring->next);
	if (ring->indices && !wt_index_table_put(ring->indices, pair->local_index, ring->owner)) {
		wt_keypair_wipe(pair);
		free(pair);
		return WT_ERR_LIMIT;
	}
	ring->next = pair;
	return WT_OK;
}

void wt_keyring_confirm(struct wt_keyring *ring)
{
	wipe(ring, &ring->previous);
	ring->previous = ring->current;
	ring->current = ring->next;
	ring->next = NULL;
}

void wt_keyring_wipe_previous(struct wt_keyring *ring)
{
	wipe(ring, &ring->previous);
}

void wt_keyring_wipe_next(struct wt_keyring *ring)
{
	wipe(ring, &ring->next);
}

void wt_keyring_wipe(struct wt_keyring *ring)
{
	wipe(ring, &ring->previous);
	wipe(ring, &ring->current);
	wipe(ring, &ring->next);
}
