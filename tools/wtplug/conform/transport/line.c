/* SPDX-License-Identifier: MIT */
#include "conform/transport/line.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

/* Where the numbers of the two ends begin. */
#define FIRST 0u
#define SECOND 0x40000000u
/* What the tester writes over a record that it has read, as the core may. */
#define USED 0x77

/* ---- records -------------------------------------------------------------- */

static uint8_t byte_of(uint32_t number, uint32_t i)
{
	return (uint8_t)(number * 151u + i + (i >> 8) * 3u);
}

void wt_line_fill(uint8_t *data, uint32_t len, uint32_t number)
{
	const uint8_t header[WT_MESSAGE_HEADER] = {
		WT_TYPE_DATA,
		WT_WIRE_VERSION,
		0,
		0,
		(uint8_t)(number >> 24),
		(uint8_t)(number >> 16),
		(uint8_t)(number >> 8),
		(uint8_t)number,
	};

	memcpy(data, header, sizeof header);
	for (uint32_t i = WT_MESSAGE_HEADER; i < len; i++)
		data[i] = byte_of(number, i);
}

bool wt_line_is_record(const uint8_t *data, uint32_t len, uint32_t *number)
{
	if (len < WT_MESSAGE_HEADER)
		return false;
	*number = (uint32_t)data[4] << 24 | (uint32_t)data[5] << 16 | (uint32_t)data[6] << 8 |
		  data[7];
	if (data[0] != WT_TYPE_DATA || data[1] != WT_WIRE_VERSION || data[2] != 0 || data[3] != 0)
		return false;
	for (uint32_t i = WT_MESSAGE_HEADER; i < len; i++)
		if (data[i] != byte_of(*number, i))
			return false;
	return true;
}

static uint32_t spread(uint32_t number, uint32_t below)
{
	uint32_t x = (number + 1u) * 2654435761u;

	x ^= x >> 15;
	x *= 2246822519u;
	x ^= x >> 13;
	return x % below;
}

uint32_t wt_line_small(uint32_t number)
{
	return WT_LINE_SHORTEST + spread(number, WT_UNAUTHENTICATED_MAX + 1u - WT_LINE_SHORTEST);
}

uint32_t wt_line_middling(uint32_t number)
{
	return WT_LINE_SHORTEST + spread(number, 1400u + 1u - WT_LINE_SHORTEST);
}

uint32_t wt_line_mixed(uint32_t number)
{
	switch (number % 8u) {
	case 0:
		return WT_RECORD_MAX - spread(number, 3);
	case 1:
		return WT_LINE_SHORTEST + spread(number, 4);
	case 2:
		return WT_LINE_SHORTEST + spread(number, WT_RECORD_MAX + 1u - WT_LINE_SHORTEST);
	default:
		return wt_line_middling(number);
	}
}

/* ---- coming in ------------------------------------------------------------ */

/* What recv() gave last is the tester's until the next call: has anybody else
 * written to it? */
static void check_held(struct wt_line *line)
{
	for (size_t i = 0; i < line->held_count; i++) {
		const struct wt_record *record = &line->held[i].record;

		for (uint32_t k = 0; k < record->len; k++) {
			if (record->data[k] == USED)
				continue;
			wt_loop_host_found(line->end->host, WT_FAULT_RECORD_DAMAGED,
					   "record %zu of a recv() changes before the next one, at "
					   "byte %u of %u",
					   i + 1, k, record->len);
			break;
		}
	}
	line->held_count = 0;
}

static bool was_seen(struct wt_line *line, uint32_t index)
{
	const uint8_t bit = (uint8_t)(1u << index % 8u);
	bool seen = line->seen[index / 8u] & bit;

	line->seen[index / 8u] |= bit;
	return seen;
}

/* One record; its bytes are looked at. */
static void take(struct wt_line *line, const uint8_t *data, uint32_t len,
		 const struct wt_path *path)
{
	struct wt_loop_host *host = line->end->host;
	uint32_t number = 0, index;
	bool whole = wt_line_is_record(data, len, &number);

	if (line->max && len > line->max) {
		wt_loop_host_found(host, WT_FAULT_RECORD_LIMIT,
				   "a record of %u bytes is delivered where %u are allowed", len,
				   line->max);
		return;
	}
	if (line->tolerant && !whole)
		return;
	index = number - line->in_from;
	if (index >= WT_LINE_NUMBERS * 128u || (!line->stream && index >= WT_LINE_NUMBERS)) {
		wt_loop_host_found(host, WT_FAULT_RECORD_DAMAGED,
				   "of %u bytes, and nobody has sent such a one", len);
		return;
	}
	if (line->stream && index != line->got) {
		wt_loop_host_found(host,
				   index < line->got ? WT_FAULT_RECORD_TWICE
				   : whole	     ? WT_FAULT_RECORD_ORDER
						     : WT_FAULT_RECORD_DAMAGED,
				   "number %u where number %u is due", index, line->got);
		return;
	}
	if (len != line->len(number)) {
		wt_loop_host_found(host, WT_FAULT_RECORD_CUT, "record %u has %u bytes, not %u",
				   index, len, line->len(number));
		return;
	}
	if (!whole) {
		wt_loop_host_found(host, WT_FAULT_RECORD_DAMAGED, "record %u of %u bytes", index,
				   len);
		return;
	}
	if (!line->stream && was_seen(line, index))
		line->twice++;
	line->got++;
	line->from = *path;
	if (line->on_record)
		line->on_record(line, number, path);
}

/* What one element holds: a record or, of datagrams, a run of them. */
static void take_element(struct wt_line *line, const struct wt_record *record)
{
	static const struct wt_path nowhere;
	uint32_t segment = record->segment;

	if (line->stream &&
	    (segment != 0 || memcmp(&record->path, &nowhere, sizeof nowhere) != 0)) {
		wt_loop_host_found(line->end->host, WT_FAULT_OUTSIDE,
				   "a stream leaves segment and path of a record alone");
		return;
	}
	if (segment == 0) {
		take(line, record->data, record->len, &record->path);
		return;
	}
	if (segment >= record->len || record->len > WT_RUN_BYTES ||
	    (record->len + segment - 1) / segment > WT_RUN_SEGMENTS) {
		wt_loop_host_found(line->end->host, WT_FAULT_RECORD_CUT,
				   "a run of %u bytes in records of %u", record->len, segment);
		return;
	}
	line->runs++;
	for (uint32_t at = 0; at < record->len; at += segment)
		take(line, record->data + at,
		     record->len - at < segment ? record->len - at : segment, &record->path);
}

static void read_once(struct wt_line *line)
{
	size_t got;

	check_held(line);
	line->status = wt_transport_end_recv(line->end, line->conn, line->held, line->ask, &got);
	line->held_count = got;
	for (size_t i = 0; i < got; i++)
		take_element(line, &line->held[i].record);
	for (size_t i = 0; i < got; i++)
		memset(line->held[i].record.data, USED, line->held[i].record.len);
	if (line->status == WT_ERR_LIMIT)
		line->refused = true;
	if (line->status != WT_OK && line->status != WT_AGAIN)
		line->reading = false;
}

void wt_line_read(struct wt_line *line)
{
	unsigned calls = 0;

	if (line->conn->closed)
		return;
	/* Who stops reading comes back to it without another report. */
	line->conn->due = true;
	if (!line->reading)
		return;
	do
		read_once(line);
	while (line->status == WT_OK && ++calls != line->calls && line->reading &&
	       !line->conn->closed && line->end->host->finding.fault == WT_FAULT_NONE);
	line->conn->due = line->status == WT_OK;
}

static void on_readable(struct wt_loop_conn *conn)
{
	wt_line_read(conn->arg);
}

/* ---- going out ------------------------------------------------------------ */

/* The next record, or run of records, in a slot of its own. False: there is none
 * now. */
static bool make(struct wt_line *line, struct wt_long_record *out)
{
	struct wt_loop_host *host = line->end->host;
	const uint32_t headroom = line->end->ops->headroom;
	struct wt_slot *slot = wt_loop_host_slot(host);
	uint32_t count = 0, len = 0, segment = 0;

	if (!slot)
		return false;
	uint8_t *data = slot->base + WT_LOOP_FENCE + headroom;

	do {
		uint32_t number = line->out_from + line->made * line->stride, size;

		if (line->route)
			line->route(line, &number, &line->path);
		size = line->len(number);
		if (count > 0 && (size > segment || len + size > WT_RUN_BYTES))
			break;
		if (count == 0)
			segment = size;
		wt_line_fill(data + len, size, number);
		len += size;
		line->made++;
		count++;
		if (size < segment)
			break;
	} while (count < line->run && line->made < line->wanted);
	memset(out, 0, sizeof *out);
	out->record = (struct wt_record){
		.struct_size = sizeof *out,
		.len = len,
		.data = data,
		.slot = slot,
		.segment = count > 1 ? segment : 0,
		.path = line->path,
	};
	wt_loop_host_fence(host, slot, data - headroom, data + len);
	return true;
}

static uint32_t count_of(const struct wt_record *record)
{
	return record->segment ? (record->len + record->segment - 1) / record->segment : 1;
}

/* A record that was not taken is as it was: the tester's own. */
static void check_waiting(struct wt_line *line)
{
	const struct wt_record *record = &line->outbox[0].record;
	uint32_t number;

	if (line->waiting > 0 && record->segment == 0 &&
	    !wt_line_is_record(record->data, record->len, &number))
		wt_loop_host_found(line->end->host, WT_FAULT_OUTSIDE,
				   "send() writes to a record that it does not take");
}

void wt_line_push(struct wt_line *line)
{
	while (line->conn && !line->conn->closed && !line->blocked && !line->broken) {
		const size_t batch = line->batch < WT_LINE_BATCH ? line->batch : WT_LINE_BATCH;
		enum wt_status status;
		size_t taken;

		while (line->waiting < batch && line->made < line->wanted &&
		       make(line, &line->outbox[line->waiting]))
			line->waiting++;
		if (line->waiting == 0)
			return;
		status = wt_transport_end_send(line->end, line->conn, line->outbox, line->waiting,
					       &taken);
		if (status != WT_OK)
			line->broken = true;
		else if (taken < line->waiting)
			line->blocked = true;
		line->shortages += line->blocked;
		for (size_t i = 0; i < taken; i++)
			line->taken += count_of(&line->outbox[i].record);
		line->waiting -= taken;
		memmove(line->outbox, line->outbox + taken, line->waiting * sizeof line->outbox[0]);
		check_waiting(line);
	}
}

static void on_writable(struct wt_loop_conn *conn)
{
	struct wt_line *line = conn->arg;

	if (!line->blocked)
		wt_loop_host_found(line->end->host, WT_FAULT_WRITABLE_TWICE,
				   "where no send() had taken less than it was given");
	line->blocked = false;
	wt_line_push(line);
}

void wt_line_want(struct wt_line *line, uint32_t records)
{
	line->wanted += records;
}

bool wt_line_is_sent(const struct wt_line *line)
{
	return line->made == line->wanted && line->waiting == 0;
}

/* ---- life ----------------------------------------------------------------- */

bool wt_line_init(struct wt_line *line, struct wt_transport_end *end, struct wt_loop_conn *conn,
		  bool first)
{
	*line = (struct wt_line){
		.end = end,
		.conn = conn,
		.stream = wt_transport_end_is_stream(end),
		.len = wt_line_small,
		.out_from = first ? FIRST : SECOND,
		.in_from = first ? SECOND : FIRST,
		.stride = 1,
		.batch = 8,
		.reading = true,
		.ask = 16,
		.max = wt_transport_end_is_stream(end) ? WT_UNAUTHENTICATED_MAX : 0,
		.seen = calloc(1, WT_LINE_NUMBERS / 8u),
	};
	conn->arg = line;
	conn->on_readable = on_readable;
	conn->on_writable = on_writable;
	return line->seen != NULL;
}

static void drop_waiting(struct wt_line *line)
{
	const struct wt_host *table = line->end ? wt_loop_host_table(line->end->host) : NULL;

	for (size_t i = 0; i < line->waiting; i++)
		table->slot_done(table, line->conn->worker, line->outbox[i].record.slot);
	line->waiting = 0;
}

void wt_line_close(struct wt_line *line, bool abort)
{
	if (!line->conn || line->conn->closed)
		return;
	check_held(line);
	wt_transport_end_close_conn(line->end, line->conn, abort);
	drop_waiting(line);
}

void wt_line_free(struct wt_line *line)
{
	if (line->end)
		drop_waiting(line);
	free(line->seen);
	line->seen = NULL;
	line->conn = NULL;
}
