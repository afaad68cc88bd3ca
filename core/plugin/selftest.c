/* SPDX-License-Identifier: MIT */
#include "plugin/selftest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "config/values.h"
#include "plugin/vectors.h"

/* The text of the largest record. */
#define TEXT_MAX WT_PLAINTEXT_MAX
#define AAD_MAX 65536u
#define CANARY 16u
#define CANARY_BYTE 0xc3
#define STALE_BYTE 0xa5 /* what the output held before */
/* A piece of the key this long is no coincidence. */
#define KEY_PIECE 8u

/* One text under one key, and two buffers that hold it at odd addresses. */
struct test {
	const struct wt_crypto_ops *ops;
	void *self;
	void *ctx, *other;		/* contexts of two keys */
	struct wt_crypto_vector vector; /* ciphertext and tag: expected, or what seal gave */
	const char *source;
	uint8_t *in, *out;
	struct wt_error *err;
};

static enum wt_status wrong(const struct test *t, const char *what)
{
	return wt_fail(t->err, WT_ERR_CRYPTO,
		       "%s: %s; do not use this plugin: install another build of it or of its "
		       "library, or name another plugin",
		       t->source, what);
}

static bool is_filled(const uint8_t *p, size_t len, uint8_t byte)
{
	uint8_t diff = 0;

	for (size_t i = 0; i < len; i++)
		diff = (uint8_t)(diff | (p[i] ^ byte));
	return diff == 0;
}

static bool same(const uint8_t *a, const uint8_t *b, size_t len)
{
	return len == 0 || wt_equal(a, b, len) == 1;
}

static void copy(uint8_t *to, const uint8_t *from, size_t len)
{
	if (len > 0)
		memcpy(to, from, len);
}

/* What seal must have given at `out`. */
static bool is_sealed(const struct test *t, const uint8_t *out)
{
	return same(out, t->vector.ciphertext, t->vector.text_len) &&
	       same(out + t->vector.text_len, t->vector.tag, WT_TAG_SIZE);
}

static enum wt_status check_seal(const struct test *t, bool in_place)
{
	const struct wt_crypto_vector *v = &t->vector;
	uint8_t *out = in_place ? t->in : t->out;
	size_t sealed = v->text_len + WT_TAG_SIZE;

	memset(out, STALE_BYTE, sealed);
	memset(out + sealed, CANARY_BYTE, CANARY);
	copy(t->in, v->plaintext, v->text_len);
	if (t->ops->seal(t->self, NULL, t->ctx, v->nonce, v->aad, v->aad_len, t->in, v->text_len,
			 out) != WT_OK)
		return wrong(t, "seal failed");
	if (!is_sealed(t, out))
		return wrong(t, in_place ? "seal in place gave a wrong answer"
					 : "seal gave a wrong answer");
	if (!in_place && !same(t->in, v->plaintext, v->text_len))
		return wrong(t, "seal changed its input");
	if (!is_filled(out + sealed, CANARY, CANARY_BYTE))
		return wrong(t, "seal wrote behind its output");
	return WT_OK;
}

/* Lay out the sealed vector at `in`, and marks behind what open may write;
 * returns where those are. */
static const uint8_t *prepare_open(const struct test *t, bool in_place)
{
	const struct wt_crypto_vector *v = &t->vector;
	uint8_t *marks = in_place ? t->in + v->text_len + WT_TAG_SIZE : t->out + v->text_len;

	memset(t->out, STALE_BYTE, v->text_len);
	copy(t->in, v->ciphertext, v->text_len);
	copy(t->in + v->text_len, v->tag, WT_TAG_SIZE);
	memset(marks, CANARY_BYTE, CANARY);
	return marks;
}

static enum wt_status check_open(const struct test *t, bool in_place)
{
	const struct wt_crypto_vector *v = &t->vector;
	const uint8_t *marks = prepare_open(t, in_place);
	uint8_t *out = in_place ? t->in : t->out;

	if (t->ops->open(t->self, NULL, t->ctx, v->nonce, v->aad, v->aad_len, t->in,
			 v->text_len + WT_TAG_SIZE, out) != WT_OK)
		return wrong(t, "open refused what is genuine");
	if (!same(out, v->plaintext, v->text_len))
		return wrong(t, in_place ? "open in place gave a wrong answer"
					 : "open gave a wrong answer");
	if (!is_filled(marks, CANARY, CANARY_BYTE))
		return wrong(t, "open wrote behind its output");
	return WT_OK;
}

/* Where one bit is turned. */
enum forgery { IN_TAG_FIRST, IN_TAG_LAST, IN_TEXT, IN_AAD, IN_NONCE, FORGERIES };

static const char *const forgery_text[] = {
	[IN_TAG_FIRST] = "the tag's first byte",
	[IN_TAG_LAST] = "the tag's last byte",
	[IN_TEXT] = "the ciphertext",
	[IN_AAD] = "the additional data",
	[IN_NONCE] = "the nonce",
};

static enum wt_status say_forged(const struct test *t, enum forgery forgery, const char *what)
{
	char text[160];

	snprintf(text, sizeof text, "open, with one bit of %s changed, %s", forgery_text[forgery],
		 what);
	return wrong(t, text);
}

static void forge(const struct test *t, enum forgery forgery, uint8_t *nonce, uint8_t *aad)
{
	const struct wt_crypto_vector *v = &t->vector;

	switch (forgery) {
	case IN_TAG_FIRST:
		t->in[v->text_len] ^= 0x80;
		break;
	case IN_TAG_LAST:
		t->in[v->text_len + WT_TAG_SIZE - 1] ^= 0x01;
		break;
	case IN_TEXT:
		t->in[v->text_len / 2] ^= 0x10;
		break;
	case IN_AAD:
		aad[v->aad_len - 1] ^= 0x01;
		break;
	case IN_NONCE:
		nonce[WT_NONCE_SIZE - 1] ^= 0x01;
		break;
	case FORGERIES:
		break;
	}
}

static enum wt_status check_forgery(const struct test *t, enum forgery forgery, bool in_place,
				    uint8_t *aad)
{
	const struct wt_crypto_vector *v = &t->vector;
	const uint8_t *marks = prepare_open(t, in_place);
	uint8_t *out = in_place ? t->in : t->out;
	uint8_t nonce[WT_NONCE_SIZE];
	enum wt_status status;

	if ((forgery == IN_TEXT && v->text_len == 0) || (forgery == IN_AAD && v->aad_len == 0))
		return WT_OK;
	copy(nonce, v->nonce, sizeof nonce);
	copy(aad, v->aad, v->aad_len);
	forge(t, forgery, nonce, aad);
	status = t->ops->open(t->self, NULL, t->ctx, nonce, v->aad_len ? aad : NULL, v->aad_len,
			      t->in, v->text_len + WT_TAG_SIZE, out);
	if (status == WT_OK)
		return say_forged(t, forgery, "took it for genuine");
	if (status != WT_ERR_AUTH)
		return say_forged(t, forgery, "failed with another status than WT_ERR_AUTH");
	if (!is_filled(out, v->text_len, 0))
		return say_forged(t, forgery, "left its output not all zero");
	if (!is_filled(marks, CANARY, CANARY_BYTE))
		return say_forged(t, forgery, "wrote behind its output");
	return WT_OK;
}

/* Fewer bytes than a tag are a forgery too, and nothing may be written. */
static enum wt_status check_short(const struct test *t)
{
	const struct wt_crypto_vector *v = &t->vector;

	for (size_t len = 0; len < WT_TAG_SIZE; len++) {
		memset(t->in, 0, len);
		memset(t->out, CANARY_BYTE, CANARY);
		if (t->ops->open(t->self, NULL, t->ctx, v->nonce, v->aad, v->aad_len, t->in, len,
				 t->out) != WT_ERR_AUTH)
			return wrong(t, "open did not refuse what is shorter than a tag with "
					"WT_ERR_AUTH");
		if (!is_filled(t->out, CANARY, CANARY_BYTE))
			return wrong(t, "open wrote although the input is shorter than a tag");
	}
	return WT_OK;
}

/* Two records: the vector at `in` and again at `out`, both in place; for open
 * the second one forged. */
static enum wt_status check_batch(const struct test *t)
{
	const struct wt_crypto_vector *v = &t->vector;
	uint8_t *text[2] = { t->in, t->out };
	struct wt_aead_item items[2];

	for (int i = 0; i < 2; i++) {
		copy(text[i], v->plaintext, v->text_len);
		items[i] = (struct wt_aead_item){
			.struct_size = sizeof items[i],
			.len = v->text_len,
			.nonce = v->nonce,
			.aad = v->aad,
			.aad_len = v->aad_len,
			.in = text[i],
			.out = text[i],
			.status = WT_AGAIN,
		};
	}
	if (t->ops->seal_batch) {
		t->ops->seal_batch(t->self, NULL, t->ctx, items, 2);
		for (int i = 0; i < 2; i++)
			if (items[i].status != WT_OK || !is_sealed(t, text[i]))
				return wrong(t, "seal_batch gave a wrong answer");
	}
	if (!t->ops->open_batch)
		return WT_OK;
	for (int i = 0; i < 2; i++) {
		copy(text[i], v->ciphertext, v->text_len);
		copy(text[i] + v->text_len, v->tag, WT_TAG_SIZE);
		items[i].len = v->text_len + WT_TAG_SIZE;
		items[i].status = WT_AGAIN;
	}
	text[1][v->text_len] ^= 0x01;
	t->ops->open_batch(t->self, NULL, t->ctx, items, 2);
	if (items[0].status != WT_OK || !same(text[0], v->plaintext, v->text_len))
		return wrong(t, "open_batch gave a wrong answer");
	if (items[1].status != WT_ERR_AUTH || !is_filled(text[1], v->text_len, 0))
		return wrong(t, "open_batch did not refuse a forged record with zeroed output");
	return WT_OK;
}

static enum wt_status check_all(const struct test *t)
{
	enum wt_status status = check_seal(t, false);
	uint8_t *aad = malloc(t->vector.aad_len + 1u);

	if (!aad)
		return wt_fail(t->err, WT_ERR_NOMEM, "out of memory");
	if (status == WT_OK)
		status = check_seal(t, true);
	if (status == WT_OK)
		status = check_open(t, false);
	if (status == WT_OK)
		status = check_open(t, true);
	for (int f = 0; f < FORGERIES && status == WT_OK; f++) {
		status = check_forgery(t, (enum forgery)f, false, aad);
		if (status == WT_OK)
			status = check_forgery(t, (enum forgery)f, true, aad);
	}
	if (status == WT_OK)
		status = check_short(t);
	if (status == WT_OK)
		status = check_batch(t);
	free(aad);
	return status;
}

static bool holds_piece(const uint8_t *memory, size_t size, const uint8_t *key, size_t key_size)
{
	for (size_t k = 0; k + KEY_PIECE <= key_size; k += KEY_PIECE) {
		if (is_filled(key + k, KEY_PIECE, 0))
			continue; /* a key of zeros cannot be told from wiped memory */
		if (memmem(memory, size, key + k, KEY_PIECE))
			return true;
	}
	return false;
}

/* Set up a key, and another one after it which must not matter to the first;
 * run `check`; wipe both. */
static enum wt_status with_key(struct test *t, enum wt_status (*check)(const struct test *t))
{
	uint8_t other_key[WT_KEY_SIZE];
	enum wt_status status;

	for (size_t i = 0; i < t->ops->key_size; i++)
		other_key[i] = (uint8_t)~t->vector.key[i];
	memset(t->ctx, 0, t->ops->ctx_size);
	memset(t->other, 0, t->ops->ctx_size);
	if (t->ops->key_init(t->self, NULL, t->ctx, t->vector.key) != WT_OK)
		return wrong(t, "key_init failed");
	if (t->ops->key_init(t->self, NULL, t->other, other_key) != WT_OK) {
		t->ops->key_wipe(t->self, t->ctx);
		return wrong(t, "key_init failed for a second key");
	}
	status = check(t);
	t->ops->key_wipe(t->self, t->other);
	t->ops->key_wipe(t->self, t->ctx);
	if (status == WT_OK &&
	    holds_piece(t->ctx, t->ops->ctx_size, t->vector.key, t->ops->key_size))
		return wrong(t, "key_wipe left a piece of the key");
	return status;
}

static enum wt_status check_vectors(struct test *t, const struct wt_loaded *loaded)
{
	bool standard = loaded->plugin.standard;
	const void *first = standard ? (const void *)wt_vectors_aes256gcm
				     : (const void *)loaded->descriptor.vectors;
	size_t n = standard ? wt_vectors_aes256gcm_count : loaded->descriptor.vector_count;
	size_t stride = standard ? sizeof(struct wt_crypto_vector) : loaded->vector_stride;

	for (size_t i = 0; i < n; i++) {
		const struct wt_crypto_vector *v = &t->vector;
		enum wt_status status;

		wt_vector_take(&t->vector, first, stride, i);
		t->source = v->source ? v->source : "a vector without a source";
		if (v->struct_size != stride || v->text_len > TEXT_MAX || v->aad_len > AAD_MAX ||
		    !v->key || !v->nonce || !v->tag || (v->aad_len && !v->aad) ||
		    (v->text_len && (!v->plaintext || !v->ciphertext)))
			return wt_fail(t->err, WT_ERR_INVALID,
				       "vector %zu (%.80s) has another struct_size than the first, "
				       "a length over %u, or a NULL; mend it",
				       i, t->source, TEXT_MAX);
		status = with_key(t, check_all);
		if (status != WT_OK)
			return status;
	}
	return WT_OK;
}

/* The largest record: no known answer, so seal says what open must undo. */
static enum wt_status check_largest(const struct test *t)
{
	uint8_t *sealed = (uint8_t *)t->vector.ciphertext, *tag = (uint8_t *)t->vector.tag;

	memcpy(t->in, t->vector.plaintext, TEXT_MAX);
	if (t->ops->seal(t->self, NULL, t->ctx, t->vector.nonce, t->vector.aad, t->vector.aad_len,
			 t->in, TEXT_MAX, t->out) != WT_OK)
		return wrong(t, "seal failed");
	memcpy(sealed, t->out, TEXT_MAX);
	memcpy(tag, t->out + TEXT_MAX, WT_TAG_SIZE);
	if (same(sealed, t->vector.plaintext, TEXT_MAX))
		return wrong(t, "seal left the text as it was");
	return check_all(t);
}

static enum wt_status run_largest(struct test *t)
{
	uint8_t key[WT_KEY_SIZE], nonce[WT_NONCE_SIZE], aad[WT_RECORD_HEADER], tag[WT_TAG_SIZE];
	uint8_t *texts = malloc(2 * (size_t)TEXT_MAX);
	enum wt_status status;

	if (!texts)
		return wt_fail(t->err, WT_ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < TEXT_MAX; i++)
		texts[i] = (uint8_t)(i * 7 + (i >> 8));
	memcpy(key, texts, sizeof key);
	memcpy(nonce, texts, sizeof nonce);
	memcpy(aad, texts, sizeof aad);
	t->vector = (struct wt_crypto_vector){
		.struct_size = sizeof t->vector,
		.text_len = TEXT_MAX,
		.aad_len = sizeof aad,
		.key = key,
		.nonce = nonce,
		.aad = aad,
		.plaintext = texts,
		.ciphertext = texts + TEXT_MAX,
		.tag = tag,
	};
	t->source = "round trip of the largest record";
	status = with_key(t, check_largest);
	free(texts);
	return status;
}

enum wt_status wt_selftest_run(const struct wt_loaded *loaded, const struct wt_host *host,
			       struct wt_error *err)
{
	const struct wt_plugin *plugin = &loaded->plugin;
	const struct wt_key_table keys = { plugin->config_keys, plugin->config_key_count,
					   plugin->config_key_stride };
	struct test t = { .ops = &plugin->ops.crypto, .err = err };
	/* One byte more than a record and its canary: both buffers begin at an
	 * odd address, so that none relies on alignment. */
	size_t room = 1 + TEXT_MAX + WT_TAG_SIZE + CANARY;
	struct wt_config *cfg = wt_config_new(plugin->name, &keys, 1, 1u << WT_SCOPE_SECTION);
	uint8_t *in = malloc(room), *out = malloc(room);
	enum wt_status status;

	t.ctx = wt_secret_alloc(t.ops->ctx_size, t.ops->ctx_align);
	t.other = wt_secret_alloc(t.ops->ctx_size, t.ops->ctx_align);
	if (!cfg || !in || !out || !t.ctx || !t.other) {
		status = wt_fail(err, WT_ERR_NOMEM, "out of memory");
		goto out;
	}
	t.in = in + 1;
	t.out = out + 1;
	status = t.ops->create(host, cfg, &t.self, err);
	if (status != WT_OK)
		goto out;
	status = check_vectors(&t, loaded);
	if (status == WT_OK)
		status = run_largest(&t);
	t.ops->destroy(t.self);
out:
	wt_secret_free(t.other);
	wt_secret_free(t.ctx);
	free(out);
	free(in);
	wt_config_free(cfg);
	return status;
}
