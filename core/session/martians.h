/* SPDX-License-Identifier: MIT
 *
 * martians.h: inner addresses that no packet may come from, whatever a peer's
 * allowed_ips contain: loopback, multicast, "this host", reserved ones, IPv4 in
 * IPv6 clothes, and those of this end itself.
 *
 * They are owned by nobody in the table that all packets are looked up in, so
 * the check costs nothing. RFC 1122 3.2.1.3, RFC 6890, RFC 4291 2.5.
 */
#ifndef WT_SESSION_MARTIANS_H
#define WT_SESSION_MARTIANS_H

#include "session/allowed_ips.h"

/* Reserve them in `table`, after the peers' prefixes are in it: a prefix that a
 * peer's allowed_ips name exactly stays that peer's. `own` are this end's
 * addresses, with or without host bits. WT_ERR_NOMEM. */
enum wt_status wt_martians_reserve(struct wt_allowed_ips *table, const struct wt_prefix *own,
				   size_t own_count) WT_MUST_CHECK;

#endif
