/* SPDX-License-Identifier: MIT */
#include "conform/crypto/aead_rig.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

bool wt_rig_init(struct wt_rig *rig, const struct wt_backend *subject,
		 const struct wt_backend *reference, const struct wt_check_options *options)
{
	const uint64_t seed = options->seed;

	*rig = (struct wt_rig){ .subject = subject, .reference = reference, .options = *options };
	wt_fill(rig->key, sizeof rig->key, seed);

	rig->aad = malloc(WT_AAD_MAX);
	struct wt_attempt common = { .arena = &rig->arena, .aad = rig->aad, .aad_len = WT_RIG_AAD };

	wt_fill(common.nonce, sizeof common.nonce, seed + 1);
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
	if (!wt_arena_init(&rig->arena) || !rig->aad || !rig->text || !rig->sealed ||
	    !rig->reference_sealed)
		return false;
	wt_fill(rig->aad, WT_AAD_MAX, seed + 2);
	wt_fill(rig->text, WT_TEXT_MAX, seed + 3);
	return rig->seal.ctx && rig->open.ctx && rig->reference_seal.ctx && rig->reference_open.ctx;
}

void wt_rig_free(struct wt_rig *rig)
{
	wt_backend_key_free(rig->subject, rig->seal.ctx);
	wt_backend_key_free(rig->subject, rig->open.ctx);
	wt_backend_key_free(rig->reference, rig->reference_seal.ctx);
	wt_backend_key_free(rig->reference, rig->reference_open.ctx);
	wt_arena_free(&rig->arena);
	free(rig->aad);
	free(rig->text);
	free(rig->sealed);
	free(rig->reference_sealed);
}

void wt_rig_arrange(struct wt_rig *rig, bool in_place, size_t aad_len, size_t in_offset,
		    size_t out_offset)
{
	struct wt_attempt *all[] = { &rig->seal, &rig->open, &rig->reference_seal,
				     &rig->reference_open };

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		all[i]->in_place = in_place;
		all[i]->aad_len = aad_len;
		all[i]->in_offset = in_offset;
		all[i]->out_offset = out_offset;
	}
}

static bool agree(struct wt_rig *rig, size_t len, struct wt_finding *note)
{
	rig->cases++;
	if (!wt_attempt_seal(&rig->seal, rig->text, len, rig->sealed, note) ||
	    !wt_attempt_seal(&rig->reference_seal, rig->text, len, rig->reference_sealed, note))
		return false;
	if (!wt_equal(rig->sealed, rig->reference_sealed, len + WT_TAG_SIZE))
		return wt_find(note, WT_FAULT_BYTES,
			       "%s and %s seal the same %zu bytes, with %zu bytes of AAD, "
			       "differently",
			       rig->subject->descriptor->name, rig->reference->descriptor->name,
			       len, rig->seal.aad_len);
	return wt_attempt_open(&rig->open, rig->reference_sealed, len + WT_TAG_SIZE, rig->text,
			       note) &&
	       wt_attempt_open(&rig->reference_open, rig->sealed, len + WT_TAG_SIZE, rig->text,
			       note);
}

/* Do the two agree once this one thing is otherwise? The arrangement is kept. */
static bool agree_with(struct wt_rig *rig, size_t len, bool in_place, size_t offset)
{
	struct wt_attempt was = rig->seal;
	struct wt_finding unused;

	wt_rig_arrange(rig, in_place, was.aad_len, offset, offset);
	bool same = agree(rig, len, &unused);

	wt_rig_arrange(rig, was.in_place, was.aad_len, was.in_offset, was.out_offset);
	return same;
}

bool wt_rig_agree(struct wt_rig *rig, size_t len, struct wt_finding *note)
{
	if (agree(rig, len, note))
		return true;
	if (note->fault != WT_FAULT_BYTES)
		return false;

	const bool in_place = rig->seal.in_place;
	const size_t offset = rig->seal.in_offset;
	/* A block that ends flush begins at its length's own alignment. */
	const bool shifted = offset == WT_GUARDED_END ? len % 64 != 0 : offset != 0;

	if (in_place && agree_with(rig, len, false, offset))
		note->fault = WT_FAULT_IN_PLACE;
	else if (shifted && agree_with(rig, len, in_place, 0))
		note->fault = WT_FAULT_ALIGNMENT;
	else if (len + 1 <= WT_TEXT_MAX && agree_with(rig, len + 1, in_place, offset) &&
		 (len == 0 || agree_with(rig, len - 1, in_place, offset)))
		note->fault = WT_FAULT_ONE_LENGTH;
	return false;
}
