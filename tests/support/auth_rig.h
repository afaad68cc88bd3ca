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

#include "conform/crypto/backend.h"
#include "record/keypair.h"
#include "support/plain_host.h"

/* A scope of settings; what is NULL is unset. Borrowed, outlives its user. */
struct wt_auth_settings {
	const char *name;
	const char *realm;
	const uint8_t *psk, *psk_next;
	const uint8_t *private_key, *public_key;
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
	atomic_uint dh; /* counter "METHOD_dh": exchanges computed */

	/* What comes in is said to come from here. */
	uint8_t source[6];
	uint64_t association;
};

/* Set by a program that a plugin is linked into, a fuzzer that wants to see into
 * it: used whatever the name. NULL: the plugin is loaded. */
extern const struct wt_plugin_descriptor *wt_auth_rig_linked;

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

/* What a call said: a copy of its output and reply, which outlives the call. */
struct wt_auth_said {
	uint32_t flags, reason, peer_id, local_index, remote_index, reply_len;
	int64_t clock_off_ms;
	void *handshake;
	struct wt_keypair_keys keys;
	uint8_t peer_params[WT_PARAMS_SIZE];
	uint8_t reply[WT_AUTH_MESSAGE_MAX];
};

/* The output, the reply and each message are handed over in blocks of exactly
 * their size, so that a sanitizer sees what goes past an end; that the plugin left
 * the caller's part of the output alone is checked. `params` is what auth_params
 * says that the peer is told. */
enum wt_auth_verdict wt_auth_rig_start(struct wt_auth_rig *rig, void *peer, uint32_t channel,
				       uint32_t index, uint32_t unanswered, const uint8_t *params,
				       struct wt_auth_said *said);
enum wt_auth_verdict wt_auth_rig_accept(struct wt_auth_rig *rig, uint32_t channel, uint32_t index,
					const uint8_t *params, const uint8_t *message, size_t len,
					struct wt_auth_said *said);
enum wt_auth_verdict wt_auth_rig_receive(struct wt_auth_rig *rig, void *handshake, uint32_t channel,
					 const uint8_t *message, size_t len,
					 struct wt_auth_said *said);

#endif
