/* SPDX-License-Identifier: MIT
 *
 * primitives.h: SHA-256 (FIPS 180-4), HMAC (RFC 2104), HKDF (RFC 5869) and
 * X25519 (RFC 7748), all from libcrypto.
 *
 * The algorithms are fetched once; a `struct wt_primitives` is not changed
 * after init and may be used by any number of threads. libcrypto's contexts
 * live for one call and are cleansed by the library. A call that fails leaves
 * its output zero.
 */
#ifndef WT_AUTH_COMMON_PRIMITIVES_H
#define WT_AUTH_COMMON_PRIMITIVES_H

#include <stddef.h>
#include <stdint.h>
#include <whispertunnel/status.h>

#define HASH_SIZE 32u  /* SHA-256, HMAC, and every secret derived with them */
#define POINT_SIZE 32u /* X25519, private and public */

struct wt_primitives {
	struct evp_md_st *sha256;
	struct evp_mac_st *hmac;
	struct evp_mac_ctx_st *hmac_sha256; /* copied for every use */
	struct evp_kdf_st *hkdf;
};

/* A run of bytes that is hashed with those beside it. */
struct wt_part {
	const void *data;
	size_t len;
};

/* WT_ERR_UNAVAILABLE with the missing algorithm in err (a libcrypto whose
 * configuration allows less). Free in any case. */
enum wt_status wt_primitives_init(struct wt_primitives *p, struct wt_error *err) WT_MUST_CHECK;
void wt_primitives_free(struct wt_primitives *p);

/* The rest: WT_ERR_CRYPTO when libcrypto fails (out of memory). */

enum wt_status wt_sha256(const struct wt_primitives *p, const struct wt_part *parts, size_t n,
			 uint8_t out[HASH_SIZE]) WT_MUST_CHECK;

enum wt_status wt_hmac_sha256(const struct wt_primitives *p, const uint8_t *key, size_t key_len,
			      const struct wt_part *parts, size_t n,
			      uint8_t out[HASH_SIZE]) WT_MUST_CHECK;

enum wt_status wt_hkdf_extract(const struct wt_primitives *p, const uint8_t *salt, size_t salt_len,
			       const uint8_t *ikm, size_t ikm_len,
			       uint8_t prk[HASH_SIZE]) WT_MUST_CHECK;

/* info = label (without its NUL) || data. */
enum wt_status wt_hkdf_expand(const struct wt_primitives *p, const uint8_t *prk, size_t prk_len,
			      const char *label, const uint8_t *data, size_t data_len, uint8_t *out,
			      size_t out_len) WT_MUST_CHECK;

enum wt_status wt_x25519_public(const uint8_t private_key[POINT_SIZE],
				uint8_t out[POINT_SIZE]) WT_MUST_CHECK;

/* WT_ERR_AUTH: the result was all zero, the point is of small order (RFC 7748,
 * section 6.1). */
enum wt_status wt_x25519(const uint8_t private_key[POINT_SIZE], const uint8_t point[POINT_SIZE],
			 uint8_t out[POINT_SIZE]) WT_MUST_CHECK;

#endif
