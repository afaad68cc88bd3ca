/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <string.h>

#include "base/secret.h"
#include "conform/crypto/aead_check.h"
#include "conform/heap.h"

#define CONTEXTS 64u

enum wt_verdict wt_check_key_bits(struct wt_rig *rig, struct wt_finding *note)
{
	const size_t len = 40, key_bits = 8 * (size_t)rig->subject->ops->key_size;
	void *right = rig->open.ctx;
	bool sound = wt_attempt_seal(&rig->seal, rig->text, len, rig->sealed, note);

	for (size_t bit = 0; sound && bit < key_bits; bit++) {
		struct wt_finding why = { .fault = WT_FAULT_NONE };
		uint8_t other[WT_KEY_SIZE];

		memcpy(other, rig->key, sizeof other);
		other[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		rig->open.ctx = wt_backend_key(rig->subject, other);
		sound = rig->open.ctx ? wt_attempt_open(&rig->open, rig->sealed, len + WT_TAG_SIZE,
							NULL, &why)
				      : wt_find(&why, WT_FAULT_FAILED, "key_init failed");
		wt_backend_key_free(rig->subject, rig->open.ctx);
		if (!sound)
			wt_find(note,
				why.fault == WT_FAULT_TAG_UNCHECKED ? WT_FAULT_KEY_PART : why.fault,
				"under a key with bit %zu flipped: %s", bit, why.text);
	}
	rig->open.ctx = right;
	return wt_verdict_of(sound);
}

static bool same_under(struct wt_rig *rig, size_t i, size_t len, struct wt_finding *note)
{
	wt_fill(rig->key, sizeof rig->key, rig->options.seed + 1000 + i);
	rig->reference_seal.ctx = wt_backend_key(rig->reference, rig->key);
	if (!rig->reference_seal.ctx)
		return wt_find(note, WT_FAULT_FAILED, "key_init of the other backend failed");
	bool sound =
		wt_attempt_seal(&rig->seal, rig->text, len, rig->sealed, note) &&
		wt_attempt_seal(&rig->reference_seal, rig->text, len, rig->reference_sealed, note);

	wt_backend_key_free(rig->reference, rig->reference_seal.ctx);
	if (sound && !wt_equal(rig->sealed, rig->reference_sealed, len + WT_TAG_SIZE))
		sound = wt_find(note, WT_FAULT_KEYS_MIX,
				"key %zu of %u in use at once: other bytes than %s", i, CONTEXTS,
				rig->reference == rig->subject ? "alone"
							       : rig->reference->descriptor->name);
	return sound;
}

/* Many keys at once, used in turn: each gives what the reference says of it. */
enum wt_verdict wt_check_key_contexts(struct wt_rig *rig, struct wt_finding *note)
{
	void *mine = rig->seal.ctx, *theirs = rig->reference_seal.ctx;
	void *ctx[CONTEXTS] = { 0 };
	bool sound = true;

	for (size_t i = 0; sound && i < CONTEXTS; i++) {
		wt_fill(rig->key, sizeof rig->key, rig->options.seed + 1000 + i);
		ctx[i] = wt_backend_key(rig->subject, rig->key);
		sound = ctx[i] || wt_find(note, WT_FAULT_FAILED, "key_init failed for key %zu", i);
	}
	for (size_t i = 0; sound && i < CONTEXTS; i++) {
		rig->seal.ctx = ctx[i];
		sound = same_under(rig, i, 100, note);
	}
	for (size_t i = 0; i < CONTEXTS; i++)
		wt_backend_key_free(rig->subject, ctx[i]);
	rig->seal.ctx = mine;
	rig->reference_seal.ctx = theirs;
	return wt_verdict_of(sound);
}

/* The key is the caller's again after key_init, which wipes it. */
static bool key_was_taken(struct wt_rig *rig, struct wt_attempt *a, struct wt_finding *note)
{
	const struct wt_backend *b = rig->subject;
	uint8_t sealed[64 + WT_TAG_SIZE];

	wt_fill(rig->key, sizeof rig->key, rig->options.seed);
	if (b->ops->key_init(b->self, NULL, a->ctx, rig->key) != WT_OK)
		return wt_find(note, WT_FAULT_FAILED, "key_init failed");
	bool sound = wt_attempt_seal(a, rig->text, 64, sealed, note);

	memset(rig->key, 0, sizeof rig->key);
	sound = sound && wt_attempt_seal(a, rig->text, 64, rig->sealed, note);
	b->ops->key_wipe(b->self, a->ctx);
	if (sound && !wt_equal(sealed, rig->sealed, sizeof sealed))
		sound = wt_find(note, WT_FAULT_KEY_BORROWED,
				"once the caller wiped it, the same text is sealed to other bytes");
	return sound;
}

enum wt_verdict wt_check_key_wipe(struct wt_rig *rig, struct wt_finding *note)
{
	const struct wt_backend *b = rig->subject;
	struct wt_attempt a = rig->seal;
	uint8_t *ctx = wt_secret_alloc(b->ops->ctx_size, b->ops->ctx_align);
	bool sound = ctx != NULL;

	a.ctx = ctx;
	sound = sound && key_was_taken(rig, &a, note);
	for (unsigned round = 0; sound && round < 1000; round++) {
		wt_fill(rig->key, sizeof rig->key, rig->options.seed + round);
		wt_heap_seek(rig->key, b->ops->key_size);
		if (b->ops->key_init(b->self, NULL, ctx, rig->key) != WT_OK) {
			sound = wt_find(note, WT_FAULT_FAILED, "key_init failed in round %u",
					round);
			break;
		}
		sound = wt_attempt_seal(&a, rig->text, 64, rig->sealed, note);
		b->ops->key_wipe(b->self, ctx);
		for (size_t i = 0; sound && i < b->ops->ctx_size; i++)
			if (ctx[i] != 0)
				sound = wt_find(note, WT_FAULT_KEY_KEPT,
						"byte %zu of a key context is set after key_wipe",
						i);
		if (sound && wt_heap_found())
			sound = wt_find(note, WT_FAULT_KEY_KEPT,
					"a block of memory is freed that holds the key");
	}
	wt_heap_seek(NULL, 0);
	wt_secret_free(ctx);
	return wt_verdict_of(sound);
}

/* ---- threads ------------------------------------------------------------- */

struct runner {
	pthread_barrier_t *start;
	struct wt_rig rig;
	struct wt_finding note;
	bool sound;
	size_t len; /* the last one */
};

static void *runner_main(void *arg)
{
	struct runner *r = arg;
	const size_t rounds = r->rig.options.level >= 3 ? 60000 : 3000;

	pthread_barrier_wait(r->start);
	for (size_t n = 0; r->sound && n < rounds; n++) {
		r->len = (n * 37) % 2000;
		r->sound = wt_rig_agree(&r->rig, r->len, &r->note);
	}
	return NULL;
}

/* Is it wrong alone, too? Then it is not the other thread's doing. */
static void blame(struct runner *r, size_t i, struct wt_finding *note)
{
	struct wt_finding alone;

	if (wt_rig_agree(&r->rig, r->len, &alone))
		r->note.fault = WT_FAULT_THREADS;
	wt_find(note, r->note.fault, "thread %zu of 2: %s", i, r->note.text);
}

enum wt_verdict wt_check_threads(struct wt_rig *rig, struct wt_finding *note)
{
	struct runner runners[2] = { 0 };
	pthread_barrier_t start;
	pthread_t other;
	bool sound = true;

	pthread_barrier_init(&start, NULL, 2);
	for (size_t i = 0; i < 2; i++) {
		struct wt_check_options options = rig->options;

		options.seed += 77 + 10 * i;
		runners[i].start = &start;
		runners[i].sound =
			wt_rig_init(&runners[i].rig, rig->subject, rig->reference, &options);
	}
	if (pthread_create(&other, NULL, runner_main, &runners[1]) == 0) {
		runner_main(&runners[0]);
		pthread_join(other, NULL);
	} else {
		sound = wt_find(note, WT_FAULT_FAILED, "no second thread");
	}
	for (size_t i = 0; i < 2; i++) {
		if (sound && !runners[i].sound)
			blame(&runners[i], i, note);
		sound = sound && runners[i].sound;
	}
	for (size_t i = 0; i < 2; i++)
		wt_rig_free(&runners[i].rig);
	pthread_barrier_destroy(&start);
	return wt_verdict_of(sound);
}
