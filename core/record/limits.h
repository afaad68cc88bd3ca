/* SPDX-License-Identifier: MIT
 *
 * limits.h: the numbers of docs/protocol.md "Keys, sessions, life", each once.
 * Sizes of the wire itself are in <whispertunnel/wire.h>.
 */
#ifndef WT_RECORD_LIMITS_H
#define WT_RECORD_LIMITS_H

#include <stddef.h>
#include <stdint.h>
#include <whispertunnel/wire.h>

/* ---- how much one key may seal ------------------------------------------- */

/* What a record costs its key: the AES blocks that GCM computes for it, one
 * for the tag and one for each 16 bytes begun. `text_len` is at most
 * WT_RECORD_MAX, so the sum does not overflow. */
static inline uint64_t wt_record_units(size_t text_len)
{
	return 1u + ((uint64_t)text_len + 15u) / 16u;
}

/* 2^35 blocks keep the advantage of telling GCM from random below
 * (2^35)^2 / 2^129 = 2^-59. The rekey at half of it leaves, at 16 Gbit/s, two
 * minutes for a handshake before anything stops. The record that reaches the
 * sum is the last, so it is overshot by less than 4,100. */
#define WT_REKEY_UNITS (UINT64_C(1) << 34)
#define WT_STOP_UNITS (UINT64_C(1) << 35)
/* The first counter that does not exist: one more and it would wrap. The units
 * end a key long before; this stands behind them, and a peer is held to it. */
#define WT_COUNTER_END UINT64_MAX
/* Datagrams: a forgery of the longest record succeeds with less than 2^13 /
 * 2^128, so one of 2^36 with less than 2^-79. */
#define WT_OPEN_FAILURES_MAX (UINT64_C(1) << 36)
/* Streams: TCP delivers what was sent, so the first failure is an attack. */
#define WT_OPEN_FAILURES_STREAM 1u

/* ---- how long one key may live (CLOCK_BOOTTIME) -------------------------- */

/* Forward secrecy by the two minutes; the jitter keeps a server's thousand
 * diallers from returning in one moment. */
#define WT_REKEY_AFTER_MS 120000u
#define WT_REKEY_JITTER_MS 10000u
/* A minute for the handshake to succeed, then the sender stops. */
#define WT_SEND_REFUSE_MS 180000u
/* A datagram is late by seconds at most. On a stream the record may have
 * waited in the sender's buffers behind a slow link: three lives of a key. */
#define WT_RECV_REFUSE_DATAGRAM_MS 180000u
#define WT_RECV_REFUSE_STREAM_MS 540000u
/* With no handshake since, nothing of the session is left to use. */
#define WT_WIPE_AFTER_MS 540000u
/* Datagrams sealed before the switch may still arrive this long after it; also
 * how long a replaced session still receives. */
#define WT_PREVIOUS_MS 15000u
/* A responder's unconfirmed keys. Longer than the dialler's repeats of M3. */
#define WT_PENDING_MS 20000u

/* ---- handshakes ---------------------------------------------------------- */

/* A key is replaced on the other end's demand when it is this old: who keeps
 * asking costs one handshake a second. */
#define WT_REKEY_EARLIEST_MS 1000u
/* What one connection may begin, in first messages: rekey_after = 1, with a
 * RETRY each time, and some in a row after a stall. */
#define WT_ACCEPT_PER_SECOND 2u
#define WT_ACCEPT_BURST 5u

/* Datagrams: so often one M1 is sent, in 1.7 s, before another takes its place.
 * Fewer, and M2 would never be repeated, for which R takes a second. */
#define WT_M1_SENDS 4u
/* From so many first messages without an answer on, each is a new one: the
 * method's other tags and keys have their turns. */
#define WT_M1_SILENT 3u
/* Datagrams: the other end accepted nothing for WT_DEAD_PEER_MS, and then a
 * handshake got no answer for so long: look for it elsewhere. */
#define WT_DEAD_HANDSHAKE_MS 15000u
/* Streams: no M2 after this long means a dead connection. A rekey waits
 * longer, for M1 queues behind records already written. */
#define WT_HANDSHAKE_MS 5000u
/* One of a peer's lanes asks again so long after another had the turn. */
#define WT_LANE_WAIT_MS 50u
#define WT_REKEY_HANDSHAKE_MS 60000u
/* REKEY is asked again, and M3 or the confirming 0x00 record repeated, at this
 * pace, M3 five times. */
#define WT_REPEAT_MS 1000u
#define WT_M3_REPEATS 5u
/* Dialling and handshake retries; the last value repeats for ever, spread
 * by +- WT_RETRY_SPREAD_PERCENT so that peers fall out of step. */
#define WT_RETRY_MS                                                                                \
	{                                                                                          \
		200u, 500u, 1000u, 2000u, 5000u                                                    \
	}
#define WT_RETRY_COUNT 5u
#define WT_RETRY_SPREAD_PERCENT 20u
/* A transport has time limits of its own for a dial; one that says nothing for
 * so long is not waited for. */
#define WT_DIAL_MS 15000u
/* Datagrams: a first handshake that has somewhere else to go gets no more. What is
 * said is said four times by then. */
#define WT_ELSEWHERE_MS 3000u
/* While a peer is up over an endpoint that is not the best, the better ones are
 * tried so often; twice as rarely after each one that was taken and fell silent
 * within the time below, until one lasts. */
#define WT_SEEK_MS 30000u
#define WT_SEEK_MOST_MS 600000u
#define WT_SEEK_LASTS_MS 60000u
/* policy = latency: better is to answer in less than four fifths of the time, so
 * that two alike do not take turns. */
#define WT_SEEK_FASTER_PERCENT 80u
/* A session that ends sooner counts as a failed attempt: the next one waits as
 * after the one before. */
#define WT_SHORT_LIFE_MS 5000u
/* A dialler that was replaced without having done so itself: another holds
 * its key, and two of them must not throw each other out in a loop. */
#define WT_REPLACED_WAIT_MS 60000u

/* ---- liveness ------------------------------------------------------------ */

/* Something was received and nothing sent since: say that we live. */
#define WT_KEEPALIVE_PASSIVE_MS 3000u
/* Something was sent and nothing accepted since: longer than the passive
 * keepalive and a round trip. */
#define WT_DEAD_PEER_MS 5000u
/* `keepalive =` of a dialler over datagrams: below the 30 s after which common
 * NATs forget a UDP mapping. */
#define WT_KEEPALIVE_DATAGRAM_S 25u
/* Datagrams: CLOSE is sent three times, as any one may be lost. */
#define WT_CLOSE_REPEATS 3u
#define WT_CLOSE_REPEAT_MS 50u

/* ---- the log -------------------------------------------------------------- */

/* What it says of a peer: one that ends and comes again each second is worth
 * reading, and a day of them is 30 MB. */
#define WT_NOTICES 30u
#define WT_NOTICES_MS 10000u

/* ---- path (datagrams) ---------------------------------------------------- */

/* The largest record on a path that nothing is known of: an inner packet of
 * 1280 bytes, which IPv6 demands of every link (RFC 8200 section 5). */
#define WT_PATH_RECORD_BASE (WT_RECORD_HEADER + 1u + 1280u + WT_TAG_SIZE)
_Static_assert(WT_PATH_RECORD_BASE == 1313, "docs/protocol.md says 1313");
/* Where not even that arrives. RFC 9000 section 14 asks the same of a path. */
#define WT_PATH_RECORD_FLOOR 1200u
/* A probe without an answer is repeated; the time is the least that RFC 8899
 * section 5.1.1 allows, the number is that of section 5.1.2. */
#define WT_PROBE_MS 1000u
#define WT_PROBE_TRIES 3u
/* Sizes nearer to each other than this are not told apart. */
#define WT_PROBE_STEP 8u
/* Large records are being sent: that they still arrive is asked so long after
 * the first of them, then six times in quick succession: a path that takes less
 * than before is noticed 4.5 s after it does. Six, because at a loss of 10 %
 * three would fail together every few minutes. */
#define WT_CONFIRM_AFTER_MS 1500u
#define WT_CONFIRM_MS 500u
#define WT_CONFIRM_TRIES 6u
/* Nothing at all was answered, so nothing was learned of sizes: again. */
#define WT_PROBE_SILENT_MS 5000u
/* RFC 8899 section 5.1.1, PMTU_RAISE_TIMER. */
#define WT_PROBE_RAISE_MS 600000u
/* Not even the floor arrives: from the start again. */
#define WT_PROBE_UNUSABLE_MS 60000u

/* Another address is asked whether the peer is there, so often and so far apart;
 * then for an answer as long as a slow path needs. */
#define WT_PATH_CHALLENGE_MS                                                                       \
	{                                                                                          \
		0u, 250u, 500u, 1000u                                                              \
	}
#define WT_PATH_CHALLENGES 4u
#define WT_PATH_CHECK_MS 3000u
/* Between the beginnings of two checks: a path that flaps with every record
 * costs eight small records a second. */
#define WT_PATH_PAUSE_MS 1000u
/* To an address that is not validated goes at most this multiple of what came
 * from it in records that opened (RFC 9000 section 8). */
#define WT_PATH_AMPLIFY 3u

/* ---- before authentication (streams) ------------------------------------- */

#define WT_HALF_OPEN_MAX 256u
#define WT_HALF_OPEN_PER_SOURCE 8u
#define WT_HALF_OPEN_MS 5000u

/* ---- parameters ---------------------------------------------------------- */

/* The smallest inner MTU is IPv4's 576; a record for it is header, kind,
 * packet and tag. */
#define WT_INNER_MTU_MIN 576u
#define WT_INNER_MTU_MAX 65535u
#define WT_PACKET_OVERHEAD (WT_RECORD_HEADER + 1u + WT_TAG_SIZE)
#define WT_PARAMS_RECORD_MIN (WT_PACKET_OVERHEAD + WT_INNER_MTU_MIN)
#define WT_PARAMS_RECORD_MAX WT_RECORD_MAX
_Static_assert(WT_PARAMS_RECORD_MIN == 609, "docs/protocol.md says 609");
_Static_assert(WT_PARAMS_RECORD_MAX == 65570, "docs/protocol.md says 65570");

/* ---- replay window (datagrams) ------------------------------------------- */

/* Usable positions. 8192 datagrams of 1,400 bytes are 9 ms of reordering at
 * 10 Gbit/s, in one KB; eight times that for links that are bonded of slower
 * ones. */
#define WT_REPLAY_MIN 64u
#define WT_REPLAY_DEFAULT 8192u
#define WT_REPLAY_MAX 65536u

#endif
