/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "conform/crypto/aead_check.h"
#include "conform/heap.h"

#define TEXT 100u
#define SEALED (TEXT + WT_TAG_SIZE)
/* What libraries make once and keep. */
#define WARM_UP 8u
/* More allocations than this no operation makes. */
#define ALLOCATIONS_MAX 100000u
#define REPEAT 8u

/* ---- leaks --------------------------------------------------------------- */

/* Seal, open, and refuse, under one key from its beginning to its end. */
static bool use_key(struct wt_rig *rig, void *self, struct wt_finding *note)
{
	const struct wt_crypto_ops *ops = rig->subject->ops;
	const struct wt_attempt *a = &rig->seal;
	void *ctx = wt_secret_alloc(ops->ctx_size, ops->ctx_align);
	uint8_t sealed[SEALED], text[TEXT];

	if (!ctx || ops->key_init(self, NULL, ctx, rig->key) != WT_OK) {
		wt_secret_free(ctx);
		return wt_find(note, WT_FAULT_FAILED, "key_init failed");
	}
	bool good = ops->seal(self, NULL, ctx, a->nonce, a->aad, a->aad_len, rig->text, TEXT,
			      sealed) == WT_OK &&
		    ops->open(self, NULL, ctx, a->nonce, a->aad, a->aad_len, sealed, SEALED,
			      text) == WT_OK;

	sealed[0] ^= 1;
	good = good && ops->open(self, NULL, ctx, a->nonce, a->aad, a->aad_len, sealed, SEALED,
				 text) == WT_ERR_AUTH;
	ops->key_wipe(self, ctx);
	wt_secret_free(ctx);
	return good || wt_find(note, WT_FAULT_FAILED, "a record was not sealed and opened again");
}

static bool use_instance(struct wt_rig *rig, void *unused, struct wt_finding *note)
{
	const struct wt_backend *b = rig->subject;
	struct wt_error err = WT_ERROR_INIT;
	void *self = NULL;

	(void)unused;
	if (b->ops->create(&b->host.host, b->cfg, &self, &err) != WT_OK)
		return wt_find(note, WT_FAULT_FAILED, "create: %s", err.text);
	bool good = use_key(rig, self, note);

	b->ops->destroy(self);
	return good;
}

static bool leaks_nothing(struct wt_rig *rig, const char *what,
			  bool (*use)(struct wt_rig *rig, void *self, struct wt_finding *note),
			  struct wt_finding *note)
{
	const size_t rounds = rig->options.level >= 3 ? 2000 : 128;
	struct wt_usage before = wt_usage_now();

	for (size_t i = 0; i < WARM_UP + rounds; i++) {
		if (i == WARM_UP)
			before = wt_usage_now();
		if (!use(rig, rig->subject->self, note))
			return false;
	}
	return wt_usage_kept(&before, rounds, what, note);
}

enum wt_verdict wt_check_leaks(struct wt_rig *rig, struct wt_finding *note)
{
	return wt_verdict_of(leaks_nothing(rig, "keys", use_key, note) &&
			     leaks_nothing(rig, "instances", use_instance, note));
}

/* ---- no memory ----------------------------------------------------------- */

struct scarce {
	struct wt_rig *rig;
	void *ctx; /* NULL: leaks do not count */
	uint8_t expected[SEALED], sealed[SEALED], text[TEXT];
};

/* An operation with one allocation failing. False: the note says what it did that
 * it must not do. */
typedef bool scarce_fn(struct scarce *s, struct wt_finding *note);

static bool scarce_create(struct scarce *s, struct wt_finding *note)
{
	const struct wt_backend *b = s->rig->subject;
	struct wt_error err = WT_ERROR_INIT;
	void *self = NULL;
	enum wt_status status = b->ops->create(&b->host.host, b->cfg, &self, &err);

	wt_heap_fail(0);
	if (status != WT_OK)
		return true;
	/* It did without: then it must work. */
	bool good = use_key(s->rig, self, note);

	b->ops->destroy(self);
	return good;
}

static bool scarce_key_init(struct scarce *s, struct wt_finding *note)
{
	const struct wt_backend *b = s->rig->subject;
	uint8_t sealed[SEALED];

	memset(s->ctx, 0, b->ops->ctx_size);
	enum wt_status status = b->ops->key_init(b->self, NULL, s->ctx, s->rig->key);

	wt_heap_fail(0);
	if (status != WT_OK)
		return true;
	const struct wt_attempt *a = &s->rig->seal;
	bool good = b->ops->seal(b->self, NULL, s->ctx, a->nonce, a->aad, a->aad_len, s->rig->text,
				 TEXT, sealed) == WT_OK &&
		    wt_equal(sealed, s->expected, SEALED);

	b->ops->key_wipe(b->self, s->ctx);
	return good ||
	       wt_find(note, WT_FAULT_ALLOCATION, "it said WT_OK, but seals to other bytes then");
}

static bool scarce_seal(struct scarce *s, struct wt_finding *note)
{
	const struct wt_backend *b = s->rig->subject;
	const struct wt_attempt *a = &s->rig->seal;
	enum wt_status status = b->ops->seal(b->self, NULL, a->ctx, a->nonce, a->aad, a->aad_len,
					     s->rig->text, TEXT, s->sealed);

	wt_heap_fail(0);
	return status != WT_OK || wt_equal(s->sealed, s->expected, SEALED) ||
	       wt_find(note, WT_FAULT_ALLOCATION, "it said WT_OK, but sealed to other bytes");
}

static bool scarce_open(struct scarce *s, struct wt_finding *note)
{
	const struct wt_backend *b = s->rig->subject;
	const struct wt_attempt *a = &s->rig->open;

	memset(s->text, 0xa5, TEXT);
	enum wt_status status = b->ops->open(b->self, NULL, a->ctx, a->nonce, a->aad, a->aad_len,
					     s->expected, SEALED, s->text);

	wt_heap_fail(0);
	if (status == WT_OK)
		return wt_equal(s->text, s->rig->text, TEXT) ||
		       wt_find(note, WT_FAULT_ALLOCATION, "it said WT_OK, but the text is another");
	for (size_t i = 0; i < TEXT; i++)
		if (s->text[i] != 0)
			return wt_find(note, WT_FAULT_TEXT_RELEASED,
				       "it failed, but its output is not all zero");
	return true;
}

/* Each allocation of the operation fails once, until there is none left, and
 * several times, so that what a failure leaves behind shows. */
static bool survives(struct scarce *s, const char *what, scarce_fn *fn, struct wt_finding *note)
{
	const unsigned repeat = s->ctx ? REPEAT : 0;
	/* Of the thousands that a library makes when it is set up, all the first
	 * ones and some of the later ones. */
	const bool all = s->rig->options.level >= 3;

	for (uint64_t n = 1; n < ALLOCATIONS_MAX; n += all ? 1 : 1 + n / 32) {
		struct wt_usage before = { 0 };
		struct wt_finding why = { .fault = WT_FAULT_NONE };

		for (unsigned i = 0; i <= repeat; i++) {
			if (i == 1)
				before = wt_usage_now();
			wt_heap_fail(n);
			bool good = fn(s, &why);
			bool reached = wt_heap_failed();

			if (!good)
				return wt_find(note, why.fault, "allocation %llu of %s failed: %s",
					       (unsigned long long)n, what, why.text);
			if (!reached && i == 0)
				return true;
		}
		if (s->ctx && !wt_usage_kept(&before, REPEAT, "times", &why))
			return wt_find(note, why.fault, "allocation %llu of %s failed: %s",
				       (unsigned long long)n, what, why.text);
	}
	return wt_find(note, WT_FAULT_ALLOCATION, "%s allocates without end", what);
}

enum wt_verdict wt_check_allocations(struct wt_rig *rig, struct wt_finding *note)
{
	const struct wt_crypto_ops *ops = rig->subject->ops;
	struct scarce s = { .rig = rig };

	if (!wt_heap_can_fail()) {
		wt_find(note, WT_FAULT_NONE, "a sanitizer has the allocator of this program");
		return WT_SKIPPED;
	}
	wt_rig_arrange(rig, false, WT_RIG_AAD, 0, 0);
	/* Libraries lose a few blocks when they cannot be set up (OpenSSL 3 does),
	 * and a daemon tries that once. */
	bool sound = wt_attempt_seal(&rig->seal, rig->text, TEXT, s.expected, note) &&
		     survives(&s, "create", scarce_create, note);

	s.ctx = wt_secret_alloc(ops->ctx_size, ops->ctx_align);
	if (sound && !s.ctx)
		sound = wt_find(note, WT_FAULT_FAILED, "no memory");
	sound = sound && survives(&s, "key_init", scarce_key_init, note) &&
		survives(&s, "seal", scarce_seal, note) && survives(&s, "open", scarce_open, note);
	wt_secret_free(s.ctx);
	return wt_verdict_of(sound);
}
