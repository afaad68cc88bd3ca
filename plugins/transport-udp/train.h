/* SPDX-License-Identifier: MIT
 *
 * train.h: records put together for one sendmmsg(2). No system calls.
 *
 * A train is what one message of it carries: datagrams of one size to one place,
 * of which the last may be shorter. Whoever sends walks along the records with a
 * cursor, since the kernel may stop anywhere.
 */
#ifndef WT_UDP_TRAIN_H
#define WT_UDP_TRAIN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "limits.h"
#include "path.h"

struct wt_udp_cursor {
	const struct wt_record *records;
	size_t n;
	size_t index; /* of the record that is next... */
	uint32_t at;  /* ...and how much of it is gone */
};

struct wt_udp_train {
	uint32_t bytes, segment, count;
};

/* How to put them together. */
struct wt_udp_plan {
	const struct sockaddr_storage *remote; /* of records without a path */
	bool runs;			       /* else every datagram goes alone */
	uint32_t bytes;			       /* no more than so many; 0: no limit */
};

#define WT_UDP_TRAIN_CONTROL (WT_UDP_PATH_CONTROL + 24u)

struct wt_udp_batch {
	size_t count;
	struct wt_udp_train trains[WT_UDP_SEND_BATCH];
	/* For sendmmsg; they point into this structure and into the records. */
	struct mmsghdr messages[WT_UDP_SEND_BATCH];
	size_t piece_count;
	struct iovec pieces[WT_UDP_SEND_PIECES];
	union wt_udp_name {
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} names[WT_UDP_SEND_BATCH];
	_Alignas(struct cmsghdr) uint8_t control[WT_UDP_SEND_BATCH][WT_UDP_TRAIN_CONTROL];
};

/* The bytes of each datagram of a record but the last. */
static inline uint32_t wt_udp_segment_of(const struct wt_record *record)
{
	return record->segment > 0 && record->segment < record->len ? record->segment : record->len;
}

static inline uint32_t wt_udp_count_of(uint32_t bytes, uint32_t segment)
{
	return (bytes + segment - 1) / segment;
}

/* As many trains from the cursor on as fit; at least one if there is a record.
 * The records were checked: lengths, segments and paths are within the contract. */
void wt_udp_batch_build(struct wt_udp_batch *batch, const struct wt_udp_cursor *cursor,
			const struct wt_udp_plan *plan);

#endif
