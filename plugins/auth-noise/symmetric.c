/* SPDX-License-Identifier: MIT */
#include "symmetric.h"

#include <string.h>

#include "auth-common/bytes.h"

void wt_symmetric_begin(struct wt_symmetric *state, const char *name)
{
	*state = (struct wt_symmetric){ .n = 0 };
	/* A name as long as a hash or shorter stands for itself. */
	memcpy(state->h, name, strlen(name));
	memcpy(state->ck, state->h, HASH_SIZE);
}

enum wt_status wt_symmetric_mix_hash(const struct wt_noise_tools *tools, struct wt_symmetric *state,
				     const uint8_t *data, size_t len)
{
	const struct wt_part parts[] = { { state->h, HASH_SIZE }, { data, len } };

	return wt_sha256(tools->primitives, parts, 2, state->h);
}

/* The framework's HKDF with `n` outputs: that of RFC 5869 with no info, whose
 * extract is one HMAC, also of nothing. */
static enum wt_status hkdf(const struct wt_noise_tools *tools, const uint8_t ck[HASH_SIZE],
			   const uint8_t *ikm, size_t ikm_len, uint8_t *out, size_t n)
{
	const struct wt_part part = { ikm, ikm_len };
	uint8_t prk[HASH_SIZE];
	enum wt_status status =
		wt_hmac_sha256(tools->primitives, ck, HASH_SIZE, &part, ikm_len ? 1 : 0, prk);

	if (status == WT_OK)
		status = wt_hkdf_expand(tools->primitives, prk, HASH_SIZE, "", NULL, 0, out,
					n * HASH_SIZE);
	tools->host->wipe(prk, sizeof prk);
	return status;
}

static void take_key(struct wt_symmetric *state, const uint8_t k[WT_KEY_SIZE])
{
	memcpy(state->k, k, WT_KEY_SIZE);
	state->n = 0;
	state->keyed = true;
}

enum wt_status wt_symmetric_mix_key(const struct wt_noise_tools *tools, struct wt_symmetric *state,
				    const uint8_t ikm[HASH_SIZE])
{
	uint8_t out[2][HASH_SIZE];
	enum wt_status status = hkdf(tools, state->ck, ikm, HASH_SIZE, out[0], 2);

	if (status == WT_OK) {
		memcpy(state->ck, out[0], HASH_SIZE);
		take_key(state, out[1]);
	}
	tools->host->wipe(out, sizeof out);
	return status;
}

enum wt_status wt_symmetric_mix_key_and_hash(const struct wt_noise_tools *tools,
					     struct wt_symmetric *state,
					     const uint8_t ikm[HASH_SIZE])
{
	uint8_t out[3][HASH_SIZE];
	enum wt_status status = hkdf(tools, state->ck, ikm, HASH_SIZE, out[0], 3);

	if (status == WT_OK) {
		memcpy(state->ck, out[0], HASH_SIZE);
		take_key(state, out[2]);
		status = wt_symmetric_mix_hash(tools, state, out[1], HASH_SIZE);
	}
	tools->host->wipe(out, sizeof out);
	return status;
}

enum wt_status wt_symmetric_mix_dh(const struct wt_noise_tools *tools, struct wt_symmetric *state,
				   const uint8_t private_key[POINT_SIZE],
				   const uint8_t point[POINT_SIZE])
{
	uint8_t dh[POINT_SIZE];

	tools->host->count(tools->host, tools->worker, tools->dh_counter, 1);
	enum wt_status status = wt_x25519(private_key, point, dh);

	if (status == WT_OK)
		status = wt_symmetric_mix_key(tools, state, dh);
	tools->host->wipe(dh, sizeof dh);
	return status;
}

void wt_symmetric_nonce(uint64_t n, uint8_t nonce[WT_NONCE_SIZE])
{
	memset(nonce, 0, 4);
	put64(nonce + 4, n);
}

enum wt_status wt_symmetric_seal(const struct wt_noise_tools *tools, struct wt_symmetric *state,
				 const uint8_t *in, size_t len, uint8_t *out)
{
	uint8_t nonce[WT_NONCE_SIZE];
	enum wt_status status = WT_OK;

	if (!state->keyed) {
		memmove(out, in, len);
		return wt_symmetric_mix_hash(tools, state, out, len);
	}
	wt_symmetric_nonce(state->n++, nonce);
	status = tools->host->aead_seal(tools->host, tools->worker, state->k, nonce, state->h,
					HASH_SIZE, in, len, out);
	if (status != WT_OK)
		return WT_ERR_CRYPTO;
	return wt_symmetric_mix_hash(tools, state, out, len + WT_TAG_SIZE);
}

enum wt_status wt_symmetric_open(const struct wt_noise_tools *tools, struct wt_symmetric *state,
				 const uint8_t *in, size_t len, uint8_t *out)
{
	uint8_t nonce[WT_NONCE_SIZE], aad[HASH_SIZE];

	memcpy(aad, state->h, HASH_SIZE);
	/* What is hashed is the ciphertext, which opening in place destroys. A
	 * state whose tag did not verify is given up, hash and all. */
	enum wt_status status = wt_symmetric_mix_hash(tools, state, in, len);

	if (status != WT_OK)
		return status;
	if (!state->keyed) {
		memmove(out, in, len);
		return WT_OK;
	}
	wt_symmetric_nonce(state->n++, nonce);
	return tools->host->aead_open(tools->host, tools->worker, state->k, nonce, aad, HASH_SIZE,
				      in, len, out);
}

enum wt_status wt_symmetric_split(const struct wt_noise_tools *tools,
				  const struct wt_symmetric *state, uint8_t c1[WT_KEY_SIZE],
				  uint8_t c2[WT_KEY_SIZE])
{
	uint8_t out[2][HASH_SIZE];
	enum wt_status status = hkdf(tools, state->ck, NULL, 0, out[0], 2);

	if (status == WT_OK) {
		memcpy(c1, out[0], WT_KEY_SIZE);
		memcpy(c2, out[1], WT_KEY_SIZE);
	}
	tools->host->wipe(out, sizeof out);
	return status;
}
