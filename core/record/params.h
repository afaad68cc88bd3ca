/* SPDX-License-Identifier: MIT
 *
 * params.h: the 32 bytes that both ends exchange, sealed, in the handshake.
 *
 *	0 features u32 | 4 largest record u32 | 8 inner MTU u16 | 10 algorithm u8
 *	11 lane u8 | 12 instance 8 | 20 lanes u8 | 21 zero 11      all big-endian
 *
 * Auth plugins carry them unseen. Pure functions; any thread.
 * docs/protocol.md "Keys, sessions, life".
 */
#ifndef WT_RECORD_PARAMS_H
#define WT_RECORD_PARAMS_H

#include <stdint.h>
#include <whispertunnel/status.h>
#include <whispertunnel/wire.h>

/* What an end takes besides complete packets (docs/protocol.md "Inner header"). */
#define WT_FEATURE_PARTIAL 1u	    /* kind 0x02: partial checksums */
#define WT_FEATURE_SEGMENTS_TCP4 2u /* kind 0x03: runs of segments */
#define WT_FEATURE_SEGMENTS_TCP6 4u
#define WT_FEATURE_SEGMENTS_UDP4 8u
#define WT_FEATURE_SEGMENTS_UDP6 16u
#define WT_FEATURE_SEGMENTS 30u /* any of them */

#define WT_INSTANCE_SIZE 8u
#define WT_ALGORITHM_BYTE_AES256GCM 1u
#define WT_ALGORITHM_BYTE_PRIVATE 128u

struct wt_params {
	uint32_t features;   /* what this end accepts; unknown bits are kept, not judged */
	uint32_t record_max; /* the largest record this end takes */
	uint16_t inner_mtu;
	uint8_t algorithm;
	uint8_t instance[WT_INSTANCE_SIZE]; /* random, drawn once per process start */
	uint8_t lane;  /* the initiator's: which of its connections this is, from 0 */
	uint8_t lanes; /* connections that this end takes of the other; 0: one */
};

/* The byte for an algorithm's name: 1 for "AES-256-GCM", otherwise one of
 * 128..255 by a hash of the name, so that ends with different private
 * algorithms nearly always learn it here instead of from failing tags. */
uint8_t wt_params_algorithm(const char *name);

void wt_params_encode(const struct wt_params *params, uint8_t out[WT_PARAMS_SIZE]);

/* Put which connection this is and how many are taken into encoded parameters,
 * where they are for one handshake. */
void wt_params_tell(uint8_t params[WT_PARAMS_SIZE], unsigned lane, unsigned lanes);

/* Read a peer's parameters and judge them against `ours` (its algorithm).
 * WT_ERR_INVALID with a sentence in err when a value is out of range or the
 * algorithm is another; *out is set only on WT_OK. Reserved bytes and unknown
 * features are ignored: they are a later version's. */
enum wt_status wt_params_decode(const uint8_t in[WT_PARAMS_SIZE], const struct wt_params *ours,
				struct wt_params *out, struct wt_error *err) WT_MUST_CHECK;

#endif
