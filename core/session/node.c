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

const char *wt_node_transport_name(const struct wt_node *node, const struct wt_instance *transport)
{
	for (size_t i = 0; i < node->settings->transport_count; i++)
		if (node->transports[i] == transport)
			return node->settings->transports[i].name;
	return "?";
}
