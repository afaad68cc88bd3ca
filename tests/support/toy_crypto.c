/* SPDX-License-Identifier: MIT */
#include "support/toy_crypto.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

struct toy_ctx {
	uint8_t key[WT_KEY_SIZE];
};

/* Diffuses enough that no two inputs of a test meet by chance. */
static uint64_t mix(uint64_t h, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		h = (h ^ p[i]) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return h;
}

static void keystream(const struct toy_ctx *ctx, const uint8_t *nonce, const uint8_t *in,
		      size_t len, uint8_t *out)
{
	uint64_t h = mix(mix(1, ctx->key, WT_KEY_SIZE), nonce, WT_NONCE_SIZE);

	for (size_t i = 0; i < len; i++) {
		h = h * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		out[i] = (uint8_t)(in[i] ^ (h >> 56));
	}
}

static void tag_of(const struct toy_ctx *ctx, const uint8_t *nonce, const uint8_t *aad,
		   size_t aad_len, const uint8_t *sealed, size_t len, uint8_t tag[WT_TAG_SIZE])
{
	uint64_t h = mix(mix(2, ctx->key, WT_KEY_SIZE), nonce, WT_NONCE_SIZE);

	h = mix(mix(h ^ aad_len, aad, aad_len), sealed, len) ^ len;
	memcpy(tag, &h, sizeof h);
	h = mix(h, tag, sizeof h);
	memcpy(tag + sizeof h, &h, sizeof h);
}

static enum wt_status toy_key_init(void *self, struct wt_worker *worker, void *ctx,
				   const uint8_t *key)
{
	struct wt_toy_crypto *toy = self;

	(void)worker;
	memcpy(((struct toy_ctx *)ctx)->key, key, WT_KEY_SIZE);
	toy->contexts++;
	return WT_OK;
}

static void toy_key_wipe(void *self, void *ctx)
{
	struct wt_toy_crypto *toy = self;

	explicit_bzero(ctx, sizeof(struct toy_ctx));
	toy->contexts--;
}

static enum wt_status toy_seal(void *self, struct wt_worker *worker, void *ctx,
			       const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
			       const uint8_t *in, size_t len, uint8_t *out)
{
	struct wt_toy_crypto *toy = self;

	(void)worker;
	keystream(ctx, nonce, in, len, out);
	tag_of(ctx, nonce, aad, aad_len, out, len, out + len);
	if (toy->seal_and_fail) {
		toy->seal_and_fail = false;
		return WT_ERR_CRYPTO;
	}
	if (toy->seals < WT_TOY_SEALED_MAX) {
		memcpy(toy->sealed[toy->seals].key, ((struct toy_ctx *)ctx)->key, WT_KEY_SIZE);
		memcpy(toy->sealed[toy->seals].nonce, nonce, WT_NONCE_SIZE);
	}
	toy->seals++;
	return WT_OK;
}

static enum wt_status toy_open(void *self, struct wt_worker *worker, void *ctx,
			       const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
			       const uint8_t *in, size_t len, uint8_t *out)
{
	struct wt_toy_crypto *toy = self;
	uint8_t tag[WT_TAG_SIZE];

	(void)worker;
	if (len < WT_TAG_SIZE)
		return WT_ERR_AUTH;
	len -= WT_TAG_SIZE;
	tag_of(ctx, nonce, aad, aad_len, in, len, tag);
	if (!wt_equal(tag, in + len, WT_TAG_SIZE)) {
		memset(out, 0, len);
		return WT_ERR_AUTH;
	}
	keystream(ctx, nonce, in, len, out);
	toy->opens++;
	return WT_OK;
}

const struct wt_crypto_ops wt_toy_ops = {
	.struct_size = sizeof(struct wt_crypto_ops),
	.key_size = WT_KEY_SIZE,
	.nonce_size = WT_NONCE_SIZE,
	.tag_size = WT_TAG_SIZE,
	.ctx_size = sizeof(struct toy_ctx),
	.ctx_align = 8,
	.key_init = toy_key_init,
	.key_wipe = toy_key_wipe,
	.seal = toy_seal,
	.open = toy_open,
};

struct wt_toy_crypto *wt_toy_crypto_new(void)
{
	struct wt_toy_crypto *toy = calloc(1, sizeof *toy);

	if (!toy)
		return NULL;
	toy->instance = (struct wt_instance){ .host = &toy->host, .self = toy };
	toy->crypto = (struct wt_crypto){
		.instance = &toy->instance,
		.ops = &wt_toy_ops,
		.self = toy,
		.faults = &toy->faults,
	};
	return toy;
}

void wt_toy_crypto_free(struct wt_toy_crypto *toy)
{
	free(toy);
}

bool wt_toy_crypto_reused(const struct wt_toy_crypto *toy)
{
	size_t n = toy->seals < WT_TOY_SEALED_MAX ? toy->seals : WT_TOY_SEALED_MAX;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (memcmp(&toy->sealed[i], &toy->sealed[k], sizeof toy->sealed[i]) == 0)
				return true;
	return false;
}
