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

struct wt_index_table;
struct wt_conn;

struct wt_keyring {
	struct wt_keypair *previous, *current, *next; /* owned; NULL: none */
	/* Where the pairs' indices are listed as `owner`'s for as long as the pairs
	 * live. NULL: nowhere, for only this ring is looked in (a stream's). */
	struct wt_index_table *indices;
	struct wt_conn *owner;
};

/* The pair whose local_index this is, or NULL. */
struct wt_keypair *wt_keyring_find(const struct wt_keyring *ring, uint32_t local_index);

/* Make a pair and put it in `next`; one that waited there is wiped. WT_ERR_LIMIT:
 * the table of indices has no room, and `next` is empty. */
enum wt_status wt_keyring_install(struct wt_keyring *ring, struct wt_crypto *crypto,
				  struct wt_worker *worker,
				  const struct wt_keypair_options *options,
				  const struct wt_keypair_keys *keys) WT_MUST_CHECK;

/* `next` becomes `current`, that becomes `previous`, and that is wiped. */
void wt_keyring_confirm(struct wt_keyring *ring);

void wt_keyring_wipe_previous(struct wt_keyring *ring);
void wt_keyring_wipe_next(struct wt_keyring *ring);
void wt_keyring_wipe(struct wt_keyring *ring);

#endif
