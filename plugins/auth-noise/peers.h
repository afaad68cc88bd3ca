/* SPDX-License-Identifier: MIT
 *
 * peers.h: the state of one peer, and how a message finds it.
 *
 * A struct wt_noise_peer lies in the memory the host gave and holds all that
 * the method knows of that peer. Its lock is held from the moment a message
 * found it until the answer is complete: one critical section per peer.
 *
 * Two tables: of the peers by their public keys, and of the ephemeral keys of
 * the last SEEN_MAX first messages of each peer that got an M2, so that a copy
 * of one is known before any Diffie-Hellman. Nothing is allocated for a message.
 *
 * Locks, in this order: the peers', then a peer's, then that of what was seen.
 * A look-up takes the peer's before it lets go of the peers', so peer_remove
 * cannot overtake it.
 */
#ifndef WT_NOISE_PEERS_H
#define WT_NOISE_PEERS_H

#include <pthread.h>
#include <stdbool.h>
#include <whispertunnel/auth.h>

#include "auth-common/answered.h"
#include "ikpsk2.h"
#include "macs.h"
#include "stamp.h"

struct wt_noise_peer;

enum wt_noise_state {
	STATE_IDLE = 0,
	STATE_SENT,   /* I: M1 is out */
	STATE_PENDING /* R: M2 is out */
};

/* One handshake a channel. A peer is dialled or accepted, never both, so each
 * slot serves one role. */
struct wt_noise_handshake {
	struct wt_noise_peer *peer; /* set by peer_add, never changed */
	uint32_t channel;	    /* likewise */
	uint32_t state;
	uint32_t local_index;
	union {
		struct {
			struct wt_ik ik; /* after M1 */
			uint8_t m1[M1_SIZE];
			uint8_t cookie[COOKIE_SIZE]; /* the last one */
			uint32_t cookies;	     /* that were taken */
		} initiator;
		struct {
			struct wt_answered answered;
			uint8_t m1_hash[HASH_SIZE]; /* of M1 up to mac1 */
			uint8_t m2[M2_SIZE];
		} responder;
	} u;
};

/* One ephemeral key that got its M2. */
struct wt_noise_seen {
	struct wt_noise_seen *next; /* in its bucket */
	const struct wt_noise_peer *peer;
	uint8_t e[POINT_SIZE];
	bool listed;
};

struct wt_noise_peer {
	pthread_mutex_t lock;
	struct wt_noise_peer *next; /* in its bucket */
	const char *name;	    /* of [peer NAME]; lives as long as the peer */
	uint32_t id;
	uint32_t roles; /* WT_PEER_* */
	uint8_t public_key[POINT_SIZE];
	uint8_t ss[POINT_SIZE];	   /* X25519 of its static key and ours */
	uint8_t psk[PSK_SIZE];	   /* zeros without one */
	struct wt_mac_keys macs;   /* of messages to it and COOKIEs of it */
	struct wt_stamp last_sent; /* I: in our last M1 */
	struct wt_stamp last_seen; /* R: the latest time accepted */
	uint64_t seen_count;	   /* R: e that ever got an M2; the last are in `seen` */
	struct wt_noise_seen seen[SEEN_MAX];
	struct wt_noise_handshake handshakes[CHANNELS_MAX];
};

struct wt_noise_peers {
	pthread_mutex_t lock;
	size_t bucket_count, peer_count;
	struct wt_noise_peer **by_key; /* NULL while there is no peer */
	uint64_t spread;	       /* random: makes buckets of keys that others choose */

	pthread_mutex_t seen_lock;
	size_t seen_bucket_count;
	struct wt_noise_seen **by_e;

	struct wt_noise_peer decoy; /* found when a key is nobody's; its ss is random */
};

enum wt_status wt_noise_peers_init(struct wt_noise_peers *peers,
				   const struct wt_host *host) WT_MUST_CHECK;
/* No peer is left. */
void wt_noise_peers_free(struct wt_noise_peers *peers);

/* Enter `peer`, whose name and public key are set. WT_ERR_CONFIG when another
 * has that key, and err names both; WT_ERR_NOMEM. */
enum wt_status wt_noise_peers_add(struct wt_noise_peers *peers, struct wt_noise_peer *peer,
				  struct wt_error *err) WT_MUST_CHECK;
/* Take it out; when this returns no message holds it. */
void wt_noise_peers_remove(struct wt_noise_peers *peers, struct wt_noise_peer *peer);

/* Whose public key is this? The peer, with its lock held. When it is nobody's,
 * the decoy, locked: what follows takes as long as for a peer, or the time would
 * tell which keys are known here. */
struct wt_noise_peer *wt_noise_peers_find(struct wt_noise_peers *peers,
					  const uint8_t public_key[POINT_SIZE]);

/* The public key of the peer that a remembered `e` belongs to; false: there is
 * none. No lock is held before or after. */
bool wt_noise_peers_seen(struct wt_noise_peers *peers, const uint8_t e[POINT_SIZE],
			 uint8_t public_key[POINT_SIZE]);
/* Remember `e` in place of the oldest; `peer` is locked. */
void wt_noise_peers_remember(struct wt_noise_peers *peers, struct wt_noise_peer *peer,
			     const uint8_t e[POINT_SIZE]);

#endif
