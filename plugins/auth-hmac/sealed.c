/* SPDX-License-Identifier: MIT */
#include "sealed.h"

#include <string.h>

static const uint8_t nonce[WT_NONCE_SIZE] = { 0 };

enum wt_status wt_sealed_write(const struct wt_host *host, struct wt_worker *worker,
			       const uint8_t key[WT_KEY_SIZE], uint8_t *message, size_t aad_len,
			       uint64_t unix_ms, const uint8_t *params)
{
	uint8_t *at = message + aad_len;

	put64(at + SEALED_TIME, unix_ms);
	memcpy(at + SEALED_PARAMS, params, WT_PARAMS_SIZE);
	return host->aead_seal(host, worker, key, nonce, message, aad_len, at, SEALED_PLAIN, at);
}

enum wt_status wt_sealed_read(const struct wt_host *host, struct wt_worker *worker,
			      const uint8_t key[WT_KEY_SIZE], const uint8_t *message,
			      size_t aad_len, uint64_t *unix_ms, uint8_t params[WT_PARAMS_SIZE])
{
	uint8_t plain[SEALED_PLAIN] = { 0 };
	enum wt_status status = host->aead_open(host, worker, key, nonce, message, aad_len,
						message + aad_len, SEALED_SIZE, plain);

	*unix_ms = get64(plain + SEALED_TIME);
	memcpy(params, plain + SEALED_PARAMS, WT_PARAMS_SIZE);
	host->wipe(plain, sizeof plain);
	return status;
}
