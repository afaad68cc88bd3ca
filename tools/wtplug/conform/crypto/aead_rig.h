/* SPDX-License-Identifier: MIT
 *
 * aead_rig.h: what a check of a crypto plugin works with: the plugin under test
 * and another one (or the same again), each with a context for sealing and one
 * for opening, all under one key.
 */
#ifndef WT_CONFORM_CRYPTO_AEAD_RIG_H
#define WT_CONFORM_CRYPTO_AEAD_RIG_H

#include "conform/crypto/aead_attempt.h"

#define WT_RIG_AAD 20u

struct wt_check_options {
	int level;     /* 1 quick, 2 usual, 3 exhaustive */
	uint64_t seed; /* of keys, nonces and texts */
};

struct wt_rig {
	const struct wt_backend *subject, *reference;
	struct wt_check_options options;
	uint8_t key[WT_KEY_SIZE];
	/* The subject's attempts and the reference's: equal but for the backend.
	 * A context serves one direction, so there are two of each. */
	struct wt_arena arena;
	struct wt_attempt seal, open, reference_seal, reference_open;
	/* WT_AAD_MAX, of all four; WT_TEXT_MAX; WT_SEALED_MAX + 1; WT_SEALED_MAX */
	uint8_t *aad, *text, *sealed, *reference_sealed;
	unsigned long cases; /* how often the two were compared */
};

/* False: no memory, or no key context. Free it in either case. */
bool wt_rig_init(struct wt_rig *rig, const struct wt_backend *subject,
		 const struct wt_backend *reference,
		 const struct wt_check_options *options) WT_MUST_CHECK;
void wt_rig_free(struct wt_rig *rig);

/* How the next attempts of all four place their buffers, and how much AAD they
 * cover. */
void wt_rig_arrange(struct wt_rig *rig, bool in_place, size_t aad_len, size_t in_offset,
		    size_t out_offset);

/* Both seal `len` bytes of the text to the same bytes, and each opens what the
 * other sealed. When not, the note says whether that length, place or alignment
 * alone is to blame. */
bool wt_rig_agree(struct wt_rig *rig, size_t len, struct wt_finding *note) WT_MUST_CHECK;

#endif
