/* SPDX-License-Identifier: MIT
 *
 * prefix.h: an address with a prefix length, as in allowed_ips.
 */
#ifndef WT_CONFIG_PREFIX_H
#define WT_CONFIG_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <whispertunnel/status.h>

struct wt_prefix {
	uint8_t family;	   /* AF_INET or AF_INET6 */
	uint8_t length;	   /* 0..32 or 0..128 */
	uint8_t bytes[16]; /* network order; IPv4 uses the first 4 */
};

#define WT_PREFIX_TEXT 52 /* an IPv6 prefix with the NUL */

/* "10.8.0.0/24", "fd00::1"; without /LEN the whole address. */
enum wt_status wt_prefix_parse(const char *text, struct wt_prefix *out) WT_MUST_CHECK;
/* Writes at most WT_PREFIX_TEXT bytes and returns `out`. */
const char *wt_prefix_format(const struct wt_prefix *prefix, char out[WT_PREFIX_TEXT]);
/* Are all bits behind the length zero? (An interface address may have host
 * bits, allowed_ips may not.) */
bool wt_prefix_is_network(const struct wt_prefix *prefix);
bool wt_prefix_contains(const struct wt_prefix *prefix, uint8_t family, const uint8_t *address);
bool wt_prefix_overlaps(const struct wt_prefix *a, const struct wt_prefix *b);

#endif
