/* SPDX-License-Identifier: MIT
 *
 * header.h: the clear bytes in front of every message.
 *
 *	0 type u8 | 1 version u8 | 2 method u8 | 3 step u8 | 4 receiver_index u32
 *	data records only: 8 counter u64                         all big-endian
 *
 * Pure functions on caller's memory; any thread. docs/protocol.md "Messages".
 */
#ifndef WT_RECORD_HEADER_H
#define WT_RECORD_HEADER_H

#include <stddef.h>
#include <stdint.h>
#include <whispertunnel/status.h>
#include <whispertunnel/wire.h>

#include "record/drop.h"

enum wt_message_kind { WT_MESSAGE_INVALID = 0, WT_MESSAGE_HANDSHAKE, WT_MESSAGE_DATA };

struct wt_message {
	enum wt_message_kind kind;
	enum wt_drop drop;	 /* INVALID: why */
	uint8_t method;		 /* handshake: 1..255; may be one we did not load */
	uint8_t step;		 /* handshake: the method's own */
	uint32_t receiver_index; /* data: never 0 */
	uint64_t counter;	 /* data */
};

/* Read the header of a message of `len` bytes, strictly: a data record starts
 * 02 01 00 00, has a receiver and is WT_RECORD_MIN..WT_RECORD_MAX long; a
 * handshake message starts 01 01, has a method and is
 * WT_MESSAGE_HEADER..WT_UNAUTHENTICATED_MAX long. Always fills *out (unused
 * fields are 0) and returns out->kind. `data` may be NULL when len is 0. */
enum wt_message_kind wt_message_parse(const uint8_t *data, size_t len,
				      struct wt_message *out) WT_MUST_CHECK;

/* Write the WT_RECORD_HEADER bytes of a data record. */
void wt_record_header_write(uint8_t out[WT_RECORD_HEADER], uint32_t receiver_index,
			    uint64_t counter);

#endif
