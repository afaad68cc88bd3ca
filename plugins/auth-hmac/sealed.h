/* SPDX-License-Identifier: MIT
 *
 * sealed.h: the time and parameters that M1 and M2 carry under the AEAD.
 *
 * Each key seals once, so the nonce is zero. The crypto plugin does the work.
 */
#ifndef WT_HMAC_SEALED_H
#define WT_HMAC_SEALED_H

#include <whispertunnel/host.h>

#include "messages.h"

/* Seal into the SEALED_SIZE bytes that follow the `aad_len` bytes at `message`. */
enum wt_status wt_sealed_write(const struct wt_host *host, struct wt_worker *worker,
			       const uint8_t key[WT_KEY_SIZE], uint8_t *message, size_t aad_len,
			       uint64_t unix_ms, const uint8_t *params) WT_MUST_CHECK;

/* Open what follows the `aad_len` bytes at `message`. WT_ERR_AUTH: not sealed
 * with that key, or altered; *unix_ms and params are then zero. */
enum wt_status wt_sealed_read(const struct wt_host *host, struct wt_worker *worker,
			      const uint8_t key[WT_KEY_SIZE], const uint8_t *message,
			      size_t aad_len, uint64_t *unix_ms,
			      uint8_t params[WT_PARAMS_SIZE]) WT_MUST_CHECK;

#endif
