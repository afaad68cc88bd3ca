/* SPDX-License-Identifier: MIT
 *
 * too_big.h: the ICMP message that tells a sender that its packet is larger
 * than the tunnel takes: destination unreachable, fragmentation needed (RFC 792,
 * RFC 1191), or ICMPv6 packet too big (RFC 4443 section 3.2).
 */
#ifndef WT_RECORD_TOO_BIG_H
#define WT_RECORD_TOO_BIG_H

#include <stddef.h>
#include <stdint.h>
#include <whispertunnel/status.h>

/* The largest that is built; of IPv4 576 bytes. */
#define WT_TOO_BIG_MAX 1280u

/* Write to `out` the message that answers data[0..len), which wt_packet_parse
 * accepted and whose next hop takes `mtu` bytes; it goes back to the TUN the
 * packet came from. Its length, or 0: this packet gets no answer, because
 *	- it is an ICMP error itself, or may be one (RFC 1122 section 3.2.2,
 *	  RFC 4443 section 2.4 (e)), also behind IPv6 extension headers;
 *	- it is a fragment;
 *	- its source is no single host: unspecified, loopback, multicast,
 *	  broadcast or reserved; or its destination is multicast or broadcast;
 *	- it fits into `mtu`, or no IPv6 node would believe `mtu` (below 1280), or
 *	  no IPv4 node (below 68).
 *
 * IPv4 packets without DF are answered too: the tunnel cannot fragment them, and
 * who hears of it can. The message's source is the packet's destination: one of
 * this host's own addresses would be refused by its kernel as coming from
 * outside. The caller bounds the rate. Pure; any thread. */
size_t wt_too_big_build(uint8_t out[WT_TOO_BIG_MAX], const uint8_t *data, size_t len,
			uint32_t mtu) WT_MUST_CHECK;

#endif
