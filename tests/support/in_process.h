/* SPDX-License-Identifier: MIT
 *
 * in_process.h: what the transports without sockets, memory_transport and
 * packet_transport, have in common: a `listen` key, and what they do not offer.
 */
#ifndef WT_TEST_SUPPORT_IN_PROCESS_H
#define WT_TEST_SUPPORT_IN_PROCESS_H

#include "plugin/registry.h"

/* The fields of a struct wt_plugin that they share. */
#define WT_IN_PROCESS_PLUGIN                                                                       \
	.kind = WT_KIND_TRANSPORT, .version = "1.0", .path = (char[]){ "" },                       \
	.algorithm = (char[]){ "" }, .config_keys = wt_in_process_keys, .config_key_count = 1,     \
	.config_key_stride = sizeof(struct wt_config_key)

/* One: `listen`, with the ports of the test's network. */
extern const struct wt_config_key wt_in_process_keys[1];

/* WT_ERR_UNSUPPORTED */
enum wt_status wt_in_process_local_address(void *self, struct wt_worker *worker, void *conn,
					   const struct wt_path *path,
					   struct sockaddr_storage *out);

#endif
