/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <string.h>

#include "base/secret.h"
#include "conform/crypto/aead_check.h"
#include "conform/crypto/nist_gcm.h"
#include "plugin/vectors.h"

/* A known answer: `sealed` is ciphertext and tag. */
struct answer {
	const uint8_t *key, *nonce, *aad, *text, *sealed;
	size_t text_len, aad_len;
	bool seals, opens, refused;
};

static bool try_answer(struct wt_rig *rig, const struct answer *c, struct wt_finding *note)
{
	struct wt_attempt a = rig->seal;
	size_t sealed_len = c->text_len + WT_TAG_SIZE;
	bool sound = true;

	a.ctx = wt_backend_key(rig->subject, c->key);
	if (!a.ctx)
		return wt_find(note, WT_FAULT_FAILED, "key_init failed");
	memcpy(a.nonce, c->nonce, sizeof a.nonce);
	a.aad_len = c->aad_len;
	a.aad = c->aad;
	for (int form = 0; sound && form < 2; form++) {
		a.in_place = form;
		if (c->seals)
			sound = wt_attempt_seal(&a, c->text, c->text_len, rig->sealed, note);
		if (sound && c->seals && !wt_equal(rig->sealed, c->sealed, sealed_len))
			sound = wt_find(note, form ? WT_FAULT_IN_PLACE : WT_FAULT_BYTES,
					"%zu bytes with %zu bytes of AAD, %s: other bytes than the "
					"known answer",
					c->text_len, c->aad_len, form ? "in place" : "disjoint");
		if (sound && c->opens)
			sound = wt_attempt_open(&a, c->sealed, sealed_len,
						c->refused ? NULL : c->text, note);
	}
	wt_backend_key_free(rig->subject, a.ctx);
	return sound;
}

/* ---- vectors of the host, or of the plugin ------------------------------- */

static bool try_vector(struct wt_rig *rig, const struct wt_crypto_vector *v,
		       struct wt_finding *note)
{
	const struct answer answer = {
		.key = v->key,
		.nonce = v->nonce,
		.aad = v->aad,
		.text = v->plaintext ? v->plaintext : rig->text,
		.sealed = rig->reference_sealed,
		.text_len = v->text_len,
		.aad_len = v->aad_len,
		.seals = true,
		.opens = true,
	};

	if (v->text_len > 0)
		memcpy(rig->reference_sealed, v->ciphertext, v->text_len);
	memcpy(rig->reference_sealed + v->text_len, v->tag, WT_TAG_SIZE);
	return try_answer(rig, &answer, note);
}

enum wt_verdict wt_check_vectors(struct wt_rig *rig, struct wt_finding *note)
{
	const struct wt_loaded *loaded = rig->subject->loaded;
	const bool standard = loaded->plugin.standard;
	const void *first = standard ? (const void *)wt_vectors_aes256gcm
				     : (const void *)loaded->descriptor.vectors;
	size_t n = standard ? wt_vectors_aes256gcm_count : (size_t)loaded->descriptor.vector_count;
	size_t stride = standard ? sizeof(struct wt_crypto_vector) : loaded->vector_stride;

	for (size_t i = 0; i < n; i++) {
		struct wt_crypto_vector v;
		struct wt_finding why = { .fault = WT_FAULT_NONE };

		wt_vector_take(&v, first, stride, i);
		if (try_vector(rig, &v, &why))
			continue;
		wt_find(note, why.fault, "%s: %s", v.source ? v.source : "a vector", why.text);
		return WT_FOUND;
	}
	wt_find(note, WT_FAULT_NONE, "%zu known answers", n);
	return WT_SOUND;
}

/* ---- NIST's files -------------------------------------------------------- */

struct nist_run {
	struct wt_rig *rig;
	struct wt_finding *note;
	bool decrypt;
};

static bool nist_case(void *arg, const struct wt_nist_case *c)
{
	const struct nist_run *run = arg;
	const struct answer answer = {
		.key = c->key,
		.nonce = c->nonce,
		.aad = c->aad,
		.text = c->plaintext,
		.sealed = c->sealed,
		.text_len = c->text_len,
		.aad_len = c->aad_len,
		.seals = !run->decrypt,
		.opens = run->decrypt,
		.refused = c->refused,
	};

	return try_answer(run->rig, &answer, run->note);
}

static enum wt_verdict check_nist(struct wt_rig *rig, bool decrypt, struct wt_finding *note)
{
	const char *file = decrypt ? WT_NIST_DECRYPT : WT_NIST_ENCRYPT;
	struct nist_run run = { .rig = rig, .note = note, .decrypt = decrypt };
	struct wt_nist_counts counts;
	char path[PATH_MAX];
	unsigned line;

	if (!wt_nist_find(file, path)) {
		wt_find(note, WT_FAULT_NONE,
			"%s is not on this machine: install python3-cryptography-vectors", file);
		return WT_SKIPPED;
	}
	if (!wt_nist_each(path, nist_case, &run, &counts, &line)) {
		struct wt_finding why = *note;

		wt_find(note, why.fault ? why.fault : WT_FAULT_FAILED, "line %u of %s: %s", line,
			file, why.text[0] ? why.text : "not understood");
		return WT_FOUND;
	}
	wt_find(note, WT_FAULT_FAILED, "%s: %u cases used, %u skipped (other lengths of IV or tag)",
		file, counts.used, counts.skipped);
	return wt_verdict_of(counts.used > 0);
}

enum wt_verdict wt_check_nist_encrypt(struct wt_rig *rig, struct wt_finding *note)
{
	return check_nist(rig, false, note);
}

enum wt_verdict wt_check_nist_decrypt(struct wt_rig *rig, struct wt_finding *note)
{
	return check_nist(rig, true, note);
}
