/* SPDX-License-Identifier: MIT */
#include "session/output.h"

#include <string.h>

#include "plugin/call.h"
#include "session/peer.h"

/* Where a record starts whose text, which ends in a packet at WT_SLOT_PACKET,
 * begins with `prefix` bytes. */
#define RECORD_AT(prefix) (WT_SLOT_PACKET - (prefix)-WT_RECORD_HEADER)

static void mark_unsent(struct wt_link *link)
{
	if (link->in_unsent || link->blocked)
		return;
	link->in_unsent = true;
	link->next_unsent = link->worker->unsent;
	link->worker->unsent = link;
}

static struct wt_record record_of(struct wt_buffer *buffer, size_t prefix, size_t len,
				  const struct wt_path *path)
{
	return (struct wt_record){
		.struct_size = sizeof(struct wt_record),
		.len = (uint32_t)len,
		.data = buffer->slot.base + RECORD_AT(prefix),
		.slot = &buffer->slot,
		.path = *path,
	};
}

static size_t bytes_ahead(const struct wt_link *link)
{
	return link->datagram ? WT_LINK_OUT_BYTES_DATAGRAM : WT_LINK_OUT_BYTES_STREAM;
}

bool wt_output_ready(const struct wt_conn *conn)
{
	const struct wt_link *link = conn->link;
	bool plenty = wt_worker_has_plenty(conn->worker);

	return !link->blocked && link->out_bytes < bytes_ahead(link) &&
	       link->out_count - link->out_urgent < (plenty ? WT_LINK_OUT_SEALED : 1);
}

static void noted(struct wt_conn *conn, size_t record_len)
{
	conn->link->out_bytes += record_len;
	conn->keepalive_ms = 0;
	mark_unsent(conn->link);
}

static enum wt_drop drop_of(enum wt_status status)
{
	return status == WT_ERR_LIMIT ? WT_DROP_SEND_LIMIT : WT_DROP_CRYPTO;
}

/* Seal prefix + `body_len` bytes. */
static enum wt_drop seal(struct wt_conn *conn, struct wt_keypair *pair, const struct wt_path *to,
			 struct wt_buffer *buffer, size_t prefix_len, size_t body_len)
{
	struct wt_link *link = conn->link;
	uint64_t now = conn->worker->loop.now_ms;
	size_t record_len = WT_RECORD_HEADER + prefix_len + body_len + WT_TAG_SIZE;
	enum wt_status status =
		wt_keypair_seal(pair, conn->worker, now, buffer->slot.base + RECORD_AT(prefix_len),
				prefix_len + body_len);

	if (status != WT_OK) {
		(void)wt_worker_slot_put(conn->worker, &buffer->slot);
		return drop_of(status);
	}
	link->out[link->out_count++] = record_of(buffer, prefix_len, record_len, to);
	noted(conn, record_len);
	if (prefix_len > 0)
		wt_track_sent(conn, record_len);
	return WT_DROP_NONE;
}

/* Can a record of `len` bytes follow those of `run`, by size and number? */
static bool run_takes(const struct wt_record *run, size_t len)
{
	uint32_t size = run->segment ? run->segment : run->len;

	return len <= size && run->len % size == 0 && run->len / size < WT_RUN_SEGMENTS &&
	       run->len + len <= WT_RUN_BYTES;
}

/* What was sealed last, if a record of `len` bytes can go behind it: to the same
 * place, none of them larger than the first, none behind a smaller one. A probe
 * of the path is larger than what the path is known to take, and stays alone:
 * what would be behind it would share its fate. */
static struct wt_record *run_for(const struct wt_conn *conn, size_t len)
{
	struct wt_link *link = conn->link;
	struct wt_record *last;

	if (!link->datagram || link->out_count == link->out_urgent)
		return NULL;
	last = &link->out[link->out_count - 1];
	if (!run_takes(last, len) ||
	    (last->segment ? last->segment : last->len) > conn->limits.record_max ||
	    memcmp(&last->path, &conn->path, sizeof last->path) != 0)
		return NULL;
	return last;
}

_Static_assert(WT_SLOT_PACKET + WT_RUN_BYTES <= WT_SLOT_CAPACITY, "a run fits where it begins");

/* Seal `text` behind the records of `run`. */
static enum wt_drop extend(struct wt_conn *conn, struct wt_record *run, const uint8_t *text,
			   size_t len)
{
	size_t record_len = WT_RECORD_HEADER + len + WT_TAG_SIZE;
	enum wt_status status =
		wt_keypair_seal_from(conn->keys.current, conn->worker, conn->worker->loop.now_ms,
				     run->data + run->len, text, len);

	if (status != WT_OK)
		return drop_of(status);
	if (run->segment == 0)
		run->segment = run->len;
	run->len += (uint32_t)record_len;
	noted(conn, record_len);
	wt_track_sent(conn, record_len);
	return WT_DROP_NONE;
}

enum wt_drop wt_output_packet(struct wt_conn *conn, struct wt_buffer *buffer, const uint8_t *prefix,
			      size_t prefix_len)
{
	size_t len = prefix_len + buffer->len;
	uint8_t *text = buffer->slot.base + WT_SLOT_PACKET - prefix_len;
	struct wt_record *run = run_for(conn, WT_RECORD_HEADER + len + WT_TAG_SIZE);
	enum wt_drop drop;

	memcpy(text, prefix, prefix_len);
	if (!run)
		return seal(conn, conn->keys.current, &conn->path, buffer, prefix_len, buffer->len);
	drop = extend(conn, run, text, len);
	(void)wt_worker_slot_put(conn->worker, &buffer->slot);
	return drop;
}

enum wt_drop wt_output_piece(struct wt_conn *conn, const uint8_t *text, size_t len)
{
	struct wt_record *run = run_for(conn, WT_RECORD_HEADER + len + WT_TAG_SIZE);
	struct wt_link *link = conn->link;
	struct wt_buffer *buffer;
	enum wt_drop drop;

	if (run)
		return extend(conn, run, text, len);
	if (link->out_count - link->out_urgent >= WT_LINK_OUT_SEALED)
		return WT_DROP_QUEUE_FULL;
	buffer = wt_slot_get(&conn->worker->slots);
	if (!buffer)
		return WT_DROP_QUEUE_FULL;
	/* A run of none, which becomes one of one. */
	run = &link->out[link->out_count];
	*run = record_of(buffer, 1, 0, &conn->path);
	drop = extend(conn, run, text, len);
	if (drop == WT_DROP_NONE)
		link->out_count++;
	else
		(void)wt_worker_slot_put(conn->worker, &buffer->slot);
	return drop;
}

/* A buffer for a text, if one can be sealed under `pair`. */
static struct wt_buffer *text_buffer(struct wt_conn *conn, const struct wt_keypair *pair)
{
	const struct wt_link *link = conn->link;

	if (!pair || conn->closed || link->out_count - link->out_urgent >= WT_LINK_OUT_SEALED)
		return NULL;
	return wt_slot_get(&conn->worker->slots);
}

bool wt_output_text_to(struct wt_conn *conn, struct wt_keypair *pair, const struct wt_path *to,
		       const uint8_t *text, size_t len)
{
	struct wt_buffer *buffer = text_buffer(conn, pair);

	if (!buffer)
		return false;
	memcpy(buffer->slot.base + WT_SLOT_PACKET, text, len);
	return seal(conn, pair, to, buffer, 0, len) == WT_DROP_NONE;
}

bool wt_output_text(struct wt_conn *conn, struct wt_keypair *pair, const uint8_t *text, size_t len)
{
	return wt_output_text_to(conn, pair, &conn->path, text, len);
}

bool wt_output_probe(struct wt_conn *conn, size_t record_len, uint16_t id)
{
	struct wt_buffer *buffer = text_buffer(conn, conn->keys.current);
	size_t len;

	if (!buffer)
		return false;
	len = wt_control_probe(buffer->slot.base + WT_SLOT_PACKET,
			       record_len - WT_RECORD_HEADER - WT_TAG_SIZE, id);
	if (len > 0)
		return seal(conn, conn->keys.current, &conn->path, buffer, 0, len) == WT_DROP_NONE;
	(void)wt_worker_slot_put(conn->worker, &buffer->slot);
	return false;
}

bool wt_output_answer(const struct wt_origin *to, const uint8_t *message, size_t len)
{
	struct wt_link *link = to->link;
	enum wt_status status;

	if (link->closed)
		return false;
	status = wt_transport_answer(link->transport, link->worker, link->tconn, &to->path, message,
				     len);
	if (status != WT_ERR_UNSUPPORTED)
		return status == WT_OK;
	if (link->blocked || !wt_output_handshake(to, message, len))
		return false;
	wt_output_flush(link);
	return true;
}

bool wt_output_handshake(const struct wt_origin *to, const uint8_t *message, size_t len)
{
	struct wt_link *link = to->link;
	struct wt_buffer *buffer;

	/* Where anyone may ask, nothing waits for a link that stands: it leaves by the
	 * other way, or whoever needs it asks again. */
	if (link->blocked && wt_link_shared(link))
		return wt_output_answer(to, message, len);
	if (link->closed || link->out_count == WT_LINK_OUT)
		return false;
	buffer = wt_slot_get(&link->worker->slots);
	if (!buffer)
		return false;
	memcpy(buffer->slot.base + RECORD_AT(0), message, len);
	memmove(&link->out[link->out_urgent + 1], &link->out[link->out_urgent],
		(link->out_count - link->out_urgent) * sizeof(link->out[0]));
	link->out[link->out_urgent++] = record_of(buffer, 0, len, &to->path);
	link->out_count++;
	link->out_bytes += len;
	mark_unsent(link);
	return true;
}

static void count_sent(struct wt_link *link, const struct wt_record *record)
{
	struct wt_offload_counters *counters = &link->worker->offloads;

	link->out_bytes -= record->len;
	if (record->segment == 0)
		return;
	counters->sent_runs++;
	counters->sent_run_packets += (record->len + record->segment - 1) / record->segment;
}

static void hand_over(struct wt_link *link, size_t count)
{
	size_t taken = 0;

	if (link->closed || link->blocked || count == 0)
		return;
	enum wt_status status = wt_transport_send(link->transport, link->worker, link->tconn,
						  link->out, count, &taken);

	/* On an error link_ended comes, if it has not come already. */
	if (status != WT_OK || taken < count)
		link->blocked = true;
	if (link->closed)
		return;
	for (size_t i = 0; i < taken; i++)
		count_sent(link, &link->out[i]);
	link->out_count -= taken;
	link->out_urgent -= taken < link->out_urgent ? taken : link->out_urgent;
	memmove(&link->out[0], &link->out[taken], link->out_count * sizeof(link->out[0]));
}

void wt_output_flush(struct wt_link *link)
{
	hand_over(link, link->out_count);
}

void wt_output_make_room(struct wt_link *link)
{
	size_t count = link->out_count;
	const struct wt_record *last = count > 1 ? &link->out[count - 1] : NULL;

	if (last && last->segment && run_takes(last, last->segment))
		count--;
	hand_over(link, count);
}

void wt_output_flush_all(struct wt_worker *worker)
{
	while (worker->unsent) {
		struct wt_link *link = worker->unsent;

		worker->unsent = link->next_unsent;
		link->in_unsent = false;
		wt_output_flush(link);
	}
}
