/* SPDX-License-Identifier: MIT */
#include "auth-common/flood.h"

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

bool wt_flood_note(struct wt_flood *flood, struct wt_flood_meter *meter, const struct wt_host *host)
{
	pthread_mutex_lock(&flood->lock);
	/* Asked for here, no worker's time is before that of the last one. */
	const uint64_t second = host->boot_ms(host) / 1000u;

	if (second != meter->second) {
		meter->before = second == meter->second + 1 ? meter->now : 0;
		meter->now = 0;
		meter->second = second;
	}
	if (meter->now < UINT32_MAX)
		meter->now++;
	const bool loaded = meter->now > LOAD_PER_SECOND || meter->before > LOAD_PER_SECOND;

	pthread_mutex_unlock(&flood->lock);
	return loaded;
}

void wt_flood_secrets(struct wt_flood *flood, const struct wt_host *host,
		      uint8_t out[FLOOD_SECRETS][HASH_SIZE])
{
	pthread_mutex_lock(&flood->lock);
	const uint64_t boot_ms = host->boot_ms(host), age = boot_ms - flood->secret_ms;

	if (age >= FLOOD_SECRET_MS) {
		if (age < 2u * FLOOD_SECRET_MS)
			memcpy(flood->secret[1], flood->secret[0], HASH_SIZE);
		else
			host->random(host, flood->secret[1], HASH_SIZE);
		host->random(host, flood->secret[0], HASH_SIZE);
		flood->secret_ms = boot_ms;
	}
	memcpy(out, flood->secret, sizeof flood->secret);
	pthread_mutex_unlock(&flood->lock);
}
