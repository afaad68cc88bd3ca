/* SPDX-License-Identifier: MIT
 *
 * symmetric.h: the SymmetricState of the Noise Protocol Framework (revision
 * 34, section 5.2) for AESGCM and SHA256: a chaining key, a hash of all that was
 * said, and the key that the next text is sealed with.
 *
 * The AEAD is the crypto plugin's, through the host; the hashes are libcrypto's.
 * After a failure (WT_ERR_AUTH: a tag did not verify; WT_ERR_CRYPTO: a library
 * failed) a state is of no more use. It is secret: its owner wipes it.
 */
#ifndef WT_NOISE_SYMMETRIC_H
#define WT_NOISE_SYMMETRIC_H

#include <stdbool.h>
#include <whispertunnel/host.h>
#include <whispertunnel/wire.h>

#include "auth-common/primitives.h"

/* Who does the work; `worker` is that of the call being served. */
struct wt_noise_tools {
	const struct wt_host *host;
	const struct wt_primitives *primitives;
	struct wt_worker *worker;
	uint32_t dh_counter; /* counts X25519 results */
};

struct wt_symmetric {
	uint8_t ck[HASH_SIZE];
	uint8_t h[HASH_SIZE];
	uint8_t k[WT_KEY_SIZE];
	uint64_t n;
	bool keyed; /* k is set: texts are sealed */
};

/* `name` is the protocol's, up to HASH_SIZE bytes. */
void wt_symmetric_begin(struct wt_symmetric *state, const char *name);

enum wt_status wt_symmetric_mix_hash(const struct wt_noise_tools *tools, struct wt_symmetric *state,
				     const uint8_t *data, size_t len) WT_MUST_CHECK;
enum wt_status wt_symmetric_mix_key(const struct wt_noise_tools *tools, struct wt_symmetric *state,
				    const uint8_t ikm[HASH_SIZE]) WT_MUST_CHECK;
enum wt_status wt_symmetric_mix_key_and_hash(const struct wt_noise_tools *tools,
					     struct wt_symmetric *state,
					     const uint8_t ikm[HASH_SIZE]) WT_MUST_CHECK;

/* mix_key with X25519(private_key, point), which is counted and wiped.
 * WT_ERR_AUTH: it is all zero. */
enum wt_status wt_symmetric_mix_dh(const struct wt_noise_tools *tools, struct wt_symmetric *state,
				   const uint8_t private_key[POINT_SIZE],
				   const uint8_t point[POINT_SIZE]) WT_MUST_CHECK;

/* EncryptAndHash: `len` bytes at `in`; `out` takes WT_TAG_SIZE more once there
 * is a key. DecryptAndHash: `len` counts ciphertext and tag. `out` equals `in`
 * or does not overlap it. */
enum wt_status wt_symmetric_seal(const struct wt_noise_tools *tools, struct wt_symmetric *state,
				 const uint8_t *in, size_t len, uint8_t *out) WT_MUST_CHECK;
enum wt_status wt_symmetric_open(const struct wt_noise_tools *tools, struct wt_symmetric *state,
				 const uint8_t *in, size_t len, uint8_t *out) WT_MUST_CHECK;

/* The key of the initiator's direction and of the responder's. */
enum wt_status wt_symmetric_split(const struct wt_noise_tools *tools,
				  const struct wt_symmetric *state, uint8_t c1[WT_KEY_SIZE],
				  uint8_t c2[WT_KEY_SIZE]) WT_MUST_CHECK;

/* The nonce of message n under one key. */
void wt_symmetric_nonce(uint64_t n, uint8_t nonce[WT_NONCE_SIZE]);

#endif
