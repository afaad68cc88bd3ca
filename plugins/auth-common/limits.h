/* SPDX-License-Identifier: MIT
 *
 * limits.h: what both methods allow, and for how long.
 */
#ifndef WT_AUTH_COMMON_LIMITS_H
#define WT_AUTH_COMMON_LIMITS_H

#define CHANNELS_MAX 2u /* WT_CHANNEL_STREAM, WT_CHANNEL_DATAGRAM */

/* How far an initiator's clock may be off before it must show that it can
 * receive: wide enough for machines without NTP, short enough to bound replays. */
#define CLOCK_TOLERANCE_MS 60000u
/* Ephemerals of a peer that are remembered, so that a copy of an M1 costs no
 * Diffie-Hellman even where a token stands in for its time. */
#define SEEN_MAX 8u
/* A stored M2 is sent again at most once in this time. */
#define REPEAT_MS 1000u
/* How long an M2 waits for the initiator's proof. */
#define PENDING_MS 20000u

/* The secret of tokens and cookies turns once in the longest life of a token,
 * so the one before is always enough. */
#define FLOOD_SECRET_MS 120000u
/* More valid mac1 in a second than this is a flood: an M2 costs a core 0.2 ms,
 * so that less than a tenth of one goes to handshakes nobody waits for. */
#define LOAD_PER_SECOND 256u
/* What a source may do in a flood, once it showed that it can receive. */
#define LOAD_RATE 20u
#define LOAD_BURST 5u

#endif
