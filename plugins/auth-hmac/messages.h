/* SPDX-License-Identifier: MIT
 *
 * messages.h: every size, offset and limit of auth-hmac on the wire, once.
 * docs/protocol.md, section auth-hmac, is the authority. Integers are
 * big-endian; a message begins with the header of WT_MESSAGE_HEADER bytes.
 */
#ifndef WT_HMAC_MESSAGES_H
#define WT_HMAC_MESSAGES_H

#include <stdint.h>
#include <whispertunnel/wire.h>

#include "auth-common/bytes.h"
#include "auth-common/limits.h"
#include "auth-common/primitives.h"

#define PSK_SIZE 32u
#define TAG_SIZE 16u   /* id_tag */
#define TOKEN_SIZE 32u /* u32 minute, then a MAC cut to the rest */
#define SEALED_TIME 0u /* in the plaintext of sealed1 and sealed2: u64 unix_ms */
#define SEALED_PARAMS 8u
#define SEALED_PLAIN (SEALED_PARAMS + WT_PARAMS_SIZE)
#define SEALED_SIZE (SEALED_PLAIN + WT_TAG_SIZE)

enum wt_hmac_step { STEP_M1 = 1, STEP_M2 = 2, STEP_M3 = 3, STEP_RETRY = 4 };

/* M1, I to R. What is before M1_TOKEN is the transcript's; a RETRY changes
 * only what is after it. */
#define M1_SENDER 8u
#define M1_TAG 12u
#define M1_POINT 28u
#define M1_SEALED 60u
#define M1_TOKEN 116u
#define M1_ZERO 148u
#define M1_MAC 160u
#define M1_SIZE 192u

/* RETRY, R to I. */
#define RETRY_TOKEN 8u
#define RETRY_TIME 40u
#define RETRY_MAC 48u
#define RETRY_SIZE 80u

/* M2, R to I. */
#define M2_SENDER 8u
#define M2_POINT 12u
#define M2_SEALED 44u
#define M2_PROOF 100u
#define M2_MAC 132u
#define M2_SIZE 164u

/* M3, I to R. */
#define M3_PROOF 8u
#define M3_SIZE 40u

_Static_assert(M1_TAG + TAG_SIZE == M1_POINT && M1_POINT + POINT_SIZE == M1_SEALED &&
		       M1_SEALED + SEALED_SIZE == M1_TOKEN && M1_TOKEN + TOKEN_SIZE == M1_ZERO &&
		       M1_MAC + HASH_SIZE == M1_SIZE,
	       "M1 has no gap");
_Static_assert(RETRY_TOKEN + TOKEN_SIZE == RETRY_TIME && RETRY_TIME + 8u == RETRY_MAC &&
		       RETRY_MAC + HASH_SIZE == RETRY_SIZE,
	       "RETRY has no gap");
_Static_assert(M2_POINT + POINT_SIZE == M2_SEALED && M2_SEALED + SEALED_SIZE == M2_PROOF &&
		       M2_PROOF + HASH_SIZE == M2_MAC && M2_MAC + HASH_SIZE == M2_SIZE,
	       "M2 has no gap");
_Static_assert(M3_PROOF + HASH_SIZE == M3_SIZE, "M3 has no gap");
_Static_assert(RETRY_SIZE < M1_SIZE && M2_SIZE < M1_SIZE, "an answer is smaller than its request");

#define STATIC_TAG_TIME UINT64_MAX /* the t of the tag that needs no clock */
#define HOUR_MS 3600000u

/* First messages without an answer after which other tags and keys are tried. */
#define SILENT_TRIES 3u

/* Token life: the minute it was made in and the next, half of what a secret
 * is accepted for. */
#define TOKEN_MINUTE_MS 60000u
_Static_assert(2u * TOKEN_MINUTE_MS <= FLOOD_SECRET_MS, "a token does not outlive its secret");

static inline void put_header(uint8_t *p, enum wt_hmac_step step, uint32_t receiver_index)
{
	put_handshake_header(p, WT_METHOD_HMAC, (uint8_t)step, receiver_index);
}

#endif
