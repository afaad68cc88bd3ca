/* SPDX-License-Identifier: MIT
 *
 * address.h: IPv4 addresses, for both transports of this folder.
 */
#ifndef WT_TEST_ABI_ADDRESS_H
#define WT_TEST_ABI_ADDRESS_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <whispertunnel/transport.h>

static const struct wt_config_key elder_keys[] = {
	{ .struct_size = sizeof(struct wt_config_key),
	  .type = WT_CONFIG_SOCKADDR,
	  .scope = WT_SCOPE_SECTION,
	  .name = "listen",
	  .help = "IPv4 addresses to listen on." },
};

static inline enum wt_status elder_fail(struct wt_error *err, const char *what)
{
	snprintf(err->text, sizeof err->text, "%s: %s", what, strerror(errno));
	return WT_ERR_IO;
}

/* Who is at `remote`; NULL: nobody, the address is `local`. */
static inline void elder_source(const struct sockaddr_in *remote, const struct sockaddr_in *local,
				struct wt_source *out)
{
	const struct sockaddr_in *named = remote ? remote : local;
	char text[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &named->sin_addr, text, sizeof text);
	snprintf(out->text, sizeof out->text, "%s:%u", text, ntohs(named->sin_port));
	out->token_len = out->prefix_len = 0;
	if (!remote)
		return;
	memcpy(out->token, &remote->sin_addr, 4);
	memcpy(out->token + 4, &remote->sin_port, 2);
	out->token_len = 6;
	memcpy(out->prefix, &remote->sin_addr, 4);
	out->prefix_len = 4;
}

#endif
