/* SPDX-License-Identifier: MIT
 *
 * settings.h: a whole INI file, checked: what the engine is built from.
 */
#ifndef WT_CONFIG_SETTINGS_H
#define WT_CONFIG_SETTINGS_H

#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/log.h"
#include "config/prefix.h"
#include "config/values.h"

struct wt_registry;
struct wt_plugin;

#define WT_PEERS_MAX 65536u

struct wt_tunnel_settings {
	char interface[IFNAMSIZ]; /* default "wt0" */
	struct wt_prefix *addresses;
	size_t address_count;
	uint32_t mtu;		/* 0: auto */
	bool routes;		/* routes = auto (default) | off */
	uint32_t rekey_after_s; /* 1..120, default 120 */
	enum wt_log_level log_level;
	enum wt_log_format log_format;
};

struct wt_crypto_settings {
	const struct wt_plugin *plugin;
	bool allow_insecure;
	struct wt_config *config;
};

/* One [transport NAME] or [auth NAME]. */
struct wt_plugin_settings {
	char *name; /* NAME: an endpoint's scheme, a peer's `auth =` */
	const struct wt_plugin *plugin;
	struct wt_config *config;
	int line;
};

struct wt_endpoint {
	size_t transport; /* index into settings.transports */
	char *host;	  /* name or numeric address, without brackets */
	uint16_t port;
	struct wt_config *config; /* endpoint-scope keys */
};

struct wt_peer_settings {
	char *name;
	int line;
	size_t auth; /* index into settings.auths */
	struct wt_endpoint *endpoints;
	size_t endpoint_count; /* 0: this peer dials us */
	struct wt_prefix *allowed_ips;
	size_t allowed_ip_count;
	uint32_t keepalive_s;	  /* 0: off */
	struct wt_config *config; /* peer-scope keys of its auth and transports */
};

struct wt_settings {
	char *path; /* of the INI file */
	struct wt_tunnel_settings tunnel;
	struct wt_crypto_settings crypto;
	struct wt_plugin_settings *transports;
	size_t transport_count;
	struct wt_plugin_settings *auths;
	size_t auth_count;
	struct wt_peer_settings *peers;
	size_t peer_count;
};

/* Read `path`, load the plugins it names into `registry` (which was made with
 * the plugin directory that wt_settings_plugin_dir found), and check
 * everything. All problems of one run are written to `problems`, one line
 * each, as "file:line: [section] key: found, allowed". Returns WT_EXIT_OK,
 * WT_EXIT_CONFIG or WT_EXIT_PLUGIN (if only plugins failed); *out is set on
 * WT_EXIT_OK alone and freed with wt_settings_free. Creates nothing, needs no
 * root. */
int wt_settings_load(const char *path, struct wt_registry *registry, FILE *problems,
		     struct wt_settings **out) WT_MUST_CHECK;
void wt_settings_free(struct wt_settings *settings);

/* The table of all keys (core and the plugins of `registry`), as Markdown. */
void wt_settings_print_keys(const struct wt_registry *registry, FILE *out);

#endif
