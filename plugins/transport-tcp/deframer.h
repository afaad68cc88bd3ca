/* SPDX-License-Identifier: MIT
 *
 * deframer.h: a byte stream cut into records, in the buffer it was read into.
 *
 * Records are used where they were received; the deframer decides where the
 * next read goes and how long it is, so that almost no byte has to be moved:
 *
 *  - a record over WT_TCP_BULK_RECORD is read to its exact end plus the next
 *    length. The next record then starts with four bytes in hand, which are
 *    moved to the front, and the rest of it arrives in place;
 *  - smaller records are read many at a time. The read ends where a record
 *    would end if all had the length of the one in hand, and is limited by a
 *    window that doubles while read-ahead pays and falls back when it ran into
 *    a bulk record that does not fit behind;
 *  - a partial record stays where it is as long as its rest fits behind it.
 *
 * Life: init -> attach a buffer -> { next until WT_AGAIN -> plan -> read ->
 * filled } ... A record that next() gave is valid until plan() or attach().
 * One thread. Nothing here makes a system call or allocates.
 */
#ifndef WT_TCP_DEFRAMER_H
#define WT_TCP_DEFRAMER_H

#include <stdbool.h>
#include <stddef.h>
#include <whispertunnel/status.h>

struct wt_deframer {
	uint8_t *base;	     /* the buffer; borrowed */
	uint32_t front;	     /* where the first length prefix goes */
	uint32_t capacity;   /* bytes from base */
	uint32_t begin, end; /* [begin, end) is received and not yet given out */
	uint32_t max;	     /* the longest record allowed */
	uint32_t last;	     /* the last record given out, with its prefix; 0: none */
	uint32_t ahead;	     /* the read-ahead window, bytes */
	bool read_ahead;     /* the last read was planned by that window... */
	bool read_full;	     /* ...and got all that it asked for */
};

void wt_deframer_init(struct wt_deframer *d, uint32_t max);

/* Go on in another buffer, which has room behind `front` for the longest record
 * and its prefix. Returns the number of bytes that had to be copied into it. */
uint32_t wt_deframer_attach(struct wt_deframer *d, uint8_t *base, uint32_t front,
			    uint32_t capacity);

/* Bytes received and not yet given out. */
uint32_t wt_deframer_pending(const struct wt_deframer *d);

/* The next whole record. WT_OK: *data and *len are set and it counts as given
 * out; WT_AGAIN: more bytes are needed; WT_ERR_LIMIT: the next length lies
 * outside WT_TCP_RECORD_MIN..max (said again until max is raised). */
enum wt_status wt_deframer_next(struct wt_deframer *d, uint8_t **data, uint32_t *len) WT_MUST_CHECK;

/* Only after next() said WT_AGAIN: where to read (*at) and how much (*len, at
 * least 1). Returns the number of bytes that had to be moved. */
uint32_t wt_deframer_plan(struct wt_deframer *d, uint8_t **at, uint32_t *len);

/* `n` bytes (0..*len) were read where plan() said. */
void wt_deframer_filled(struct wt_deframer *d, uint32_t n, uint32_t planned);

#endif
