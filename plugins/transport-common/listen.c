/* SPDX-License-Identifier: MIT */
#include "transport-common/listen.h"

#include "transport-common/failure.h"

enum wt_status wt_listen_count(const struct wt_host *host, const struct wt_config *cfg, size_t *n,
			       struct wt_error *err)
{
	struct sockaddr_storage address;

	*n = 0;
	while (host->config_sockaddr(host, cfg, "listen", *n, &address) == WT_OK)
		(*n)++;
	if (*n > WT_LISTEN_MAX)
		return wt_socket_fail(err, WT_ERR_CONFIG,
				      "listen: %zu addresses, at most %u are allowed", *n,
				      WT_LISTEN_MAX);
	return WT_OK;
}
