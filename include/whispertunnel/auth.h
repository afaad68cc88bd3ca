/* SPDX-License-Identifier: MIT
 *
 * auth.h: the contract of an auth plugin, one handshake method.
 *
 * A handshake is an exchange of messages that ends with the peer's identity
 * and, for each direction, a fresh key and IV. The plugin decides who is
 * believed; it keeps no connection, sends nothing itself and never blocks.
 * Indices, retries, half-open limits, sessions and time-outs are the core's.
 *
 * Life: create() -> peer_add() for every peer -> handshakes -> peer_remove()
 * of every peer -> destroy(). Per peer the host gives `peer_size` bytes of
 * zeroed secret memory, which hold all the state of that peer: the plugin
 * allocates nothing for a message. A handshake is a pointer of the plugin's
 * into that memory, NULL never.
 *
 * create() also runs where a configuration is only checked: without an engine
 * (no AEAD, no timers), peers are added and removed, and no handshake is made.
 * Two instances of one section may exist at a time.
 *
 * Threads: create, destroy, peer_add and peer_remove are called on the main
 * thread, and no handshake runs with a peer while it is removed; peers are added
 * and removed before and after all handshakes. start, accept, receive and
 * abandon are called on a worker's thread and must not block. Several workers
 * may call at once, also about one peer: the plugin makes each call one critical
 * section per peer (a mutex of its own, held briefly).
 *
 * Messages are whole, header included; their layout after the header is the
 * method's own. Every input is hostile. Of the header the core has checked all
 * but the step: type, version and method are right, and the receiver index is 0
 * for accept() and the handshake's local_index for receive().
 *
 * All pointers of struct wt_auth_start and struct wt_auth_in are valid during
 * the call: who says WT_AUTH_PENDING copies what it needs later.
 */
#ifndef WHISPERTUNNEL_AUTH_H
#define WHISPERTUNNEL_AUTH_H

#include <whispertunnel/host.h>
#include <whispertunnel/plugin.h>
#include <whispertunnel/wire.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a message led to. */
enum wt_auth_verdict WT_ENUM_BASE {
	/* Nothing: dropped, for out->reason. */
	WT_AUTH_IGNORE = 0,
	/* Of accept() only: a reply to be sent, no state kept (a RETRY or cookie). */
	WT_AUTH_ANSWER = 1,
	/* A handshake goes on: out->handshake, and a reply if reply_len > 0. */
	WT_AUTH_MORE = 2,
	/* Of receive() only: the peer is proven; a last reply if reply_len > 0. */
	WT_AUTH_DONE = 3,
	/* Of accept() and receive(): the host's auth_complete will say later, and
	 * `out` is not looked at. Until then other messages of the connection are
	 * refused, but for a first one that came as a datagram: if it is accepted,
	 * its handshake takes the place of the one that waits. Not of accept() with
	 * a datagram: the host keeps nothing for a stranger, and there is no ticket. */
	WT_AUTH_PENDING = 4
};

/* Why a message was dropped: each is a counter and, with the source, a
 * rate-limited log line. Values are part of the ABI. */
enum wt_auth_reason WT_ENUM_BASE {
	WT_REASON_NONE = 0,
	WT_REASON_LENGTH = 1,	    /* not the length of that step */
	WT_REASON_STEP = 2,	    /* no such step, or not in this state */
	WT_REASON_UNKNOWN_PEER = 3, /* the tag or key belongs to nobody */
	WT_REASON_BAD_MAC = 4,	    /* a MAC did not verify */
	WT_REASON_BAD_SEAL = 5,	    /* a sealed field did not open */
	WT_REASON_REPLAY = 6,	    /* seen before */
	WT_REASON_CLOCK = 7,	    /* time too far off; out->clock_off_ms */
	WT_REASON_TOKEN = 8,	    /* a token that is not valid now */
	WT_REASON_RATE = 9,	    /* too many of them */
	WT_REASON_PARAMS = 10,	    /* parameters the host refused */
	WT_REASON_BOTH_DIAL = 11,   /* from a peer that this end dials, or reflected */
	WT_REASON_WEAK_POINT = 12,  /* Diffie-Hellman gave all zero */
	WT_REASON_LOAD = 13,	    /* answered with a token because of load */
	WT_REASON_INTERNAL = 14	    /* a library failed */
};

/* `roles` of a peer: exactly one of these. */
#define WT_PEER_DIALS 1u   /* this end has an endpoint for the peer */
#define WT_PEER_ACCEPTS 2u /* this end waits for the peer */

#define WT_AUTH_MESSAGE_MAX WT_UNAUTHENTICATED_MAX

/* What the core knows at the start of a handshake of ours. */
struct wt_auth_start {
	uint32_t struct_size;
	uint32_t channel;      /* WT_CHANNEL_* */
	uint32_t local_index;  /* fresh, non-zero; goes into sender_index */
	uint32_t unanswered;   /* first messages to this peer without any answer */
	const uint8_t *params; /* WT_PARAMS_SIZE bytes: what the peer is told of ours */
};

/* One message that came in. */
struct wt_auth_in {
	uint32_t struct_size;
	uint32_t channel; /* WT_CHANNEL_* */
	const uint8_t *message;
	uint32_t message_len;	      /* WT_MESSAGE_HEADER..WT_AUTH_MESSAGE_MAX */
	uint32_t local_index;	      /* accept(): a fresh one, for a new handshake */
	uint64_t association;	      /* stream: the connection's number, never 0 and
				       * never reused; datagram: 0 */
	uint64_t ticket;	      /* for WT_AUTH_PENDING; accept() with a datagram: 0 */
	const uint8_t *source;	      /* opaque; what a token is bound to */
	uint32_t source_len;	      /* 0..32 */
	uint32_t source_prefix_len;   /* 0..32 */
	const uint8_t *source_prefix; /* what a rate limit counts */
};

/* A known peer is at the other end now: its MAC or signature verified over a
 * message that cannot be a replay. The connection is no longer a stranger's
 * (it leaves the half-open table). */
#define WT_AUTH_OUT_AUTHENTIC 1u
/* `peer_params`, keys and IVs are set. With WT_AUTH_MORE at the accepting end
 * they are not confirmed: the core receives under them and sends nothing until
 * DONE, or until a record under them opened, whichever is first. A method to
 * which holding the keys is not enough gives them with DONE. */
#define WT_AUTH_OUT_KEYS 2u
/* The reply was sent before, for the same handshake and index. */
#define WT_AUTH_OUT_REPEATED 4u
/* `peer_id` is set: the peer that the message names and whose MAC or signature
 * verified, though the message may be an old copy. For logs and counters. */
#define WT_AUTH_OUT_PEER 8u

/* What a message led to, or start(). The caller zeroes it and sets struct_size,
 * reply and reply_capacity; the plugin fills in what its verdict needs, leaves
 * those three alone and writes nothing beyond struct_size (WT_HAS). The caller
 * wipes it. */
struct wt_auth_out {
	uint32_t struct_size;
	uint32_t flags;		 /* WT_AUTH_OUT_* */
	uint32_t reason;	 /* enum wt_auth_reason, also beside an ANSWER */
	uint32_t peer_id;	 /* with flag PEER, which MORE and DONE must have */
	uint32_t local_index;	 /* ours in this handshake (MORE, DONE): accept()'s own */
	uint32_t remote_index;	 /* the peer's, not 0 (with KEYS) */
	int64_t clock_off_ms;	 /* with WT_REASON_CLOCK: peer's time less ours, milliseconds */
	void *handshake;	 /* MORE, DONE: for receive and abandon, in the peer's memory */
	uint8_t *reply;		 /* the caller's buffer, for a whole message */
	uint32_t reply_capacity; /* its bytes, at least WT_AUTH_MESSAGE_MAX */
	uint32_t reply_len;	 /* 0: there is none */
	uint8_t peer_params[WT_PARAMS_SIZE];
	uint8_t send_key[WT_KEY_SIZE]; /* both directions have keys of their own */
	uint8_t recv_key[WT_KEY_SIZE];
	uint8_t send_iv[WT_NONCE_SIZE];
	uint8_t recv_iv[WT_NONCE_SIZE];
};

struct wt_auth_ops {
	uint32_t struct_size;
	/* Header byte 2 of its messages, 1..255, a number of its own: from
	 * WT_METHOD_PRIVATE on for whoever is not given one in docs/registry.md. In
	 * a configuration each method has one section. */
	uint32_t method;
	uint32_t peer_size;  /* bytes of secret memory per peer, 1..65536 */
	uint32_t peer_align; /* a power of two, 1..4096 */

	/* Make the instance; `cfg` is the [auth NAME] section. Required. */
	enum wt_status (*create)(const struct wt_host *host, const struct wt_config *cfg,
				 void **self, struct wt_error *err);
	void (*destroy)(void *self); /* Required. */

	/* A peer that uses this method. `peer` is its memory, `cfg` its keys,
	 * `roles` one of WT_PEER_*; peer_id is the host's number for it, the same
	 * until peer_remove(). WT_ERR_CONFIG with a sentence in err when its
	 * credentials cannot be used (also: equal to another peer's; err names
	 * both). On failure nothing is held, and peer_remove() is not called.
	 * Required. */
	enum wt_status (*peer_add)(void *self, const struct wt_config *cfg, uint32_t peer_id,
				   uint32_t roles, void *peer, struct wt_error *err);
	/* Forget it; the host wipes the memory. Required. */
	void (*peer_remove)(void *self, void *peer);

	/* Begin a handshake: the first message in out->reply, verdict MORE
	 * (or IGNORE with a reason). A handshake of ours with the same peer and
	 * channel that was under way is abandoned. Required. */
	enum wt_auth_verdict (*start)(void *self, struct wt_worker *worker, void *peer,
				      const struct wt_auth_start *start, struct wt_auth_out *out);
	/* A message whose receiver_index is 0: somebody begins. IGNORE, ANSWER,
	 * MORE or PENDING, never DONE: a first message proves nothing that could
	 * not be a copy. The reply to a datagram is never longer than the message,
	 * or it is not sent. Required. */
	enum wt_auth_verdict (*accept)(void *self, struct wt_worker *worker,
				       const struct wt_auth_in *in, struct wt_auth_out *out);
	/* A message for a handshake that is under way or done: IGNORE, MORE, DONE
	 * or PENDING. Required. */
	enum wt_auth_verdict (*receive)(void *self, struct wt_worker *worker, void *handshake,
					const struct wt_auth_in *in, struct wt_auth_out *out);
	/* The core gives a handshake up, or needs it no more, also after DONE:
	 * wipe. A pointer that was since reused for a later handshake is told
	 * apart by local_index and left alone. While receive() is PENDING in it,
	 * its ticket is ignored from now on; an accept() that is PENDING has
	 * given no handshake yet, and when its connection ends nothing is
	 * abandoned. A tester may give a NULL worker. Required. */
	void (*abandon)(void *self, struct wt_worker *worker, void *handshake,
			uint32_t local_index);

	/* For `wtcore genkey` and `pubkey`: a new private key, and the public
	 * one that belongs to it, on the main thread of that command. `host` is a
	 * table without an engine behind it (randomness, memory, log), no instance
	 * is made, and the caller wipes the private key. On failure what is
	 * written is not used, and err, never NULL, says why. Optional, both or
	 * none: WT_ERR_UNSUPPORTED. */
	enum wt_status (*keygen)(const struct wt_host *host, uint8_t private_key[WT_KEY_SIZE],
				 struct wt_error *err);
	enum wt_status (*pubkey)(const struct wt_host *host, const uint8_t private_key[WT_KEY_SIZE],
				 uint8_t public_key[WT_KEY_SIZE], struct wt_error *err);

	/* What an operator compares first when the other end stays silent, as
	 * a phrase without a full stop: "the same psk_file on both ends". A string
	 * constant. Optional. */
	const char *silence_hint;
};

#ifdef __cplusplus
}
#endif

#endif
