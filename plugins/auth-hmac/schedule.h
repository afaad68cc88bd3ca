/* SPDX-License-Identifier: MIT
 *
 * schedule.h: what is derived from the pre-shared key and from a run of the
 * handshake: docs/protocol.md, section auth-hmac, "Keys".
 *
 * Every output is secret unless said otherwise: its owner wipes it. The
 * functions keep nothing, take no lock, and fail only when libcrypto does
 * (WT_ERR_CRYPTO).
 */
#ifndef WT_HMAC_SCHEDULE_H
#define WT_HMAC_SCHEDULE_H

#include <whispertunnel/host.h>

#include "auth-common/realm.h"
#include "messages.h"

/* "WT-HMAC-1" || LP(realm): one realm's name in every hash. */
struct wt_domain {
	size_t len;
	uint8_t text[9 + 2 + REALM_MAX];
};

/* From one pre-shared key. Each role has MAC keys of its own, so a message
 * that comes back to its sender never verifies there. */
struct wt_secrets {
	uint8_t prk[HASH_SIZE];
	uint8_t tag[HASH_SIZE];	   /* K_tag: names the peer */
	uint8_t client[HASH_SIZE]; /* K_c: MACs of the initiator */
	uint8_t server[HASH_SIZE]; /* K_s: MACs of the responder */
	uint8_t mix[HASH_SIZE];	   /* K_x: the salt of ck */
};

/* From ck and the transcript: both proofs and the keys of both directions. */
struct wt_finish {
	uint8_t proof_r[HASH_SIZE];
	uint8_t proof_i[HASH_SIZE];
	uint8_t i2r_key[WT_KEY_SIZE], r2i_key[WT_KEY_SIZE];
	uint8_t i2r_iv[WT_NONCE_SIZE], r2i_iv[WT_NONCE_SIZE];
};

/* `realm` is 1..REALM_MAX bytes; the result is not secret. */
void wt_domain_set(struct wt_domain *domain, const char *realm, size_t len);

enum wt_status wt_schedule_secrets(const struct wt_primitives *p, const struct wt_domain *domain,
				   const uint8_t psk[PSK_SIZE],
				   struct wt_secrets *out) WT_MUST_CHECK;

/* id_tag(t), t in hours or STATIC_TAG_TIME. Travels in the clear. */
enum wt_status wt_schedule_tag(const struct wt_primitives *p, const struct wt_secrets *secrets,
			       uint64_t t, uint8_t out[TAG_SIZE]) WT_MUST_CHECK;

/* h0, where a transcript starts, for a channel of WT_CHANNEL_*. Not secret. */
enum wt_status wt_schedule_h0(const struct wt_primitives *p, const struct wt_domain *domain,
			      uint32_t channel, uint8_t h0[HASH_SIZE]) WT_MUST_CHECK;

/* h1 = SHA256(h0 || M1 up to its token). Not secret. */
enum wt_status wt_schedule_h1(const struct wt_primitives *p, const uint8_t h0[HASH_SIZE],
			      const uint8_t *m1, uint8_t h1[HASH_SIZE]) WT_MUST_CHECK;

/* A MAC over a transcript hash and the first `len` bytes of a message. */
enum wt_status wt_schedule_mac(const struct wt_primitives *p, const uint8_t key[HASH_SIZE],
			       const uint8_t hash[HASH_SIZE], const uint8_t *message, size_t len,
			       uint8_t mac[HASH_SIZE]) WT_MUST_CHECK;

/* The key of sealed1, from e_i at M1_POINT of `m1`. */
enum wt_status wt_schedule_m1_key(const struct wt_primitives *p, const struct wt_secrets *secrets,
				  const uint8_t *m1, uint8_t key[WT_KEY_SIZE]) WT_MUST_CHECK;

/* ck = HKDF-Extract(K_x, X25519(private_key, point)); WT_ERR_AUTH for an
 * all-zero result. The shared secret itself is wiped here. */
enum wt_status wt_schedule_ck(const struct wt_primitives *p, const struct wt_host *host,
			      const struct wt_secrets *secrets,
			      const uint8_t private_key[POINT_SIZE],
			      const uint8_t point[POINT_SIZE], uint8_t ck[HASH_SIZE]) WT_MUST_CHECK;

/* The key of sealed2; reads M2 up to sealed2. */
enum wt_status wt_schedule_m2_key(const struct wt_primitives *p, const uint8_t ck[HASH_SIZE],
				  const uint8_t h1[HASH_SIZE], const uint8_t *m2,
				  uint8_t key[WT_KEY_SIZE]) WT_MUST_CHECK;

/* Reads M2 up to its proof. `index_r` is the responder's, M3's receiver. */
enum wt_status wt_schedule_finish(const struct wt_primitives *p, const uint8_t ck[HASH_SIZE],
				  const uint8_t h1[HASH_SIZE], const uint8_t *m2, uint32_t index_r,
				  struct wt_finish *out) WT_MUST_CHECK;

#endif
