/* SPDX-License-Identifier: MIT */
#include "support/aead_attempt.h"

#include <string.h>

#include "base/error.h"

bool wt_arena_init(struct wt_arena *arena)
{
	*arena = (struct wt_arena){ 0 };
	/* One byte more than the largest record, and room to shift it. */
	return wt_guarded_init(&arena->in, WT_SEALED_MAX + 1 + 64) &&
	       wt_guarded_init(&arena->out, WT_SEALED_MAX + 1 + 64) &&
	       wt_guarded_init(&arena->nonce, WT_NONCE_SIZE) &&
	       wt_guarded_init(&arena->aad, WT_AAD_MAX);
}

void wt_arena_free(struct wt_arena *arena)
{
	wt_guarded_free(&arena->in);
	wt_guarded_free(&arena->out);
	wt_guarded_free(&arena->nonce);
	wt_guarded_free(&arena->aad);
}

void wt_fill(void *buf, size_t len, uint64_t seed)
{
	uint8_t *p = buf;
	uint64_t x = seed * 0x9e3779b97f4a7c15u + 1;

	for (size_t i = 0; i < len; i++) {
		/* xorshift64 (Marsaglia 2003) */
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		p[i] = (uint8_t)(x >> 32);
	}
}

/* Where the buffers of one call are. */
struct placed {
	uint8_t *in, *out;
	uint8_t *nonce, *aad;
	size_t in_len, out_len;
};

static struct placed place(const struct wt_attempt *a, const uint8_t *in, size_t in_len,
			   size_t out_len)
{
	struct wt_arena *arena = a->arena;
	size_t held = in_len > out_len ? in_len : out_len;
	struct placed p = { .in_len = in_len, .out_len = out_len };

	p.in = wt_guarded_place(&arena->in, a->in_place ? held : in_len, a->in_offset);
	memcpy(p.in, in, in_len);
	p.out = a->in_place ? p.in : wt_guarded_place(&arena->out, out_len, a->out_offset);
	p.nonce = wt_guarded_place(&arena->nonce, WT_NONCE_SIZE, WT_GUARDED_END);
	memcpy(p.nonce, a->nonce, WT_NONCE_SIZE);
	if (a->aad_len > 0) {
		p.aad = wt_guarded_place(&arena->aad, a->aad_len, WT_GUARDED_END);
		memcpy(p.aad, a->aad, a->aad_len);
	}
	return p;
}

static bool complain(const struct wt_attempt *a, const char *verb, size_t len,
		     struct wt_error *note, const char *what)
{
	wt_fail(note, WT_OK, "%s, %s %zu bytes %s, %zu bytes of AAD, input at offset %zd: %s",
		a->backend->descriptor->name, verb, len, a->in_place ? "in place" : "disjoint",
		a->aad_len, (ssize_t)a->in_offset, what);
	return false;
}

/* NULL, or what was touched that is not the output. */
static const char *trespass(const struct wt_attempt *a, const struct placed *p, const uint8_t *in)
{
	size_t held = p->in_len > p->out_len ? p->in_len : p->out_len;

	if (!wt_guarded_kept(&a->arena->in, p->in, a->in_place ? held : p->in_len))
		return "wrote around the input";
	if (memcmp(p->nonce, a->nonce, WT_NONCE_SIZE) != 0)
		return "wrote to the nonce";
	if (p->aad && memcmp(p->aad, a->aad, a->aad_len) != 0)
		return "wrote to the AAD";
	if (a->in_place)
		return NULL;
	if (!wt_guarded_kept(&a->arena->out, p->out, p->out_len))
		return "wrote around the output";
	if (memcmp(p->in, in, p->in_len) != 0)
		return "wrote to the input";
	return NULL;
}

bool wt_attempt_seal(const struct wt_attempt *a, const uint8_t *text, size_t len, uint8_t *sealed,
		     struct wt_error *note)
{
	const struct wt_backend *b = a->backend;
	struct placed p = place(a, text, len, len + WT_TAG_SIZE);
	enum wt_status status =
		b->ops->seal(b->self, NULL, a->ctx, p.nonce, p.aad, a->aad_len, p.in, len, p.out);

	if (status != WT_OK)
		return complain(a, "sealing", len, note, wt_status_text(status));
	const char *wrong = trespass(a, &p, text);

	if (wrong)
		return complain(a, "sealing", len, note, wrong);
	memcpy(sealed, p.out, len + WT_TAG_SIZE);
	return true;
}

bool wt_attempt_open(const struct wt_attempt *a, const uint8_t *sealed, size_t len,
		     const uint8_t *text, struct wt_error *note)
{
	const struct wt_backend *b = a->backend;
	size_t text_len = len < WT_TAG_SIZE ? 0 : len - WT_TAG_SIZE;
	struct placed p = place(a, sealed, len, text_len);
	enum wt_status status =
		b->ops->open(b->self, NULL, a->ctx, p.nonce, p.aad, a->aad_len, p.in, len, p.out);
	const char *wrong = trespass(a, &p, sealed);

	if (!wrong && text && status != WT_OK)
		wrong = wt_status_text(status);
	if (!wrong && text && memcmp(p.out, text, text_len) != 0)
		wrong = "the text is another";
	if (!wrong && !text && status == WT_OK)
		wrong = "accepted";
	if (!wrong && !text && status != WT_ERR_AUTH)
		wrong = "refused, but not with WT_ERR_AUTH";
	for (size_t i = 0; !wrong && !text && i < text_len; i++)
		if (p.out[i] != 0)
			wrong = "refused, but the output is not all zero";
	return wrong ? complain(a, "opening", len, note, wrong) : true;
}
