/* SPDX-License-Identifier: MIT
 *
 * ikpsk2.h: the pattern IKpsk2 of the Noise Protocol Framework (revision 34),
 * and the keys that docs/protocol.md, section auth-noise, makes from its end.
 *
 *	IKpsk2:
 *	  <- s
 *	  ...
 *	  -> e, es, s, ss
 *	  <- e, ee, se, psk
 *
 * The static-static exchange (ss) is an argument: it is the same in every
 * handshake of two ends and is computed when a peer is added.
 *
 * Errors: WT_ERR_AUTH, a tag did not verify or a Diffie-Hellman gave all zero
 * (*weak says which); WT_ERR_CRYPTO, a library failed. The state is secret and
 * of no more use after a failure; its owner wipes it.
 */
#ifndef WT_NOISE_IKPSK2_H
#define WT_NOISE_IKPSK2_H

#include "messages.h"
#include "symmetric.h"

#define WT_IK_NAME "Noise_IKpsk2_25519_AESGCM_SHA256"

/* Bytes of a Noise message around its payload. */
#define WT_IK_FIRST_EXTRA (POINT_SIZE + POINT_SIZE + 2u * WT_TAG_SIZE)
#define WT_IK_SECOND_EXTRA (POINT_SIZE + WT_TAG_SIZE)

struct wt_ik_pair {
	uint8_t private_key[POINT_SIZE], public_key[POINT_SIZE];
};

struct wt_ik {
	struct wt_symmetric sym;
	uint8_t e[POINT_SIZE];	/* ours, private */
	uint8_t re[POINT_SIZE]; /* the other end's, public */
	bool weak;		/* WT_ERR_AUTH was an all-zero Diffie-Hellman */
};

/* Either end begins with what both know: the responder's static public key. */
enum wt_status wt_ik_begin(const struct wt_noise_tools *tools, struct wt_ik *ik,
			   const uint8_t *prologue, size_t len,
			   const uint8_t responder[POINT_SIZE]) WT_MUST_CHECK;

/* I: the first message, len + WT_IK_FIRST_EXTRA bytes. ik->e is set. */
enum wt_status wt_ik_write_first(const struct wt_noise_tools *tools, struct wt_ik *ik,
				 const struct wt_ik_pair *us, const uint8_t responder[POINT_SIZE],
				 const uint8_t ss[POINT_SIZE], const uint8_t *payload, size_t len,
				 uint8_t *out) WT_MUST_CHECK;

/* R: who wrote it (e, es, s), and then, with that peer's ss, what it says. `len`
 * is the payload's. */
enum wt_status wt_ik_read_static(const struct wt_noise_tools *tools, struct wt_ik *ik,
				 const struct wt_ik_pair *us, const uint8_t *first,
				 uint8_t initiator[POINT_SIZE]) WT_MUST_CHECK;
enum wt_status wt_ik_read_first(const struct wt_noise_tools *tools, struct wt_ik *ik,
				const uint8_t ss[POINT_SIZE], const uint8_t *first, size_t len,
				uint8_t *payload) WT_MUST_CHECK;

/* R: the second message, len + WT_IK_SECOND_EXTRA bytes. ik->e is set. */
enum wt_status wt_ik_write_second(const struct wt_noise_tools *tools, struct wt_ik *ik,
				  const uint8_t initiator[POINT_SIZE], const uint8_t psk[PSK_SIZE],
				  const uint8_t *payload, size_t len, uint8_t *out) WT_MUST_CHECK;
/* I: what it says; the other end is the one whose key we have. */
enum wt_status wt_ik_read_second(const struct wt_noise_tools *tools, struct wt_ik *ik,
				 const struct wt_ik_pair *us, const uint8_t psk[PSK_SIZE],
				 const uint8_t *second, size_t len, uint8_t *payload) WT_MUST_CHECK;

/* What follows from a run: keys of both directions, and the key of M2's mac2. */
struct wt_ik_finish {
	uint8_t i2r_key[WT_KEY_SIZE], r2i_key[WT_KEY_SIZE];
	uint8_t i2r_iv[WT_NONCE_SIZE], r2i_iv[WT_NONCE_SIZE];
	uint8_t m2_mac[HASH_SIZE];
};

/* `head1` and `head2` are the first HEAD_SIZE bytes of M1 and M2, which Noise
 * has not seen (M1's it has, in the prologue). */
enum wt_status wt_ik_finish(const struct wt_noise_tools *tools, const struct wt_ik *ik,
			    const uint8_t head1[HEAD_SIZE], const uint8_t head2[HEAD_SIZE],
			    struct wt_ik_finish *out) WT_MUST_CHECK;

#endif
