/* SPDX-License-Identifier: MIT
 *
 * hmac.h: the instance, and the calls between its rooms. Each of the two ends
 * is a file of its own; both work on a peer whose lock the caller holds or
 * that wt_peers_find locked.
 */
#ifndef WT_HMAC_HMAC_H
#define WT_HMAC_HMAC_H

#include "auth-common/verdict.h"
#include "peers.h"
#include "schedule.h"
#include "sealed.h"
#include "token.h"

struct wt_hmac {
	const struct wt_host *host;
	struct wt_primitives primitives;
	struct wt_domain domain;
	uint8_t h0[CHANNELS_MAX][HASH_SIZE]; /* by channel - 1 */
	uint32_t dh_counter;		     /* X25519 results computed */
	struct wt_hmac_peers peers;
	struct wt_flood flood;
};

/* ---- plugin.c: small things both ends need -------------------------------- */

/* For a failed ck: an all-zero result is the peer's doing, the rest ours. */
enum wt_auth_reason wt_hmac_reason(enum wt_status status);
/* Say in `out` which handshake this is about. */
void wt_hmac_identify(struct wt_auth_out *out, struct wt_hmac_handshake *handshake);
/* Put a slot back to idle; nothing of the handshake is left. */
void wt_hmac_forget(const struct wt_hmac *hmac, struct wt_hmac_handshake *handshake);
/* wt_schedule_ck, counted. */
enum wt_status wt_hmac_exchange(const struct wt_hmac *hmac, struct wt_worker *worker,
				const struct wt_secrets *secrets, const uint8_t *private_key,
				const uint8_t *point, uint8_t ck[HASH_SIZE]) WT_MUST_CHECK;

/* ---- initiator.c: the end that dials; its peer is locked ------------------- */

enum wt_auth_verdict wt_initiator_start(struct wt_hmac *hmac, struct wt_worker *worker,
					struct wt_hmac_peer *peer,
					const struct wt_auth_start *start, struct wt_auth_out *out);
/* `in` is for this handshake's index and channel. */
enum wt_auth_verdict wt_initiator_receive(struct wt_hmac *hmac, struct wt_worker *worker,
					  struct wt_hmac_handshake *handshake,
					  const struct wt_auth_in *in, struct wt_auth_out *out);

/* ---- responder.c: the end that waits --------------------------------------- */

/* Finds and locks the peer itself. `in` is of a known channel. */
enum wt_auth_verdict wt_responder_accept(struct wt_hmac *hmac, struct wt_worker *worker,
					 const struct wt_auth_in *in, struct wt_auth_out *out);
/* As wt_initiator_receive. */
enum wt_auth_verdict wt_responder_receive(struct wt_hmac *hmac, struct wt_hmac_handshake *handshake,
					  const struct wt_auth_in *in, struct wt_auth_out *out);

#endif
