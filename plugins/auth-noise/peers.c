/* SPDX-License-Identifier: MIT */
#include "peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_MIN ((size_t)16)

enum wt_status wt_noise_peers_init(struct wt_noise_peers *peers, const struct wt_host *host)
{
	*peers = (struct wt_noise_peers){ .lock = PTHREAD_MUTEX_INITIALIZER,
					  .seen_lock = PTHREAD_MUTEX_INITIALIZER,
					  .decoy = { .lock = PTHREAD_MUTEX_INITIALIZER } };
	host->random(host, &peers->spread, sizeof peers->spread);
	host->random(host, peers->decoy.ss, POINT_SIZE);
	return WT_OK;
}

void wt_noise_peers_free(struct wt_noise_peers *peers)
{
	free(peers->by_key);
	free(peers->by_e);
	pthread_mutex_destroy(&peers->decoy.lock);
	pthread_mutex_destroy(&peers->seen_lock);
	pthread_mutex_destroy(&peers->lock);
}

/* Keys are points that their owners choose, so the buckets are spread by
 * something they do not know. */
static size_t bucket_of(const struct wt_noise_peers *peers, const uint8_t *point, size_t count)
{
	uint64_t x = peers->spread;

	for (size_t i = 0; i < POINT_SIZE; i += 8) {
		x = (x ^ get64(point + i)) * UINT64_C(0x9e3779b97f4a7c15);
		x ^= x >> 29;
	}
	return (size_t)x & (count - 1);
}

static bool same(const uint8_t *a, const uint8_t *b)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < POINT_SIZE; i += 8)
		bits |= get64(a + i) ^ get64(b + i);
	return bits == 0;
}

/* ---- by public key ---------------------------------------------------------- */

static struct wt_noise_peer *lookup(const struct wt_noise_peers *peers, const uint8_t *key)
{
	struct wt_noise_peer *peer =
		peers->by_key ? peers->by_key[bucket_of(peers, key, peers->bucket_count)] : NULL;

	while (peer && !same(peer->public_key, key))
		peer = peer->next;
	return peer;
}

static void list(struct wt_noise_peers *peers, struct wt_noise_peer *peer)
{
	struct wt_noise_peer **bucket =
		&peers->by_key[bucket_of(peers, peer->public_key, peers->bucket_count)];

	peer->next = *bucket;
	*bucket = peer;
}

static void list_seen(struct wt_noise_peers *peers, struct wt_noise_seen *seen)
{
	struct wt_noise_seen **bucket =
		&peers->by_e[bucket_of(peers, seen->e, peers->seen_bucket_count)];

	seen->next = *bucket;
	*bucket = seen;
	seen->listed = true;
}

static void unlist_seen(struct wt_noise_peers *peers, struct wt_noise_seen *seen)
{
	struct wt_noise_seen **at;

	if (!seen->listed)
		return;
	at = &peers->by_e[bucket_of(peers, seen->e, peers->seen_bucket_count)];
	while (*at != seen)
		at = &(*at)->next;
	*at = seen->next;
	seen->listed = false;
}

/* Room for one more peer with about one entry a bucket, in both tables. */
static enum wt_status grow(struct wt_noise_peers *peers)
{
	const size_t old_count = peers->bucket_count, old_seen_count = peers->seen_bucket_count;
	size_t want = old_count ? old_count : BUCKETS_MIN;

	while (want < peers->peer_count + 1)
		want *= 2;
	if (want == old_count)
		return WT_OK;
	struct wt_noise_peer **by_key = calloc(want, sizeof(*by_key));
	struct wt_noise_seen **by_e = calloc(want * SEEN_MAX, sizeof(*by_e));

	if (!by_key || !by_e) {
		free(by_key);
		free(by_e);
		return WT_ERR_NOMEM;
	}
	struct wt_noise_peer **old = peers->by_key;

	peers->by_key = by_key;
	peers->bucket_count = want;
	for (size_t i = 0; i < old_count; i++) {
		for (struct wt_noise_peer *peer = old[i], *next; peer; peer = next) {
			next = peer->next;
			list(peers, peer);
		}
	}
	free(old);

	pthread_mutex_lock(&peers->seen_lock);
	struct wt_noise_seen **old_seen = peers->by_e;

	peers->by_e = by_e;
	peers->seen_bucket_count = want * SEEN_MAX;
	for (size_t i = 0; i < old_seen_count; i++) {
		for (struct wt_noise_seen *seen = old_seen[i], *next; seen; seen = next) {
			next = seen->next;
			list_seen(peers, seen);
		}
	}
	pthread_mutex_unlock(&peers->seen_lock);
	free(old_seen);
	return WT_OK;
}

enum wt_status wt_noise_peers_add(struct wt_noise_peers *peers, struct wt_noise_peer *peer,
				  struct wt_error *err)
{
	enum wt_status status;

	pthread_mutex_lock(&peers->lock);
	const struct wt_noise_peer *twin = lookup(peers, peer->public_key);

	if (twin) {
		snprintf(err->text, sizeof err->text,
			 "[peer %s] and [peer %s] have the same public_key: each peer needs a key "
			 "pair of its own, made on its machine with `wtcore genkey`",
			 twin->name, peer->name);
		status = WT_ERR_CONFIG;
	} else {
		status = grow(peers);
	}
	if (status == WT_OK) {
		list(peers, peer);
		peers->peer_count++;
	}
	pthread_mutex_unlock(&peers->lock);
	return status;
}

void wt_noise_peers_remove(struct wt_noise_peers *peers, struct wt_noise_peer *peer)
{
	struct wt_noise_peer **at;

	pthread_mutex_lock(&peers->lock);
	at = &peers->by_key[bucket_of(peers, peer->public_key, peers->bucket_count)];
	while (*at != peer)
		at = &(*at)->next;
	*at = peer->next;
	peers->peer_count--;
	/* Whoever found it before now has its lock. */
	pthread_mutex_lock(&peer->lock);
	pthread_mutex_lock(&peers->seen_lock);
	for (size_t i = 0; i < SEEN_MAX; i++)
		unlist_seen(peers, &peer->seen[i]);
	pthread_mutex_unlock(&peers->seen_lock);
	pthread_mutex_unlock(&peer->lock);
	pthread_mutex_unlock(&peers->lock);
}

struct wt_noise_peer *wt_noise_peers_find(struct wt_noise_peers *peers,
					  const uint8_t public_key[POINT_SIZE])
{
	pthread_mutex_lock(&peers->lock);
	struct wt_noise_peer *peer = lookup(peers, public_key);

	if (!peer)
		peer = &peers->decoy;
	pthread_mutex_lock(&peer->lock);
	pthread_mutex_unlock(&peers->lock);
	return peer;
}

/* ---- by ephemeral key ------------------------------------------------------- */

bool wt_noise_peers_seen(struct wt_noise_peers *peers, const uint8_t e[POINT_SIZE],
			 uint8_t public_key[POINT_SIZE])
{
	const struct wt_noise_seen *seen = NULL;

	pthread_mutex_lock(&peers->seen_lock);
	if (peers->by_e)
		seen = peers->by_e[bucket_of(peers, e, peers->seen_bucket_count)];
	while (seen && !same(seen->e, e))
		seen = seen->next;
	if (seen)
		memcpy(public_key, seen->peer->public_key, POINT_SIZE);
	pthread_mutex_unlock(&peers->seen_lock);
	return seen != NULL;
}

void wt_noise_peers_remember(struct wt_noise_peers *peers, struct wt_noise_peer *peer,
			     const uint8_t e[POINT_SIZE])
{
	struct wt_noise_seen *seen = &peer->seen[peer->seen_count++ % SEEN_MAX];

	pthread_mutex_lock(&peers->seen_lock);
	unlist_seen(peers, seen);
	seen->peer = peer;
	memcpy(seen->e, e, POINT_SIZE);
	list_seen(peers, seen);
	pthread_mutex_unlock(&peers->seen_lock);
}
