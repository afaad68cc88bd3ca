/* SPDX-License-Identifier: MIT */
#include "plugin/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "config/values.h"
#include "plugin/loader.h"
#include "plugin/place.h"

struct wt_registry {
	struct wt_registry_options options; /* without plugin_dir, which is: */
	char *wanted_dir;
	char *dir; /* NULL until it could be found */
	struct wt_loaded **loaded;
	size_t count;
};

const char *wt_kind_text(enum wt_plugin_kind kind)
{
	switch (kind) {
	case WT_KIND_CRYPTO:
		return "crypto";
	case WT_KIND_TRANSPORT:
		return "transport";
	case WT_KIND_AUTH:
		return "auth";
	}
	return "unknown";
}

struct wt_registry *wt_registry_new(const struct wt_registry_options *options)
{
	struct wt_registry *registry = calloc(1, sizeof *registry);

	if (!registry)
		return NULL;
	registry->options = *options;
	registry->options.plugin_dir = NULL;
	if (options->plugin_dir) {
		registry->wanted_dir = strdup(options->plugin_dir);
		if (!registry->wanted_dir) {
			free(registry);
			return NULL;
		}
	}
	/* Only for wt_registry_dir; wt_registry_load tries again, and says why. */
	if (wt_registry_find_dir(registry, NULL) != WT_OK)
		registry->dir = NULL;
	return registry;
}

void wt_registry_free(struct wt_registry *registry)
{
	if (!registry)
		return;
	while (registry->count > 0)
		wt_loaded_free(registry->loaded[--registry->count]);
	free(registry->loaded);
	free(registry->dir);
	free(registry->wanted_dir);
	free(registry);
}

const char *wt_registry_dir(const struct wt_registry *registry)
{
	return registry->dir ? registry->dir : "";
}

enum wt_status wt_registry_find_dir(struct wt_registry *registry, struct wt_error *err)
{
	if (registry->dir)
		return WT_OK;
	return wt_place_find(registry->wanted_dir, &registry->dir, err);
}

/* The first key of `a` that `b` claims for a peer too. */
static const char *shared_peer_key(const struct wt_plugin *a, const struct wt_plugin *b)
{
	const struct wt_key_table ours = { a->config_keys, a->config_key_count,
					   a->config_key_stride };
	const struct wt_key_table theirs = { b->config_keys, b->config_key_count,
					     b->config_key_stride };

	for (size_t i = 0; i < ours.count; i++) {
		const struct wt_config_key *key = wt_key_table_at(&ours, i);

		if (key->scope == WT_SCOPE_PEER &&
		    wt_key_table_find(&theirs, 1u << WT_SCOPE_PEER, key->name))
			return key->name;
	}
	return NULL;
}

/* Two plugins in one process: what must be one's alone? */
static enum wt_status check_beside(const struct wt_plugin *plugin, const struct wt_plugin *other,
				   struct wt_error *err)
{
	const bool both_auth = plugin->kind == WT_KIND_AUTH && other->kind == WT_KIND_AUTH;
	/* A peer has one auth section, so the keys of two never meet. */
	const char *key = both_auth ? NULL : shared_peer_key(plugin, other);

	if (key)
		return wt_fail(err, WT_ERR_CONFIG,
			       "claims the key %s of a [peer], as %s plugin \"%s\" does; use one "
			       "of them",
			       key, wt_kind_text(other->kind), other->name);
	if (both_auth && plugin->ops.auth.method == other->ops.auth.method)
		return wt_fail(err, WT_ERR_CONFIG,
			       "has handshake method %u, as auth plugin \"%s\" does; use one of "
			       "them",
			       plugin->ops.auth.method, other->name);
	return WT_OK;
}

static enum wt_status append(struct wt_registry *registry, struct wt_loaded *loaded,
			     struct wt_error *err)
{
	struct wt_loaded **grown;

	for (size_t i = 0; i < registry->count; i++) {
		enum wt_status status =
			check_beside(&loaded->plugin, &registry->loaded[i]->plugin, err);

		if (status != WT_OK)
			return status;
	}
	grown = realloc(registry->loaded, (registry->count + 1) * sizeof(struct wt_loaded *));
	if (!grown)
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");
	registry->loaded = grown;
	registry->loaded[registry->count++] = loaded;
	return WT_OK;
}

enum wt_status wt_registry_load(struct wt_registry *registry, enum wt_plugin_kind kind,
				const char *name, const struct wt_plugin **out,
				struct wt_error *err)
{
	struct wt_error why = WT_ERROR_INIT;
	struct wt_loaded *loaded;
	enum wt_status status;

	for (size_t i = 0; i < registry->count; i++) {
		const struct wt_plugin *plugin = &registry->loaded[i]->plugin;

		if (plugin->kind == kind && strcmp(plugin->name, name) == 0) {
			*out = plugin;
			return WT_OK;
		}
	}
	status = wt_registry_find_dir(registry, &why);
	if (status != WT_OK)
		return wt_load_fail(err, status, kind, name, NULL, "directory", why.text);
	const struct wt_load_request request = {
		.kind = kind,
		.name = name,
		.dir = registry->dir,
		.skip_self_test = registry->options.skip_self_test,
		.probe_timeout_ms = registry->options.probe_timeout_ms,
		.host = registry->options.host,
	};

	status = wt_loaded_new(&request, &loaded, err);
	if (status != WT_OK)
		return status;
	status = append(registry, loaded, &why);
	if (status != WT_OK) {
		wt_load_fail(err, status, kind, name, loaded->plugin.path, "register", why.text);
		wt_loaded_free(loaded);
		return status;
	}
	*out = &loaded->plugin;
	return WT_OK;
}

void wt_registry_drop(struct wt_registry *registry, const struct wt_plugin *plugin)
{
	for (size_t i = 0; i < registry->count; i++) {
		struct wt_loaded *loaded = registry->loaded[i];

		if (&loaded->plugin != plugin)
			continue;
		registry->count--;
		memmove(&registry->loaded[i], &registry->loaded[i + 1],
			(registry->count - i) * sizeof(struct wt_loaded *));
		wt_loaded_free(loaded);
		return;
	}
}

size_t wt_registry_count(const struct wt_registry *registry)
{
	return registry->count;
}

const struct wt_plugin *wt_registry_at(const struct wt_registry *registry, size_t i)
{
	return i < registry->count ? &registry->loaded[i]->plugin : NULL;
}
