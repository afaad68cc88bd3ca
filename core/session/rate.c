/* SPDX-License-Identifier: MIT */
#include "session/rate.h"

#include <string.h>

void wt_rate_init(struct wt_rate *rate, const uint8_t key[16])
{
	memset(rate, 0, sizeof(*rate));
	memcpy(rate->key, key, sizeof(rate->key));
}

static uint64_t rotate(uint64_t x, unsigned by)
{
	return (x << by) | (x >> (64 - by));
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 (Aumasson and Bernstein, 2012, with the round numbers that hash
 * tables use) of the peer's id and the source. */
static uint64_t keyed_hash(const uint64_t key[2], uint32_t peer_id, const uint8_t *p, size_t len)
{
	uint64_t v[4] = { key[0] ^ UINT64_C(0x736f6d6570736575),
			  key[1] ^ UINT64_C(0x646f72616e646f6d),
			  key[0] ^ UINT64_C(0x6c7967656e657261),
			  key[1] ^ UINT64_C(0x7465646279746573) };
	uint64_t word = peer_id;
	unsigned have = 4;

	for (size_t i = 0; i < len; i++) {
		word |= (uint64_t)p[i] << (8 * have);
		if (++have == 8) {
			v[3] ^= word;
			sip_round(v);
			v[0] ^= word;
			word = 0;
			have = 0;
		}
	}
	word |= ((uint64_t)len + 4) << 56;
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

bool wt_rate_allow(struct wt_rate *rate, uint64_t now_ms, uint32_t peer_id, const void *source,
		   size_t source_len, uint32_t per_second, uint32_t burst)
{
	uint64_t name = keyed_hash(rate->key, peer_id, source, source_len) | 1u;
	uint64_t full = (uint64_t)burst * 1000;
	struct wt_rate_bucket *row = rate->buckets[(name >> 1) % WT_RATE_ROWS];
	struct wt_rate_bucket *bucket = NULL, *victim = &row[0];

	for (size_t i = 0; i < WT_RATE_WAYS && !bucket; i++) {
		if (row[i].name == name)
			bucket = &row[i];
		else if (row[i].name == 0 ||
			 (victim->name != 0 && row[i].millitokens > victim->millitokens))
			victim = &row[i];
	}
	if (!bucket) {
		bucket = victim;
		*bucket = (struct wt_rate_bucket){ name, now_ms, full };
	}
	/* Workers share the table, and the clock of one may be behind another's. */
	uint64_t elapsed = now_ms > bucket->updated_ms ? now_ms - bucket->updated_ms : 0;

	/* Beyond this the bucket is full; it also keeps the product small. */
	if (elapsed > full)
		elapsed = full;
	bucket->millitokens += elapsed * per_second;
	if (bucket->millitokens > full)
		bucket->millitokens = full;
	if (elapsed > 0)
		bucket->updated_ms = now_ms;
	if (bucket->millitokens < 1000)
		return false;
	bucket->millitokens -= 1000;
	return true;
}
