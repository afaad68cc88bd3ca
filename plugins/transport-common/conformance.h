/* SPDX-License-Identifier: MIT
 *
 * conformance.h: settings for testers of a transport that has the key `listen`.
 */
#ifndef WT_TRANSPORT_COMMON_CONFORMANCE_H
#define WT_TRANSPORT_COMMON_CONFORMANCE_H

#include <whispertunnel/plugin.h>

/* The acceptor listens on any free ports of loopback, IPv4 and IPv6. */
extern const struct wt_conformance wt_loopback_conformance;

#endif
