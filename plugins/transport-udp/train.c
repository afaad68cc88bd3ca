/* SPDX-License-Identifier: MIT */
#include "train.h"

#include <netinet/udp.h>
#include <string.h>

#include "transport-common/address.h"
#include "transport-common/record.h"

_Static_assert(WT_UDP_TRAIN_CONTROL >= WT_UDP_PATH_CONTROL + CMSG_SPACE(sizeof(uint16_t)),
	       "there is room for both control messages");

static void add_piece(struct wt_udp_batch *batch, struct wt_udp_train *train,
		      const struct wt_record *record, uint32_t at, uint32_t bytes)
{
	struct iovec *piece = &batch->pieces[batch->piece_count++];

	piece->iov_base = record->data + at;
	piece->iov_len = bytes;
	train->bytes += bytes;
	train->count += wt_udp_count_of(bytes, train->segment);
}

/* May the whole of `record` go with the train? */
static bool joins(const struct wt_udp_train *train, const struct wt_record *last,
		  const struct wt_record *record)
{
	uint32_t segment = wt_udp_segment_of(record);

	if (train->bytes % train->segment != 0 || segment > train->segment ||
	    (segment < train->segment && segment < record->len))
		return false;
	return train->bytes + record->len <= WT_RUN_BYTES &&
	       train->count + wt_udp_count_of(record->len, segment) <= WT_RUN_SEGMENTS &&
	       memcmp(&last->path, &record->path, sizeof record->path) == 0;
}

/* One train from *at on, and *at behind it. */
static void collect(struct wt_udp_batch *batch, struct wt_udp_train *train,
		    struct wt_udp_cursor *at, const struct wt_udp_plan *plan)
{
	const struct wt_record *record = wt_record_at(at->records, at->index);
	uint32_t rest = record->len - at->at, segment = wt_udp_segment_of(record);

	*train = (struct wt_udp_train){ .segment = segment < rest ? segment : rest };
	if (!plan->runs && train->segment < rest) {
		add_piece(batch, train, record, at->at, train->segment);
		at->at += train->segment;
		return;
	}
	add_piece(batch, train, record, at->at, rest);
	at->index++;
	at->at = 0;
	while (plan->runs && at->index < at->n && batch->piece_count < WT_UDP_SEND_PIECES) {
		const struct wt_record *next = wt_record_at(at->records, at->index);

		if (!joins(train, record, next))
			return;
		add_piece(batch, train, next, 0, next->len);
		at->index++;
	}
}

static void set_segment(struct msghdr *msg, uint8_t *room, uint16_t segment)
{
	struct cmsghdr *header = (struct cmsghdr *)(room + msg->msg_controllen);

	header->cmsg_level = IPPROTO_UDP;
	header->cmsg_type = UDP_SEGMENT;
	header->cmsg_len = CMSG_LEN(sizeof segment);
	memcpy(CMSG_DATA(header), &segment, sizeof segment);
	msg->msg_controllen += CMSG_SPACE(sizeof segment);
}

/* Where it goes, from where, and how it is to be cut. */
static void describe(struct wt_udp_batch *batch, size_t i, const struct wt_record *record,
		     const struct wt_udp_plan *plan)
{
	struct msghdr *msg = &batch->messages[i].msg_hdr;
	struct wt_udp_path path;
	struct sockaddr_storage named;
	const struct sockaddr_storage *remote = plan->remote;

	memset(batch->control[i], 0, sizeof batch->control[i]);
	if (wt_udp_path_read(&record->path, &path)) {
		wt_udp_path_remote(&path, &named);
		remote = &named;
		msg->msg_controllen = wt_udp_path_control(&path, batch->control[i]);
	}
	msg->msg_name = &batch->names[i];
	msg->msg_namelen = wt_address_len(remote);
	memcpy(&batch->names[i], remote, msg->msg_namelen);
	if (batch->trains[i].count > 1)
		set_segment(msg, batch->control[i], (uint16_t)batch->trains[i].segment);
	if (msg->msg_controllen > 0)
		msg->msg_control = batch->control[i];
}

void wt_udp_batch_build(struct wt_udp_batch *batch, const struct wt_udp_cursor *cursor,
			const struct wt_udp_plan *plan)
{
	struct wt_udp_cursor at = *cursor;
	uint32_t bytes = 0;

	batch->count = 0;
	batch->piece_count = 0;
	while (at.index < at.n && batch->count < WT_UDP_SEND_BATCH &&
	       batch->piece_count < WT_UDP_SEND_PIECES &&
	       (plan->bytes == 0 || bytes < plan->bytes)) {
		const struct wt_record *record = wt_record_at(at.records, at.index);
		size_t i = batch->count++, first = batch->piece_count;

		collect(batch, &batch->trains[i], &at, plan);
		bytes += batch->trains[i].bytes;
		batch->messages[i] = (struct mmsghdr){
			.msg_hdr = { .msg_iov = &batch->pieces[first],
				     .msg_iovlen = batch->piece_count - first },
		};
		describe(batch, i, record, plan);
	}
}
