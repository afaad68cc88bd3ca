/* SPDX-License-Identifier: MIT
 *
 * A run goes out as one message that the kernel cuts (UDP_SEGMENT). What it
 * refuses goes out in single datagrams: if those pass, it was the cutting, and
 * this socket does without from then on; if they are too large as well, they are
 * lost and nothing is concluded. While the kernel takes no more, at most one
 * record is ours: a run of which a part went out.
 */
#include "link.h"

#include <errno.h>

#include "transport-common/address.h"
#include "transport-common/failure.h"
#include "transport-common/record.h"

/* ---- moving along the records */

static void walk(struct wt_udp_link *link, struct wt_udp_cursor *cursor, uint32_t bytes)
{
	const struct wt_host *host = link->udp->host;

	link->out.doubt -= bytes < link->out.doubt ? bytes : link->out.doubt;
	link->out.tries = 0;
	while (bytes > 0) {
		const struct wt_record *record = wt_record_at(cursor->records, cursor->index);
		uint32_t rest = record->len - cursor->at;

		if (bytes < rest) {
			cursor->at += bytes;
			return;
		}
		bytes -= rest;
		host->slot_done(host, link->worker, record->slot);
		cursor->index++;
		cursor->at = 0;
	}
}

/* Pass over `bytes`, which are lost. */
static void lose(struct wt_udp_link *link, struct wt_udp_cursor *cursor, uint32_t bytes,
		 uint32_t segment, uint32_t counter)
{
	wt_udp_link_count(link, counter, wt_udp_count_of(bytes, segment));
	walk(link, cursor, bytes);
}

/* ---- what the kernel says */

/* Single datagrams pass where their run did not. */
static void stop_runs(struct wt_udp_link *link)
{
	const struct wt_host *host = link->udp->host;
	char where[WT_ADDRESS_TEXT], text[64];

	link->out.runs = false;
	link->out.doubt = 0;
	wt_udp_link_count(link, link->udp->counters.fallbacks, 1);
	wt_address_text(&link->peer, where);
	host->log(host, WT_LOG_WARN,
		  "udp %s: the kernel does not cut runs of datagrams here (%s): they go out one by "
		  "one, which takes more CPU; segmentation = off does so from the start",
		  where, wt_socket_error_text(link->out.doubt_error, text, sizeof text));
}

static void went_out(struct wt_udp_link *link, struct wt_udp_cursor *cursor,
		     const struct wt_udp_train *train)
{
	const struct wt_udp_counters *counters = &link->udp->counters;

	if (train->count > 1) {
		wt_udp_link_count(link, counters->gso_sends, 1);
		wt_udp_link_count(link, counters->gso_segments, train->count);
	} else if (link->out.doubt > 0 && link->out.doubt_error != EMSGSIZE) {
		stop_runs(link);
	}
	walk(link, cursor, train->bytes);
}

/* The kernel, or something below it, is full. */
static enum wt_status is_full(struct wt_udp_link *link, bool paused)
{
	wt_udp_link_count(link, link->udp->counters.buffer_full, 1);
	link->out.blocked = true;
	link->out.paused = paused;
	if (paused)
		link->udp->host->timer_set(link->udp->host, link->pause, WT_UDP_FULL_PAUSE_MS);
	wt_udp_link_watch(link);
	return WT_AGAIN;
}

/* How far what refused the datagram at the cursor refuses what follows it. */
static uint32_t equals_of(const struct wt_udp_link *link, const struct wt_udp_cursor *cursor,
			  const struct wt_udp_train *train)
{
	uint32_t rest = wt_record_at(cursor->records, cursor->index)->len - cursor->at;
	uint32_t most = train->bytes > rest ? train->bytes : rest;

	return most > link->out.doubt ? most : link->out.doubt;
}

/* `train` was refused. WT_AGAIN: not now; WT_OK: go on. */
static enum wt_status refused(struct wt_udp_link *link, struct wt_udp_cursor *cursor,
			      const struct wt_udp_train *train, int error)
{
	const struct wt_udp_counters *counters = &link->udp->counters;
	uint32_t equals = equals_of(link, cursor, train);

	switch (error) {
	case EINTR:
		return WT_OK;
	case EAGAIN:
		return is_full(link, false);
	case ENOBUFS:
	case ENOMEM:
		return is_full(link, true);
	case EINVAL:
	case EIO:
	case EMSGSIZE:
		if (train->count > 1) {
			link->out.doubt = train->bytes;
			link->out.doubt_error = error;
			return WT_OK;
		}
		/* Or a note that it was so elsewhere, which is counted where the
		 * notes are read; only who dialled gets any. */
		if (error == EMSGSIZE && link->dialled && ++link->out.tries < WT_UDP_TRIES)
			return WT_OK;
		break;
	case ECONNREFUSED:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EPROTO:
	case ENOPROTOOPT:
	case EOPNOTSUPP:
	case ENONET:
	case EACCES:
		/* About this datagram, or an earlier one's note? */
		if (++link->out.tries < WT_UDP_TRIES) {
			wt_udp_link_count(link, counters->hints, 1);
			return WT_OK;
		}
		break;
	default:
		break;
	}
	if (error == EMSGSIZE) {
		link->out.doubt_error = EMSGSIZE;
		lose(link, cursor, equals / train->segment * train->segment, train->segment,
		     counters->too_large);
	} else {
		lose(link, cursor, equals, train->segment, counters->unreachable);
	}
	return WT_OK;
}

/* ---- sending */

/* Send from the cursor on. WT_AGAIN: the kernel wants no more now. */
static enum wt_status pump(struct wt_udp_link *link, struct wt_udp_cursor *cursor)
{
	struct wt_udp_batch batch;
	enum wt_status status = WT_OK;

	while (status == WT_OK && cursor->index < cursor->n) {
		const struct wt_udp_plan plan = {
			.remote = &link->peer,
			.runs = link->out.runs && link->out.doubt == 0,
			.bytes = link->out.doubt,
		};
		int n;

		wt_udp_batch_build(&batch, cursor, &plan);
		n = sendmmsg(link->fd, batch.messages, (unsigned)batch.count,
			     MSG_DONTWAIT | MSG_NOSIGNAL);
		wt_udp_link_count(link, link->udp->counters.tx_calls, 1);
		if (n <= 0)
			status = refused(link, cursor, &batch.trains[0], n < 0 ? errno : EIO);
		for (int i = 0; i < n; i++)
			went_out(link, cursor, &batch.trains[i]);
	}
	return status;
}

static bool is_sendable(const struct wt_udp_link *link, const struct wt_record *record)
{
	uint32_t segment = wt_udp_segment_of(record);
	struct wt_udp_path path;
	bool named = wt_udp_path_read(&record->path, &path);

	if (record->len < WT_UDP_RECORD_MIN || record->len > WT_UDP_RECORD_MAX ||
	    segment < WT_UDP_RECORD_MIN || wt_udp_count_of(record->len, segment) > WT_RUN_SEGMENTS)
		return false;
	if (link->dialled)
		return !named;
	return named && (path.family == 4) == (link->peer.ss_family == AF_INET);
}

/* What is behind the cursor in its record stays with us. */
static void keep_rest(struct wt_udp_link *link, struct wt_udp_cursor *cursor)
{
	const struct wt_record *record;

	if (cursor->at == 0)
		return;
	record = wt_record_at(cursor->records, cursor->index++);
	link->out.rest = (struct wt_record){
		.struct_size = sizeof link->out.rest,
		.len = record->len - cursor->at,
		.data = record->data + cursor->at,
		.slot = record->slot,
		.segment = record->segment,
		.path = record->path,
	};
	cursor->at = 0;
}

enum wt_status wt_udp_link_send(struct wt_udp_link *link, const struct wt_record *records, size_t n,
				size_t *taken)
{
	struct wt_udp_cursor cursor = { .records = records, .n = n };

	*taken = 0;
	for (size_t i = 0; i < n; i++)
		if (!is_sendable(link, wt_record_at(records, i)))
			return WT_ERR_INVALID;
	if (!link->out.blocked && pump(link, &cursor) == WT_AGAIN)
		keep_rest(link, &cursor);
	*taken = cursor.index;
	if (*taken < n)
		link->out.owes_writable = true;
	return WT_OK;
}

/* WT_AGAIN: there is still some of it. */
static enum wt_status send_rest(struct wt_udp_link *link)
{
	struct wt_record rest = link->out.rest;
	struct wt_udp_cursor cursor = { .records = &rest, .n = 1 };

	if (!rest.slot)
		return WT_OK;
	link->out.rest.slot = NULL;
	if (pump(link, &cursor) == WT_OK)
		return WT_OK;
	if (cursor.at == 0)
		link->out.rest = rest;
	else
		keep_rest(link, &cursor);
	return WT_AGAIN;
}

void wt_udp_link_writable(struct wt_udp_link *link)
{
	const struct wt_host *host = link->udp->host;
	struct wt_udp_sending *out = &link->out;

	if (!out->blocked || send_rest(link) == WT_AGAIN)
		return;
	out->blocked = out->paused = false;
	if (out->owes_writable) {
		out->owes_writable = false;
		host->link_writable(host, link->worker, link->core);
	}
	/* Often blocked again by now: then the watch stays as it is. */
	if (!link->closed)
		wt_udp_link_watch(link);
}

void wt_udp_sending_finish(struct wt_udp_link *link)
{
	struct wt_record rest = link->out.rest;
	struct wt_udp_cursor cursor = { .records = &rest, .n = 1 };
	struct wt_udp_batch batch;
	const struct wt_udp_plan plan = { .remote = &link->peer };

	if (!rest.slot)
		return;
	wt_udp_batch_build(&batch, &cursor, &plan);
	(void)sendmmsg(link->fd, batch.messages, (unsigned)batch.count,
		       MSG_DONTWAIT | MSG_NOSIGNAL);
}

void wt_udp_sending_drop(struct wt_udp_link *link)
{
	const struct wt_host *host = link->udp->host;

	if (link->out.rest.slot)
		host->slot_done(host, link->worker, link->out.rest.slot);
	link->out.rest.slot = NULL;
}
