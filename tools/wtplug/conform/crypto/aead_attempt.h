/* SPDX-License-Identifier: MIT
 *
 * aead_attempt.h: one seal or one open, with every buffer between guard pages
 * and all that the contract says of them looked at.
 */
#ifndef WT_CONFORM_CRYPTO_AEAD_ATTEMPT_H
#define WT_CONFORM_CRYPTO_AEAD_ATTEMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <whispertunnel/wire.h>

#include "conform/crypto/backend.h"
#include "conform/finding.h"
#include "conform/guarded.h"

/* The largest text of a record: kind, segment size and packet. */
#define WT_TEXT_MAX WT_PLAINTEXT_MAX
#define WT_SEALED_MAX (WT_TEXT_MAX + WT_TAG_SIZE)
/* The longest AAD of any caller (crypto.h). */
#define WT_AAD_MAX 65536u

/* Memory for the attempts of one check. */
struct wt_arena {
	struct wt_guarded in, out, nonce, aad;
};
bool wt_arena_init(struct wt_arena *arena) WT_MUST_CHECK;
void wt_arena_free(struct wt_arena *arena); /* also of a zeroed one */

struct wt_attempt {
	struct wt_arena *arena;
	const struct wt_backend *backend;
	void *ctx;
	uint8_t nonce[WT_NONCE_SIZE];
	const uint8_t *aad; /* the caller's */
	size_t aad_len;	    /* up to WT_AAD_MAX; 0: the backend is given NULL */
	bool in_place;
	/* As for wt_guarded_place; in place only the first. Nonce and AAD lie like the
	 * input. */
	size_t in_offset, out_offset;
};

/* Seals `len` bytes to len + WT_TAG_SIZE at `sealed`. False: note says what
 * was wrong: the status, a write outside of the output or to the input. */
bool wt_attempt_seal(const struct wt_attempt *a, const uint8_t *text, size_t len, uint8_t *sealed,
		     struct wt_finding *note) WT_MUST_CHECK;

/* Opens `len` bytes, and demands `text`, or, when that is NULL, a refusal with
 * WT_ERR_AUTH and an output range of zeros. False: as above. */
bool wt_attempt_open(const struct wt_attempt *a, const uint8_t *sealed, size_t len,
		     const uint8_t *text, struct wt_finding *note) WT_MUST_CHECK;

/* Bytes that look random and are the same in every run. */
void wt_fill(void *buf, size_t len, uint64_t seed);

#endif
