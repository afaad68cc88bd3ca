/* SPDX-License-Identifier: MIT
 *
 * netspace.h: a network with nothing in it but `lo`, for this process alone.
 */
#ifndef WT_CONFORM_TRANSPORT_NETSPACE_H
#define WT_CONFORM_TRANSPORT_NETSPACE_H

#include <stdbool.h>
#include <sys/socket.h>

#include "conform/finding.h"

/* Moves this process, which has one thread, into a network namespace of its own
 * and sets lo up. Without root a user namespace is made around it. False: the
 * kernel allows neither, and the process stays where it is. */
bool wt_netspace_enter(void) WT_MUST_CHECK;

/* Sets the MTU of lo, in a namespace of its own. */
bool wt_netspace_mtu(int mtu) WT_MUST_CHECK;

/* A port of this address that is free for TCP and for UDP, in network order; 0:
 * there is none, or no such address. */
uint16_t wt_netspace_port(const struct sockaddr_storage *address) WT_MUST_CHECK;

/* Of an IPv4 or IPv6 address. */
socklen_t wt_netspace_len(const struct sockaddr_storage *address);
uint16_t *wt_netspace_port_of(struct sockaddr_storage *address); /* in network order */
/* Numeric, with the port: "[::1]:4433". */
#define WT_NETSPACE_TEXT 80u
void wt_netspace_text(const struct sockaddr_storage *address, char out[WT_NETSPACE_TEXT]);

#endif
