/* SPDX-License-Identifier: MIT */
#include "plugin/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "config/values.h"
#include "plugin/exports.h"
#include "plugin/libraries.h"
#include "plugin/loader.h"
#include "plugin/place.h"

struct wt_registry {
	struct wt_registry_options options; /* without plugin_dir, which is: */
	char *wanted_dir;
	char *dir; /* NULL until it could be found */
	struct wt_loaded **loaded;
	size_t count;
	struct wt_libraries libraries; /* of the process, as of the last load */
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
	wt_libraries_look(&registry->libraries, "the program itself");
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
	wt_libraries_clear(&registry->libraries);
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

static void look_for_libraries(struct wt_registry *registry, enum wt_plugin_kind kind,
			       const char *name)
{
	char label[WT_LIBRARY_BROUGHT_BY];

	snprintf(label, sizeof label, "%s plugin \"%s\"", wt_kind_text(kind), name);
	wt_libraries_look(&registry->libraries, label);
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
	/* Also of one that failed: what it brought may have stayed. */
	look_for_libraries(registry, kind, name);
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

static void log_twins(void *arg, const struct wt_library *first, const struct wt_library *second)
{
	(void)arg;
	wt_log(WT_LOG_WARN,
	       "%s is in this process twice: %s (%s) and %s (%s); the two share no state, and "
	       "an update of one leaves the other as it is: build what brings them against "
	       "one version, in one place",
	       first->family, first->path, first->brought_by, second->path, second->brought_by);
}

static void log_exports(const struct wt_registry *registry, const struct wt_plugin *plugin)
{
	struct wt_exports exports;
	const char *name = "";

	if (wt_exports_read(plugin->path, &exports) != WT_OK)
		return;
	for (size_t i = 0; exports.count > 0 && i < registry->libraries.count; i++) {
		const struct wt_library *library = &registry->libraries.items[i];
		size_t shared = 0;

		if (strcmp(library->path, plugin->path) != 0)
			shared = wt_exports_shared(&exports, library, &name);
		if (shared > 0)
			wt_log(WT_LOG_WARN,
			       "%s plugin \"%s\" (%s) exports %s, and %zu names in all, that %s "
			       "(%s) has as well: it seems to carry a copy, and which of the two "
			       "is called depends on the order of loading; link it with "
			       "-fvisibility=hidden and -Wl,--exclude-libs,ALL",
			       wt_kind_text(plugin->kind), plugin->name, plugin->path, name, shared,
			       library->path, library->brought_by);
	}
	wt_exports_clear(&exports);
}

void wt_registry_log_place(const struct wt_registry *registry)
{
	struct wt_plugin_place place;

	wt_place_choose(registry->wanted_dir, &place);
	if (place.fallback[0])
		wt_log(WT_LOG_WARN, "plugins come from %s, %s: %s", place.path, place.source,
		       place.fallback);
}

void wt_registry_log_doubles(struct wt_registry *registry)
{
	/* Of plugins that were dropped again some libraries are gone. */
	wt_libraries_look(&registry->libraries, "the program itself");
	wt_libraries_twins(&registry->libraries, log_twins, NULL);
	for (size_t i = 0; i < registry->count; i++)
		log_exports(registry, &registry->loaded[i]->plugin);
}

size_t wt_registry_count(const struct wt_registry *registry)
{
	return registry->count;
}

const struct wt_plugin *wt_registry_at(const struct wt_registry *registry, size_t i)
{
	return i < registry->count ? &registry->loaded[i]->plugin : NULL;
}
