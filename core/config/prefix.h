/* SPDX-License-Identifier: MIT
 *
 * prefix.h: an address with a prefix length, as in allowed_ips.
 *
 * Plain values, no allocation. Any thread.
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

/* "10.8.0.0/24", "fd00::1"; without /LEN the whole address. WT_ERR_INVALID
 * leaves *out alone. */
enum wt_status wt_prefix_parse(const char *text, struct wt_prefix *out) WT_MUST_CHECK;
/* Writes at most WT_PREFIX_TEXT bytes and returns `out`. */
const char *wt_prefix_format(const struct wt_prefix *prefix, char out[WT_PREFIX_TEXT]);
/* Are all bits behind the length zero? (An interface address may have host
 * bits, allowed_ips may not.) */
bool wt_prefix_is_network(const struct wt_prefix *prefix);
/* The same with all bits behind the length zero. */
struct wt_prefix wt_prefix_network(const struct wt_prefix *prefix);
/* `address`: 4 bytes for AF_INET, 16 for AF_INET6, network order. */
bool wt_prefix_contains(const struct wt_prefix *prefix, uint8_t family, const uint8_t *address);
/* Does some address lie in both? (Then one contains the other.) */
bool wt_prefix_overlaps(const struct wt_prefix *a, const struct wt_prefix *b);
/* Sorts by family, address, length: a prefix comes before all that it
 * contains. For qsort: below, at or above 0. */
int wt_prefix_compare(const struct wt_prefix *a, const struct wt_prefix *b);

#endif
