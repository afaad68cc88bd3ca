/* SPDX-License-Identifier: MIT
 *
 * allowed_ips.h: which peer an inner address belongs to: the longest prefix
 * that contains it, over all peers' allowed_ips.
 *
 * One table serves both directions: a packet from the TUN goes to the owner of
 * its destination, a packet from a peer is accepted if that peer owns its
 * source. A binary trie with compressed paths, one for IPv4 and one for IPv6;
 * at most two nodes of 32 bytes for a prefix. Look-ups allocate nothing and may
 * run in several threads while nobody changes the table.
 */
#ifndef WT_SESSION_ALLOWED_IPS_H
#define WT_SESSION_ALLOWED_IPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <whispertunnel/status.h>

#include "config/prefix.h"

/* No peer has this id. */
#define WT_PEER_NONE UINT32_MAX
/* Nor this one, which owns addresses that nobody may use (martians.h). */
#define WT_PEER_NOBODY (UINT32_MAX - 1u)

struct wt_allowed_ips;

/* NULL: out of memory. */
struct wt_allowed_ips *wt_allowed_ips_new(void) WT_MUST_CHECK;
void wt_allowed_ips_free(struct wt_allowed_ips *table); /* NULL is allowed */

/* Give `prefix` (host bits zero) to `peer`. Giving it again to the same peer
 * changes nothing. WT_ERR_LIMIT: this very prefix is another peer's, whose id
 * is in *owner (may be NULL); WT_ERR_INVALID: not a network, or the peer is
 * WT_PEER_NONE; WT_ERR_NOMEM. The table is unchanged on failure. */
enum wt_status wt_allowed_ips_insert(struct wt_allowed_ips *table, const struct wt_prefix *prefix,
				     uint32_t peer, uint32_t *owner) WT_MUST_CHECK;

/* A peer other than `peer` with a prefix that contains `prefix` or lies
 * inside it, or WT_PEER_NONE. */
uint32_t wt_allowed_ips_overlap(const struct wt_allowed_ips *table, const struct wt_prefix *prefix,
				uint32_t peer);

/* Take `prefix` back from `peer`; false if it was not that peer's. */
bool wt_allowed_ips_remove(struct wt_allowed_ips *table, const struct wt_prefix *prefix,
			   uint32_t peer);

/* The peer that `address` (4 bytes for AF_INET, 16 for AF_INET6, network
 * order, any alignment) belongs to, or WT_PEER_NONE. */
uint32_t wt_allowed_ips_lookup(const struct wt_allowed_ips *table, uint8_t family,
			       const uint8_t *address);

/* May a packet with this source come from `peer`? */
bool wt_allowed_ips_source_ok(const struct wt_allowed_ips *table, uint8_t family,
			      const uint8_t *source, uint32_t peer);

/* Prefixes held, and nodes of 32 bytes that they take: fewer than two each,
 * also after removals. */
size_t wt_allowed_ips_count(const struct wt_allowed_ips *table);
size_t wt_allowed_ips_nodes(const struct wt_allowed_ips *table);

#endif
