/* SPDX-License-Identifier: MIT */
#include "auth-common/realm.h"

#include <stdio.h>
#include <string.h>

enum wt_status wt_realm_get(const struct wt_host *host, const struct wt_config *cfg,
			    struct wt_part *realm, struct wt_error *err)
{
	const char *text = host->config_string(host, cfg, "realm");
	const size_t len = text ? strlen(text) : 0;

	if (len < 1 || len > REALM_MAX) {
		snprintf(err->text, sizeof err->text,
			 "[auth %s] realm: it has %zu bytes, 1 to %u are allowed",
			 host->config_name(host, cfg), len, REALM_MAX);
		return WT_ERR_CONFIG;
	}
	*realm = (struct wt_part){ text, len };
	return WT_OK;
}
