/* SPDX-License-Identifier: MIT
 *
 * realm.h: `realm`, the name of a network, which every transcript begins with.
 */
#ifndef WT_AUTH_COMMON_REALM_H
#define WT_AUTH_COMMON_REALM_H

#include <whispertunnel/host.h>
#include <whispertunnel/plugin.h>

#include "auth-common/primitives.h"

#define REALM_MAX 255u

/* Its declaration, an element of config_keys. */
#define WT_REALM_KEY                                                                               \
	{                                                                                          \
		.struct_size = sizeof(struct wt_config_key), .type = WT_CONFIG_STRING,             \
		.scope = WT_SCOPE_SECTION, .name = "realm", .default_value = "whispertunnel",      \
		.help = "Name of this network, 1 to 255 bytes, the same at both ends."             \
	}

/* The setting of the section `cfg`, 1..REALM_MAX bytes that live as long as
 * cfg; WT_ERR_CONFIG otherwise. */
enum wt_status wt_realm_get(const struct wt_host *host, const struct wt_config *cfg,
			    struct wt_part *realm, struct wt_error *err) WT_MUST_CHECK;

#endif
