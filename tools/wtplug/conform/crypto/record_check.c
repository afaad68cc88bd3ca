/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "conform/crypto/aead_check.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Around every block and unroll boundary that an implementation may have. */
static const size_t edge_lengths[] = { 0,   1,	 15,  16,  17,	31,  32,  33,	48,   63,
				       64,  65,	 95,  96,  97,	127, 128, 129,	191,  192,
				       193, 255, 256, 257, 383, 384, 511, 1420, 4095, 4096 };

/* ---- equality ------------------------------------------------------------ */

enum wt_verdict wt_check_lengths(struct wt_rig *rig, struct wt_finding *note)
{
	const bool all = rig->options.level >= 3;

	for (size_t len = 0; len <= WT_TEXT_MAX;
	     len = len == 4096 && !all ? WT_TEXT_MAX - 35 : len + 1) {
		for (unsigned form = 0; form < 4; form++) {
			size_t offset = (len ^ form) & 1 ? 0 : WT_GUARDED_END;

			wt_rig_arrange(rig, form & 1, form & 2 ? WT_RIG_AAD : 0, offset, offset);
			if (!wt_rig_agree(rig, len, note))
				return WT_FOUND;
		}
	}
	return WT_SOUND;
}

static bool agree_at(struct wt_rig *rig, size_t in_offset, size_t out_offset,
		     struct wt_finding *note)
{
	for (size_t i = 0; i < COUNT(edge_lengths); i++) {
		for (unsigned form = 0; form < 4; form++) {
			wt_rig_arrange(rig, form & 1, form & 2 ? WT_RIG_AAD : 0, in_offset,
				       out_offset);
			if (!wt_rig_agree(rig, edge_lengths[i], note))
				return false;
		}
	}
	return true;
}

enum wt_verdict wt_check_alignments(struct wt_rig *rig, struct wt_finding *note)
{
	/* One output for each input, or each with each. */
	const size_t outs = rig->options.level >= 3 ? 64 : 1;

	for (size_t in = 0; in < 64; in++)
		for (size_t out = 0; out < outs; out++)
			if (!agree_at(rig, in, (in * 7 + 3 + out) % 64, note))
				return WT_FOUND;
	return WT_SOUND;
}

enum wt_verdict wt_check_aad(struct wt_rig *rig, struct wt_finding *note)
{
	static const size_t lengths[] = { 0, 1, 40, 64, 300 };

	for (size_t aad = 0; aad <= WT_AAD_MAX; aad++) {
		for (size_t i = 0; i < COUNT(lengths); i++) {
			struct wt_finding unused;

			wt_rig_arrange(rig, i & 1, aad, 0, WT_GUARDED_END);
			if (wt_rig_agree(rig, lengths[i], note))
				continue;
			wt_rig_arrange(rig, i & 1, aad ? aad - 1 : 1, 0, WT_GUARDED_END);
			if (note->fault == WT_FAULT_BYTES && wt_rig_agree(rig, lengths[i], &unused))
				note->fault = WT_FAULT_ONE_AAD;
			return WT_FOUND;
		}
	}
	return WT_SOUND;
}

/* ---- forgeries ----------------------------------------------------------- */

/* Flips each `step`-th bit of `p`, and demands that the record is refused. */
static bool flips_refused(struct wt_rig *rig, size_t len, uint8_t *p, size_t bytes, size_t step,
			  const char *what, enum wt_fault accepted, struct wt_finding *note)
{
	for (size_t bit = 0; bit < 8 * bytes; bit += step) {
		struct wt_finding why = { .fault = WT_FAULT_NONE };
		uint8_t mask = (uint8_t)(1u << (bit % 8));

		p[bit / 8] ^= mask;
		bool refused = wt_attempt_open(&rig->open, rig->sealed, len, NULL, &why);

		p[bit / 8] ^= mask;
		if (refused)
			continue;
		return wt_find(note, why.fault == WT_FAULT_TAG_UNCHECKED ? accepted : why.fault,
			       "bit %zu of the %s flipped: %s", bit, what, why.text);
	}
	return true;
}

/* Is a record with another tag accepted? */
static bool tag_is_unchecked(struct wt_rig *rig, size_t sealed_len)
{
	struct wt_finding why = { .fault = WT_FAULT_NONE };
	uint8_t *tag = rig->sealed + sealed_len - WT_TAG_SIZE;

	for (size_t i = 0; i < WT_TAG_SIZE; i++)
		tag[i] ^= 0xff;
	bool refused = wt_attempt_open(&rig->open, rig->sealed, sealed_len, NULL, &why);

	for (size_t i = 0; i < WT_TAG_SIZE; i++)
		tag[i] ^= 0xff;
	return !refused && why.fault == WT_FAULT_TAG_UNCHECKED;
}

/* With the record of `len` bytes of text that is at rig->sealed. */
static bool all_flips_refused(struct wt_rig *rig, size_t len, size_t step, struct wt_finding *note)
{
	const size_t sealed_len = len + WT_TAG_SIZE;
	struct wt_attempt *a = &rig->open;
	bool refused = flips_refused(rig, sealed_len, rig->sealed, len, step, "ciphertext",
				     WT_FAULT_TEXT_UNCOVERED, note) &&
		       flips_refused(rig, sealed_len, rig->sealed + len, WT_TAG_SIZE, 1, "tag",
				     WT_FAULT_TAG_PART, note) &&
		       flips_refused(rig, sealed_len, a->nonce, WT_NONCE_SIZE, 1, "nonce",
				     WT_FAULT_NONCE_PART, note) &&
		       flips_refused(rig, sealed_len, a->aad, a->aad_len, 1, "AAD",
				     WT_FAULT_AAD_IGNORED, note);

	if (!refused && tag_is_unchecked(rig, sealed_len))
		note->fault = WT_FAULT_TAG_UNCHECKED;
	/* A forgery leaves nothing behind: the true record opens still. */
	return refused && wt_attempt_open(a, rig->sealed, sealed_len, rig->text, note);
}

/* Of a record that the plugin sealed itself, so that a fault of its own making
 * shows, and of one that the other sealed. */
static bool both_refused(struct wt_rig *rig, size_t len, size_t step, struct wt_finding *note)
{
	if (!wt_attempt_seal(&rig->seal, rig->text, len, rig->sealed, note) ||
	    !all_flips_refused(rig, len, step, note))
		return false;
	if (rig->reference == rig->subject)
		return true;
	return wt_attempt_seal(&rig->reference_seal, rig->text, len, rig->sealed, note) &&
	       all_flips_refused(rig, len, step, note);
}

enum wt_verdict wt_check_flips(struct wt_rig *rig, struct wt_finding *note)
{
	static const size_t lengths[] = { 0, 1, 15, 16, 17, 40, 64, 127, 256, 511, 1420 };
	const bool all = rig->options.level >= 3;
	const size_t n = all ? COUNT(lengths) : COUNT(lengths) - 2;

	for (unsigned form = 0; form < 4; form++) {
		size_t offset = form & 2 ? 0 : WT_GUARDED_END;

		wt_rig_arrange(rig, form & 1, WT_RIG_AAD, offset, offset);
		for (size_t i = 0; i < n; i++)
			if (!both_refused(rig, lengths[i], 1, note))
				return WT_FOUND;
		/* A large one: a bit here and there, at all places in a byte. */
		if (!both_refused(rig, WT_TEXT_MAX, all ? 127 : 8191, note))
			return WT_FOUND;
	}
	return WT_SOUND;
}

static bool lengths_refused(struct wt_rig *rig, size_t text_len, struct wt_finding *note)
{
	const size_t whole = text_len + WT_TAG_SIZE;

	if (!wt_attempt_seal(&rig->reference_seal, rig->text, text_len, rig->sealed, note))
		return false;
	rig->sealed[whole] = 0;
	for (size_t len = 0; len <= whole + 1; len++) {
		if (len == whole || wt_attempt_open(&rig->open, rig->sealed, len, NULL, note))
			continue;
		if (note->fault == WT_FAULT_TAG_UNCHECKED)
			note->fault = WT_FAULT_LENGTH_ACCEPTED;
		return false;
	}
	return true;
}

enum wt_verdict wt_check_truncations(struct wt_rig *rig, struct wt_finding *note)
{
	static const size_t lengths[] = { 0, 1, 16, 100, 300, 1420, 4096 };
	const size_t n = rig->options.level >= 3 ? COUNT(lengths) : COUNT(lengths) - 2;

	for (unsigned form = 0; form < 8; form++) {
		size_t offset = form & 2 ? 0 : WT_GUARDED_END;

		wt_rig_arrange(rig, form & 1, form & 4 ? WT_RIG_AAD : 0, offset, offset);
		for (size_t i = 0; i < n; i++)
			if (!lengths_refused(rig, lengths[i], note))
				return WT_FOUND;
	}
	return WT_SOUND;
}

/* ---- batches ------------------------------------------------------------- */

#define BATCH_MAX 33u
#define BATCH_TEXT 1500u
#define BATCH_ROOM (BATCH_TEXT + WT_TAG_SIZE)

struct batch {
	struct wt_rig *rig;
	struct wt_aead_item items[BATCH_MAX];
	uint8_t nonces[BATCH_MAX][WT_NONCE_SIZE];
	uint8_t sealed[BATCH_MAX][BATCH_ROOM]; /* by the single form */
	uint8_t work[BATCH_MAX][BATCH_ROOM];
	uint8_t out[BATCH_MAX][BATCH_ROOM];
	size_t n;
};

static size_t batch_len(size_t i)
{
	return (i * 97 + i * i) % BATCH_TEXT;
}

static void batch_item(struct batch *b, size_t i, size_t len, bool in_place)
{
	b->items[i] = (struct wt_aead_item){
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

static bool seal_batch(struct batch *b, bool in_place, struct wt_finding *note)
{
	const struct wt_backend *s = b->rig->subject;

	for (size_t i = 0; i < b->n; i++) {
		memcpy(b->work[i], b->rig->text, batch_len(i));
		batch_item(b, i, batch_len(i), in_place);
	}
	s->ops->seal_batch(s->self, NULL, b->rig->seal.ctx, b->items, b->n);
	for (size_t i = 0; i < b->n; i++) {
		if (b->items[i].status != WT_OK)
			return batch_wrong(b, "seal_batch", i, wt_status_text(b->items[i].status),
					   note);
		if (!wt_equal(b->items[i].out, b->sealed[i], batch_len(i) + WT_TAG_SIZE))
			return batch_wrong(b, "seal_batch", i, "other bytes than alone", note);
	}
	return true;
}

/* Every third record is forged. */
static bool open_batch(struct batch *b, bool in_place, struct wt_finding *note)
{
	const struct wt_backend *s = b->rig->subject;
	uint8_t nothing[BATCH_TEXT] = { 0 };

	for (size_t i = 0; i < b->n; i++) {
		size_t len = batch_len(i) + WT_TAG_SIZE;

		memcpy(b->work[i], b->sealed[i], len);
		b->work[i][len - 1] ^= i % 3 == 2;
		batch_item(b, i, len, in_place);
	}
	s->ops->open_batch(s->self, NULL, b->rig->open.ctx, b->items, b->n);
	for (size_t i = 0; i < b->n; i++) {
		bool forged = i % 3 == 2;

		if (b->items[i].status != (forged ? WT_ERR_AUTH : WT_OK))
			return batch_wrong(b, "open_batch", i, wt_status_text(b->items[i].status),
					   note);
		if (!wt_equal(b->items[i].out, forged ? nothing : b->rig->text, batch_len(i)))
			return batch_wrong(b, "open_batch", i,
					   forged ? "refused, but the output is not all zero"
						  : "another text",
					   note);
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

		const struct wt_aead_item *item = &b->items[i];

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
