/* SPDX-License-Identifier: MIT
 *
 * source.h: an internet address as what limits, tokens and logs need of it.
 */
#ifndef WT_PLUGIN_SOURCE_H
#define WT_PLUGIN_SOURCE_H

#include <whispertunnel/transport.h>

/* The source_of_address of a host table, which is not looked at. */
void wt_source_of_address(const struct wt_host *host, const struct sockaddr *address,
			  struct wt_source *out);

#endif
