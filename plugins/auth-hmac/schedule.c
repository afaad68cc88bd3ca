/* SPDX-License-Identifier: MIT */
#include "schedule.h"

#include <string.h>

/* The statuses are chained with ||: WT_OK is 0, and every failure here is
 * libcrypto's, of one kind. */

static const char domain_name[] = "WT-HMAC-1";

void wt_domain_set(struct wt_domain *domain, const char *realm, size_t len)
{
	const size_t name_len = sizeof domain_name - 1;

	memcpy(domain->text, domain_name, name_len);
	domain->text[name_len] = (uint8_t)(len >> 8);
	domain->text[name_len + 1] = (uint8_t)len;
	memcpy(domain->text + name_len + 2, realm, len);
	domain->len = name_len + 2 + len;
}

/* A derived secret of HASH_SIZE bytes: HKDF-Expand(prk, label || data). */
static enum wt_status derive(const struct wt_primitives *p, const uint8_t *prk, const char *label,
			     const uint8_t *data, size_t len, uint8_t out[HASH_SIZE])
{
	return wt_hkdf_expand(p, prk, HASH_SIZE, label, data, len, out, HASH_SIZE);
}

enum wt_status wt_schedule_secrets(const struct wt_primitives *p, const struct wt_domain *domain,
				   const uint8_t psk[PSK_SIZE], struct wt_secrets *out)
{
	const struct wt_part name = { domain->text, domain->len };
	uint8_t salt[HASH_SIZE];

	if (wt_sha256(p, &name, 1, salt) ||
	    wt_hkdf_extract(p, salt, sizeof salt, psk, PSK_SIZE, out->prk) ||
	    derive(p, out->prk, "id tag", NULL, 0, out->tag) ||
	    derive(p, out->prk, "c mac", NULL, 0, out->client) ||
	    derive(p, out->prk, "s mac", NULL, 0, out->server) ||
	    derive(p, out->prk, "mix", NULL, 0, out->mix))
		return WT_ERR_CRYPTO;
	return WT_OK;
}

enum wt_status wt_schedule_tag(const struct wt_primitives *p, const struct wt_secrets *secrets,
			       uint64_t t, uint8_t out[TAG_SIZE])
{
	uint8_t time[8], mac[HASH_SIZE];
	const struct wt_part part = { time, sizeof time };

	put64(time, t);
	if (wt_hmac_sha256(p, secrets->tag, HASH_SIZE, &part, 1, mac))
		return WT_ERR_CRYPTO;
	memcpy(out, mac, TAG_SIZE);
	return WT_OK;
}

enum wt_status wt_schedule_h0(const struct wt_primitives *p, const struct wt_domain *domain,
			      uint32_t channel, uint8_t h0[HASH_SIZE])
{
	const uint8_t k = (uint8_t)channel;
	const struct wt_part parts[] = { { domain->text, domain->len }, { &k, 1 } };

	return wt_sha256(p, parts, 2, h0);
}

enum wt_status wt_schedule_h1(const struct wt_primitives *p, const uint8_t h0[HASH_SIZE],
			      const uint8_t *m1, uint8_t h1[HASH_SIZE])
{
	const struct wt_part parts[] = { { h0, HASH_SIZE }, { m1, M1_TOKEN } };

	return wt_sha256(p, parts, 2, h1);
}

enum wt_status wt_schedule_mac(const struct wt_primitives *p, const uint8_t key[HASH_SIZE],
			       const uint8_t hash[HASH_SIZE], const uint8_t *message, size_t len,
			       uint8_t mac[HASH_SIZE])
{
	const struct wt_part parts[] = { { hash, HASH_SIZE }, { message, len } };

	return wt_hmac_sha256(p, key, HASH_SIZE, parts, 2, mac);
}

enum wt_status wt_schedule_m1_key(const struct wt_primitives *p, const struct wt_secrets *secrets,
				  const uint8_t *m1, uint8_t key[WT_KEY_SIZE])
{
	return derive(p, secrets->prk, "m1 seal", m1 + M1_POINT, POINT_SIZE, key);
}

enum wt_status wt_schedule_ck(const struct wt_primitives *p, const struct wt_host *host,
			      const struct wt_secrets *secrets,
			      const uint8_t private_key[POINT_SIZE],
			      const uint8_t point[POINT_SIZE], uint8_t ck[HASH_SIZE])
{
	uint8_t dh[POINT_SIZE];
	enum wt_status status = wt_x25519(private_key, point, dh);

	if (status == WT_OK)
		status = wt_hkdf_extract(p, secrets->mix, HASH_SIZE, dh, sizeof dh, ck);
	host->wipe(dh, sizeof dh);
	return status;
}

enum wt_status wt_schedule_m2_key(const struct wt_primitives *p, const uint8_t ck[HASH_SIZE],
				  const uint8_t h1[HASH_SIZE], const uint8_t *m2,
				  uint8_t key[WT_KEY_SIZE])
{
	const struct wt_part parts[] = { { h1, HASH_SIZE }, { m2, M2_SEALED } };
	uint8_t hash[HASH_SIZE];

	if (wt_sha256(p, parts, 2, hash))
		return WT_ERR_CRYPTO;
	return derive(p, ck, "m2 seal", hash, sizeof hash, key);
}

/* A proof: HMAC under a key that only this transcript and ck give. It is in
 * `out` only for a moment that the key stands there. */
static enum wt_status prove(const struct wt_primitives *p, const uint8_t ck[HASH_SIZE],
			    const char *label, const uint8_t hash[HASH_SIZE],
			    uint8_t out[HASH_SIZE])
{
	const struct wt_part part = { hash, HASH_SIZE };

	if (derive(p, ck, label, hash, HASH_SIZE, out))
		return WT_ERR_CRYPTO;
	return wt_hmac_sha256(p, out, HASH_SIZE, &part, 1, out);
}

enum wt_status wt_schedule_finish(const struct wt_primitives *p, const uint8_t ck[HASH_SIZE],
				  const uint8_t h1[HASH_SIZE], const uint8_t *m2, uint32_t index_r,
				  struct wt_finish *out)
{
	uint8_t h2[HASH_SIZE], h3[HASH_SIZE], m3_header[WT_MESSAGE_HEADER];
	const struct wt_part to_h2[] = { { h1, HASH_SIZE }, { m2, M2_PROOF } };
	const struct wt_part to_h3[] = { { h2, HASH_SIZE },
					 { out->proof_r, HASH_SIZE },
					 { m3_header, sizeof m3_header } };

	put_header(m3_header, STEP_M3, index_r);
	if (wt_sha256(p, to_h2, 2, h2) || prove(p, ck, "r fin", h2, out->proof_r) ||
	    wt_sha256(p, to_h3, 3, h3) || prove(p, ck, "i fin", h3, out->proof_i) ||
	    derive(p, ck, "i2r key", h3, HASH_SIZE, out->i2r_key) ||
	    derive(p, ck, "r2i key", h3, HASH_SIZE, out->r2i_key) ||
	    wt_hkdf_expand(p, ck, HASH_SIZE, "i2r iv", h3, HASH_SIZE, out->i2r_iv,
			   sizeof out->i2r_iv) ||
	    wt_hkdf_expand(p, ck, HASH_SIZE, "r2i iv", h3, HASH_SIZE, out->r2i_iv,
			   sizeof out->r2i_iv))
		return WT_ERR_CRYPTO;
	return WT_OK;
}
