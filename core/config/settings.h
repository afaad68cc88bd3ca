/* SPDX-License-Identifier: MIT
 *
 * settings.h: a whole INI file, checked: what the engine is built from.
 *
 * Made by one thread, then only read, by any.
 */
#ifndef WT_CONFIG_SETTINGS_H
#define WT_CONFIG_SETTINGS_H

#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/log.h"
#include "config/prefix.h"
#include "config/values.h"

struct sockaddr;
struct wt_choice;
struct wt_plugin;
struct wt_plugin_source;
struct wt_registry;
struct wt_registry_options;

#define WT_PEERS_MAX 65536u

/* In the order of the key's choices. */
enum wt_offload_choice {
	WT_OFFLOAD_AUTO,
	WT_OFFLOAD_OFF,
	WT_OFFLOAD_ONLY_CSUM,
	WT_OFFLOAD_ONLY_TSO,
	WT_OFFLOAD_ONLY_USO
};

struct wt_tunnel_settings {
	char interface[IFNAMSIZ]; /* default "wt0" */
	struct wt_prefix *addresses;
	size_t address_count;
	uint32_t mtu;		/* 0: auto */
	bool routes;		/* routes = auto (default) | off */
	uint32_t rekey_after_s; /* 1..120, default 120 */
	enum wt_offload_choice offload;
	uint32_t txqueuelen; /* 4..10000, default 500 */
	bool mss_clamp;
	unsigned workers;	/* 1..64, default 1 */
	uint32_t replay_window; /* 64..65536, default 8192 */
	enum wt_log_level log_level;
	enum wt_log_format log_format;
};

struct wt_crypto_settings {
	const struct wt_plugin *plugin;
	struct wt_choice *choice; /* how it was found; NULL unless `plugin = auto` */
	bool allow_insecure;
	struct wt_config *config;
	int line;
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

/* Which endpoint of a peer is dialled first. */
enum wt_endpoint_policy {
	WT_POLICY_ORDER,  /* as listed; while it is up over a later one, the earlier are tried */
	WT_POLICY_RANDOM, /* any */
	WT_POLICY_LATENCY /* as listed; while it is up, one that answers faster is looked for */
};

/* Of one peer: more than a machine with one interface has use for. */
#define WT_CONNECTIONS_MAX 16u

struct wt_peer_settings {
	char *name;
	int line;
	size_t auth; /* index into settings.auths */
	struct wt_endpoint *endpoints;
	size_t endpoint_count; /* 0: this peer dials us */
	enum wt_endpoint_policy policy;
	struct wt_prefix *allowed_ips;
	size_t allowed_ip_count;
	uint32_t keepalive_s;	  /* 0: off */
	unsigned connections;	  /* at once, 1..WT_CONNECTIONS_MAX */
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

/* Read `path`, make a registry from `options` with the file's plugin_dir and
 * self_test put in, load the plugins that the file names, and check
 * everything, by making each instance and adding each peer for a moment too.
 * All problems of one run are written to `problems`, one line
 * each, as "FILE:LINE: [SECTION] KEY: what was found, what is allowed". Returns
 * WT_EXIT_OK, WT_EXIT_CONFIG, or WT_EXIT_PLUGIN if only plugins failed. On
 * WT_EXIT_OK *out and *registry are the caller's, who frees them in this order
 * (settings point into plugins); otherwise both are NULL. Creates nothing,
 * needs no root. Main thread (the loader forks). */
int wt_settings_load(const char *path, const struct wt_registry_options *options, FILE *problems,
		     struct wt_settings **out, struct wt_registry **registry) WT_MUST_CHECK;

/* The same with plugins from `source`; what wt_settings_load is made of. */
int wt_settings_build(const char *path, const struct wt_plugin_source *source, FILE *problems,
		      struct wt_settings **out) WT_MUST_CHECK;

/* Wipes keys. NULL is allowed. */
void wt_settings_free(struct wt_settings *settings);

/* Would packets to `address`, where the peer is to be dialled, be routed into
 * the tunnel to that same peer? Then the allowed prefix, else NULL; a prefix of
 * length 0 does not count, since no default route is ever set. For numeric
 * endpoints the answer was no when they were checked; names must be asked again
 * each time they are resolved. */
const struct wt_prefix *wt_peer_settings_loop(const struct wt_peer_settings *peer,
					      const struct sockaddr *address);

#endif
