/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "config/assembly.h"
#include "config/keys.h"
#include "config/list.h"
#include "config/nearest.h"
#include "plugin/registry.h"

#define ALL_SCOPES (1u << WT_SCOPE_SECTION | 1u << WT_SCOPE_PEER | 1u << WT_SCOPE_ENDPOINT)
#define MISPLACED_TEXT 160

struct wt_key_table wt_plugin_keys(const struct wt_plugin *plugin)
{
	return (struct wt_key_table){ plugin->config_keys, plugin->config_key_count,
				      plugin->config_key_stride };
}

const struct wt_ini_entry *wt_section_find(const struct wt_ini_section *section, const char *key)
{
	for (size_t i = 0; i < section->count; i++)
		if (strcmp(section->entries[i].key, key) == 0)
			return &section->entries[i];
	return NULL;
}

const char *wt_keys_text(const struct wt_config *cfg, const char *found, char out[WT_KEYS_TEXT])
{
	struct wt_nearest nearest = { .word = found };
	char hint[WT_NEAREST_HINT];
	size_t count = wt_config_count(cfg), at;

	at = (size_t)snprintf(out, WT_KEYS_TEXT,
			      count > 1	   ? "are "
			      : count == 1 ? "is "
					   : "is none");
	for (size_t i = 0; i < count; i++) {
		const char *name = wt_config_at(cfg, i)->name;

		wt_nearest_offer(&nearest, name);
		if (at < WT_KEYS_TEXT)
			at += (size_t)snprintf(out + at, WT_KEYS_TEXT - at, "%s%s", i ? ", " : "",
					       name);
	}
	if (at < WT_KEYS_TEXT)
		snprintf(out + at, WT_KEYS_TEXT - at, "%s", wt_nearest_hint(&nearest, hint));
	return out;
}

/* Is there a plugin of `items` with this key? Then say where the key belongs. */
static bool explain_plugin_key(const struct wt_plugin_settings *items, size_t n, bool in_peer,
			       const char *key, char out[MISPLACED_TEXT])
{
	static const char *const where[] = {
		[WT_SCOPE_SECTION] = "in its own section",
		[WT_SCOPE_PEER] = "in [peer NAME]",
		[WT_SCOPE_ENDPOINT] = "behind an endpoint",
	};

	for (size_t i = 0; i < n; i++) {
		const struct wt_plugin *plugin = items[i].plugin;
		const struct wt_config_key *found;
		struct wt_key_table table;

		if (!plugin)
			continue;
		table = wt_plugin_keys(plugin);
		found = wt_key_table_find(&table, ALL_SCOPES, key);
		if (!found)
			continue;
		snprintf(out, MISPLACED_TEXT, "; it is a key of plugin %s-%s %s",
			 wt_kind_text(plugin->kind), plugin->name,
			 in_peer && found->scope == WT_SCOPE_PEER ? "that this peer does not use"
								  : where[found->scope]);
		return true;
	}
	return false;
}

/* "; it is a key of ...", when the key exists but elsewhere; else "". */
static const char *explain_misplaced(const struct wt_assembly *assembly,
				     const struct wt_ini_section *section, const char *key,
				     char out[MISPLACED_TEXT])
{
	static const struct {
		const char *where;
		const struct wt_key_table *table;
	} core[] = {
		{ "[tunnel]", &wt_keys_tunnel },
		{ "[crypto]", &wt_keys_crypto },
		{ "[peer NAME]", &wt_keys_peer },
	};
	const struct wt_settings *settings = assembly->settings;
	bool in_peer = strcmp(section->kind, "peer") == 0;

	out[0] = '\0';
	for (size_t i = 0; i < sizeof core / sizeof core[0]; i++) {
		if (!wt_key_table_find(core[i].table, ALL_SCOPES, key))
			continue;
		snprintf(out, MISPLACED_TEXT, "; it is a key of %s", core[i].where);
		return out;
	}
	if (!explain_plugin_key(settings->auths, settings->auth_count, in_peer, key, out))
		explain_plugin_key(settings->transports, settings->transport_count, in_peer, key,
				   out);
	return out;
}

static void add_unknown(struct wt_assembly *assembly, const struct wt_ini_section *section,
			const struct wt_ini_entry *entry, const struct wt_config *cfg)
{
	char allowed[WT_KEYS_TEXT], elsewhere[MISPLACED_TEXT];

	wt_problem_add(&assembly->problems, wt_place_of(section, entry),
		       "unknown key found, allowed %s%s", wt_keys_text(cfg, entry->key, allowed),
		       explain_misplaced(assembly, section, entry->key, elsewhere));
}

static void apply_entry(struct wt_assembly *assembly, const struct wt_ini_section *section,
			const struct wt_ini_entry *entry, struct wt_config *cfg, bool lenient)
{
	const struct wt_config_key *key = wt_config_find(cfg, entry->key);
	const struct wt_ini_entry *first = wt_section_find(section, entry->key);
	struct wt_error err = WT_ERROR_INIT;
	enum wt_status status;

	if (first != entry && !(key && (key->flags & WT_KEY_LIST))) {
		wt_problem_add(&assembly->problems, wt_place_of(section, entry),
			       "key found again, first on line %d; remove one of them",
			       first->line);
		return;
	}
	if (!key) {
		if (!lenient)
			add_unknown(assembly, section, entry, cfg);
		return;
	}
	status = wt_config_set(cfg, entry->key, entry->value, assembly->base_dir, &err);
	if (status != WT_OK)
		wt_problem_add(&assembly->problems, wt_place_of(section, entry), "%s", err.text);
}

void wt_section_apply(struct wt_assembly *assembly, const struct wt_ini_section *section,
		      struct wt_config *cfg, bool lenient)
{
	for (size_t i = 0; i < section->count; i++)
		apply_entry(assembly, section, &section->entries[i], cfg, lenient);
	for (size_t i = 0; i < wt_config_count(cfg); i++) {
		const struct wt_config_key *key = wt_config_at(cfg, i);
		struct wt_place place = { section->line, section->label, key->name };

		if ((key->flags & WT_CONFIG_REQUIRED) && !wt_section_find(section, key->name))
			wt_problem_add(&assembly->problems, place, "not found, but needed: %s",
				       key->help);
	}
}

/* One item of a list of prefixes; false: a problem was added. */
static bool parse_prefix(struct wt_assembly *assembly, struct wt_place place, const char *item,
			 size_t len, bool network, struct wt_prefix *out)
{
	char text[WT_INI_LINE_MAX + 1], suggestion[WT_PREFIX_TEXT];

	memcpy(text, item, len);
	text[len] = '\0';
	if (wt_prefix_parse(text, out) != WT_OK) {
		wt_problem_add(&assembly->problems, place,
			       "\"%s\" found, allowed is ADDRESS/LENGTH: 10.8.0.0/24, fd00:8::/64",
			       text);
		return false;
	}
	if (network && !wt_prefix_is_network(out)) {
		struct wt_prefix masked = wt_prefix_network(out);

		wt_problem_add(&assembly->problems, place,
			       "\"%s\" found, allowed are networks, with no bits set behind the "
			       "length (did you mean \"%s\"?)",
			       text, wt_prefix_format(&masked, suggestion));
		return false;
	}
	return true;
}

void wt_section_prefixes(struct wt_assembly *assembly, const struct wt_ini_section *section,
			 const char *key, bool networks, struct wt_prefix **out, size_t *count)
{
	size_t room = 0;

	for (size_t i = 0; i < section->count; i++)
		if (strcmp(section->entries[i].key, key) == 0)
			room += wt_list_count(section->entries[i].value);
	*count = 0;
	*out = calloc(room ? room : 1, sizeof **out);
	if (!*out) {
		assembly->out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < section->count; i++) {
		const struct wt_ini_entry *entry = &section->entries[i];
		const char *rest = entry->value, *item;
		size_t len;

		/* An empty value was reported by wt_section_apply. */
		if (strcmp(entry->key, key) != 0 || !*entry->value)
			continue;
		while (wt_list_next(&rest, &item, &len))
			if (parse_prefix(assembly, wt_place_of(section, entry), item, len, networks,
					 &(*out)[*count]))
				++*count;
	}
}

bool wt_name_is_valid(const char *name)
{
	size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				  "0123456789_.-");

	return len > 0 && len <= WT_NAME_MAX && !name[len];
}

const char *wt_names_text(const struct wt_plugin_settings *items, size_t n, char out[WT_NAMES_TEXT])
{
	size_t at = 0;

	snprintf(out, WT_NAMES_TEXT, "none");
	for (size_t i = 0; i < n && at < WT_NAMES_TEXT; i++)
		at += (size_t)snprintf(out + at, WT_NAMES_TEXT - at, "%s%s", i ? ", " : "",
				       items[i].name);
	return out;
}
