/* SPDX-License-Identifier: MIT
 *
 * keypair.h: the two keys of one handshake, their counters and their limits.
 *
 * Life: wt_keypair_init -> seal and open, any number -> wt_keypair_wipe. All
 * memory is taken at init; seal and open allocate nothing and take no lock.
 * One thread at a time: the worker that owns the session.
 *
 * What is promised, whatever the caller does:
 *  - no nonce seals two texts that leave: the counter moves with every record
 *    that was sealed, never back, and at the limits sealing stops for good;
 *  - nothing is handed out before its tag verified, and nothing a stranger can
 *    send moves the window or the next counter;
 *  - the limits of record/limits.h hold here and need no check elsewhere.
 *
 * docs/protocol.md "Data record" and "Keys, sessions, life".
 */
#ifndef WT_RECORD_KEYPAIR_H
#define WT_RECORD_KEYPAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <whispertunnel/status.h>
#include <whispertunnel/wire.h>

#include "record/drop.h"
#include "record/limits.h"
#include "record/replay.h"

struct wt_crypto;
struct wt_worker;

/* Lowered by tests; everything else uses wt_key_limits_standard. */
struct wt_key_limits {
	uint64_t rekey_units;	   /* from here a rekey is due */
	uint64_t stop_units;	   /* no record takes the sum above this */
	uint64_t counter_end;	   /* the first counter that is not sent */
	uint64_t open_failures;	   /* datagram: this many, and the key opens no more */
	uint64_t send_ms;	   /* age from which nothing is sealed */
	uint64_t recv_datagram_ms; /* age from which no datagram is opened */
	uint64_t recv_stream_ms;   /* the same on a stream */
};
extern const struct wt_key_limits wt_key_limits_standard;

struct wt_keypair_secret; /* keys, IVs and nonces, in locked memory */

/* Fields are for reading; the functions below change them. It may be moved
 * (assigned, and the source zeroed), never used from two copies. Zeroed, it is
 * one that was never initialised: wipe is allowed, nothing else. */
struct wt_keypair {
	uint32_t local_index;  /* ours: in records that come in */
	uint32_t remote_index; /* the peer's: in records that we send */
	uint32_t channel;      /* WT_CHANNEL_* */
	uint64_t born_ms;
	struct wt_key_limits limits;

	uint64_t send_counter; /* of the next record */
	uint64_t send_units;   /* used so far */

	uint64_t recv_next;	 /* stream: the only counter that is accepted */
	struct wt_replay window; /* datagram */
	uint64_t open_failures;
	uint64_t opened; /* records that opened: the peer has these keys too */

	struct wt_crypto *crypto;
	void *send, *recv; /* key contexts of wt_crypto_key_new */
	struct wt_keypair_secret *secret;
};

struct wt_keypair_options {
	uint32_t local_index, remote_index; /* not 0 */
	uint32_t channel;
	uint32_t window;		    /* datagram: 0 is WT_REPLAY_DEFAULT */
	uint64_t born_ms;		    /* CLOCK_BOOTTIME; I: at M2, R: at M1 */
	const struct wt_key_limits *limits; /* NULL: standard; copied */
};

/* What a handshake gives. The caller's, who wipes it. */
struct wt_keypair_keys {
	uint8_t send_key[WT_KEY_SIZE];
	uint8_t recv_key[WT_KEY_SIZE];
	uint8_t send_iv[WT_NONCE_SIZE];
	uint8_t recv_iv[WT_NONCE_SIZE];
};

/* Set up both directions. `crypto` outlives the keypair; `keys` are copied, the
 * caller wipes its own. On failure nothing is held and *pair is zero:
 * WT_ERR_INVALID (an option; or both directions have one key, which would seal
 * two texts under one nonce), WT_ERR_NOMEM, WT_ERR_CRYPTO (the backend). */
enum wt_status wt_keypair_init(struct wt_keypair *pair, struct wt_crypto *crypto,
			       struct wt_worker *worker, const struct wt_keypair_options *options,
			       const struct wt_keypair_keys *keys) WT_MUST_CHECK;

/* Erase keys and contexts; *pair is zero afterwards. A zero pair is allowed. */
void wt_keypair_wipe(struct wt_keypair *pair);

/* Go on under another backend: same keys, counters and window, new contexts.
 * On failure (WT_ERR_CRYPTO) the pair goes on under the old one. */
enum wt_status wt_keypair_change_crypto(struct wt_keypair *pair, struct wt_crypto *crypto,
					struct wt_worker *worker) WT_MUST_CHECK;

/* Has this key done enough that the dialler should start a handshake, or the
 * responder ask for one? (Its age is the session's to watch.) */
bool wt_keypair_rekey_due(const struct wt_keypair *pair);

/* May another record be sealed now? Once false, for good. */
bool wt_keypair_can_send(const struct wt_keypair *pair, uint64_t now_ms);

/* May a record of any counter be opened now? Once false, for good. */
bool wt_keypair_can_open(const struct wt_keypair *pair, uint64_t now_ms);

/* Seal a record in place. `record` starts with room for WT_RECORD_HEADER bytes,
 * then `text_len` bytes of plaintext (1..WT_RECORD_MAX less header and tag),
 * then room for the tag. WT_OK: `record` is WT_RECORD_HEADER + text_len +
 * WT_TAG_SIZE bytes to send, and its counter is used up.
 *
 * WT_ERR_LIMIT: age, units or counter are at their end; nothing was touched.
 * WT_ERR_INVALID: text_len. WT_ERR_CRYPTO: the backend failed; the text and
 * tag range is zero and the counter was *not* used up: nothing of the attempt
 * is left that could be sent, and a gap would end a stream. */
enum wt_status wt_keypair_seal(struct wt_keypair *pair, struct wt_worker *worker, uint64_t now_ms,
			       uint8_t *record, size_t text_len) WT_MUST_CHECK;

/* The same from a text elsewhere: `text`, which does not overlap the record and
 * is not changed; the record's place for it is only written. Of a text that
 * several calls seal, each record has a counter of its own. */
enum wt_status wt_keypair_seal_from(struct wt_keypair *pair, struct wt_worker *worker,
				    uint64_t now_ms, uint8_t *record, const uint8_t *text,
				    size_t text_len) WT_MUST_CHECK;

/* Open a record of this pair in place: `record` is a whole message of `len`
 * bytes that wt_message_parse called data and that is for this local_index. Its
 * counter is read from it. WT_DROP_NONE: the plaintext is the len -
 * WT_RECORD_HEADER - WT_TAG_SIZE bytes at record + WT_RECORD_HEADER. On any
 * other answer nothing of the record is to be used; when the backend saw it,
 * the plaintext's place is zero.
 *
 * Stream: exactly the next counter; whatever is dropped, the connection must be
 * closed, and after a failed tag nothing opens any more. Datagram: the window decides; after
 * `open_failures` failed tags every record drops with WT_DROP_KEY_LIMIT and the session must start
 * a handshake. */
enum wt_drop wt_keypair_open(struct wt_keypair *pair, struct wt_worker *worker, uint64_t now_ms,
			     uint8_t *record, size_t len) WT_MUST_CHECK;

#endif
