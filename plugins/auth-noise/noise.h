/* SPDX-License-Identifier: MIT
 *
 * noise.h: the instance, and the calls between its rooms. Each of the two ends
 * is a file of its own.
 */
#ifndef WT_NOISE_NOISE_H
#define WT_NOISE_NOISE_H

#include "auth-common/realm.h"
#include "auth-common/verdict.h"
#include "peers.h"

/* "WhisperTunnel 1" || LP(realm) || u8 k || M1's first HEAD_SIZE bytes */
#define PROLOGUE_NAME "WhisperTunnel 1"
#define PROLOGUE_MAX (sizeof PROLOGUE_NAME - 1 + 2 + REALM_MAX + 1 + HEAD_SIZE)

struct wt_noise {
	const struct wt_host *host;
	struct wt_primitives primitives;
	struct wt_part realm;
	struct wt_ik_pair us;
	struct wt_mac_keys macs; /* of messages to us and COOKIEs of ours */
	uint32_t dh_counter;	 /* X25519 results computed */
	struct wt_noise_peers peers;
	struct wt_flood flood;
};

/* ---- plugin.c: things both ends need --------------------------------------- */

struct wt_noise_tools wt_noise_tools(const struct wt_noise *noise, struct wt_worker *worker);
/* For a run that failed: an all-zero result or a bad tag is the peer's doing,
 * the rest ours. */
enum wt_auth_reason wt_noise_reason(const struct wt_ik *ik, enum wt_status status);
/* Say in `out` which handshake this is about. */
void wt_noise_identify(struct wt_auth_out *out, struct wt_noise_handshake *handshake);
/* Put a slot back to idle; nothing of the handshake is left. */
void wt_noise_forget(const struct wt_noise *noise, struct wt_noise_handshake *handshake);
/* The prologue of the run that `m1` begins; its length. */
size_t wt_noise_prologue(const struct wt_noise *noise, uint32_t channel, const uint8_t *m1,
			 uint8_t out[PROLOGUE_MAX]);

/* ---- initiator.c: the end that dials; its peer is locked ------------------- */

enum wt_auth_verdict wt_noise_start(struct wt_noise *noise, struct wt_worker *worker,
				    struct wt_noise_peer *peer, const struct wt_auth_start *start,
				    struct wt_auth_out *out);
/* `in` is for this handshake's index and channel. */
enum wt_auth_verdict wt_noise_answered(struct wt_noise *noise, struct wt_worker *worker,
				       struct wt_noise_handshake *handshake,
				       const struct wt_auth_in *in, struct wt_auth_out *out);

/* ---- responder.c: the end that waits --------------------------------------- */

/* Finds and locks the peer itself. `in` is of a known channel. */
enum wt_auth_verdict wt_noise_accept(struct wt_noise *noise, struct wt_worker *worker,
				     const struct wt_auth_in *in, struct wt_auth_out *out);

#endif
