/* SPDX-License-Identifier: MIT */
#include "conform/crypto/aead_attempt.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

bool wt_arena_init(struct wt_arena *arena)
{
	*arena = (struct wt_arena){ 0 };
	/* One byte more than the largest record, and room to shift it. */
	return wt_guarded_init(&arena->in, "input", WT_SEALED_MAX + 1 + 64) &&
	       wt_guarded_init(&arena->out, "output", WT_SEALED_MAX + 1 + 64) &&
	       wt_guarded_init(&arena->nonce, "nonce", WT_NONCE_SIZE + 64) &&
	       wt_guarded_init(&arena->aad, "AAD", WT_AAD_MAX + 64);
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
	p.nonce = wt_guarded_place(&arena->nonce, WT_NONCE_SIZE, a->in_offset);
	memcpy(p.nonce, a->nonce, WT_NONCE_SIZE);
	if (a->aad_len > 0) {
		p.aad = wt_guarded_place(&arena->aad, a->aad_len, a->in_offset);
		memcpy(p.aad, a->aad, a->aad_len);
	}
	return p;
}

/* What one attempt did wrong. */
struct wrong {
	enum wt_fault fault;
	const char *what; /* NULL: nothing */
};

static bool complain(const struct wt_attempt *a, const char *verb, size_t len,
		     struct wt_finding *note, struct wrong wrong)
{
	return wt_find(note, wrong.fault,
		       "%s %zu bytes %s, %zu bytes of AAD, input at offset %zd: %s", verb, len,
		       a->in_place ? "in place" : "disjoint", a->aad_len, (ssize_t)a->in_offset,
		       wrong.what);
}

/* What was touched that is not the output. */
static struct wrong trespass(const struct wt_attempt *a, const struct placed *p, const uint8_t *in)
{
	size_t held = p->in_len > p->out_len ? p->in_len : p->out_len;

	if (!wt_guarded_kept(&a->arena->in, p->in, a->in_place ? held : p->in_len))
		return (struct wrong){ WT_FAULT_OVERRUN, "wrote around the input" };
	/* public: a nonce, and the additional data */
	if (memcmp(p->nonce, a->nonce, WT_NONCE_SIZE) != 0)
		return (struct wrong){ WT_FAULT_INPUT_WRITTEN, "wrote to the nonce" };
	if (p->aad && memcmp(p->aad, a->aad, a->aad_len) != 0)
		return (struct wrong){ WT_FAULT_INPUT_WRITTEN, "wrote to the AAD" };
	if (a->in_place)
		return (struct wrong){ .what = NULL };
	if (!wt_guarded_kept(&a->arena->out, p->out, p->out_len))
		return (struct wrong){ WT_FAULT_OVERRUN, "wrote around the output" };
	if (memcmp(p->in, in, p->in_len) != 0)
		return (struct wrong){ WT_FAULT_INPUT_WRITTEN, "wrote to the input" };
	return (struct wrong){ .what = NULL };
}

/* With an errno that another call left behind. */
static enum wt_status seal_after(int left, const struct wt_attempt *a, const uint8_t *text,
				 size_t len, struct placed *p)
{
	const struct wt_backend *b = a->backend;

	*p = place(a, text, len, len + WT_TAG_SIZE);
	errno = left;
	return b->ops->seal(b->self, NULL, a->ctx, p->nonce, p->aad, a->aad_len, p->in, len,
			    p->out);
}

bool wt_attempt_seal(const struct wt_attempt *a, const uint8_t *text, size_t len, uint8_t *sealed,
		     struct wt_finding *note)
{
	struct placed p;
	enum wt_status status = seal_after(EDOM, a, text, len, &p);

	if (status != WT_OK && seal_after(0, a, text, len, &p) == WT_OK)
		return complain(a, "sealing", len, note,
				(struct wrong){ WT_FAULT_ERRNO, wt_status_text(status) });
	if (status != WT_OK)
		return complain(a, "sealing", len, note,
				(struct wrong){ WT_FAULT_FAILED, wt_status_text(status) });
	struct wrong wrong = trespass(a, &p, text);

	if (wrong.what)
		return complain(a, "sealing", len, note, wrong);
	memcpy(sealed, p.out, len + WT_TAG_SIZE);
	return true;
}

static bool is_zero(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != 0)
			return false;
	return true;
}

/* What an open did that had to give `text`, or to be refused when that is NULL. */
static struct wrong misopened(const uint8_t *text, const uint8_t *out, size_t text_len,
			      enum wt_status status)
{
	if (text && status != WT_OK)
		return (struct wrong){ WT_FAULT_BYTES, wt_status_text(status) };
	/* public: texts of this test */
	if (text && memcmp(out, text, text_len) != 0)
		return (struct wrong){ WT_FAULT_BYTES, "the text is another" };
	if (text)
		return (struct wrong){ .what = NULL };
	if (status == WT_OK)
		return (struct wrong){ WT_FAULT_TAG_UNCHECKED, "accepted" };
	if (status != WT_ERR_AUTH)
		return (struct wrong){ WT_FAULT_WRONG_STATUS, "refused, but not with WT_ERR_AUTH" };
	if (!is_zero(out, text_len))
		return (struct wrong){ WT_FAULT_TEXT_RELEASED,
				       "refused, but the output is not all zero" };
	return (struct wrong){ .what = NULL };
}

bool wt_attempt_open(const struct wt_attempt *a, const uint8_t *sealed, size_t len,
		     const uint8_t *text, struct wt_finding *note)
{
	const struct wt_backend *b = a->backend;
	size_t text_len = len < WT_TAG_SIZE ? 0 : len - WT_TAG_SIZE;
	struct placed p = place(a, sealed, len, text_len);
	enum wt_status status =
		b->ops->open(b->self, NULL, a->ctx, p.nonce, p.aad, a->aad_len, p.in, len, p.out);
	struct wrong wrong = trespass(a, &p, sealed);

	if (!wrong.what)
		wrong = misopened(text, p.out, text_len, status);
	return wrong.what ? complain(a, "opening", len, note, wrong) : true;
}
