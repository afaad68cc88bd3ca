/* SPDX-License-Identifier: MIT */
#include "session/martians.h"

#include <sys/socket.h>

static const struct wt_prefix martians[] = {
	{ AF_INET, 8, { 0 } },				/* this host */
	{ AF_INET, 8, { 127 } },			/* loopback */
	{ AF_INET, 4, { 224 } },			/* multicast */
	{ AF_INET, 4, { 240 } },			/* reserved, and the broadcast address */
	{ AF_INET6, 128, { 0 } },			/* unspecified */
	{ AF_INET6, 128, { [15] = 1 } },		/* loopback */
	{ AF_INET6, 96, { [10] = 0xff, [11] = 0xff } }, /* IPv4 mapped into IPv6 */
	{ AF_INET6, 8, { 0xff } },			/* multicast */
};

static enum wt_status reserve(struct wt_allowed_ips *table, const struct wt_prefix *prefix)
{
	enum wt_status status = wt_allowed_ips_insert(table, prefix, WT_PEER_NOBODY, NULL);

	/* Somebody has it, in so many words. */
	return status == WT_ERR_LIMIT ? WT_OK : status;
}

enum wt_status wt_martians_reserve(struct wt_allowed_ips *table, const struct wt_prefix *own,
				   size_t own_count)
{
	enum wt_status status = WT_OK;

	for (size_t i = 0; i < sizeof martians / sizeof martians[0] && status == WT_OK; i++)
		status = reserve(table, &martians[i]);
	for (size_t i = 0; i < own_count && status == WT_OK; i++) {
		struct wt_prefix address = own[i];

		address.length = address.family == AF_INET ? 32 : 128;
		status = reserve(table, &address);
	}
	return status;
}
