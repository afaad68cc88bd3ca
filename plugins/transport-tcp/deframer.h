/* SPDX-License-Identifier: MIT
 *
 * deframer.h: a byte stream cut into records, in the buffer it was read into.
 *
 * Records are used where they were received; the deframer decides where the
 * next read goes and how long it is, so that almost no byte has to be moved,
 * whatever mixture of lengths comes:
 *
 *  - a buffer holds two of the longest records. Reads go as far as the place
 *    from which the longest record still fits, so that a record that begins
 *    anywhere in them can be finished behind its beginning;
 *  - a read that finishes such a record goes on at the front of the buffer,
 *    which is free by then: two regions, one system call;
 *  - a record over WT_TCP_BULK_RECORD at the front is read to its exact end plus
 *    the next length. These four bytes are moved to the front, and the next
 *    record arrives there as a whole.
 *
 * A smaller buffer works too; then a record that does not fit behind its
 * beginning is moved.
 *
 * Life: init -> attach a buffer -> { next until WT_AGAIN -> plan -> read ->
 * filled } ... A record that next() gave is valid until plan(), attach() or
 * clear(). One thread. Nothing here makes a system call or allocates.
 */
#ifndef WT_TCP_DEFRAMER_H
#define WT_TCP_DEFRAMER_H

#include <stddef.h>
#include <sys/uio.h>
#include <whispertunnel/status.h>

struct wt_deframer {
	uint8_t *base;	     /* the buffer; borrowed */
	uint32_t front;	     /* where the first length prefix goes */
	uint32_t capacity;   /* bytes from base */
	uint32_t begin, end; /* [begin, end) is received and not yet given out... */
	uint32_t around;     /* ...and after it so many bytes at the front */
	uint32_t straight;   /* of the planned read: what goes behind `end` */
	uint32_t max;	     /* the longest record allowed */
};

/* Where a read goes: the regions are filled in order. */
struct wt_deframer_plan {
	struct iovec region[2];
	size_t regions; /* 1 or 2 */
	uint32_t len;	/* of all; at least 1 */
	uint32_t moved; /* bytes that had to be moved for it */
};

void wt_deframer_init(struct wt_deframer *d, uint32_t max);

/* Go on in another buffer, which has room behind `front` for the longest record
 * and its prefix. Only after next() said WT_AGAIN, or clear(). Returns the number
 * of bytes that had to be copied into it. */
uint32_t wt_deframer_attach(struct wt_deframer *d, uint8_t *base, uint32_t front,
			    uint32_t capacity);

/* Forget what was received and not given out. */
void wt_deframer_clear(struct wt_deframer *d);

/* Bytes received and not yet given out. */
uint32_t wt_deframer_pending(const struct wt_deframer *d);

/* The next whole record. WT_OK: *data and *len are set and it counts as given
 * out; WT_AGAIN: more bytes are needed; WT_ERR_LIMIT: the next length lies
 * outside WT_TCP_RECORD_MIN..max (said again until max is raised). */
enum wt_status wt_deframer_next(struct wt_deframer *d, uint8_t **data, uint32_t *len) WT_MUST_CHECK;

/* Only after next() said WT_AGAIN. */
struct wt_deframer_plan wt_deframer_plan(struct wt_deframer *d) WT_MUST_CHECK;

/* `n` bytes (0..plan.len) were read as planned. */
void wt_deframer_filled(struct wt_deframer *d, uint32_t n);

#endif
