/* SPDX-License-Identifier: MIT
 *
 * macs.h: what stands around the Noise messages: mac1, which only somebody who
 * knows the receiver's public key can make and which is cheap to check; mac2,
 * which shows a cookie; and the COOKIE that brings one.
 *
 * Nothing is kept; the functions fail only when libcrypto or the AEAD does
 * (WT_ERR_CRYPTO), but for what is said.
 */
#ifndef WT_NOISE_MACS_H
#define WT_NOISE_MACS_H

#include <whispertunnel/auth.h>

#include "auth-common/flood.h"
#include "messages.h"
#include "symmetric.h"

/* What follows from the public key of an end. */
struct wt_mac_keys {
	uint8_t mac1[HASH_SIZE];   /* of messages to it */
	uint8_t cookie[HASH_SIZE]; /* from which those of its COOKIEs are derived */
};

enum wt_status wt_mac_keys(const struct wt_primitives *p, const uint8_t public_key[POINT_SIZE],
			   struct wt_mac_keys *out) WT_MUST_CHECK;

/* HMAC(key, the first `len` bytes of message), cut to MAC_SIZE. */
enum wt_status wt_mac_write(const struct wt_primitives *p, const uint8_t *key, size_t key_len,
			    const uint8_t *message, size_t len,
			    uint8_t mac[MAC_SIZE]) WT_MUST_CHECK;
/* WT_ERR_AUTH: the MAC_SIZE bytes behind the first `len` of message are another. */
enum wt_status wt_mac_check(const struct wt_noise_tools *tools, const uint8_t *key, size_t key_len,
			    const uint8_t *message, size_t len) WT_MUST_CHECK;

/* The COOKIE that answers `in`, a whole M1. The cookie is read by nobody but
 * its maker: HMAC(secret, u8 k || LP(source) || e)[0..16). */
enum wt_status wt_cookie_write(const struct wt_noise_tools *tools, struct wt_flood *flood,
			       const struct wt_mac_keys *us, const struct wt_auth_in *in,
			       uint8_t message[COOKIE_MESSAGE_SIZE]) WT_MUST_CHECK;
/* WT_ERR_AUTH: not an answer to our `m1` from the end with those keys. */
enum wt_status wt_cookie_read(const struct wt_noise_tools *tools, const struct wt_mac_keys *them,
			      const uint8_t *m1, const uint8_t *message,
			      uint8_t cookie[COOKIE_SIZE]) WT_MUST_CHECK;
/* Does the mac2 of `in`, a whole M1, show a cookie that is valid now? */
bool wt_cookie_shown(const struct wt_noise_tools *tools, struct wt_flood *flood,
		     const struct wt_auth_in *in);

#endif
