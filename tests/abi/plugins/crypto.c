/* SPDX-License-Identifier: MIT
 *
 * A crypto plugin as somebody might have built it for a recorded ABI: all slots
 * of its table, an algorithm, vectors and settings of its own. Protects nothing.
 */
#include <string.h>
#include <whispertunnel/crypto.h>

#include "bad-plugins/toy.h"

struct elder {
	const struct wt_host *host;
};

static enum wt_status elder_available(const struct wt_host *host, struct wt_error *err)
{
	(void)host, (void)err;
	return WT_OK;
}

static enum wt_status elder_create(const struct wt_host *host, const struct wt_config *cfg,
				   void **self, struct wt_error *err)
{
	struct elder *elder = host->secret_alloc(host, sizeof *elder, _Alignof(struct elder));

	(void)err;
	if (!elder)
		return WT_ERR_NOMEM;
	elder->host = host;
	host->log(host, WT_LOG_INFO, "%u rounds",
		  (unsigned)host->config_uint(host, cfg, "elder_rounds"));
	*self = elder;
	return WT_OK;
}

static void elder_destroy(void *self)
{
	struct elder *elder = self;

	elder->host->secret_free(elder->host, elder);
}

static enum wt_status elder_key_init(void *self, struct wt_worker *worker, void *ctx,
				     const uint8_t *key)
{
	(void)self, (void)worker;
	memcpy(ctx, key, WT_KEY_SIZE);
	return WT_OK;
}

static void elder_key_wipe(void *self, void *ctx)
{
	((const struct elder *)self)->host->wipe(ctx, WT_KEY_SIZE);
}

static enum wt_status elder_seal(void *self, struct wt_worker *worker, void *ctx,
				 const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
				 const uint8_t *in, size_t len, uint8_t *out)
{
	(void)self, (void)worker;
	toy_crypt(ctx, nonce, in, len, out);
	toy_tag(ctx, nonce, aad, aad_len, out, len, out + len);
	return WT_OK;
}

static enum wt_status elder_open(void *self, struct wt_worker *worker, void *ctx,
				 const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
				 const uint8_t *in, size_t len, uint8_t *out)
{
	uint8_t tag[WT_TAG_SIZE];

	(void)worker;
	if (len < WT_TAG_SIZE)
		return WT_ERR_AUTH;
	len -= WT_TAG_SIZE;
	toy_tag(ctx, nonce, aad, aad_len, in, len, tag);
	if (!((const struct elder *)self)->host->equal(tag, in + len, sizeof tag)) {
		memset(out, 0, len);
		return WT_ERR_AUTH;
	}
	toy_crypt(ctx, nonce, in, len, out);
	return WT_OK;
}

static struct wt_aead_item *item_at(struct wt_aead_item *items, size_t i)
{
	return (struct wt_aead_item *)(void *)((uint8_t *)items + i * items->struct_size);
}

static void elder_seal_batch(void *self, struct wt_worker *worker, void *ctx,
			     struct wt_aead_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct wt_aead_item *item = item_at(items, i);

		item->status = elder_seal(self, worker, ctx, item->nonce, item->aad, item->aad_len,
					  item->in, item->len, item->out);
	}
}

static void elder_open_batch(void *self, struct wt_worker *worker, void *ctx,
			     struct wt_aead_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct wt_aead_item *item = item_at(items, i);

		item->status = elder_open(self, worker, ctx, item->nonce, item->aad, item->aad_len,
					  item->in, item->len, item->out);
	}
}

static const struct wt_crypto_vector vectors[] = {
	{ .struct_size = sizeof(struct wt_crypto_vector),
	  .text_len = 5,
	  .aad_len = 3,
	  .key = (const uint8_t *)"an example key of 32 bytes, toy.",
	  .nonce = (const uint8_t *)"twelve bytes",
	  .aad = (const uint8_t *)"aad",
	  .plaintext = (const uint8_t *)"hello",
	  .ciphertext = (const uint8_t *)"\xca\xf7\xc0\xc1\xd7",
	  .tag = (const uint8_t
			  *)"\x82\xb9\xeb\x50\x2e\x75\xbe\x07\xe1\x4e\xdd\x62\x0a\xb2\x60\x53",
	  .source = "toy vector 1" },
	{ .struct_size = sizeof(struct wt_crypto_vector),
	  .key = (const uint8_t *)"an example key of 32 bytes, toy.",
	  .nonce = (const uint8_t *)"twelve bytes",
	  .tag = (const uint8_t
			  *)"\xb8\x2c\x15\x11\xe0\xf7\x37\xbd\x72\xb8\xbe\x8e\x55\x39\x66\x73",
	  .source = "toy vector 2" },
};

static const struct wt_config_key keys[] = {
	{ .struct_size = sizeof(struct wt_config_key),
	  .type = WT_CONFIG_UINT,
	  .scope = WT_SCOPE_SECTION,
	  .name = "elder_rounds",
	  .default_value = "3",
	  .help = "How often.",
	  .min = 1,
	  .max = 9 },
	{ .struct_size = sizeof(struct wt_config_key),
	  .type = WT_CONFIG_ENUM,
	  .scope = WT_SCOPE_SECTION,
	  .name = "elder_colour",
	  .default_value = "red",
	  .choices = "red|green",
	  .help = "Which one." },
};

static const struct wt_crypto_ops ops = {
	.struct_size = sizeof ops,
	.key_size = WT_KEY_SIZE,
	.nonce_size = WT_NONCE_SIZE,
	.tag_size = WT_TAG_SIZE,
	.ctx_size = WT_KEY_SIZE,
	.ctx_align = 8,
	.available = elder_available,
	.create = elder_create,
	.destroy = elder_destroy,
	.key_init = elder_key_init,
	.key_wipe = elder_key_wipe,
	.seal = elder_seal,
	.open = elder_open,
	.seal_batch = elder_seal_batch,
	.open_batch = elder_open_batch,
};

WT_PLUGIN(WT_KIND_CRYPTO, "elder", "1.0", .license = "MIT", .summary = "Protects nothing",
	  .ops = &ops, .config_keys = keys, .config_key_count = 2, .algorithm = "toy@example.org",
	  .vectors = vectors, .vector_count = 2);
