/* SPDX-License-Identifier: MIT
 *
 * ip.h: where things are in the headers of IPv4 (RFC 791 section 3.1) and IPv6
 * (RFC 8200 sections 3 and 4), in bytes.
 */
#ifndef WT_RECORD_IP_H
#define WT_RECORD_IP_H

#define WT_IPV4_HEADER 20u /* without options */
#define WT_IPV4_TOS 1u
#define WT_IPV4_LENGTH 2u
#define WT_IPV4_ID 4u
#define WT_IPV4_FRAGMENT 6u /* u16: flags and offset */
#define WT_IPV4_DONT_FRAGMENT 0x4000u
#define WT_IPV4_MORE_OR_OFFSET 0x3fffu /* not 0: a fragment */
#define WT_IPV4_TTL 8u
#define WT_IPV4_PROTOCOL 9u
#define WT_IPV4_CHECKSUM 10u
#define WT_IPV4_SOURCE 12u
#define WT_IPV4_DESTINATION 16u
#define WT_IPV4_ADDRESS 4u

#define WT_IPV6_HEADER 40u
#define WT_IPV6_LENGTH 4u /* of all that follows the header */
#define WT_IPV6_NEXT_HEADER 6u
#define WT_IPV6_HOP_LIMIT 7u
#define WT_IPV6_SOURCE 8u
#define WT_IPV6_DESTINATION 24u
#define WT_IPV6_ADDRESS 16u

#endif
