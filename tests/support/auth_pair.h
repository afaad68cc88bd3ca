/* SPDX-License-Identifier: MIT
 *
 * auth_pair.h: a dialling and a waiting end of one auth plugin that know each
 * other, one peer each, and what differs between the methods, so that one test
 * can try the same thing on all of them.
 */
#ifndef WT_TEST_SUPPORT_AUTH_PAIR_H
#define WT_TEST_SUPPORT_AUTH_PAIR_H

#include "support/auth_rig.h"

struct wt_auth_method {
	const char *name;
	uint8_t number; /* byte 2 of its messages */
	/* Bytes of each message. ANSWER is RETRY or COOKIE; m3 is 0 where the
	 * first record is the proof. */
	uint32_t m1, answer, m2, m3;
	/* Bytes at the end of M1 whose change is answered instead of dropped. */
	uint32_t m1_tail;
	/* Bytes at the end of M2 that only a Diffie-Hellman can check. */
	uint32_t m2_tail;
	/* X25519 results: for a handshake at either end, for M2 at I, and for R
	 * to see who wrote an M1. */
	unsigned dh_i, dh_r, dh_m2, dh_look;
	/* What is said of an M1 that came back to its author, of one from
	 * another channel or realm, of an ANSWER and an M2 of another run. */
	enum wt_auth_reason reflected, other_channel, other_realm, other_answer, other_m2;
};

extern const struct wt_auth_method wt_auth_hmac, wt_auth_noise;

struct wt_auth_pair {
	const struct wt_auth_method *method;
	struct wt_auth_rig i, r;
	void *peer_i, *peer_r;
	uint32_t channel;
	uint32_t next_index;
	uint8_t params_i[WT_PARAMS_SIZE], params_r[WT_PARAMS_SIZE];
	/* The settings of both ends: their sections, I's peer and R's. */
	struct wt_auth_settings section_i, section_r, office, alice;
	uint8_t public_i[32], public_r[32];
	/* The last of each message, as its maker wrote it, and what it led to. */
	struct wt_auth_said m1, m2, m3, done;
};

#define WT_AUTH_PAIR_BOOT_MS UINT64_C(5000000)
#define WT_AUTH_PAIR_UNIX_MS (UINT64_C(1767225600000) + 1800000u) /* half past an hour */
#define WT_AUTH_PAIR_ID_I 71u /* the responder's peer_id for the initiator */
#define WT_AUTH_PAIR_ID_R 72u /* the initiator's for the responder */

extern const uint8_t wt_auth_pair_psk[32];
extern const uint8_t wt_auth_pair_private_i[32], wt_auth_pair_private_r[32];

/* Both ends, clocks equal. */
void wt_auth_pair_open(struct wt_auth_pair *pair, const struct wt_auth_method *method,
		       uint32_t channel);
/* The same with a pre-shared key, which auth-hmac has anyway. */
void wt_auth_pair_open_psk(struct wt_auth_pair *pair, const struct wt_auth_method *method,
			   uint32_t channel);
void wt_auth_pair_close(struct wt_auth_pair *pair);
void wt_auth_pair_advance(struct wt_auth_pair *pair, uint64_t ms);

/* One end dies and starts again: all it knew is gone. */
void wt_auth_pair_restart(struct wt_auth_pair *pair, bool responder);
/* Both die, and both start again. */
void wt_auth_pair_stop(struct wt_auth_pair *pair);
void wt_auth_pair_begin(struct wt_auth_pair *pair);

/* The steps, with the message of the step before; fresh indices. Where there is
 * no M3 its step is what the core does when the first record opens: the keys
 * must be equal (or the verdict is IGNORE), and the handshake is abandoned. */
enum wt_auth_verdict wt_auth_pair_start(struct wt_auth_pair *pair, uint32_t unanswered);
enum wt_auth_verdict wt_auth_pair_accept(struct wt_auth_pair *pair);
enum wt_auth_verdict wt_auth_pair_m2(struct wt_auth_pair *pair);
enum wt_auth_verdict wt_auth_pair_m3(struct wt_auth_pair *pair);
/* From m1 on: the rest of the handshake succeeds and both ends hold equal keys. */
void wt_auth_pair_finish(struct wt_auth_pair *pair);
/* All four. */
void wt_auth_pair_run(struct wt_auth_pair *pair);
/* R's clock is 100 s off: M1 gets an ANSWER, which is in m2. */
void wt_auth_pair_until_answer(struct wt_auth_pair *pair);
/* I takes the ANSWER: m1 is the M1 that shows what it brought. */
void wt_auth_pair_take_answer(struct wt_auth_pair *pair);

/* The message was dropped for `reason` (WT_REASON_NONE: for any but INTERNAL):
 * no reply, no keys, nobody vouched for. */
void wt_auth_assert_dropped(enum wt_auth_verdict verdict, const struct wt_auth_said *out,
			    enum wt_auth_reason reason);
/* The same of a message given to the waiting end as a stranger's first one, to
 * the handshake of m1 at I, and to that of m2 at R. */
typedef void wt_auth_pair_drops_fn(struct wt_auth_pair *pair, const uint8_t *message, size_t len,
				   enum wt_auth_reason reason);
wt_auth_pair_drops_fn wt_auth_pair_r_drops_first, wt_auth_pair_i_drops, wt_auth_pair_r_drops;

/* A file of tests over a global `pair`: WT_AUTH_TEST(function, hmac, STREAM). */
struct wt_auth_case {
	const struct wt_auth_method *method;
	uint32_t channel;
};
#define WT_AUTH_TEST(test, method_, channel_)                                                      \
	{                                                                                          \
#test ": " #method_ ", " #channel_, test, open_pair, close_pair,                   \
			&(struct wt_auth_case)                                                     \
		{                                                                                  \
			&wt_auth_##method_, WT_CHANNEL_##channel_                                  \
		}                                                                                  \
	}

#endif
