/* SPDX-License-Identifier: MIT
 *
 * crypto-aesgcm-openssl: AES-256-GCM by OpenSSL's libcrypto, through EVP.
 *
 * What EVP makes slow is looking things up: so the cipher is fetched once an
 * instance, the key schedule is made once a key, and a record sets nothing but
 * its IV, in the same call that says which direction is meant. GCM expands a
 * key in the same way for both directions, so that changing it costs nothing
 * and no copy of the raw key is kept for it.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <whispertunnel/crypto.h>

struct backend {
	const struct wt_host *host;
	OSSL_LIB_CTX *library;
	EVP_CIPHER *cipher;
};

/* The key schedule is on libcrypto's heap, which it clears when it frees it. */
struct key {
	EVP_CIPHER_CTX *evp;
};

static void backend_close(struct backend *b)
{
	EVP_CIPHER_free(b->cipher);
	OSSL_LIB_CTX_free(b->library);
}

/* A library context of our own: neither the system's openssl.cnf nor another
 * user of libcrypto in this process decides what is fetched here. */
static enum wt_status backend_open(struct backend *b, struct wt_error *err)
{
	b->library = OSSL_LIB_CTX_new();
	if (b->library)
		b->cipher = EVP_CIPHER_fetch(b->library, "AES-256-GCM", NULL);
	if (b->cipher)
		return WT_OK;
	snprintf(err->text, sizeof err->text,
		 "not in this library: %s gives no AES-256-GCM in its default provider; "
		 "install the distribution's libssl3, or choose another crypto plugin",
		 OpenSSL_version(OPENSSL_VERSION));
	ERR_clear_error();
	backend_close(b);
	return WT_ERR_UNAVAILABLE;
}

static enum wt_status available(const struct wt_host *host, struct wt_error *err)
{
	struct backend b = { .host = host };
	enum wt_status status = backend_open(&b, err);

	if (status == WT_OK)
		backend_close(&b);
	return status;
}

static enum wt_status create(const struct wt_host *host, const struct wt_config *cfg, void **self,
			     struct wt_error *err)
{
	struct backend *b = calloc(1, sizeof *b);

	(void)cfg;
	if (!b) {
		snprintf(err->text, sizeof err->text, "out of memory for the OpenSSL backend");
		return WT_ERR_NOMEM;
	}
	b->host = host;
	enum wt_status status = backend_open(b, err);

	if (status != WT_OK) {
		free(b);
		return status;
	}
	*self = b;
	return WT_OK;
}

static void destroy(void *self)
{
	backend_close(self);
	free(self);
}

static enum wt_status key_init(void *self, struct wt_worker *worker, void *ctx, const uint8_t *raw)
{
	const struct backend *b = self;
	struct key *key = ctx;

	(void)worker;
	key->evp = EVP_CIPHER_CTX_new();
	if (key->evp && EVP_EncryptInit_ex2(key->evp, b->cipher, raw, NULL, NULL))
		return WT_OK;
	enum wt_status status = key->evp ? WT_ERR_CRYPTO : WT_ERR_NOMEM;

	ERR_clear_error();
	EVP_CIPHER_CTX_free(key->evp);
	key->evp = NULL;
	return status;
}

static void key_wipe(void *self, void *ctx)
{
	struct key *key = ctx;

	(void)self;
	EVP_CIPHER_CTX_free(key->evp);
	key->evp = NULL;
}

/* EVP counts in int. */
static bool countable(size_t len, size_t aad_len)
{
	return len <= INT_MAX && aad_len <= INT_MAX;
}

static enum wt_status seal(void *self, struct wt_worker *worker, void *ctx, const uint8_t *nonce,
			   const uint8_t *aad, size_t aad_len, const uint8_t *in, size_t len,
			   uint8_t *out)
{
	EVP_CIPHER_CTX *evp = ((struct key *)ctx)->evp;
	OSSL_PARAM tag[] = { OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG,
							       out + len, WT_TAG_SIZE),
			     OSSL_PARAM_construct_end() };
	int n = 0;

	(void)self;
	(void)worker;
	if (countable(len, aad_len) && EVP_EncryptInit_ex2(evp, NULL, NULL, nonce, NULL) &&
	    (aad_len == 0 || EVP_EncryptUpdate(evp, NULL, &n, aad, (int)aad_len)) &&
	    (len == 0 || EVP_EncryptUpdate(evp, out, &n, in, (int)len)) &&
	    EVP_EncryptFinal_ex(evp, out + len, &n) && EVP_CIPHER_CTX_get_params(evp, tag))
		return WT_OK;
	ERR_clear_error();
	return WT_ERR_CRYPTO;
}

static enum wt_status open(void *self, struct wt_worker *worker, void *ctx, const uint8_t *nonce,
			   const uint8_t *aad, size_t aad_len, const uint8_t *in, size_t len,
			   uint8_t *out)
{
	const struct backend *b = self;
	EVP_CIPHER_CTX *evp = ((struct key *)ctx)->evp;
	int n = 0;

	(void)worker;
	if (len < WT_TAG_SIZE)
		return WT_ERR_AUTH;

	size_t text_len = len - WT_TAG_SIZE;
	/* Only read: the type serves getters as well. */
	OSSL_PARAM tag[] = { OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG,
							       (void *)(in + text_len),
							       WT_TAG_SIZE),
			     OSSL_PARAM_construct_end() };
	enum wt_status status = WT_ERR_CRYPTO;

	if (countable(len, aad_len) && EVP_DecryptInit_ex2(evp, NULL, NULL, nonce, tag) &&
	    (aad_len == 0 || EVP_DecryptUpdate(evp, NULL, &n, aad, (int)aad_len)) &&
	    (text_len == 0 || EVP_DecryptUpdate(evp, out, &n, in, (int)text_len))) {
		/* What is left to fail is the comparison of the tag. */
		if (EVP_DecryptFinal_ex(evp, out + text_len, &n))
			return WT_OK;
		status = WT_ERR_AUTH;
	}
	/* EVP has written plaintext before it knew the tag. */
	b->host->wipe(out, text_len);
	ERR_clear_error();
	return status;
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
	.open = open,
};

WT_PLUGIN(WT_KIND_CRYPTO, "aesgcm-openssl", "0.1.0", .license = "MIT",
	  .summary = "AES-256-GCM by OpenSSL's libcrypto (EVP)", .ops = &ops,
	  .algorithm = WT_ALGORITHM_AES256GCM);
