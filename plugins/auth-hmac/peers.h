/* SPDX-License-Identifier: MIT
 *
 * peers.h: the state of one peer, and how a message finds it.
 *
 * A struct wt_hmac_peer lies in the memory the host gave and holds all that
 * the method knows of that peer. Its lock is held from the moment a message
 * found it until the answer is complete: one critical section per peer.
 *
 * The table maps the tags that are valid now to peers: for each key those of
 * the previous, the current and the next hour, and the static one. It is
 * brought up to date when the hour turns; a look-up costs one hash bucket.
 * Nothing is allocated for a message.
 *
 * Locks: the table's, then a peer's. A look-up takes the peer's before it lets
 * go of the table's, so peer_remove cannot overtake it.
 */
#ifndef WT_HMAC_PEERS_H
#define WT_HMAC_PEERS_H

#include <pthread.h>
#include <stdbool.h>
#include <whispertunnel/auth.h>

#include "auth-common/answered.h"
#include "schedule.h"

#define KEY_CURRENT 0u /* psk_file */
#define KEY_NEXT 1u    /* psk_file_next */
#define KEYS_MAX 2u

#define TAG_HOURS 3u	     /* one for each residue of the hour */
#define TAG_STATIC TAG_HOURS /* and the one that needs no clock */
#define TAGS_MAX (TAG_HOURS + 1u)

struct wt_hmac_peer;

struct wt_hmac_tag {
	struct wt_hmac_tag *next; /* in its bucket */
	struct wt_hmac_peer *peer;
	uint64_t time; /* hour, or STATIC_TAG_TIME */
	uint8_t value[TAG_SIZE];
	uint8_t key; /* KEY_* */
	bool listed;
};

enum wt_hmac_state {
	STATE_IDLE = 0,
	STATE_SENT,    /* I: M1 is out */
	STATE_RETRIED, /* I: M1 is out again, with a token */
	STATE_PENDING, /* R: M2 is out */
	STATE_DONE     /* R: M3 came (I forgets all at M2) */
};

/* One handshake a channel. A peer is dialled or accepted, never both, so each
 * slot serves one role. */
struct wt_hmac_handshake {
	struct wt_hmac_peer *peer; /* set by peer_add, never changed */
	uint32_t channel;	   /* likewise */
	uint32_t state;
	uint32_t local_index;
	uint32_t key; /* I: KEY_* it is made with */
	uint8_t h1[HASH_SIZE];
	union {
		struct {
			uint8_t e[POINT_SIZE];
			uint8_t m1[M1_SIZE];
		} initiator;
		struct {
			struct wt_answered answered;
			uint8_t proof_i[HASH_SIZE]; /* what M3 must show */
			uint8_t m2[M2_SIZE];
		} responder;
	} u;
};

struct wt_hmac_peer {
	pthread_mutex_t lock;
	struct wt_hmac_peer *before, *after; /* the table's list */
	const char *name;		     /* of [peer NAME]; lives as long as the peer */
	uint32_t id;
	uint32_t roles;	       /* WT_PEER_* */
	uint32_t key_count;    /* 1, or 2 with psk_file_next */
	uint32_t preferred;    /* I: the key that was answered last */
	uint64_t clock_offset; /* I: R's clock less ours, ms, modulo 2^64 */
	uint64_t last_time;    /* R: the latest time accepted, unix ms */
	uint64_t seen_count;   /* R: e_i that ever got an M2; the last are in `seen` */
	uint8_t seen[SEEN_MAX][POINT_SIZE];
	struct wt_secrets keys[KEYS_MAX];
	struct wt_hmac_tag tags[KEYS_MAX][TAGS_MAX];
	struct wt_hmac_handshake handshakes[CHANNELS_MAX];
};

struct wt_hmac_peers {
	pthread_mutex_t lock;
	uint64_t hour; /* the table holds hour - 1 .. hour + 1 */
	size_t bucket_count, tag_count;
	struct wt_hmac_tag **buckets; /* NULL while there is no peer */
	struct wt_hmac_peer *first;
	struct wt_hmac_peer decoy; /* found when a tag is nobody's; its key is random */
};

enum wt_status wt_peers_init(struct wt_hmac_peers *peers, const struct wt_host *host) WT_MUST_CHECK;
/* No peer is left. */
void wt_peers_free(struct wt_hmac_peers *peers);

/* Enter `peer`, whose name, keys, key_count and the peer and key of whose tags
 * are set. WT_ERR_CONFIG when one of its keys is also another's, and err names
 * both; then, and on any failure, the peer is not in the table. */
enum wt_status wt_peers_add(struct wt_hmac_peers *peers, const struct wt_primitives *p,
			    struct wt_hmac_peer *peer, uint64_t unix_ms,
			    struct wt_error *err) WT_MUST_CHECK;
/* Take it out; when this returns no message holds it. */
void wt_peers_remove(struct wt_hmac_peers *peers, struct wt_hmac_peer *peer);

/* Whose tag is this? The peer, with its lock held, and the key in *key. When it
 * is nobody's, the same of the decoy: what follows takes as long as for a
 * peer, or the time would tell which tags are in use. */
struct wt_hmac_peer *wt_peers_find(struct wt_hmac_peers *peers, const struct wt_primitives *p,
				   const struct wt_host *host, const uint8_t tag[TAG_SIZE],
				   uint32_t *key);

#endif
