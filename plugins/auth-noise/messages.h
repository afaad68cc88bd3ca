/* SPDX-License-Identifier: MIT
 *
 * messages.h: every size, offset and limit of auth-noise on the wire, once.
 * docs/protocol.md, section auth-noise, is the authority. A message begins with
 * the header of WT_MESSAGE_HEADER bytes.
 */
#ifndef WT_NOISE_MESSAGES_H
#define WT_NOISE_MESSAGES_H

#include <stdint.h>
#include <whispertunnel/wire.h>

#include "auth-common/bytes.h"
#include "auth-common/limits.h"
#include "auth-common/primitives.h"

#define PSK_SIZE 32u
#define MAC_SIZE 16u
#define COOKIE_SIZE 16u
#define STAMP_SIZE 12u /* TAI64N */

enum wt_noise_step { STEP_M1 = 1, STEP_M2 = 2, STEP_COOKIE = 4 };

/* M1 and M2 begin alike: header, the index of their sender, then Noise. */
#define SENDER 8u
#define HEAD_SIZE 12u /* what Noise itself does not see */
#define POINT HEAD_SIZE

/* M1, I to R. Its payload is STAMP_SIZE of time and the parameters. */
#define M1_STATIC (POINT + POINT_SIZE)
#define M1_PAYLOAD (M1_STATIC + POINT_SIZE + WT_TAG_SIZE)
#define M1_PLAIN (STAMP_SIZE + WT_PARAMS_SIZE)
#define M1_MAC1 (M1_PAYLOAD + M1_PLAIN + WT_TAG_SIZE)
#define M1_MAC2 (M1_MAC1 + MAC_SIZE)
#define M1_SIZE (M1_MAC2 + MAC_SIZE)

/* M2, R to I. Its payload is the parameters. */
#define M2_PAYLOAD (POINT + POINT_SIZE)
#define M2_MAC1 (M2_PAYLOAD + WT_PARAMS_SIZE + WT_TAG_SIZE)
#define M2_MAC2 (M2_MAC1 + MAC_SIZE)
#define M2_SIZE (M2_MAC2 + MAC_SIZE)

/* COOKIE, R to I. */
#define COOKIE_NONCE 8u
#define COOKIE_NONCE_SIZE 32u
#define COOKIE_SEALED (COOKIE_NONCE + COOKIE_NONCE_SIZE)
#define COOKIE_MESSAGE_SIZE (COOKIE_SEALED + COOKIE_SIZE + WT_TAG_SIZE)

_Static_assert(M1_SIZE == 184u && M2_SIZE == 124u && COOKIE_MESSAGE_SIZE == 72u,
	       "the sizes of docs/protocol.md");
_Static_assert(COOKIE_MESSAGE_SIZE < M1_SIZE && M2_SIZE < M1_SIZE,
	       "an answer is smaller than its request");

/* COOKIEs with another cookie that are taken for one M1: each makes us send, and
 * who saw that M1 and knows the responder's public key can forge one. */
#define COOKIES_MAX 4u

static inline void put_header(uint8_t *p, enum wt_noise_step step, uint32_t receiver_index)
{
	put_handshake_header(p, WT_METHOD_NOISE, (uint8_t)step, receiver_index);
}

#endif
