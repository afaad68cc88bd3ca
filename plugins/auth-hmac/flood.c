/* SPDX-License-Identifier: MIT */
#include "flood.h"

#include <string.h>

enum wt_status wt_flood_init(struct wt_flood *flood, const struct wt_host *host)
{
	*flood = (struct wt_flood){ .secret_ms = host->boot_ms(host) };
	host->random(host, flood->secret, sizeof flood->secret);
	return pthread_mutex_init(&flood->lock, NULL) == 0 ? WT_OK : WT_ERR_NOMEM;
}

void wt_flood_free(struct wt_flood *flood)
{
	pthread_mutex_destroy(&flood->lock);
}

bool wt_flood_note(struct wt_flood *flood, const struct wt_host *host)
{
	const uint64_t second = host->boot_ms(host) / 1000u;

	pthread_mutex_lock(&flood->lock);
	if (second != flood->second) {
		flood->before = second == flood->second + 1 ? flood->now : 0;
		flood->now = 0;
		flood->second = second;
	}
	if (flood->now < UINT32_MAX)
		flood->now++;
	const bool loaded = flood->now > LOAD_PER_SECOND || flood->before > LOAD_PER_SECOND;

	pthread_mutex_unlock(&flood->lock);
	return loaded;
}

static void copy_secrets(struct wt_flood *flood, const struct wt_host *host, uint64_t boot_ms,
			 uint8_t out[2][HASH_SIZE])
{
	pthread_mutex_lock(&flood->lock);
	const uint64_t age = boot_ms - flood->secret_ms;

	if (age >= TOKEN_SECRET_MS) {
		if (age < 2u * TOKEN_SECRET_MS)
			memcpy(flood->secret[1], flood->secret[0], HASH_SIZE);
		else
			host->random(host, flood->secret[1], HASH_SIZE);
		host->random(host, flood->secret[0], HASH_SIZE);
		flood->secret_ms = boot_ms;
	}
	memcpy(out, flood->secret, sizeof flood->secret);
	pthread_mutex_unlock(&flood->lock);
}

static enum wt_status make_token(const struct wt_primitives *p, const uint8_t *secret,
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

enum wt_status wt_flood_token(struct wt_flood *flood, const struct wt_primitives *p,
			      const struct wt_host *host, uint32_t peer_id,
			      const struct wt_auth_in *in, uint8_t token[TOKEN_SIZE])
{
	const uint64_t boot_ms = host->boot_ms(host);
	uint8_t secret[2][HASH_SIZE];

	copy_secrets(flood, host, boot_ms, secret);
	enum wt_status status =
		make_token(p, secret[0], (uint32_t)(boot_ms / TOKEN_MINUTE_MS), peer_id, in, token);

	host->wipe(secret, sizeof secret);
	return status;
}

bool wt_flood_token_valid(struct wt_flood *flood, const struct wt_primitives *p,
			  const struct wt_host *host, uint32_t peer_id, const struct wt_auth_in *in)
{
	const uint64_t boot_ms = host->boot_ms(host);
	const uint32_t now = (uint32_t)(boot_ms / TOKEN_MINUTE_MS);
	const uint8_t *shown = in->message + M1_TOKEN;
	const uint32_t minute = get32(shown);
	uint8_t secret[2][HASH_SIZE], token[TOKEN_SIZE];
	bool valid = false;

	/* Most M1 show none: 32 zero bytes, minute 0 (of boot: a token made
	 * then still carries its MAC, and passes). */
	if (now - minute > 1u)
		return false;
	copy_secrets(flood, host, boot_ms, secret);
	for (size_t i = 0; i < 2; i++)
		if (make_token(p, secret[i], minute, peer_id, in, token) == WT_OK &&
		    host->equal(token, shown, TOKEN_SIZE))
			valid = true;
	host->wipe(secret, sizeof secret);
	host->wipe(token, sizeof token);
	return valid;
}
