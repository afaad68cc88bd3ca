/* SPDX-License-Identifier: MIT
 *
 * keyring.h: the pairs of keys of one association: `current` sends and
 * receives, `previous` and `next` only receive. A handshake puts its pair in
 * `next`; proof that the other end has it too makes it `current`. Traffic goes
 * on under `current` meanwhile. docs/protocol.md "Keys, sessions, life".
 */
#ifndef WT_SESSION_KEYRING_H
#define WT_SESSION_KEYRING_H

#include "record/keypair.h"

struct wt_keyring {
	struct wt_keypair *previous, *current, *next; /* owned; NULL: none */
};

/* The pair whose local_index this is, or NULL. */
struct wt_keypair *wt_keyring_find(const struct wt_keyring *ring, uint32_t local_index);

/* Make a pair and put it in `next`; one that waited there is wiped. */
enum wt_status wt_keyring_install(struct wt_keyring *ring, struct wt_crypto *crypto,
				  struct wt_worker *worker,
				  const struct wt_keypair_options *options,
				  const struct wt_auth_keys *keys) WT_MUST_CHECK;

/* `next` becomes `current`, that becomes `previous`, and that is wiped. */
void wt_keyring_confirm(struct wt_keyring *ring);

void wt_keyring_wipe_previous(struct wt_keyring *ring);
void wt_keyring_wipe_next(struct wt_keyring *ring);
void wt_keyring_wipe(struct wt_keyring *ring);

#endif
