/* SPDX-License-Identifier: MIT */
#include "token.h"

#include <string.h>

static enum wt_status write_token(const struct wt_primitives *p, const uint8_t *secret,
				  uint32_t minute, uint32_t peer_id, const struct wt_auth_in *in,
				  uint8_t token[TOKEN_SIZE])
{
	uint8_t head[4 + 4 + 1 + 2], mac[HASH_SIZE];
	const struct wt_part parts[] = { { head, sizeof head },
					 { in->source, in->source_len },
					 { in->message + M1_POINT, POINT_SIZE } };

	put32(head, minute);
	put32(head + 4, peer_id);
	head[8] = (uint8_t)in->channel;
	head[9] = (uint8_t)(in->source_len >> 8);
	head[10] = (uint8_t)in->source_len;
	if (wt_hmac_sha256(p, secret, HASH_SIZE, parts, 3, mac))
		return WT_ERR_CRYPTO;
	put32(token, minute);
	memcpy(token + 4, mac, TOKEN_SIZE - 4);
	return WT_OK;
}

enum wt_status wt_token_make(struct wt_flood *flood, const struct wt_primitives *p,
			     const struct wt_host *host, uint32_t peer_id,
			     const struct wt_auth_in *in, uint8_t token[TOKEN_SIZE])
{
	const uint32_t minute = (uint32_t)(host->boot_ms(host) / TOKEN_MINUTE_MS);
	uint8_t secret[FLOOD_SECRETS][HASH_SIZE];

	wt_flood_secrets(flood, host, secret);
	enum wt_status status = write_token(p, secret[0], minute, peer_id, in, token);

	host->wipe(secret, sizeof secret);
	return status;
}

bool wt_token_valid(struct wt_flood *flood, const struct wt_primitives *p,
		    const struct wt_host *host, uint32_t peer_id, const struct wt_auth_in *in)
{
	const uint32_t now = (uint32_t)(host->boot_ms(host) / TOKEN_MINUTE_MS);
	const uint8_t *shown = in->message + M1_TOKEN;
	const uint32_t minute = get32(shown);
	uint8_t secret[FLOOD_SECRETS][HASH_SIZE], token[TOKEN_SIZE];
	bool valid = false;

	/* Most M1 show none: 32 zero bytes, minute 0 (of boot: a token made
	 * then still carries its MAC, and passes). */
	if (now - minute > 1u)
		return false;
	wt_flood_secrets(flood, host, secret);
	for (size_t i = 0; i < FLOOD_SECRETS; i++)
		if (write_token(p, secret[i], minute, peer_id, in, token) == WT_OK &&
		    host->equal(token, shown, TOKEN_SIZE))
			valid = true;
	host->wipe(secret, sizeof secret);
	host->wipe(token, sizeof token);
	return valid;
}
