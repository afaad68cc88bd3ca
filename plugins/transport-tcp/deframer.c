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
	*d = (struct wt_deframer){ .max = max, .ahead = WT_TCP_AHEAD_MIN };
}

uint32_t wt_deframer_pending(const struct wt_deframer *d)
{
	return d->end - d->begin;
}

uint32_t wt_deframer_attach(struct wt_deframer *d, uint8_t *base, uint32_t front, uint32_t capacity)
{
	uint32_t pending = wt_deframer_pending(d);

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
	uint32_t pending = wt_deframer_pending(d);

	if (pending < WT_TCP_PREFIX)
		return WT_AGAIN;

	uint32_t length = read_length(d);

	if (length < WT_TCP_RECORD_MIN || length > d->max)
		return WT_ERR_LIMIT;
	if (pending - WT_TCP_PREFIX < length)
		return WT_AGAIN;
	*data = d->base + d->begin + WT_TCP_PREFIX;
	*len = length;
	d->last = WT_TCP_PREFIX + length;
	d->begin += d->last;
	return WT_OK;
}

/* Bytes of the record in hand, with its prefix; 0 while that is not known. */
static uint32_t record_in_hand(const struct wt_deframer *d)
{
	return wt_deframer_pending(d) < WT_TCP_PREFIX ? 0 : WT_TCP_PREFIX + read_length(d);
}

/* Was the last read-ahead a good idea? */
static void learn(struct wt_deframer *d, uint32_t record)
{
	if (!d->read_ahead)
		return;
	if (record > WT_TCP_BULK_RECORD && d->begin > d->front)
		d->ahead = WT_TCP_AHEAD_MIN;
	else if (d->read_full)
		d->ahead = min_u32(2 * d->ahead, d->capacity);
	d->read_ahead = false;
}

/* Move what is pending to the front if it does not fit or if moving is cheap. */
static uint32_t make_room(struct wt_deframer *d, uint32_t record)
{
	uint32_t pending = wt_deframer_pending(d);
	uint32_t gain = d->begin - d->front;
	uint32_t need = record > 0 ? record : WT_TCP_PREFIX;
	bool fits = need <= d->capacity - d->begin;

	if (gain == 0 || (fits && pending * WT_TCP_MOVE_GAIN > gain))
		return 0;
	memmove(d->base + d->front, d->base + d->begin, pending);
	d->begin = d->front;
	d->end = d->front + pending;
	return pending;
}

uint32_t wt_deframer_plan(struct wt_deframer *d, uint8_t **at, uint32_t *len)
{
	uint32_t record = record_in_hand(d);

	learn(d, record);

	uint32_t moved = make_room(d, record);
	uint32_t pending = wt_deframer_pending(d);
	uint32_t room = d->capacity - d->end;
	uint32_t want = record > 0 ? record - pending + WT_TCP_PREFIX : WT_TCP_PREFIX;

	if (record <= WT_TCP_BULK_RECORD) {
		uint32_t window = min_u32(d->ahead, room);
		uint32_t step = record > 0 ? record : d->last;

		if (window > want) {
			/* End behind a whole number of such records and the
			 * next length; without a guess, take it all. */
			uint32_t first = step + WT_TCP_PREFIX - pending;

			want = step > 0 && window > first ? first + (window - first) / step * step
							  : window;
		}
		d->read_ahead = true;
	}
	*at = d->base + d->end;
	*len = min_u32(want, room);
	return moved;
}

void wt_deframer_filled(struct wt_deframer *d, uint32_t n, uint32_t planned)
{
	d->end += n;
	d->read_full = n == planned;
}
