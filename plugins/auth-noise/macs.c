/* SPDX-License-Identifier: MIT */
#include "macs.h"

#include <string.h>

static const uint8_t zero_nonce[WT_NONCE_SIZE];

enum wt_status wt_mac_keys(const struct wt_primitives *p, const uint8_t public_key[POINT_SIZE],
			   struct wt_mac_keys *out)
{
	const struct wt_part mac1[] = { { "wt-mac1", 7 }, { public_key, POINT_SIZE } };
	const struct wt_part cookie[] = { { "wt-cookie", 9 }, { public_key, POINT_SIZE } };

	if (wt_sha256(p, mac1, 2, out->mac1) || wt_sha256(p, cookie, 2, out->cookie))
		return WT_ERR_CRYPTO;
	return WT_OK;
}

enum wt_status wt_mac_write(const struct wt_primitives *p, const uint8_t *key, size_t key_len,
			    const uint8_t *message, size_t len, uint8_t mac[MAC_SIZE])
{
	const struct wt_part part = { message, len };
	uint8_t whole[HASH_SIZE];
	enum wt_status status = wt_hmac_sha256(p, key, key_len, &part, 1, whole);

	memcpy(mac, whole, MAC_SIZE);
	return status;
}

enum wt_status wt_mac_check(const struct wt_noise_tools *tools, const uint8_t *key, size_t key_len,
			    const uint8_t *message, size_t len)
{
	uint8_t mac[MAC_SIZE];
	enum wt_status status = wt_mac_write(tools->primitives, key, key_len, message, len, mac);

	if (status == WT_OK && !tools->host->equal(mac, message + len, MAC_SIZE))
		status = WT_ERR_AUTH;
	tools->host->wipe(mac, sizeof mac);
	return status;
}

static enum wt_status make_cookie(const struct wt_primitives *p, const uint8_t *secret,
				  const struct wt_auth_in *in, uint8_t cookie[COOKIE_SIZE])
{
	uint8_t head[1 + 2], whole[HASH_SIZE];
	const struct wt_part parts[] = { { head, sizeof head },
					 { in->source, in->source_len },
					 { in->message + POINT, POINT_SIZE } };

	head[0] = (uint8_t)in->channel;
	head[1] = (uint8_t)(in->source_len >> 8);
	head[2] = (uint8_t)in->source_len;
	enum wt_status status = wt_hmac_sha256(p, secret, HASH_SIZE, parts, 3, whole);

	memcpy(cookie, whole, COOKIE_SIZE);
	return status;
}

static enum wt_status cookie_key(const struct wt_primitives *p, const struct wt_mac_keys *sender,
				 const uint8_t *message, uint8_t key[WT_KEY_SIZE])
{
	return wt_hkdf_expand(p, sender->cookie, HASH_SIZE, "", message + COOKIE_NONCE,
			      COOKIE_NONCE_SIZE, key, WT_KEY_SIZE);
}

enum wt_status wt_cookie_write(const struct wt_noise_tools *tools, struct wt_flood *flood,
			       const struct wt_mac_keys *us, const struct wt_auth_in *in,
			       uint8_t message[COOKIE_MESSAGE_SIZE])
{
	const struct wt_host *host = tools->host;
	uint8_t secret[FLOOD_SECRETS][HASH_SIZE], cookie[COOKIE_SIZE], key[WT_KEY_SIZE];

	put_header(message, STEP_COOKIE, get32(in->message + SENDER));
	host->random(host, message + COOKIE_NONCE, COOKIE_NONCE_SIZE);
	wt_flood_secrets(flood, host, secret);
	enum wt_status status = make_cookie(tools->primitives, secret[0], in, cookie);

	if (status == WT_OK)
		status = cookie_key(tools->primitives, us, message, key);
	if (status == WT_OK)
		status =
			host->aead_seal(host, tools->worker, key, zero_nonce, in->message + M1_MAC1,
					MAC_SIZE, cookie, COOKIE_SIZE, message + COOKIE_SEALED);
	host->wipe(secret, sizeof secret);
	host->wipe(cookie, sizeof cookie);
	host->wipe(key, sizeof key);
	return status;
}

enum wt_status wt_cookie_read(const struct wt_noise_tools *tools, const struct wt_mac_keys *them,
			      const uint8_t *m1, const uint8_t *message,
			      uint8_t cookie[COOKIE_SIZE])
{
	const struct wt_host *host = tools->host;
	uint8_t key[WT_KEY_SIZE];
	enum wt_status status = cookie_key(tools->primitives, them, message, key);

	if (status == WT_OK)
		status = host->aead_open(host, tools->worker, key, zero_nonce, m1 + M1_MAC1,
					 MAC_SIZE, message + COOKIE_SEALED,
					 COOKIE_SIZE + WT_TAG_SIZE, cookie);
	host->wipe(key, sizeof key);
	return status;
}

bool wt_cookie_shown(const struct wt_noise_tools *tools, struct wt_flood *flood,
		     const struct wt_auth_in *in)
{
	const struct wt_host *host = tools->host;
	uint8_t secret[FLOOD_SECRETS][HASH_SIZE], cookie[COOKIE_SIZE];
	bool shown = false;

	wt_flood_secrets(flood, host, secret);
	for (size_t i = 0; i < FLOOD_SECRETS; i++)
		if (make_cookie(tools->primitives, secret[i], in, cookie) == WT_OK &&
		    wt_mac_check(tools, cookie, COOKIE_SIZE, in->message, M1_MAC2) == WT_OK)
			shown = true;
	host->wipe(secret, sizeof secret);
	host->wipe(cookie, sizeof cookie);
	return shown;
}
