/* SPDX-License-Identifier: MIT
 *
 * The batch forms say of each record what the single ones say, and keep to it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "conform/crypto/aead_check.h"

#define BATCH_MAX 33u
#define BATCH_TEXT 1500u
#define BATCH_ROOM (BATCH_TEXT + WT_TAG_SIZE + 16u) /* and something behind it */
#define BATCH_PAINT 0xa5

/* An item of a host that knows more of it than the plugin. To one that steps by what
 * it knows itself, the rest is an item of its own, which it can work at. */
struct long_item {
	struct wt_aead_item item, decoy;
};

struct batch {
	struct wt_rig *rig;
	struct long_item items[BATCH_MAX];
	uint8_t nonces[BATCH_MAX][WT_NONCE_SIZE];
	uint8_t sealed[BATCH_MAX][BATCH_ROOM]; /* by the single form */
	uint8_t work[BATCH_MAX][BATCH_ROOM];
	uint8_t out[BATCH_MAX][BATCH_ROOM];
	uint8_t decoy[2 * WT_TAG_SIZE];
	size_t n;
};

static size_t batch_len(size_t i)
{
	return (i * 97 + i * i) % BATCH_TEXT;
}

static void batch_item(struct batch *b, size_t i, size_t len, bool in_place)
{
	b->items[i].decoy = (struct wt_aead_item){
		.struct_size = sizeof b->items[i],
		.len = WT_TAG_SIZE,
		.nonce = b->nonces[i],
		.in = b->decoy,
		.out = b->decoy,
		.status = WT_AGAIN,
	};
	b->items[i].item = (struct wt_aead_item){
		.struct_size = sizeof b->items[i],
		.len = (uint32_t)len,
		.nonce = b->nonces[i],
		.aad = i & 1 ? b->rig->seal.aad : NULL,
		.aad_len = i & 1 ? WT_RIG_AAD : 0,
		.in = b->work[i],
		.out = in_place ? b->work[i] : b->out[i],
		.status = WT_AGAIN,
	};
}

static bool batch_wrong(const struct batch *b, const char *form, size_t i, const char *what,
			struct wt_finding *note)
{
	return wt_find(note, WT_FAULT_BATCH, "%s of %zu records, record %zu (%zu bytes): %s", form,
		       b->n, i, batch_len(i), what);
}

/* Where nothing is placed there is paint. */
static void batch_place(struct batch *b, size_t i, const uint8_t *in, size_t len)
{
	memset(b->work[i], BATCH_PAINT, BATCH_ROOM);
	memset(b->out[i], BATCH_PAINT, BATCH_ROOM);
	memcpy(b->work[i], in, len);
}

/* Has it worked at the items, and at nothing between them? */
static bool batch_stepped(const struct batch *b, const char *form, struct wt_finding *note)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->items[i].decoy.status != WT_AGAIN ||
		    b->items[i].item.struct_size != sizeof b->items[i])
			return batch_wrong(b, form, i,
					   "it does not step by struct_size, or writes behind what "
					   "it knows of an item",
					   note);
	return true;
}

/* Has it kept to record i's output of `out_len` bytes? `in` is what record i was. */
static bool batch_kept(const struct batch *b, const char *form, size_t i, const uint8_t *in,
		       size_t out_len, struct wt_finding *note)
{
	const struct wt_aead_item *item = &b->items[i].item;
	const bool in_place = item->out == item->in;
	/* In place the shorter of the two lies inside of the longer. */
	const size_t held = in_place && item->len > out_len ? item->len : out_len;

	for (size_t at = held; at < BATCH_ROOM; at++)
		if (item->out[at] != BATCH_PAINT) {
			batch_wrong(b, form, i, "wrote behind its output", note);
			note->fault = WT_FAULT_OVERRUN;
			return false;
		}
	if (in_place || wt_equal(item->in, in, item->len))
		return true;
	batch_wrong(b, form, i, "wrote to its input", note);
	note->fault = WT_FAULT_INPUT_WRITTEN;
	return false;
}

static bool seal_batch(struct batch *b, bool in_place, struct wt_finding *note)
{
	const struct wt_backend *s = b->rig->subject;
	const char *form = "seal_batch";

	for (size_t i = 0; i < b->n; i++) {
		batch_place(b, i, b->rig->text, batch_len(i));
		batch_item(b, i, batch_len(i), in_place);
	}
	s->ops->seal_batch(s->self, NULL, b->rig->seal.ctx, &b->items->item, b->n);
	if (!batch_stepped(b, form, note))
		return false;
	for (size_t i = 0; i < b->n; i++) {
		const struct wt_aead_item *item = &b->items[i].item;

		if (item->status != WT_OK)
			return batch_wrong(b, form, i, wt_status_text(item->status), note);
		if (!wt_equal(item->out, b->sealed[i], batch_len(i) + WT_TAG_SIZE))
			return batch_wrong(b, form, i, "other bytes than alone", note);
		if (!batch_kept(b, form, i, b->rig->text, batch_len(i) + WT_TAG_SIZE, note))
			return false;
	}
	return true;
}

static bool is_forged(size_t i)
{
	return i % 3 == 2;
}

static size_t batch_forged_at(const struct batch *b, size_t i)
{
	const size_t len = batch_len(i) + WT_TAG_SIZE, last = len < 48 ? len : 48;

	return len - 1 - (i / 3 + b->n) % last;
}

/* Every third record is forged, in a byte of its last 48: in time in each of the tag. */
static bool open_batch(struct batch *b, bool in_place, struct wt_finding *note)
{
	static const uint8_t nothing[BATCH_TEXT];
	const struct wt_backend *s = b->rig->subject;
	const char *form = "open_batch";
	uint8_t in[BATCH_ROOM];

	for (size_t i = 0; i < b->n; i++) {
		batch_place(b, i, b->sealed[i], batch_len(i) + WT_TAG_SIZE);
		if (is_forged(i))
			b->work[i][batch_forged_at(b, i)] ^= 1;
		batch_item(b, i, batch_len(i) + WT_TAG_SIZE, in_place);
	}
	s->ops->open_batch(s->self, NULL, b->rig->open.ctx, &b->items->item, b->n);
	if (!batch_stepped(b, form, note))
		return false;
	for (size_t i = 0; i < b->n; i++) {
		const struct wt_aead_item *item = &b->items[i].item;
		const bool forged = is_forged(i);

		if (item->status != (forged ? WT_ERR_AUTH : WT_OK))
			return batch_wrong(b, form, i, wt_status_text(item->status), note);
		if (!wt_equal(item->out, forged ? nothing : b->rig->text, batch_len(i)))
			return batch_wrong(b, form, i,
					   forged ? "refused, but the output is not all zero"
						  : "another text",
					   note);
		memcpy(in, b->sealed[i], item->len);
		if (forged)
			in[batch_forged_at(b, i)] ^= 1;
		if (!batch_kept(b, form, i, in, batch_len(i), note))
			return false;
	}
	return true;
}

static bool seal_alone(struct batch *b, struct wt_finding *note)
{
	const struct wt_backend *s = b->rig->subject;

	for (size_t i = 0; i < BATCH_MAX; i++) {
		memcpy(b->nonces[i], b->rig->seal.nonce, WT_NONCE_SIZE);
		b->nonces[i][WT_NONCE_SIZE - 1] = (uint8_t)i;
		batch_item(b, i, batch_len(i), false);

		const struct wt_aead_item *item = &b->items[i].item;

		if (s->ops->seal(s->self, NULL, b->rig->seal.ctx, item->nonce, item->aad,
				 item->aad_len, b->rig->text, item->len, b->sealed[i]) != WT_OK)
			return wt_find(note, WT_FAULT_FAILED, "sealing %u bytes failed", item->len);
	}
	return true;
}

enum wt_verdict wt_check_batch(struct wt_rig *rig, struct wt_finding *note)
{
	const struct wt_crypto_ops *ops = rig->subject->ops;
	struct batch *b = calloc(1, sizeof *b);
	bool sound = b != NULL;

	if (!ops->seal_batch && !ops->open_batch) {
		free(b);
		wt_find(note, WT_FAULT_NONE, "it has no batch form; the host's is used");
		return WT_SKIPPED;
	}
	if (!b)
		wt_find(note, WT_FAULT_FAILED, "no memory");
	if (sound) {
		b->rig = rig;
		sound = seal_alone(b, note);
	}
	for (size_t n = 0; sound && n <= BATCH_MAX; n++) {
		b->n = n;
		for (int form = 0; sound && form < 2; form++)
			sound = (!ops->seal_batch || seal_batch(b, form, note)) &&
				(!ops->open_batch || open_batch(b, form, note));
	}
	free(b);
	return wt_verdict_of(sound);
}
