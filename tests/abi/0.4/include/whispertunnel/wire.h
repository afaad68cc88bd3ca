/* SPDX-License-Identifier: MIT
 *
 * wire.h: sizes and limits of the wire protocol that plugins must know.
 * The authority is docs/protocol.md; each number stands here once.
 */
#ifndef WHISPERTUNNEL_WIRE_H
#define WHISPERTUNNEL_WIRE_H

#define WT_WIRE_VERSION 1u
#define WT_TYPE_HANDSHAKE 1u
#define WT_TYPE_DATA 2u

/* Bytes before a message's own fields:
 * type u8 | version u8 | method u8 | step u8 | receiver_index u32, big-endian. */
#define WT_MESSAGE_HEADER 8u

/* Data record: message header | counter u64 | ciphertext | tag. */
#define WT_RECORD_HEADER 16u
#define WT_TAG_SIZE 16u
#define WT_KEY_SIZE 32u
#define WT_NONCE_SIZE 12u

/* The smallest record seals one byte, the inner header's kind. */
#define WT_RECORD_MIN (WT_RECORD_HEADER + 1u + WT_TAG_SIZE)
/* The largest seals kind, segment size and an IP packet of 65,535 bytes. */
#define WT_RECORD_MAX (WT_RECORD_HEADER + 3u + 65535u + WT_TAG_SIZE)

/* Until its connection is authenticated, no message is larger than this. */
#define WT_UNAUTHENTICATED_MAX 512u

/* Parameters of a handshake, opaque to auth plugins. */
#define WT_PARAMS_SIZE 32u

/* Values of struct wt_auth_in.channel and of `k` in docs/protocol.md. */
#define WT_CHANNEL_STREAM 1u
#define WT_CHANNEL_DATAGRAM 2u

/* Methods 128..255 are for private use. */
#define WT_METHOD_HMAC 1u
#define WT_METHOD_NOISE 2u
#define WT_METHOD_PRIVATE 128u

#endif
