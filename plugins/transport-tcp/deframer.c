/* SPDX-License-Identifier: MIT */
#include "deframer.h"

#include <string.h>

#include "limits.h"

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t read_length(const struct wt_deframer *d)
{
	const uint8_t *p = d->base + d->begin;

	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void wt_deframer_init(struct wt_deframer *d, uint32_t max)
{
	*d = (struct wt_deframer){ .max = max };
}

void wt_deframer_clear(struct wt_deframer *d)
{
	d->begin = d->end = d->front;
	d->around = 0;
}

uint32_t wt_deframer_pending(const struct wt_deframer *d)
{
	return d->end - d->begin + d->around;
}

uint32_t wt_deframer_attach(struct wt_deframer *d, uint8_t *base, uint32_t front, uint32_t capacity)
{
	uint32_t pending = d->end - d->begin;

	if (pending > 0)
		memcpy(base + front, d->base + d->begin, pending);
	d->base = base;
	d->front = front;
	d->capacity = capacity;
	d->begin = front;
	d->end = front + pending;
	return pending;
}

enum wt_status wt_deframer_next(struct wt_deframer *d, uint8_t **data, uint32_t *len)
{
	if (d->begin == d->end && d->around > 0) {
		d->begin = d->front;
		d->end = d->front + d->around;
		d->around = 0;
	}

	uint32_t pending = d->end - d->begin;

	if (pending < WT_TCP_PREFIX)
		return WT_AGAIN;

	uint32_t length = read_length(d);

	if (length < WT_TCP_RECORD_MIN || length > d->max)
		return WT_ERR_LIMIT;
	if (pending - WT_TCP_PREFIX < length)
		return WT_AGAIN;
	*data = d->base + d->begin + WT_TCP_PREFIX;
	*len = length;
	d->begin += WT_TCP_PREFIX + length;
	return WT_OK;
}

/* Bytes of the record in hand, with its prefix; 0 while that is not known. */
static uint32_t record_in_hand(const struct wt_deframer *d)
{
	return d->end - d->begin < WT_TCP_PREFIX ? 0 : WT_TCP_PREFIX + read_length(d);
}

/* Move what is pending to the front: a length alone, since that is cheap and
 * gives its record all the room; a part of a record only if it must. */
static uint32_t make_room(struct wt_deframer *d, uint32_t record)
{
	uint32_t pending = d->end - d->begin;

	if (d->begin == d->front || (pending > WT_TCP_PREFIX && record <= d->capacity - d->begin))
		return 0;
	memmove(d->base + d->front, d->base + d->begin, pending);
	d->begin = d->front;
	d->end = d->front + pending;
	return pending;
}

/* Reads ahead end here: the last place where the longest record may begin and
 * be finished with the next length, if the buffer is one for that. */
static uint32_t last_begin(const struct wt_deframer *d)
{
	uint32_t longest = WT_TCP_PREFIX + d->max + WT_TCP_PREFIX;

	return d->capacity - d->front >= 2 * longest ? d->capacity - longest : d->capacity;
}

struct wt_deframer_plan wt_deframer_plan(struct wt_deframer *d)
{
	uint32_t record = record_in_hand(d);
	struct wt_deframer_plan plan = { .regions = 1, .moved = make_room(d, record) };
	uint32_t stop = last_begin(d);
	uint32_t rest = record > 0 ? d->begin + record - d->end : 0;
	uint32_t around = min_u32(d->begin, stop) - d->front;

	plan.len = rest + WT_TCP_PREFIX;
	if (record <= WT_TCP_BULK_RECORD && stop > d->end + plan.len)
		plan.len = stop - d->end;
	plan.len = min_u32(plan.len, d->capacity - d->end);
	d->straight = plan.len;
	if (record > 0 && rest + around > plan.len) {
		plan.len = rest + around;
		d->straight = rest;
		plan.regions = 2;
		plan.region[1] =
			(struct iovec){ .iov_base = d->base + d->front, .iov_len = around };
	}
	plan.region[0] = (struct iovec){ .iov_base = d->base + d->end, .iov_len = d->straight };
	return plan;
}

void wt_deframer_filled(struct wt_deframer *d, uint32_t n)
{
	uint32_t straight = min_u32(n, d->straight);

	d->end += straight;
	d->around = n - straight;
}
