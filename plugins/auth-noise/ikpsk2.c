/* SPDX-License-Identifier: MIT */
#include "ikpsk2.h"

#include <string.h>

/* The statuses are chained with ||: WT_OK is 0. */

static enum wt_status dh(const struct wt_noise_tools *tools, struct wt_ik *ik,
			 const uint8_t *private_key, const uint8_t *point)
{
	enum wt_status status = wt_symmetric_mix_dh(tools, &ik->sym, private_key, point);

	if (status == WT_ERR_AUTH)
		ik->weak = true;
	return status;
}

/* "e": with a psk in the pattern an ephemeral key goes into the key too. */
static enum wt_status mix_e(const struct wt_noise_tools *tools, struct wt_ik *ik,
			    const uint8_t *point)
{
	enum wt_status status = wt_symmetric_mix_hash(tools, &ik->sym, point, POINT_SIZE);

	return status ? status : wt_symmetric_mix_key(tools, &ik->sym, point);
}

enum wt_status wt_ik_begin(const struct wt_noise_tools *tools, struct wt_ik *ik,
			   const uint8_t *prologue, size_t len, const uint8_t responder[POINT_SIZE])
{
	wt_symmetric_begin(&ik->sym, WT_IK_NAME);
	ik->weak = false;
	enum wt_status status = wt_symmetric_mix_hash(tools, &ik->sym, prologue, len);

	return status ? status : wt_symmetric_mix_hash(tools, &ik->sym, responder, POINT_SIZE);
}

enum wt_status wt_ik_write_first(const struct wt_noise_tools *tools, struct wt_ik *ik,
				 const struct wt_ik_pair *us, const uint8_t responder[POINT_SIZE],
				 const uint8_t ss[POINT_SIZE], const uint8_t *payload, size_t len,
				 uint8_t *out)
{
	uint8_t *s = out + POINT_SIZE, *text = s + POINT_SIZE + WT_TAG_SIZE;
	enum wt_status status = wt_x25519_public(ik->e, out);

	if (status == WT_OK)
		status = mix_e(tools, ik, out);
	if (status == WT_OK)
		status = dh(tools, ik, ik->e, responder);
	if (status == WT_OK)
		status = wt_symmetric_seal(tools, &ik->sym, us->public_key, POINT_SIZE, s);
	if (status == WT_OK)
		status = wt_symmetric_mix_key(tools, &ik->sym, ss);
	if (status == WT_OK)
		status = wt_symmetric_seal(tools, &ik->sym, payload, len, text);
	return status;
}

enum wt_status wt_ik_read_static(const struct wt_noise_tools *tools, struct wt_ik *ik,
				 const struct wt_ik_pair *us, const uint8_t *first,
				 uint8_t initiator[POINT_SIZE])
{
	memcpy(ik->re, first, POINT_SIZE);
	enum wt_status status = mix_e(tools, ik, ik->re);

	if (status == WT_OK)
		status = dh(tools, ik, us->private_key, ik->re);
	if (status == WT_OK)
		status = wt_symmetric_open(tools, &ik->sym, first + POINT_SIZE,
					   POINT_SIZE + WT_TAG_SIZE, initiator);
	return status;
}

enum wt_status wt_ik_read_first(const struct wt_noise_tools *tools, struct wt_ik *ik,
				const uint8_t ss[POINT_SIZE], const uint8_t *first, size_t len,
				uint8_t *payload)
{
	const uint8_t *text = first + 2u * POINT_SIZE + WT_TAG_SIZE;
	enum wt_status status = wt_symmetric_mix_key(tools, &ik->sym, ss);

	if (status == WT_OK)
		status = wt_symmetric_open(tools, &ik->sym, text, len + WT_TAG_SIZE, payload);
	return status;
}

enum wt_status wt_ik_write_second(const struct wt_noise_tools *tools, struct wt_ik *ik,
				  const uint8_t initiator[POINT_SIZE], const uint8_t psk[PSK_SIZE],
				  const uint8_t *payload, size_t len, uint8_t *out)
{
	enum wt_status status = wt_x25519_public(ik->e, out);

	if (status == WT_OK)
		status = mix_e(tools, ik, out);
	if (status == WT_OK)
		status = dh(tools, ik, ik->e, ik->re);
	if (status == WT_OK)
		status = dh(tools, ik, ik->e, initiator);
	if (status == WT_OK)
		status = wt_symmetric_mix_key_and_hash(tools, &ik->sym, psk);
	if (status == WT_OK)
		status = wt_symmetric_seal(tools, &ik->sym, payload, len, out + POINT_SIZE);
	return status;
}

enum wt_status wt_ik_read_second(const struct wt_noise_tools *tools, struct wt_ik *ik,
				 const struct wt_ik_pair *us, const uint8_t psk[PSK_SIZE],
				 const uint8_t *second, size_t len, uint8_t *payload)
{
	memcpy(ik->re, second, POINT_SIZE);
	enum wt_status status = mix_e(tools, ik, ik->re);

	if (status == WT_OK)
		status = dh(tools, ik, ik->e, ik->re);
	if (status == WT_OK)
		status = dh(tools, ik, us->private_key, ik->re);
	if (status == WT_OK)
		status = wt_symmetric_mix_key_and_hash(tools, &ik->sym, psk);
	if (status == WT_OK)
		status = wt_symmetric_open(tools, &ik->sym, second + POINT_SIZE, len + WT_TAG_SIZE,
					   payload);
	return status;
}

enum wt_status wt_ik_finish(const struct wt_noise_tools *tools, const struct wt_ik *ik,
			    const uint8_t head1[HEAD_SIZE], const uint8_t head2[HEAD_SIZE],
			    struct wt_ik_finish *out)
{
	const struct wt_primitives *p = tools->primitives;
	const struct wt_part parts[] = { { ik->sym.h, HASH_SIZE },
					 { head1, HEAD_SIZE },
					 { head2, HEAD_SIZE } };
	uint8_t c1[WT_KEY_SIZE], c2[WT_KEY_SIZE], t[HASH_SIZE];
	enum wt_status status = WT_OK;

	if (wt_symmetric_split(tools, &ik->sym, c1, c2) || wt_sha256(p, parts, 3, t) ||
	    wt_hkdf_expand(p, c1, sizeof c1, "i2r key", t, sizeof t, out->i2r_key, WT_KEY_SIZE) ||
	    wt_hkdf_expand(p, c1, sizeof c1, "i2r iv", t, sizeof t, out->i2r_iv, WT_NONCE_SIZE) ||
	    wt_hkdf_expand(p, c2, sizeof c2, "r2i key", t, sizeof t, out->r2i_key, WT_KEY_SIZE) ||
	    wt_hkdf_expand(p, c2, sizeof c2, "r2i iv", t, sizeof t, out->r2i_iv, WT_NONCE_SIZE) ||
	    wt_hkdf_expand(p, c2, sizeof c2, "m2 mac", t, sizeof t, out->m2_mac, HASH_SIZE))
		status = WT_ERR_CRYPTO;
	tools->host->wipe(c1, sizeof c1);
	tools->host->wipe(c2, sizeof c2);
	return status;
}
