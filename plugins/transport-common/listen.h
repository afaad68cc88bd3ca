/* SPDX-License-Identifier: MIT
 *
 * listen.h: the key `listen` of a transport's section.
 */
#ifndef WT_TRANSPORT_COMMON_LISTEN_H
#define WT_TRANSPORT_COMMON_LISTEN_H

#include <whispertunnel/transport.h>

/* So many addresses are allowed: each is a socket for each worker. */
#define WT_LISTEN_MAX 64u

/* How many it has; more than WT_LISTEN_MAX are WT_ERR_CONFIG. `err` may be NULL. */
enum wt_status wt_listen_count(const struct wt_host *host, const struct wt_config *cfg, size_t *n,
			       struct wt_error *err) WT_MUST_CHECK;

#endif
