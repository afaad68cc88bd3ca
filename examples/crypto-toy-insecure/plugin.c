/* SPDX-License-Identifier: MIT
 *
 * crypto-toy-insecure: THIS PROTECTS NOTHING. A crypto plugin with an algorithm of
 * its own, to show what that takes. The algorithm, insecure-toy@example.org, mixes
 * 64-bit words in a way that anybody can undo:
 *
 *	mix(x)		a fixed permutation of 64-bit words
 *	absorb(h, b)	h = mix(h ^ w) + STEP for each little-endian word w of b, the
 *			last one filled up with zeros; then mix(h ^ length of b)
 *	start(p)	absorb(absorb(p, key), nonce)
 *	ciphertext	text ^ words mix(start(1) + i * STEP), i = 0, 1, ...
 *	tag		mix(t) || mix(t ^ STEP), t = absorb(absorb(start(2), AAD),
 *			ciphertext)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <whispertunnel/crypto.h>

#include "vectors.h"

#define STEP UINT64_C(0x9e3779b97f4a7c15)

struct instance {
	const struct wt_host *host;
};

/* What the key gives: what is absorbed after it starts from here. */
struct key {
	uint64_t stream, tag;
};

/* ---- the algorithm --------------------------------------------------------- */

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* Up to 8 bytes, little-endian. */
static uint64_t load(const uint8_t *p, size_t len)
{
	uint64_t v = 0;

	for (size_t i = len < 8 ? len : 8; i > 0; i--)
		v = v << 8 | p[i - 1];
	return v;
}

static uint64_t absorb(uint64_t h, const uint8_t *p, size_t len)
{
	for (size_t at = 0; at < len; at += 8)
		h = mix(h ^ load(p + at, len - at)) + STEP;
	return mix(h ^ len);
}

/* Both ways; `out` equals `in` or does not touch it. */
static void crypt(const struct key *key, const uint8_t *nonce, const uint8_t *in, size_t len,
		  uint8_t *out)
{
	const uint64_t start = absorb(key->stream, nonce, WT_NONCE_SIZE);

	for (size_t at = 0; at < len; at += 8) {
		uint64_t word = mix(start + at / 8 * STEP);

		for (size_t i = at; i < len && i < at + 8; i++, word >>= 8)
			out[i] = in[i] ^ (uint8_t)word;
	}
}

static void make_tag(const struct key *key, const uint8_t *nonce, const uint8_t *aad,
		     size_t aad_len, const uint8_t *sealed, size_t len, uint8_t tag[WT_TAG_SIZE])
{
	uint64_t t = absorb(key->tag, nonce, WT_NONCE_SIZE);

	t = absorb(absorb(t, aad, aad_len), sealed, len);
	uint64_t left = mix(t), right = mix(t ^ STEP);

	for (size_t i = 0; i < 8; i++, left >>= 8, right >>= 8) {
		tag[i] = (uint8_t)left;
		tag[8 + i] = (uint8_t)right;
	}
}

/* ---- the contract ------------------------------------------------------------ */

static enum wt_status available(const struct wt_host *host, struct wt_error *err)
{
	(void)host;
	(void)err;
	return WT_OK;
}

static enum wt_status create(const struct wt_host *host, const struct wt_config *cfg, void **self,
			     struct wt_error *err)
{
	struct instance *instance = calloc(1, sizeof *instance);

	(void)cfg;
	if (!instance) {
		snprintf(err->text, sizeof err->text, "out of memory");
		return WT_ERR_NOMEM;
	}
	instance->host = host;
	host->log(host, WT_LOG_WARN,
		  "this algorithm is a toy: whoever sees the traffic can read and change it");
	*self = instance;
	return WT_OK;
}

static void destroy(void *self)
{
	free(self);
}

static enum wt_status key_init(void *self, struct wt_worker *worker, void *ctx, const uint8_t *raw)
{
	struct key *key = ctx;

	(void)self;
	(void)worker;
	key->stream = absorb(1, raw, WT_KEY_SIZE);
	key->tag = absorb(2, raw, WT_KEY_SIZE);
	return WT_OK;
}

static void key_wipe(void *self, void *ctx)
{
	const struct instance *instance = self;

	instance->host->wipe(ctx, sizeof(struct key));
}

static enum wt_status seal(void *self, struct wt_worker *worker, void *ctx, const uint8_t *nonce,
			   const uint8_t *aad, size_t aad_len, const uint8_t *in, size_t len,
			   uint8_t *out)
{
	(void)self;
	(void)worker;
	crypt(ctx, nonce, in, len, out);
	make_tag(ctx, nonce, aad, aad_len, out, len, out + len);
	return WT_OK;
}

/* The tag is computed from the ciphertext, so nothing is opened before it has
 * verified. */
static enum wt_status open_record(void *self, struct wt_worker *worker, void *ctx,
				  const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
				  const uint8_t *in, size_t len, uint8_t *out)
{
	const struct instance *instance = self;
	uint8_t tag[WT_TAG_SIZE];

	(void)worker;
	if (len < WT_TAG_SIZE)
		return WT_ERR_AUTH;
	len -= WT_TAG_SIZE;
	make_tag(ctx, nonce, aad, aad_len, in, len, tag);
	if (!instance->host->equal(tag, in + len, WT_TAG_SIZE)) {
		instance->host->wipe(out, len);
		return WT_ERR_AUTH;
	}
	crypt(ctx, nonce, in, len, out);
	return WT_OK;
}

static const struct wt_crypto_ops ops = {
	.struct_size = sizeof ops,
	.key_size = WT_KEY_SIZE,
	.nonce_size = WT_NONCE_SIZE,
	.tag_size = WT_TAG_SIZE,
	.ctx_size = sizeof(struct key),
	.ctx_align = _Alignof(struct key),
	.available = available,
	.create = create,
	.destroy = destroy,
	.key_init = key_init,
	.key_wipe = key_wipe,
	.seal = seal,
	.open = open_record,
};

WT_PLUGIN(WT_KIND_CRYPTO, "toy-insecure", "0.1.0", .license = "MIT",
	  .summary = "INSECURE: a toy that protects nothing, to learn from", .ops = &ops,
	  .algorithm = "insecure-toy@example.org", .vectors = vectors,
	  .vector_count = sizeof vectors / sizeof vectors[0]);
