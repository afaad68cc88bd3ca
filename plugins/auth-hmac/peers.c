/* SPDX-License-Identifier: MIT */
#include "peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_MIN ((size_t)16)

enum wt_status wt_peers_init(struct wt_hmac_peers *peers, const struct wt_host *host)
{
	*peers = (struct wt_hmac_peers){ 0 };
	host->random(host, peers->decoy.keys[KEY_CURRENT].client, HASH_SIZE);
	if (pthread_mutex_init(&peers->lock, NULL) != 0)
		return WT_ERR_NOMEM;
	if (pthread_mutex_init(&peers->decoy.lock, NULL) != 0) {
		pthread_mutex_destroy(&peers->lock);
		return WT_ERR_NOMEM;
	}
	return WT_OK;
}

void wt_peers_free(struct wt_hmac_peers *peers)
{
	free(peers->buckets);
	pthread_mutex_destroy(&peers->decoy.lock);
	pthread_mutex_destroy(&peers->lock);
}

/* Tags are outputs of HMAC: any four bytes of one are a good hash, and nobody
 * without the key can choose them. */
static struct wt_hmac_tag **bucket_of(const struct wt_hmac_peers *peers, const uint8_t *value)
{
	return &peers->buckets[get32(value) & (peers->bucket_count - 1)];
}

static void list(struct wt_hmac_peers *peers, struct wt_hmac_tag *tag)
{
	struct wt_hmac_tag **bucket = bucket_of(peers, tag->value);

	tag->next = *bucket;
	*bucket = tag;
	tag->listed = true;
	peers->tag_count++;
}

static void unlist(struct wt_hmac_peers *peers, struct wt_hmac_tag *tag)
{
	if (!tag->listed)
		return;
	struct wt_hmac_tag **at = bucket_of(peers, tag->value);

	while (*at != tag)
		at = &(*at)->next;
	*at = tag->next;
	tag->listed = false;
	peers->tag_count--;
}

static bool same(const uint8_t *a, const uint8_t *b)
{
	return ((get64(a) ^ get64(b)) | (get64(a + 8) ^ get64(b + 8))) == 0;
}

static struct wt_hmac_tag *lookup(const struct wt_hmac_peers *peers, const uint8_t *value)
{
	struct wt_hmac_tag *tag = peers->buckets ? *bucket_of(peers, value) : NULL;

	while (tag && !same(tag->value, value))
		tag = tag->next;
	return tag;
}

/* Room for the tags of one more peer with at most one tag a bucket. */
static enum wt_status grow(struct wt_hmac_peers *peers)
{
	size_t want = peers->bucket_count ? peers->bucket_count : BUCKETS_MIN;

	while (want < peers->tag_count + (size_t)KEYS_MAX * TAGS_MAX)
		want *= 2;
	if (want == peers->bucket_count)
		return WT_OK;
	struct wt_hmac_tag **old = peers->buckets, **fresh = calloc(want, sizeof(*fresh));
	size_t old_count = peers->bucket_count;

	if (!fresh)
		return WT_ERR_NOMEM;
	peers->buckets = fresh;
	peers->bucket_count = want;
	peers->tag_count = 0;
	for (size_t i = 0; i < old_count; i++) {
		for (struct wt_hmac_tag *tag = old[i], *next; tag; tag = next) {
			next = tag->next;
			list(peers, tag);
		}
	}
	free(old);
	return WT_OK;
}

/* Make `tag` that of time t, unless it is. */
static enum wt_status retag(struct wt_hmac_peers *peers, const struct wt_primitives *p,
			    struct wt_hmac_tag *tag, uint64_t t)
{
	uint8_t value[TAG_SIZE];

	if (tag->listed && tag->time == t)
		return WT_OK;
	if (wt_schedule_tag(p, &tag->peer->keys[tag->key], t, value))
		return WT_ERR_CRYPTO;
	unlist(peers, tag);
	memcpy(tag->value, value, TAG_SIZE);
	tag->time = t;
	list(peers, tag);
	return WT_OK;
}

/* The tags of `peer` for the hours around `hour`. An hour keeps its place (its
 * residue) as time goes on, so each turn makes one new tag and not three. */
static enum wt_status retag_peer(struct wt_hmac_peers *peers, const struct wt_primitives *p,
				 struct wt_hmac_peer *peer, uint64_t hour)
{
	for (uint32_t k = 0; k < peer->key_count; k++) {
		/* The first hour of 1970 has none before it. */
		if (hour == 0)
			unlist(peers, &peer->tags[k][TAG_HOURS - 1]);
		for (uint64_t t = hour > 0 ? hour - 1 : 0; t <= hour + 1; t++)
			if (retag(peers, p, &peer->tags[k][t % TAG_HOURS], t))
				return WT_ERR_CRYPTO;
	}
	return WT_OK;
}

static void unlist_peer(struct wt_hmac_peers *peers, struct wt_hmac_peer *peer)
{
	for (uint32_t k = 0; k < KEYS_MAX; k++)
		for (uint32_t i = 0; i < TAGS_MAX; i++)
			unlist(peers, &peer->tags[k][i]);
}

/* Equal keys have equal static tags, and only they do. */
static enum wt_status list_static(struct wt_hmac_peers *peers, const struct wt_primitives *p,
				  struct wt_hmac_peer *peer, struct wt_error *err)
{
	for (uint32_t k = 0; k < peer->key_count; k++) {
		uint8_t value[TAG_SIZE];

		if (wt_schedule_tag(p, &peer->keys[k], STATIC_TAG_TIME, value))
			return WT_ERR_CRYPTO;
		const struct wt_hmac_tag *twin = lookup(peers, value);

		if (twin) {
			snprintf(err->text, sizeof err->text,
				 "[peer %s] and [peer %s] have the same pre-shared key: each "
				 "needs one of its own, make it with `wtcore genpsk`",
				 twin->peer->name, peer->name);
			return WT_ERR_CONFIG;
		}
		if (retag(peers, p, &peer->tags[k][TAG_STATIC], STATIC_TAG_TIME))
			return WT_ERR_CRYPTO;
	}
	return WT_OK;
}

enum wt_status wt_peers_add(struct wt_hmac_peers *peers, const struct wt_primitives *p,
			    struct wt_hmac_peer *peer, uint64_t unix_ms, struct wt_error *err)
{
	pthread_mutex_lock(&peers->lock);
	if (!peers->first)
		peers->hour = unix_ms / HOUR_MS;
	enum wt_status status = grow(peers);

	if (status == WT_OK)
		status = list_static(peers, p, peer, err);
	if (status == WT_OK)
		status = retag_peer(peers, p, peer, peers->hour);
	if (status != WT_OK) {
		unlist_peer(peers, peer);
	} else {
		peer->after = peers->first;
		if (peer->after)
			peer->after->before = peer;
		peers->first = peer;
	}
	pthread_mutex_unlock(&peers->lock);
	return status;
}

void wt_peers_remove(struct wt_hmac_peers *peers, struct wt_hmac_peer *peer)
{
	pthread_mutex_lock(&peers->lock);
	unlist_peer(peers, peer);
	if (peer->before)
		peer->before->after = peer->after;
	else
		peers->first = peer->after;
	if (peer->after)
		peer->after->before = peer->before;
	/* Whoever found it before now has its lock. */
	pthread_mutex_lock(&peer->lock);
	pthread_mutex_unlock(&peer->lock);
	pthread_mutex_unlock(&peers->lock);
}

static void turn_hour(struct wt_hmac_peers *peers, const struct wt_primitives *p, uint64_t hour)
{
	for (struct wt_hmac_peer *peer = peers->first; peer; peer = peer->after)
		if (retag_peer(peers, p, peer, hour))
			return; /* out of memory: the next message tries again */
	peers->hour = hour;
}

struct wt_hmac_peer *wt_peers_find(struct wt_hmac_peers *peers, const struct wt_primitives *p,
				   const struct wt_host *host, const uint8_t tag[TAG_SIZE],
				   uint32_t *key)
{
	const uint64_t hour = host->unix_ms(host) / HOUR_MS;
	struct wt_hmac_peer *peer = &peers->decoy;

	*key = KEY_CURRENT;
	pthread_mutex_lock(&peers->lock);
	if (hour != peers->hour)
		turn_hour(peers, p, hour);
	const struct wt_hmac_tag *found = lookup(peers, tag);

	if (found) {
		peer = found->peer;
		*key = found->key;
	}
	pthread_mutex_lock(&peer->lock);
	pthread_mutex_unlock(&peers->lock);
	return peer;
}
