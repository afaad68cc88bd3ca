/* SPDX-License-Identifier: MIT */
#include "support/toy_plugin.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/toy_crypto.h"

/* Open addressing; so many seals are remembered, later ones are not. */
#define SEEN_SLOTS 32768u
#define SEEN_MAX (SEEN_SLOTS / 2)

static struct wt_toy_sealed seen[SEEN_SLOTS];
static bool taken[SEEN_SLOTS];
static size_t seals;
static bool reused;

static void note(const struct wt_toy_sealed *sealed)
{
	uint32_t at;

	seals++;
	if (seals > SEEN_MAX)
		return;
	/* Keys are random, and counters are at the nonce's end. */
	memcpy(&at, sealed->key, sizeof at);
	at += sealed->nonce[10] * 256u + sealed->nonce[11];
	for (at %= SEEN_SLOTS; taken[at]; at = (at + 1) % SEEN_SLOTS)
		if (memcmp(&seen[at], sealed, sizeof *sealed) == 0) {
			reused = true;
			return;
		}
	taken[at] = true;
	seen[at] = *sealed;
}

static enum wt_status available(const struct wt_host *host, struct wt_error *err)
{
	(void)host;
	(void)err;
	return WT_OK;
}

static enum wt_status create(const struct wt_host *host, const struct wt_config *cfg, void **self,
			     struct wt_error *err)
{
	struct wt_toy_crypto *toy = wt_toy_crypto_new();

	(void)host;
	(void)cfg;
	(void)err;
	*self = toy;
	return toy ? WT_OK : WT_ERR_NOMEM;
}

static void destroy(void *self)
{
	wt_toy_crypto_free(self);
}

static enum wt_status key_init(void *self, struct wt_worker *worker, void *ctx, const uint8_t *key)
{
	return wt_toy_ops.key_init(self, worker, ctx, key);
}

static void key_wipe(void *self, void *ctx)
{
	wt_toy_ops.key_wipe(self, ctx);
}

static enum wt_status seal(void *self, struct wt_worker *worker, void *ctx, const uint8_t *nonce,
			   const uint8_t *aad, size_t aad_len, const uint8_t *in, size_t len,
			   uint8_t *out)
{
	struct wt_toy_crypto *toy = self;

	/* The toy remembers its first so many; here each is the first. */
	toy->seals = 0;
	enum wt_status status =
		wt_toy_ops.seal(self, worker, ctx, nonce, aad, aad_len, in, len, out);

	if (status == WT_OK)
		note(&toy->sealed[0]);
	return status;
}

static enum wt_status open_record(void *self, struct wt_worker *worker, void *ctx,
				  const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
				  const uint8_t *in, size_t len, uint8_t *out)
{
	return wt_toy_ops.open(self, worker, ctx, nonce, aad, aad_len, in, len, out);
}

const struct wt_plugin wt_toy_plugin = {
	.kind = WT_KIND_CRYPTO,
	.name = "toy",
	.version = "1.0",
	.path = (char[]){ "" },
	.standard = true,
	.algorithm = (char[]){ WT_ALGORITHM_AES256GCM },
	.config_key_stride = sizeof(struct wt_config_key),
	.ops.crypto = {
		.struct_size = sizeof(struct wt_crypto_ops),
		.key_size = WT_KEY_SIZE,
		.nonce_size = WT_NONCE_SIZE,
		.tag_size = WT_TAG_SIZE,
		.ctx_size = WT_KEY_SIZE,
		.ctx_align = 8,
		.available = available,
		.create = create,
		.destroy = destroy,
		.key_init = key_init,
		.key_wipe = key_wipe,
		.seal = seal,
		.open = open_record,
	},
};

void wt_toy_plugin_reset(void)
{
	memset(taken, 0, sizeof taken);
	seals = 0;
	reused = false;
}

bool wt_toy_plugin_reused(void)
{
	return reused;
}

size_t wt_toy_plugin_seals(void)
{
	return seals;
}
