/* SPDX-License-Identifier: MIT
 *
 * fuzz_deframer.c: transport-tcp's deframer, with any stream in any pieces.
 *
 * Input: mode u8 | count u8 | count sizes u8 of the pieces that arrive, in
 * turn | the rest. The stream is that rest as it is, or, for long records from
 * short inputs, records whose lengths are its u16s.
 */
#include <string.h>
#include <whispertunnel/host.h>
#include <whispertunnel/wire.h>

#include "deframer.h"
#include "fuzz.h"
#include "limits.h"

#define MODE_AUTHENTICATED 0x01u /* in a slot from the start */
#define MODE_LENGTHS 0x02u	 /* make the stream from lengths */
#define MODE_LONG_PIECES 0x04u	 /* sizes count in 256 bytes */

#define STREAM_MAX (256u * 1024u)
#define FRONT 43u

struct stream {
	uint8_t *bytes;
	uint32_t len;  /* of all of it */
	uint32_t fed;  /* given to the deframer */
	uint32_t done; /* come back as records */
};

static void make_stream(struct stream *s, const uint8_t *data, size_t size, unsigned mode)
{
	if (!(mode & MODE_LENGTHS)) {
		s->len = size < STREAM_MAX ? (uint32_t)size : STREAM_MAX;
		if (s->len > 0)
			memcpy(s->bytes, data, s->len);
		return;
	}
	for (size_t i = 0; i + 2 <= size; i += 2) {
		uint32_t len = (uint32_t)data[i] << 8 | data[i + 1];

		if (s->len + WT_TCP_PREFIX + len > STREAM_MAX)
			return;
		memcpy(s->bytes + s->len, (uint8_t[]){ 0, 0, data[i], data[i + 1] }, 4);
		memset(s->bytes + s->len + 4, (int)(i & 0xff), len);
		s->len += WT_TCP_PREFIX + len;
	}
}

/* What a reader of the whole stream would say is next. */
static uint32_t true_length(const struct stream *s)
{
	const uint8_t *p = s->bytes + s->done;

	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Takes every whole record; WT_AGAIN or WT_ERR_LIMIT. */
static enum wt_status drain(struct wt_deframer *d, struct stream *s)
{
	uint8_t *record = NULL;
	uint32_t len = 0;
	enum wt_status status;

	while ((status = wt_deframer_next(d, &record, &len)) == WT_OK) {
		FUZZ_CHECK(len >= WT_TCP_RECORD_MIN && len <= d->max);
		FUZZ_CHECK(len == true_length(s));
		FUZZ_CHECK(s->done + WT_TCP_PREFIX + len <= s->fed);
		FUZZ_CHECK(memcmp(record, s->bytes + s->done + WT_TCP_PREFIX, len) == 0);
		/* The core may write there. */
		memset(record, 0xee, len);
		s->done += WT_TCP_PREFIX + len;
	}
	FUZZ_CHECK(wt_deframer_pending(d) == s->fed - s->done);
	if (status == WT_ERR_LIMIT)
		FUZZ_CHECK(true_length(s) < WT_TCP_RECORD_MIN || true_length(s) > d->max);
	else
		FUZZ_CHECK(s->fed - s->done < WT_TCP_PREFIX ||
			   s->fed - s->done < WT_TCP_PREFIX + true_length(s));
	return status;
}

static void feed(struct wt_deframer *d, struct stream *s, uint32_t piece)
{
	uint32_t pending = wt_deframer_pending(d);
	struct wt_deframer_plan plan = wt_deframer_plan(d);
	uint32_t n = s->len - s->fed < piece ? s->len - s->fed : piece, left, sum = 0;

	FUZZ_CHECK(plan.moved <= pending && plan.len > 0);
	n = n < plan.len ? n : plan.len;
	left = n;
	for (size_t i = 0; i < plan.regions; i++) {
		uint8_t *at = plan.region[i].iov_base;
		uint32_t len = (uint32_t)plan.region[i].iov_len, part = left < len ? left : len;

		FUZZ_CHECK(len > 0 && at >= d->base + d->front &&
			   at + len <= d->base + d->capacity);
		memcpy(at, s->bytes + s->fed, part);
		s->fed += part;
		left -= part;
		sum += len;
	}
	FUZZ_CHECK(sum == plan.len);
	wt_deframer_filled(d, n);
}

static void run(struct stream *s, unsigned mode, const uint8_t *sizes, size_t count)
{
	uint8_t *inside = malloc(WT_TCP_INLINE), *slot = malloc(WT_SLOT_CAPACITY);
	struct wt_deframer d;

	FUZZ_CHECK(inside && slot);
	wt_deframer_init(&d, WT_UNAUTHENTICATED_MAX);
	wt_deframer_attach(&d, inside, 0, WT_TCP_INLINE);
	for (size_t turn = 0; s->fed < s->len; turn++) {
		uint32_t piece = count > 0 ? sizes[turn % count] + 1u : s->len;

		/* Without the mode: as if the second record authenticated. */
		if (d.max == WT_UNAUTHENTICATED_MAX &&
		    ((mode & MODE_AUTHENTICATED) || s->done > 0)) {
			d.max = WT_RECORD_MAX;
			wt_deframer_attach(&d, slot, FRONT, WT_SLOT_CAPACITY);
			if (drain(&d, s) != WT_AGAIN)
				break;
		}
		feed(&d, s, mode & MODE_LONG_PIECES ? piece * 256u : piece);
		if (drain(&d, s) != WT_AGAIN && d.max == WT_RECORD_MAX)
			break;
		if (d.max == WT_UNAUTHENTICATED_MAX && s->done == 0 &&
		    s->fed - s->done >= WT_TCP_PREFIX &&
		    (true_length(s) < WT_TCP_RECORD_MIN || true_length(s) > d.max))
			break;
	}
	free(inside);
	free(slot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stream s = { .len = 0 };

	if (size < 2 || size < 2u + data[1])
		return 0;
	s.bytes = malloc(STREAM_MAX);
	FUZZ_CHECK(s.bytes);
	make_stream(&s, data + 2 + data[1], size - 2 - data[1], data[0]);
	run(&s, data[0], data + 2, data[1]);
	free(s.bytes);
	return 0;
}
