/* SPDX-License-Identifier: MIT */
#include "transport-common/failure.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "transport-common/address.h"

#define FIRST_UNPRIVILEGED_PORT 1024u /* unless ip_unprivileged_port_start says otherwise */

enum wt_status wt_socket_fail(struct wt_error *err, enum wt_status status, const char *fmt, ...)
{
	if (err && WT_HAS(err, struct wt_error, text)) {
		va_list args;

		va_start(args, fmt);
		vsnprintf(err->text, sizeof err->text, fmt, args);
		va_end(args);
	}
	return status;
}

const char *wt_socket_error_text(int error, char *buf, size_t size)
{
	return strerror_r(error, buf, size);
}

enum wt_status wt_socket_not_opened(const char *protocol, int error, struct wt_error *err)
{
	char text[64];

	if (error == EMFILE || error == ENFILE)
		return wt_socket_fail(err, WT_ERR_NOMEM,
				      "no file descriptors left for a %s socket: raise the limit "
				      "(ulimit -n, LimitNOFILE=)",
				      protocol);
	if (error == EAFNOSUPPORT)
		return wt_socket_fail(err, WT_ERR_UNAVAILABLE,
				      "this kernel has no support for that address family (is IPv6 "
				      "switched off?): use an address of the other");
	return wt_socket_fail(err, error == ENOBUFS || error == ENOMEM ? WT_ERR_NOMEM : WT_ERR_IO,
			      "a %s socket cannot be opened: %s", protocol,
			      wt_socket_error_text(error, text, sizeof text));
}

static unsigned port_of(const struct sockaddr_storage *address)
{
	return ntohs(address->ss_family == AF_INET6
			     ? ((const struct sockaddr_in6 *)address)->sin6_port
			     : ((const struct sockaddr_in *)address)->sin_port);
}

enum wt_status wt_socket_not_bound(const char *protocol, const struct sockaddr_storage *address,
				   int error, struct wt_error *err)
{
	char where[WT_ADDRESS_TEXT];
	char text[64];

	wt_address_text(address, where);
	switch (error) {
	case EADDRINUSE:
		return wt_socket_fail(err, WT_ERR_IO,
				      "listen = %s: the address is in use by another socket: stop "
				      "that program (`ss -l%cnp` names it) or choose another port",
				      where, protocol[0] == 'U' ? 'u' : 't');
	case EADDRNOTAVAIL:
		return wt_socket_fail(err, WT_ERR_IO,
				      "listen = %s: no interface of this host has that address: "
				      "correct it (`ip address` lists them), or listen on 0.0.0.0 "
				      "or [::]",
				      where);
	case EACCES:
	case EPERM:
		if (port_of(address) < FIRST_UNPRIVILEGED_PORT)
			return wt_socket_fail(err, WT_ERR_PERMISSION,
					      "listen = %s: port %u is privileged: start with "
					      "CAP_NET_BIND_SERVICE or choose a port from %u on",
					      where, port_of(address), FIRST_UNPRIVILEGED_PORT);
		return wt_socket_fail(
			err, WT_ERR_PERMISSION,
			"listen = %s: the system does not permit it (a security module "
			"or a sandbox?)",
			where);
	default:
		return wt_socket_fail(err, WT_ERR_IO, "listen = %s: %s", where,
				      wt_socket_error_text(error, text, sizeof text));
	}
}
