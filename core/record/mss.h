/* SPDX-License-Identifier: MIT
 *
 * mss.h: the largest segment that a TCP SYN offers (RFC 9293 section 3.7.1),
 * made to fit the tunnel, so that connections work where ICMP is lost.
 */
#ifndef WT_RECORD_MSS_H
#define WT_RECORD_MSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/packet.h"

/* Is data[0..len), which wt_packet_parse described in *ip, a TCP SYN? False also
 * for what is not understood to the end of its TCP header. */
bool wt_mss_is_syn(const uint8_t *data, size_t len, const struct wt_packet *ip) WT_MUST_CHECK;

/* If data[0..len), which wt_packet_parse accepted, is a TCP SYN that offers more
 * than `mtu` has room for behind headers without options, its MSS option is
 * lowered to that and its checksum follows, so that a wrong one stays wrong; a
 * `partial` one does not cover the option and is left alone. True: changed.
 *
 * Left alone is all that is not understood to the end: fragments, IPv6
 * extension headers, headers that are not inside, options of impossible length,
 * more than one MSS. A SYN without MSS means 536 or 1220 (RFC 9293), which
 * fits. Pure; any thread. */
bool wt_mss_clamp(uint8_t *data, size_t len, uint32_t mtu, bool partial);

#endif
