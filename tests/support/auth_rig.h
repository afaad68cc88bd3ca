/* SPDX-License-Identifier: MIT
 *
 * auth_rig.h: an auth plugin, loaded bare, whose clock, randomness, settings
 * and host answers are the test's. One rig is one end; the AEAD is the
 * aesgcm-openssl plugin. A call that cannot work fails the test.
 */
#ifndef WT_TEST_SUPPORT_AUTH_RIG_H
#define WT_TEST_SUPPORT_AUTH_RIG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <whispertunnel/auth.h>

#include "support/backend.h"

/* A scope of settings; what is NULL is unset. Borrowed, outlives its user. */
struct wt_auth_settings {
	const char *name;
	const char *realm;
	const uint8_t *psk, *psk_next;
};

struct wt_auth_rig {
	struct wt_plain_host plain;
	struct wt_clock_manual clock;
	struct wt_backend *aead;
	void *handle, *self;
	const struct wt_plugin_descriptor *descriptor;
	const struct wt_auth_ops *ops;

	/* What host->random gives before it is random again. */
	uint8_t queue[256];
	size_t queued;

	/* Host answers, and what they were asked. */
	enum wt_status params_verdict;
	int rate_verdict;
	uint32_t rate_per_second, rate_burst;
	size_t rate_source_len;
	unsigned rate_calls;
	atomic_uint params_calls;
	atomic_uint dh; /* counter "hmac_dh" */

	/* What comes in is said to come from here. */
	uint8_t source[6];
	uint64_t association;
};

/* Loads auth-NAME.so and makes an instance with `section`, at that boot time
 * and hour. `queue` (may be NULL) is what create() draws. */
void wt_auth_rig_open(struct wt_auth_rig *rig, const char *name,
		      const struct wt_auth_settings *section, uint64_t boot_ms, uint64_t unix_ms,
		      const uint8_t *queue, size_t queued);
void wt_auth_rig_close(struct wt_auth_rig *rig);

/* Append to the queue of random(). */
void wt_auth_rig_queue(struct wt_auth_rig *rig, const uint8_t *bytes, size_t len);
void wt_auth_rig_advance(struct wt_auth_rig *rig, uint64_t ms);

/* Memory for a peer, added. NULL: refused, err says why (memory is given back). */
void *wt_auth_rig_add(struct wt_auth_rig *rig, const struct wt_auth_settings *peer, uint32_t id,
		      uint32_t roles, struct wt_error *err);
void wt_auth_rig_remove(struct wt_auth_rig *rig, void *peer);

/* Each message is handed over in a block of exactly its size, so that a
 * sanitizer sees a read past its end. */
enum wt_auth_verdict wt_auth_rig_start(struct wt_auth_rig *rig, void *peer, uint32_t channel,
				       uint32_t index, uint32_t unanswered, const uint8_t *params,
				       struct wt_auth_out *out);
enum wt_auth_verdict wt_auth_rig_accept(struct wt_auth_rig *rig, uint32_t channel, uint32_t index,
					const uint8_t *params, const uint8_t *message, size_t len,
					struct wt_auth_out *out);
enum wt_auth_verdict wt_auth_rig_receive(struct wt_auth_rig *rig, void *handshake, uint32_t channel,
					 const uint8_t *message, size_t len,
					 struct wt_auth_out *out);

/* A dialler and a waiting end that share a key, one peer each. */
struct wt_auth_pair {
	struct wt_auth_rig i, r;
	void *peer_i, *peer_r;
	uint32_t channel;
	uint32_t next_index;
	uint8_t params_i[WT_PARAMS_SIZE], params_r[WT_PARAMS_SIZE];
	/* The last of each message, as its maker wrote it, and what it led to. */
	struct wt_auth_out m1, m2, m3, done;
};

#define WT_AUTH_PAIR_BOOT_MS UINT64_C(5000000)
#define WT_AUTH_PAIR_UNIX_MS (UINT64_C(1767225600000) + 1800000u) /* half past an hour */
#define WT_AUTH_PAIR_ID_I 71u /* the responder's peer_id for the initiator */
#define WT_AUTH_PAIR_ID_R 72u /* the initiator's for the responder */

extern const uint8_t wt_auth_pair_psk[32];

/* Both ends of plugin `name`, clocks equal. */
void wt_auth_pair_open(struct wt_auth_pair *pair, const char *name, uint32_t channel);
void wt_auth_pair_close(struct wt_auth_pair *pair);
void wt_auth_pair_advance(struct wt_auth_pair *pair, uint64_t ms);

/* One end dies and starts again: all it knew is gone. */
void wt_auth_pair_restart(struct wt_auth_pair *pair, bool responder);

/* The steps, with the message of the step before; fresh indices. */
enum wt_auth_verdict wt_auth_pair_start(struct wt_auth_pair *pair, uint32_t unanswered);
enum wt_auth_verdict wt_auth_pair_accept(struct wt_auth_pair *pair);
enum wt_auth_verdict wt_auth_pair_m2(struct wt_auth_pair *pair);
enum wt_auth_verdict wt_auth_pair_m3(struct wt_auth_pair *pair);
/* From m1 on: the rest of the handshake succeeds and both ends hold equal keys. */
void wt_auth_pair_finish(struct wt_auth_pair *pair);
/* All four. */
void wt_auth_pair_run(struct wt_auth_pair *pair);

/* The message was dropped for `reason` (WT_REASON_NONE: for any but INTERNAL):
 * no reply, no keys, nobody vouched for. */
void wt_auth_assert_dropped(enum wt_auth_verdict verdict, const struct wt_auth_out *out,
			    enum wt_auth_reason reason);
/* The same of a message given to the waiting end as a stranger's first one, to
 * the handshake of m1 at I, and to that of m2 at R. */
typedef void wt_auth_pair_drops_fn(struct wt_auth_pair *pair, const uint8_t *message, size_t len,
				   enum wt_auth_reason reason);
wt_auth_pair_drops_fn wt_auth_pair_r_drops_first, wt_auth_pair_i_drops, wt_auth_pair_r_drops;

#endif
