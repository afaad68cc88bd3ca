/* SPDX-License-Identifier: MIT */
#include "session/node.h"

#include "plugin/call.h"

struct wt_instance *wt_node_auth(const struct wt_node *node, uint8_t method)
{
	for (size_t i = 0; i < node->settings->auth_count; i++)
		if (wt_auth_ops(node->auths[i])->method == method)
			return node->auths[i];
	return NULL;
}

bool wt_node_rate_allow(struct wt_node *node, uint64_t now_ms, uint32_t peer_id, const void *source,
			size_t source_len, uint32_t per_second, uint32_t burst)
{
	bool shared = node->worker_count > 1;

	if (shared)
		pthread_mutex_lock(&node->rate_lock);
	bool allowed =
		wt_rate_allow(&node->rate, now_ms, peer_id, source, source_len, per_second, burst);

	if (shared)
		pthread_mutex_unlock(&node->rate_lock);
	return allowed;
}

const char *wt_node_transport_name(const struct wt_node *node, const struct wt_instance *transport)
{
	for (size_t i = 0; i < node->settings->transport_count; i++)
		if (node->transports[i] == transport)
			return node->settings->transports[i].name;
	return "?";
}
