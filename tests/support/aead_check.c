/* SPDX-License-Identifier: MIT */
#include "support/aead_check.h"

#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "support/aead_attempt.h"
#include "support/nist_gcm.h"

#define AAD_LEN 20u
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Around every block and unroll boundary that an implementation may have. */
static const size_t edge_lengths[] = { 0,   1,	 15,  16,  17,	31,  32,  33,	48,   63,
				       64,  65,	 95,  96,  97,	127, 128, 129,	191,  192,
				       193, 255, 256, 257, 383, 384, 511, 1420, 4095, 4096 };

struct wt_rig {
	const struct wt_backend *subject, *reference;
	uint8_t key[WT_KEY_SIZE];
	/* The subject's attempt and the reference's: equal but for the backend.
	 * A context serves one direction, so there are two of each. */
	struct wt_arena arena;
	struct wt_attempt seal, open, reference_seal, reference_open;
	uint8_t *text, *sealed, *reference_sealed;
};

static bool rig_init(struct wt_rig *rig, const struct wt_backend *subject,
		     const struct wt_backend *reference, uint64_t seed)
{
	*rig = (struct wt_rig){ .subject = subject, .reference = reference };
	wt_fill(rig->key, sizeof rig->key, seed);

	struct wt_attempt common = { .arena = &rig->arena, .aad_len = AAD_LEN };

	wt_fill(common.nonce, sizeof common.nonce, seed + 1);
	wt_fill(common.aad, sizeof common.aad, seed + 2);
	rig->seal = rig->open = rig->reference_seal = rig->reference_open = common;
	rig->seal.backend = rig->open.backend = subject;
	rig->reference_seal.backend = rig->reference_open.backend = reference;
	rig->seal.ctx = wt_backend_key(subject, rig->key);
	rig->open.ctx = wt_backend_key(subject, rig->key);
	rig->reference_seal.ctx = wt_backend_key(reference, rig->key);
	rig->reference_open.ctx = wt_backend_key(reference, rig->key);
	rig->text = malloc(WT_TEXT_MAX);
	rig->sealed = malloc(WT_SEALED_MAX + 1);
	rig->reference_sealed = malloc(WT_SEALED_MAX);
	if (!wt_arena_init(&rig->arena) || !rig->text || !rig->sealed || !rig->reference_sealed)
		return false;
	wt_fill(rig->text, WT_TEXT_MAX, seed + 3);
	return rig->seal.ctx && rig->open.ctx && rig->reference_seal.ctx && rig->reference_open.ctx;
}

static void rig_free(struct wt_rig *rig)
{
	wt_backend_key_free(rig->subject, rig->seal.ctx);
	wt_backend_key_free(rig->subject, rig->open.ctx);
	wt_backend_key_free(rig->reference, rig->reference_seal.ctx);
	wt_backend_key_free(rig->reference, rig->reference_open.ctx);
	wt_arena_free(&rig->arena);
	free(rig->text);
	free(rig->sealed);
	free(rig->reference_sealed);
}

/* How the next attempts of all four place their buffers and what they cover. */
static void rig_arrange(struct wt_rig *rig, bool in_place, bool aad, size_t in_offset,
			size_t out_offset)
{
	struct wt_attempt *all[] = { &rig->seal, &rig->open, &rig->reference_seal,
				     &rig->reference_open };

	for (size_t i = 0; i < COUNT(all); i++) {
		all[i]->in_place = in_place;
		all[i]->aad_len = aad ? AAD_LEN : 0;
		all[i]->in_offset = in_offset;
		all[i]->out_offset = out_offset;
	}
}

static enum wt_verdict verdict(bool sound)
{
	return sound ? WT_SOUND : WT_FOUND;
}

/* Both seal to the same bytes, and each opens what the other sealed. */
static bool agree(struct wt_rig *rig, size_t len, struct wt_error *note)
{
	if (!wt_attempt_seal(&rig->seal, rig->text, len, rig->sealed, note) ||
	    !wt_attempt_seal(&rig->reference_seal, rig->text, len, rig->reference_sealed, note))
		return false;
	if (!wt_equal(rig->sealed, rig->reference_sealed, len + WT_TAG_SIZE)) {
		wt_fail(note, WT_OK, "%s and %s seal the same %zu bytes (%s AAD) differently",
			rig->subject->descriptor->name, rig->reference->descriptor->name, len,
			rig->seal.aad_len ? "with" : "without");
		return false;
	}
	return wt_attempt_open(&rig->open, rig->reference_sealed, len + WT_TAG_SIZE, rig->text,
			       note) &&
	       wt_attempt_open(&rig->reference_open, rig->sealed, len + WT_TAG_SIZE, rig->text,
			       note);
}

static enum wt_verdict check_lengths(struct wt_rig *rig, struct wt_error *note)
{
	for (size_t len = 0; len <= WT_TEXT_MAX; len = len == 4096 ? WT_TEXT_MAX - 35 : len + 1) {
		for (unsigned form = 0; form < 4; form++) {
			bool in_place = form & 1, aad = form & 2;
			size_t offset = (len ^ form) & 1 ? 0 : WT_GUARDED_END;

			rig_arrange(rig, in_place, aad, offset, offset);
			if (!agree(rig, len, note))
				return WT_FOUND;
		}
	}
	return WT_SOUND;
}

static enum wt_verdict check_alignments(struct wt_rig *rig, struct wt_error *note)
{
	for (size_t i = 0; i < COUNT(edge_lengths); i++) {
		for (size_t offset = 0; offset < 64; offset++) {
			for (unsigned form = 0; form < 4; form++) {
				rig_arrange(rig, form & 1, form & 2, offset, (offset * 7 + 3) % 64);
				if (!agree(rig, edge_lengths[i], note))
					return WT_FOUND;
			}
		}
	}
	return WT_SOUND;
}

/* Flips each `step`-th bit of `p`, and demands that the record is refused. */
static bool flips_refused(struct wt_rig *rig, size_t len, uint8_t *p, size_t bytes, size_t step,
			  const char *what, struct wt_error *note)
{
	for (size_t bit = 0; bit < 8 * bytes; bit += step) {
		struct wt_error why = WT_ERROR_INIT;
		uint8_t mask = (uint8_t)(1u << (bit % 8));

		p[bit / 8] ^= mask;
		bool refused = wt_attempt_open(&rig->open, rig->sealed, len, NULL, &why);

		p[bit / 8] ^= mask;
		if (!refused) {
			wt_fail(note, WT_OK, "bit %zu of the %s flipped: %.300s", bit, what,
				why.text);
			return false;
		}
	}
	return true;
}

static bool all_flips_refused(struct wt_rig *rig, size_t len, size_t step, struct wt_error *note)
{
	size_t sealed_len = len + WT_TAG_SIZE;

	return wt_attempt_seal(&rig->reference_seal, rig->text, len, rig->sealed, note) &&
	       flips_refused(rig, sealed_len, rig->sealed, len, step, "ciphertext", note) &&
	       flips_refused(rig, sealed_len, rig->sealed + len, WT_TAG_SIZE, 1, "tag", note) &&
	       flips_refused(rig, sealed_len, rig->open.nonce, WT_NONCE_SIZE, 1, "nonce", note) &&
	       flips_refused(rig, sealed_len, rig->open.aad, rig->open.aad_len, 1, "AAD", note) &&
	       /* A forgery leaves nothing behind: the true record opens still. */
	       wt_attempt_open(&rig->open, rig->sealed, sealed_len, rig->text, note);
}

static enum wt_verdict check_flips(struct wt_rig *rig, struct wt_error *note)
{
	static const size_t lengths[] = { 0, 1, 15, 16, 17, 40, 64, 127, 256 };

	for (unsigned form = 0; form < 4; form++) {
		size_t offset = form & 2 ? 0 : WT_GUARDED_END;

		rig_arrange(rig, form & 1, true, offset, offset);
		for (size_t i = 0; i < COUNT(lengths); i++)
			if (!all_flips_refused(rig, lengths[i], 1, note))
				return WT_FOUND;
		/* A large one: a bit here and there, at all places in a byte. */
		if (!all_flips_refused(rig, WT_TEXT_MAX, 8191, note))
			return WT_FOUND;
	}
	return WT_SOUND;
}

static enum wt_verdict check_truncations(struct wt_rig *rig, struct wt_error *note)
{
	static const size_t lengths[] = { 0, 1, 16, 100, 300 };

	for (unsigned form = 0; form < 8; form++) {
		size_t offset = form & 2 ? 0 : WT_GUARDED_END;

		rig_arrange(rig, form & 1, form & 4, offset, offset);
		for (size_t i = 0; i < COUNT(lengths); i++) {
			size_t whole = lengths[i] + WT_TAG_SIZE;

			if (!wt_attempt_seal(&rig->reference_seal, rig->text, lengths[i],
					     rig->sealed, note))
				return WT_FOUND;
			rig->sealed[whole] = 0;
			for (size_t len = 0; len <= whole + 1; len++)
				if (len != whole &&
				    !wt_attempt_open(&rig->open, rig->sealed, len, NULL, note))
					return WT_FOUND;
		}
	}
	return WT_SOUND;
}

/* ---- keys ---------------------------------------------------------------- */

static enum wt_verdict check_key_bits(struct wt_rig *rig, struct wt_error *note)
{
	const size_t len = 40;
	void *right = rig->open.ctx;
	bool sound = wt_attempt_seal(&rig->seal, rig->text, len, rig->sealed, note);

	for (size_t bit = 0; sound && bit < 8 * WT_KEY_SIZE; bit++) {
		struct wt_error why = WT_ERROR_INIT;
		uint8_t other[WT_KEY_SIZE];

		memcpy(other, rig->key, sizeof other);
		other[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		rig->open.ctx = wt_backend_key(rig->subject, other);
		sound = rig->open.ctx &&
			wt_attempt_open(&rig->open, rig->sealed, len + WT_TAG_SIZE, NULL, &why);
		wt_backend_key_free(rig->subject, rig->open.ctx);
		if (!sound)
			wt_fail(note, WT_OK, "under a key with bit %zu flipped: %.300s", bit,
				why.text);
	}
	rig->open.ctx = right;
	return verdict(sound);
}

#define CONTEXTS 64u

/* Many keys at once, used in turn: each gives what the reference says of it. */
static enum wt_verdict check_key_contexts(struct wt_rig *rig, struct wt_error *note)
{
	const size_t len = 100;
	void *mine = rig->seal.ctx, *theirs = rig->reference_seal.ctx;
	void *ctx[CONTEXTS] = { 0 };
	bool sound = true;

	for (size_t i = 0; sound && i < CONTEXTS; i++) {
		wt_fill(rig->key, sizeof rig->key, 1000 + i);
		ctx[i] = wt_backend_key(rig->subject, rig->key);
		sound = ctx[i] != NULL;
	}
	for (size_t i = 0; sound && i < CONTEXTS; i++) {
		wt_fill(rig->key, sizeof rig->key, 1000 + i);
		rig->seal.ctx = ctx[i];
		rig->reference_seal.ctx = wt_backend_key(rig->reference, rig->key);
		sound = rig->reference_seal.ctx &&
			wt_attempt_seal(&rig->seal, rig->text, len, rig->sealed, note) &&
			wt_attempt_seal(&rig->reference_seal, rig->text, len, rig->reference_sealed,
					note);
		wt_backend_key_free(rig->reference, rig->reference_seal.ctx);
		if (sound && !wt_equal(rig->sealed, rig->reference_sealed, len + WT_TAG_SIZE)) {
			wt_fail(note, WT_OK,
				"%s, key %zu of %u in use at once: other bytes than %s",
				rig->subject->descriptor->name, i, CONTEXTS,
				rig->reference->descriptor->name);
			sound = false;
		}
	}
	for (size_t i = 0; i < CONTEXTS; i++)
		wt_backend_key_free(rig->subject, ctx[i]);
	rig->seal.ctx = mine;
	rig->reference_seal.ctx = theirs;
	return verdict(sound);
}

static enum wt_verdict check_key_wipe(struct wt_rig *rig, struct wt_error *note)
{
	const struct wt_backend *b = rig->subject;
	struct wt_attempt a = rig->seal;
	uint8_t *ctx = wt_secret_alloc(b->ops->ctx_size, b->ops->ctx_align);
	bool sound = ctx != NULL;

	a.ctx = ctx;
	for (unsigned round = 0; sound && round < 1000; round++) {
		wt_fill(rig->key, sizeof rig->key, round);
		if (b->ops->key_init(b->self, NULL, ctx, rig->key) != WT_OK) {
			wt_fail(note, WT_OK, "%s: key_init failed in round %u", b->descriptor->name,
				round);
			sound = false;
			break;
		}
		sound = wt_attempt_seal(&a, rig->text, 64, rig->sealed, note);
		b->ops->key_wipe(b->self, ctx);
		for (size_t i = 0; sound && i < b->ops->ctx_size; i++) {
			if (ctx[i] == 0)
				continue;
			wt_fail(note, WT_OK, "%s: byte %zu of a key context is set after key_wipe",
				b->descriptor->name, i);
			sound = false;
		}
	}
	wt_secret_free(ctx);
	return verdict(sound);
}

/* ---- threads ------------------------------------------------------------- */

struct runner {
	pthread_barrier_t *start;
	struct wt_rig rig;
	struct wt_error note;
	bool sound;
};

static void *runner_main(void *arg)
{
	struct runner *r = arg;

	pthread_barrier_wait(r->start);
	for (size_t n = 0; r->sound && n < 3000; n++)
		r->sound = agree(&r->rig, (n * 37) % 2000, &r->note);
	return NULL;
}

static enum wt_verdict check_threads(struct wt_rig *rig, struct wt_error *note)
{
	struct runner runners[2] = { 0 };
	pthread_barrier_t start;
	pthread_t other;
	bool sound = true;

	pthread_barrier_init(&start, NULL, COUNT(runners));
	for (size_t i = 0; i < COUNT(runners); i++) {
		runners[i].start = &start;
		runners[i].sound =
			rig_init(&runners[i].rig, rig->subject, rig->reference, 77 + 10 * i);
	}
	if (pthread_create(&other, NULL, runner_main, &runners[1]) == 0) {
		runner_main(&runners[0]);
		pthread_join(other, NULL);
	} else {
		sound = false;
	}
	for (size_t i = 0; i < COUNT(runners); i++) {
		if (!runners[i].sound)
			wt_fail(note, WT_OK, "thread %zu of 2: %.400s", i, runners[i].note.text);
		sound = sound && runners[i].sound;
		rig_free(&runners[i].rig);
	}
	pthread_barrier_destroy(&start);
	return verdict(sound);
}

/* ---- NIST ---------------------------------------------------------------- */

_Static_assert(WT_NIST_TEXT_MAX <= WT_AAD_MAX, "an attempt holds NIST's AAD");

struct nist_run {
	struct wt_rig *rig;
	struct wt_error *note;
	bool decrypt;
};

static bool nist_case(void *arg, const struct wt_nist_case *c)
{
	const struct nist_run *run = arg;
	struct wt_rig *rig = run->rig;
	struct wt_attempt a = rig->seal;
	size_t sealed_len = c->text_len + WT_TAG_SIZE;
	bool sound = false;

	a.ctx = wt_backend_key(rig->subject, c->key);
	memcpy(a.nonce, c->nonce, sizeof a.nonce);
	memcpy(a.aad, c->aad, c->aad_len);
	a.aad_len = c->aad_len;
	for (int form = 0; a.ctx && form < 2; form++) {
		a.in_place = form;
		if (run->decrypt)
			sound = wt_attempt_open(&a, c->sealed, sealed_len,
						c->refused ? NULL : c->plaintext, run->note);
		else
			sound = wt_attempt_seal(&a, c->plaintext, c->text_len, rig->sealed,
						run->note) &&
				wt_equal(rig->sealed, c->sealed, sealed_len);
		if (!sound)
			break;
	}
	wt_backend_key_free(rig->subject, a.ctx);
	return sound;
}

static enum wt_verdict check_nist(struct wt_rig *rig, bool decrypt, struct wt_error *note)
{
	const char *file = decrypt ? WT_NIST_DECRYPT : WT_NIST_ENCRYPT;
	struct nist_run run = { .rig = rig, .note = note, .decrypt = decrypt };
	struct wt_nist_counts counts;
	char path[PATH_MAX];
	unsigned line;

	if (!wt_nist_find(file, path)) {
		wt_fail(note, WT_OK,
			"%s is not on this machine: install python3-cryptography-vectors", file);
		return WT_SKIPPED;
	}
	if (!wt_nist_each(path, nist_case, &run, &counts, &line)) {
		struct wt_error why = *note;

		wt_fail(note, WT_OK, "line %u of %s: %.300s", line, file,
			why.text[0] ? why.text : "other bytes, or not understood");
		return WT_FOUND;
	}
	wt_fail(note, WT_OK, "%s: %u cases used, %u skipped (other lengths of IV or tag)", file,
		counts.used, counts.skipped);
	return verdict(counts.used > 0);
}

static enum wt_verdict check_nist_encrypt(struct wt_rig *rig, struct wt_error *note)
{
	return check_nist(rig, false, note);
}

static enum wt_verdict check_nist_decrypt(struct wt_rig *rig, struct wt_error *note)
{
	return check_nist(rig, true, note);
}

/* ---- all of them --------------------------------------------------------- */

const struct wt_aead_check wt_aead_checks[] = {
	{ "nist-encrypt", "seals NIST's texts to NIST's bytes", false, check_nist_encrypt },
	{ "nist-decrypt", "opens NIST's records and refuses the bad", false, check_nist_decrypt },
	{ "lengths", "agrees at every length", true, check_lengths },
	{ "alignments", "agrees at every alignment", true, check_alignments },
	{ "flips", "refuses every flipped bit", true, check_flips },
	{ "truncations", "refuses every other length", true, check_truncations },
	{ "key-bits", "every bit of a key counts", false, check_key_bits },
	{ "key-contexts", "keys in use at once do not mix", true, check_key_contexts },
	{ "key-wipe", "nothing is left of a wiped key", false, check_key_wipe },
	{ "threads", "two threads do not disturb each other", true, check_threads },
};
const size_t wt_aead_check_count = COUNT(wt_aead_checks);

enum wt_verdict wt_aead_check_run(const struct wt_aead_check *check,
				  const struct wt_backend *subject,
				  const struct wt_backend *reference, struct wt_error *note)
{
	struct wt_rig rig;
	enum wt_verdict result = WT_FOUND;

	*note = (struct wt_error)WT_ERROR_INIT;
	if (rig_init(&rig, subject, reference, 1))
		result = check->run(&rig, note);
	else
		wt_fail(note, WT_OK, "no memory or no key context for the check");
	rig_free(&rig);
	return result;
}
