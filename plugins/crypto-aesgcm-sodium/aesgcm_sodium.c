/* SPDX-License-Identifier: MIT
 *
 * crypto-aesgcm-sodium: AES-256-GCM by libsodium, on CPUs that have AES and
 * carry-less multiplication as instructions; libsodium has no other form.
 *
 * A key context is libsodium's precomputed state itself, so that all that is
 * ever made of a key lies in the host's locked memory.
 */
#include <stdio.h>

#include <sodium.h>

#include <whispertunnel/crypto.h>

static enum wt_status available(const struct wt_host *host, struct wt_error *err)
{
	(void)host;
	if (sodium_init() < 0) {
		snprintf(err->text, sizeof err->text,
			 "not in this library: libsodium %s could not start; "
			 "choose another crypto plugin",
			 sodium_version_string());
		return WT_ERR_UNAVAILABLE;
	}
	if (!crypto_aead_aes256gcm_is_available()) {
		snprintf(err->text, sizeof err->text,
			 "not on this CPU: libsodium %s has AES-256-GCM only with AES and "
			 "carry-less "
			 "multiplication instructions (AES-NI, PCLMULQDQ); use `plugin = "
			 "aesgcm-openssl`",
			 sodium_version_string());
		return WT_ERR_UNAVAILABLE;
	}
	return WT_OK;
}

/* The instance is the host's table: there is nothing else to keep. */
static enum wt_status create(const struct wt_host *host, const struct wt_config *cfg, void **self,
			     struct wt_error *err)
{
	enum wt_status status = available(host, err);

	(void)cfg;
	if (status == WT_OK)
		*self = (void *)host;
	return status;
}

static void destroy(void *self)
{
	(void)self;
}

static enum wt_status key_init(void *self, struct wt_worker *worker, void *ctx, const uint8_t *raw)
{
	(void)self;
	(void)worker;
	return crypto_aead_aes256gcm_beforenm(ctx, raw) == 0 ? WT_OK : WT_ERR_CRYPTO;
}

static void key_wipe(void *self, void *ctx)
{
	const struct wt_host *host = self;

	host->wipe(ctx, sizeof(crypto_aead_aes256gcm_state));
}

static enum wt_status seal(void *self, struct wt_worker *worker, void *ctx, const uint8_t *nonce,
			   const uint8_t *aad, size_t aad_len, const uint8_t *in, size_t len,
			   uint8_t *out)
{
	(void)self;
	(void)worker;
	if (crypto_aead_aes256gcm_encrypt_afternm(out, NULL, in, len, aad, aad_len, NULL, nonce,
						  ctx) != 0)
		return WT_ERR_CRYPTO;
	return WT_OK;
}

static enum wt_status open(void *self, struct wt_worker *worker, void *ctx, const uint8_t *nonce,
			   const uint8_t *aad, size_t aad_len, const uint8_t *in, size_t len,
			   uint8_t *out)
{
	const struct wt_host *host = self;

	(void)worker;
	if (len < WT_TAG_SIZE)
		return WT_ERR_AUTH;
	if (crypto_aead_aes256gcm_decrypt_afternm(out, NULL, NULL, in, len, aad, aad_len, nonce,
						  ctx) == 0)
		return WT_OK;
	/* Not every version clears `out` when it refuses. */
	host->wipe(out, len - WT_TAG_SIZE);
	return WT_ERR_AUTH;
}

static const struct wt_crypto_ops ops = {
	.struct_size = sizeof ops,
	.key_size = WT_KEY_SIZE,
	.nonce_size = WT_NONCE_SIZE,
	.tag_size = WT_TAG_SIZE,
	.ctx_size = sizeof(crypto_aead_aes256gcm_state),
	.ctx_align = _Alignof(crypto_aead_aes256gcm_state),
	.available = available,
	.create = create,
	.destroy = destroy,
	.key_init = key_init,
	.key_wipe = key_wipe,
	.seal = seal,
	.open = open,
};

_Static_assert(crypto_aead_aes256gcm_KEYBYTES == WT_KEY_SIZE &&
		       crypto_aead_aes256gcm_NPUBBYTES == WT_NONCE_SIZE &&
		       crypto_aead_aes256gcm_ABYTES == WT_TAG_SIZE,
	       "libsodium's sizes are those of the wire");

WT_PLUGIN(WT_KIND_CRYPTO, "aesgcm-sodium", "0.1.0", .license = "MIT",
	  .summary = "AES-256-GCM by libsodium, on CPUs with AES instructions", .ops = &ops,
	  .algorithm = WT_ALGORITHM_AES256GCM);
