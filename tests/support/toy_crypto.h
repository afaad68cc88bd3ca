/* SPDX-License-Identifier: MIT
 *
 * toy_crypto.h: a backend without secrecy, for tests of what the core does
 * with one. It follows the contract of crypto.h (text and tag depend on key,
 * nonce, AAD and text; a failed open leaves zeros), remembers every nonce
 * that it sealed under, and fails when told to (crypto->faults).
 */
#ifndef WT_TEST_SUPPORT_TOY_CRYPTO_H
#define WT_TEST_SUPPORT_TOY_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>

#include "plugin/call.h"

#define WT_TOY_SEALED_MAX 4096

struct wt_toy_sealed {
	uint8_t key[WT_KEY_SIZE];
	uint8_t nonce[WT_NONCE_SIZE];
};

struct wt_toy_crypto {
	struct wt_crypto crypto; /* give out its address */
	struct wt_crypto_faults faults;
	struct wt_instance instance;
	struct wt_host_instance host;
	struct wt_toy_sealed sealed[WT_TOY_SEALED_MAX]; /* the first so many */
	size_t seals, opens; /* calls that reached the backend and succeeded */
	size_t contexts;     /* alive */
	/* The next seal leaves its whole output and then says WT_ERR_CRYPTO. */
	bool seal_and_fail;
};

/* The algorithm; `self` is a struct wt_toy_crypto, a key context its key. */
extern const struct wt_crypto_ops wt_toy_ops;

/* NULL: out of memory. */
struct wt_toy_crypto *wt_toy_crypto_new(void) WT_MUST_CHECK;
void wt_toy_crypto_free(struct wt_toy_crypto *toy);

/* Did two seals have the same key and nonce? */
bool wt_toy_crypto_reused(const struct wt_toy_crypto *toy);

#endif
