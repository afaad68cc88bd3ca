/* SPDX-License-Identifier: MIT
 *
 * registry.h: the plugins of this process: loaded, checked and tested.
 *
 * Main thread, but for wt_registry_count and _at, which any thread may call
 * while nothing is being loaded.
 */
#ifndef WT_PLUGIN_REGISTRY_H
#define WT_PLUGIN_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <whispertunnel/whispertunnel.h>

/* A plugin that passed every step. `descriptor` and `ops` are the host's own
 * copies: cut to the size both sides know; texts are never NULL; absent
 * optional slots hold the host's defaults, but for the batch forms of crypto.
 * plugin/call.h has the one wrapper for each slot. */
struct wt_plugin {
	enum wt_plugin_kind kind;
	char name[WT_NAME_MAX + 1];
	char version[WT_VERSION_MAX + 1];
	char *path;				       /* absolute */
	bool standard;				       /* crypto: the algorithm is AES-256-GCM */
	char *algorithm;			       /* crypto; "" otherwise */
	const struct wt_plugin_descriptor *descriptor; /* whole, whatever its ABI minor */
	const struct wt_config_key *config_keys;
	size_t config_key_count;
	size_t config_key_stride;
	union {
		struct wt_crypto_ops crypto;
		struct wt_transport_ops transport;
		struct wt_auth_ops auth;
	} ops;
	/* Their addresses stand for callbacks of its instances, as those of the slots
	 * of `ops` stand for operations (plugin/calling.h). */
	struct {
		char timer, watch, resolve;
	} callbacks;
	void *handle; /* of dlopen */
};

struct wt_registry_options {
	const char *plugin_dir;	    /* NULL: what wt_place_choose then takes */
	bool skip_self_test;	    /* `self_test = no` */
	unsigned probe_timeout_ms;  /* 0: 5000 */
	const struct wt_host *host; /* given to available() and the self-test; NULL: a base
				       host of plugin/host.h with the plugin's label */
};

struct wt_registry;

/* NULL: out of memory. `options` and plugin_dir are copied, `host` is borrowed.
 * A directory that cannot be used is an error of wt_registry_load. */
struct wt_registry *wt_registry_new(const struct wt_registry_options *options) WT_MUST_CHECK;
/* The exact reverse of loading; every instance is destroyed before. NULL is
 * allowed. */
void wt_registry_free(struct wt_registry *registry);

/* The directory in use, absolute; "" while it cannot be used. */
const char *wt_registry_dir(const struct wt_registry *registry);

/* Make it known, or say why it cannot be used. wt_registry_load does so, too. */
enum wt_status wt_registry_find_dir(struct wt_registry *registry,
				    struct wt_error *err) WT_MUST_CHECK;

/* Find KIND-NAME.so and take it through every step of docs/architecture.md
 * "Loading"; a plugin already loaded is returned again. On failure err names
 * plugin, path, step, reason and remedy, and nothing of the file stays mapped
 * or open. Main thread, before any worker runs (it forks). */
enum wt_status wt_registry_load(struct wt_registry *registry, enum wt_plugin_kind kind,
				const char *name, const struct wt_plugin **out,
				struct wt_error *err) WT_MUST_CHECK;

/* Unload one of them again; of its instances none is left. Main thread. */
void wt_registry_drop(struct wt_registry *registry, const struct wt_plugin *plugin);

/* Log a warning if the directory is the build's because there is none in the
 * installation that the program belongs to. Main thread. */
void wt_registry_log_place(const struct wt_registry *registry);

/* Log, one warning each, which libraries are in this process twice, and which
 * names plugins export that another object has as well (plugin/libraries.h,
 * plugin/exports.h): files, who brought them, and the remedy. When all plugins
 * are loaded. Main thread. */
void wt_registry_log_doubles(struct wt_registry *registry);

size_t wt_registry_count(const struct wt_registry *registry);
const struct wt_plugin *wt_registry_at(const struct wt_registry *registry, size_t i);

const char *wt_kind_text(enum wt_plugin_kind kind); /* "crypto", "transport", "auth" */

#endif
