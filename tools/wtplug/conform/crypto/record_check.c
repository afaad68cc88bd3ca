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

/* Long ones: around the powers of two that a buffer, a chunk or a counter may end at. */
static const size_t long_lengths[] = { 4097,  8191,  8192,  8193,  16383, 16384, 16385, 32767,
				       32768, 32769, 65519, 65520, 65521, 65534, 65535, 65536 };

/* ---- equality ------------------------------------------------------------ */

static bool agree_over(struct wt_rig *rig, size_t len, struct wt_finding *note)
{
	for (unsigned form = 0; form < 4; form++) {
		size_t offset = (len ^ form) & 1 ? 0 : WT_GUARDED_END;

		wt_rig_arrange(rig, form & 1, form & 2 ? WT_RIG_AAD : 0, offset, offset);
		if (!wt_rig_agree(rig, len, note))
			return false;
	}
	return true;
}

enum wt_verdict wt_check_lengths(struct wt_rig *rig, struct wt_finding *note)
{
	const size_t each = rig->options.level >= 3 ? WT_TEXT_MAX : 4096;
	bool sound = true;

	for (size_t len = 0; sound && len <= each; len++)
		sound = agree_over(rig, len, note);
	for (size_t i = 0; sound && i < COUNT(long_lengths); i++)
		sound = agree_over(rig, long_lengths[i], note);
	for (size_t len = WT_TEXT_MAX - 35; sound && len <= WT_TEXT_MAX; len++)
		sound = agree_over(rig, len, note);
	return wt_verdict_of(sound);
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

static bool agree_with_aad(struct wt_rig *rig, size_t aad, struct wt_finding *note)
{
	static const size_t lengths[] = { 0, 1, 40, 64, 300 };

	for (size_t i = 0; i < COUNT(lengths); i++) {
		const size_t offset = (aad ^ i) & 2 ? 0 : WT_GUARDED_END;
		struct wt_finding unused;

		wt_rig_arrange(rig, i & 1, aad, offset, WT_GUARDED_END);
		if (wt_rig_agree(rig, lengths[i], note))
			continue;
		/* Not with half of it? */
		wt_rig_arrange(rig, i & 1, aad ? aad / 2 : 1, offset, WT_GUARDED_END);
		if (note->fault == WT_FAULT_BYTES && wt_rig_agree(rig, lengths[i], &unused))
			note->fault = WT_FAULT_ONE_AAD;
		return false;
	}
	return true;
}

enum wt_verdict wt_check_aad(struct wt_rig *rig, struct wt_finding *note)
{
	bool sound = true;

	for (size_t aad = 0; sound && aad <= 520; aad++)
		sound = agree_with_aad(rig, aad, note);
	for (size_t i = 0; sound && i < COUNT(long_lengths); i++)
		sound = agree_with_aad(rig, long_lengths[i], note);
	return wt_verdict_of(sound);
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
		       flips_refused(rig, sealed_len, rig->aad, a->aad_len, 1, "AAD",
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
