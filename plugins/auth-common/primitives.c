/* SPDX-License-Identifier: MIT */
#include "auth-common/primitives.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdio.h>
#include <string.h>

/* The queue of errors is the thread's, and nobody else would empty it. */
static enum wt_status failed(void *out, size_t len)
{
	OPENSSL_cleanse(out, len);
	ERR_clear_error();
	return WT_ERR_CRYPTO;
}

enum wt_status wt_primitives_init(struct wt_primitives *p, struct wt_error *err)
{
	char name[] = "SHA256";
	const OSSL_PARAM digest[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_end(),
	};
	const char *missing = NULL;

	memset(p, 0, sizeof *p);
	p->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	p->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	p->hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KEYEXCH *x25519 = EVP_KEYEXCH_fetch(NULL, "X25519", NULL);

	if (p->hmac)
		p->hmac_sha256 = EVP_MAC_CTX_new(p->hmac);
	if (!p->sha256)
		missing = "SHA-256";
	else if (!p->hmac_sha256 || !EVP_MAC_CTX_set_params(p->hmac_sha256, digest))
		missing = "HMAC";
	else if (!p->hkdf)
		missing = "HKDF";
	else if (!x25519)
		missing = "X25519";
	EVP_KEYEXCH_free(x25519);
	if (!missing)
		return WT_OK;
	ERR_clear_error();
	snprintf(err->text, sizeof err->text,
		 "libcrypto offers no %s: its configuration (openssl.cnf) must allow it", missing);
	return WT_ERR_UNAVAILABLE;
}

void wt_primitives_free(struct wt_primitives *p)
{
	EVP_KDF_free(p->hkdf);
	EVP_MAC_CTX_free(p->hmac_sha256);
	EVP_MAC_free(p->hmac);
	EVP_MD_free(p->sha256);
	memset(p, 0, sizeof *p);
}

enum wt_status wt_sha256(const struct wt_primitives *p, const struct wt_part *parts, size_t n,
			 uint8_t out[HASH_SIZE])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = ctx && EVP_DigestInit_ex2(ctx, p->sha256, NULL);

	for (size_t i = 0; ok && i < n; i++)
		ok = EVP_DigestUpdate(ctx, parts[i].data, parts[i].len);
	ok = ok && EVP_DigestFinal_ex(ctx, out, NULL);
	EVP_MD_CTX_free(ctx);
	return ok ? WT_OK : failed(out, HASH_SIZE);
}

enum wt_status wt_hmac_sha256(const struct wt_primitives *p, const uint8_t *key, size_t key_len,
			      const struct wt_part *parts, size_t n, uint8_t out[HASH_SIZE])
{
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(p->hmac_sha256);
	size_t len = 0;
	int ok = ctx && EVP_MAC_init(ctx, key, key_len, NULL);

	for (size_t i = 0; ok && i < n; i++)
		ok = EVP_MAC_update(ctx, parts[i].data, parts[i].len);
	ok = ok && EVP_MAC_final(ctx, out, &len, HASH_SIZE) && len == HASH_SIZE;
	EVP_MAC_CTX_free(ctx);
	return ok ? WT_OK : failed(out, HASH_SIZE);
}

/* libcrypto's parameters are not const, though it only reads these. */
static OSSL_PARAM octets(const char *name, const void *data, size_t len)
{
	return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)data, len);
}

static enum wt_status hkdf(const struct wt_primitives *p, int mode, OSSL_PARAM *params,
			   uint8_t *out, size_t out_len)
{
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(p->hkdf);
	char digest[] = "SHA256";

	params[0] = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
	params[1] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
	int ok = ctx && EVP_KDF_derive(ctx, out, out_len, params) > 0;

	EVP_KDF_CTX_free(ctx);
	return ok ? WT_OK : failed(out, out_len);
}

enum wt_status wt_hkdf_extract(const struct wt_primitives *p, const uint8_t *salt, size_t salt_len,
			       const uint8_t *ikm, size_t ikm_len, uint8_t prk[HASH_SIZE])
{
	OSSL_PARAM params[5];

	params[2] = octets(OSSL_KDF_PARAM_KEY, ikm, ikm_len);
	params[3] = octets(OSSL_KDF_PARAM_SALT, salt, salt_len);
	params[4] = OSSL_PARAM_construct_end();
	return hkdf(p, EVP_KDF_HKDF_MODE_EXTRACT_ONLY, params, prk, HASH_SIZE);
}

enum wt_status wt_hkdf_expand(const struct wt_primitives *p, const uint8_t *prk, size_t prk_len,
			      const char *label, const uint8_t *data, size_t data_len, uint8_t *out,
			      size_t out_len)
{
	OSSL_PARAM params[6];
	size_t n = 2;

	params[n++] = octets(OSSL_KDF_PARAM_KEY, prk, prk_len);
	/* Several `info` are joined. */
	if (*label)
		params[n++] = octets(OSSL_KDF_PARAM_INFO, label, strlen(label));
	if (data_len > 0)
		params[n++] = octets(OSSL_KDF_PARAM_INFO, data, data_len);
	params[n] = OSSL_PARAM_construct_end();
	return hkdf(p, EVP_KDF_HKDF_MODE_EXPAND_ONLY, params, out, out_len);
}

enum wt_status wt_x25519_public(const uint8_t private_key[POINT_SIZE], uint8_t out[POINT_SIZE])
{
	EVP_PKEY *key =
		EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, private_key, POINT_SIZE);
	size_t len = POINT_SIZE;
	int ok = key && EVP_PKEY_get_raw_public_key(key, out, &len) > 0 && len == POINT_SIZE;

	EVP_PKEY_free(key);
	return ok ? WT_OK : failed(out, POINT_SIZE);
}

enum wt_status wt_x25519(const uint8_t private_key[POINT_SIZE], const uint8_t point[POINT_SIZE],
			 uint8_t out[POINT_SIZE])
{
	EVP_PKEY *ours =
		EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, private_key, POINT_SIZE);
	EVP_PKEY *theirs = EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, point, POINT_SIZE);
	EVP_PKEY_CTX *ctx = ours ? EVP_PKEY_CTX_new_from_pkey(NULL, ours, NULL) : NULL;
	size_t len = POINT_SIZE;
	uint8_t bits = 0;
	enum wt_status status = WT_ERR_CRYPTO;

	if (!theirs || !ctx || EVP_PKEY_derive_init(ctx) <= 0 ||
	    EVP_PKEY_derive_set_peer(ctx, theirs) <= 0)
		goto out;
	/* With everything set up, libcrypto refuses only the all-zero result;
	 * its rule is checked again rather than relied on. */
	if (EVP_PKEY_derive(ctx, out, &len) > 0 && len == POINT_SIZE)
		for (size_t i = 0; i < POINT_SIZE; i++)
			bits |= out[i];
	status = bits ? WT_OK : WT_ERR_AUTH;
out:
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(theirs);
	EVP_PKEY_free(ours);
	if (status != WT_OK)
		(void)failed(out, POINT_SIZE);
	return status;
}
