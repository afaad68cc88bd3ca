/* SPDX-License-Identifier: MIT
 *
 * bytes.h: integers on the wire, which are big-endian, and the header that
 * every message begins with.
 */
#ifndef WT_AUTH_COMMON_BYTES_H
#define WT_AUTH_COMMON_BYTES_H

#include <stdint.h>
#include <whispertunnel/wire.h>

/* Offsets in the common header. */
#define HEADER_STEP 3u
#define HEADER_INDEX 4u

static inline void put32(uint8_t *p, uint32_t v)
{
	for (int i = 3; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
}

static inline void put64(uint8_t *p, uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
}

static inline uint32_t get32(const uint8_t *p)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++)
		v = v << 8 | p[i];
	return v;
}

static inline uint64_t get64(const uint8_t *p)
{
	return (uint64_t)get32(p) << 32 | get32(p + 4);
}

/* WT_MESSAGE_HEADER bytes. */
static inline void put_handshake_header(uint8_t *p, uint8_t method, uint8_t step,
					uint32_t receiver_index)
{
	p[0] = WT_TYPE_HANDSHAKE;
	p[1] = WT_WIRE_VERSION;
	p[2] = method;
	p[HEADER_STEP] = step;
	put32(p + HEADER_INDEX, receiver_index);
}

#endif
