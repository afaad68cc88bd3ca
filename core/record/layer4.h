/* SPDX-License-Identifier: MIT
 *
 * layer4.h: the TCP or UDP header of a packet whose checksum, and perhaps
 * whose segmentation, is left to somebody else.
 *
 * The rules of docs/protocol.md "Inner header" for kinds 0x02 and 0x03, once
 * for both ends: what a receiver refuses a sender finishes itself. Pure; any
 * thread.
 */
#ifndef WT_RECORD_LAYER4_H
#define WT_RECORD_LAYER4_H

#include <stddef.h>
#include <stdint.h>
#include <whispertunnel/status.h>

#include "record/drop.h"
#include "record/packet.h"

/* TCP flags, RFC 9293 section 3.1. */
#define WT_TCP_FIN 0x01u
#define WT_TCP_SYN 0x02u
#define WT_TCP_RST 0x04u
#define WT_TCP_PSH 0x08u
#define WT_TCP_URG 0x20u
#define WT_TCP_CWR 0x80u

/* Where things are in a TCP header; its smallest and largest size. */
#define WT_TCP_SEQUENCE 4u
#define WT_TCP_OFFSET 12u
#define WT_TCP_FLAGS 13u
#define WT_TCP_CHECKSUM 16u
#define WT_TCP_HEADER_MIN 20u
#define WT_TCP_HEADER_MAX 60u
/* The same of UDP. */
#define WT_UDP_LENGTH 4u
#define WT_UDP_CHECKSUM 6u
#define WT_UDP_HEADER 8u

/* A run of segments: bounds that keep one record from becoming thousands of
 * packets, and that every kernel takes. */
#define WT_SEGMENT_SIZE_MIN 512u
#define WT_SEGMENTS_MAX_TCP 128u
#define WT_SEGMENTS_MAX_UDP 64u

struct wt_layer4 {
	uint32_t run_feature;	  /* the feature bit of runs of this family and protocol */
	uint16_t start;		  /* of the header; the checksum covers all from here */
	uint16_t payload;	  /* what follows the header starts here */
	uint16_t checksum_offset; /* of the checksum field, from `start` */
	uint8_t protocol;	  /* IPPROTO_TCP or IPPROTO_UDP */
	uint8_t tcp_flags;	  /* WT_TCP_*; UDP: 0 */
};

/* Find the header in data[0..len), which wt_packet_parse found sound and
 * described in *ip. WT_DROP_NONE fills *out. Otherwise *out is not set:
 *	WT_DROP_FRAGMENT  a fragment of IPv4
 *	WT_DROP_PROTOCOL  neither TCP nor UDP directly behind the IP header
 *	WT_DROP_LAYER4	  a header that is not inside; TCP's below 20 bytes; UDP
 *			  whose length is not the IP payload's */
enum wt_drop wt_layer4_parse(const uint8_t *data, size_t len, const struct wt_packet *ip,
			     struct wt_layer4 *out) WT_MUST_CHECK;

/* The same for a header of `protocol` at `start` (at most len), which the caller
 * has found behind extension headers. */
enum wt_drop wt_layer4_parse_at(const uint8_t *data, size_t len, const struct wt_packet *ip,
				size_t start, uint8_t protocol,
				struct wt_layer4 *out) WT_MUST_CHECK;

/* May the packet of `len` bytes be cut into segments of `size` bytes of payload
 * each, by a kernel whose device has the MTU `mtu`?
 *	WT_DROP_TCP_FLAGS  SYN, RST, URG or CWR
 *	WT_DROP_SEGMENTS   the size is below 512 or too large for `mtu`; there
 *			   is only one segment, or there are too many */
enum wt_drop wt_layer4_check_run(const struct wt_layer4 *l4, size_t len, uint16_t size,
				 uint32_t mtu) WT_MUST_CHECK;

/* What the checksum field holds while the checksum is partial: the folded sum of
 * the pseudo-header, for the length of the whole packet also if it is a run.
 * In memory order (checksum.h). */
uint16_t wt_layer4_pseudo(const struct wt_layer4 *l4, size_t len,
			  const struct wt_packet *ip) WT_MUST_CHECK;

#endif
