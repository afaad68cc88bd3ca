/* SPDX-License-Identifier: MIT
 *
 * sockaddr.h: numeric addresses with a port, as in `listen`.
 */
#ifndef WT_CONFIG_SOCKADDR_H
#define WT_CONFIG_SOCKADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <whispertunnel/status.h>

/* "192.0.2.1:4433", "[2001:db8::1]:4433", "[fe80::1%eth0]:4433"; `len`
 * characters. Port 0..65535, decimal. WT_ERR_INVALID leaves *out alone. */
enum wt_status wt_sockaddr_parse(const char *text, size_t len,
				 struct sockaddr_storage *out) WT_MUST_CHECK;

/* A numeric host without port and brackets; port 0. */
enum wt_status wt_sockaddr_parse_host(const char *host, struct sockaddr_storage *out) WT_MUST_CHECK;

/* Decimal, 1..5 digits, no sign; false if over 65535. */
bool wt_sockaddr_parse_port(const char *text, uint16_t *port);

#endif
