/* SPDX-License-Identifier: MIT */
#include "config/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "config/assembly.h"
#include "config/keys.h"
#include "config/nearest.h"
#include "plugin/choice.h"
#include "plugin/registry.h"

/* IPv6 wants links of at least this (RFC 8200, section 5). */
#define IPV6_MTU_MIN 1280u
#define MTU_MIN 576u
#define MTU_MAX 65535u

/* ---- sections ------------------------------------------------------------ */

static const struct {
	const char *kind;
	bool named;
} kinds[] = {
	{ "tunnel", false }, { "crypto", false }, { "transport", true },
	{ "auth", true },    { "peer", true },
};

static void check_section(struct wt_assembly *assembly, const struct wt_ini_section *section)
{
	struct wt_nearest nearest = { .word = section->kind };
	struct wt_place place = wt_place_of(section, NULL);
	char hint[WT_NEAREST_HINT];

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		wt_nearest_offer(&nearest, kinds[i].kind);
		if (strcmp(section->kind, kinds[i].kind) != 0)
			continue;
		if (!kinds[i].named && *section->name)
			wt_problem_add(&assembly->problems, place,
				       "section with a name found, allowed is [%s]", section->kind);
		else if (kinds[i].named && !wt_name_is_valid(section->name))
			wt_problem_add(&assembly->problems, place,
				       "%s found, allowed is [%s NAME] with 1 to %u characters of "
				       "A-Z, a-z, 0-9, \"_\", \".\", \"-\"",
				       *section->name ? "this name" : "section without a name",
				       section->kind, WT_NAME_MAX);
		return;
	}
	wt_problem_add(&assembly->problems, place,
		       "unknown section found, allowed are [tunnel], [crypto], [transport NAME], "
		       "[auth NAME], [peer NAME]%s",
		       wt_nearest_hint(&nearest, hint));
}

static const struct wt_ini_section *find_section(const struct wt_assembly *assembly,
						 const char *kind)
{
	for (size_t i = 0; i < assembly->ini.count; i++)
		if (strcmp(assembly->ini.sections[i].kind, kind) == 0)
			return &assembly->ini.sections[i];
	return NULL;
}

/* ---- [tunnel] ------------------------------------------------------------ */

static void take_interface(struct wt_assembly *assembly, const struct wt_ini_section *section,
			   const char *name)
{
	struct wt_tunnel_settings *tunnel = &assembly->settings->tunnel;
	const struct wt_ini_entry *entry = wt_section_find(section, "interface");

	/* What the kernel takes, less what has a meaning to other tools. */
	if (!wt_name_is_valid(name) || strlen(name) >= IFNAMSIZ || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0) {
		wt_problem_add(&assembly->problems, wt_place_of(section, entry),
			       "\"%s\" found, allowed are 1 to %d characters of A-Z, a-z, 0-9, "
			       "\"_\", \".\", \"-\"",
			       name, IFNAMSIZ - 1);
		return;
	}
	memcpy(tunnel->interface, name, strlen(name) + 1);
}

static bool has_ipv6(const struct wt_tunnel_settings *tunnel)
{
	for (size_t i = 0; i < tunnel->address_count; i++)
		if (tunnel->addresses[i].family == AF_INET6)
			return true;
	return false;
}

static void take_mtu(struct wt_assembly *assembly, const struct wt_ini_section *section,
		     const char *text)
{
	struct wt_tunnel_settings *tunnel = &assembly->settings->tunnel;
	const struct wt_ini_entry *entry = wt_section_find(section, "mtu");
	uint32_t lowest = has_ipv6(tunnel) ? IPV6_MTU_MIN : MTU_MIN;
	size_t digits = strspn(text, "0123456789");
	unsigned long mtu = digits < 6 ? strtoul(text, NULL, 10) : 0;

	if (strcmp(text, "auto") == 0)
		return;
	if (text[digits] || mtu < lowest || mtu > MTU_MAX) {
		wt_problem_add(&assembly->problems, wt_place_of(section, entry),
			       "\"%s\" found, allowed is auto or a number from %u to %u%s", text,
			       lowest, MTU_MAX,
			       lowest == IPV6_MTU_MIN ? " (with an IPv6 address)" : "");
		return;
	}
	tunnel->mtu = (uint32_t)mtu;
}

static void check_addresses(struct wt_assembly *assembly, const struct wt_ini_section *section)
{
	const struct wt_tunnel_settings *tunnel = &assembly->settings->tunnel;
	char text[WT_PREFIX_TEXT];

	for (size_t i = 0; i < tunnel->address_count; i++)
		for (size_t k = 0; k < i; k++)
			if (wt_prefix_compare(&tunnel->addresses[i], &tunnel->addresses[k]) == 0)
				wt_problem_add(
					&assembly->problems,
					wt_place_of(section, wt_section_find(section, "address")),
					"%s found twice, allowed is once",
					wt_prefix_format(&tunnel->addresses[i], text));
}

/* A value of "a|b|c" as its place in it. */
static unsigned choice(const char *choices, const char *value)
{
	size_t len = strlen(value);
	unsigned i = 0;

	while (strncmp(choices, value, len) != 0 || (choices[len] && choices[len] != '|')) {
		choices += strcspn(choices, "|");
		choices += *choices == '|';
		i++;
	}
	return i;
}

/* Returns the section's values, which hold plugin_dir and self_test; NULL: out
 * of memory. The caller frees them. */
static struct wt_config *take_tunnel(struct wt_assembly *assembly)
{
	struct wt_tunnel_settings *tunnel = &assembly->settings->tunnel;
	const struct wt_ini_section *section = find_section(assembly, "tunnel");
	struct wt_config *cfg = wt_config_new("tunnel", &wt_keys_tunnel, 1, 1u << WT_SCOPE_SECTION);

	if (!cfg)
		return NULL;
	if (!section) {
		wt_problem_add(&assembly->problems, (struct wt_place){ .line = 0 },
			       "no [tunnel] section found; add \"[tunnel]\" and \"address = "
			       "10.8.0.1/24\"");
		return cfg;
	}
	wt_section_apply(assembly, section, cfg, false);
	wt_section_prefixes(assembly, section, "address", false, &tunnel->addresses,
			    &tunnel->address_count);
	check_addresses(assembly, section);
	take_interface(assembly, section, wt_config_string(cfg, "interface"));
	take_mtu(assembly, section, wt_config_string(cfg, "mtu"));
	tunnel->routes = strcmp(wt_config_string(cfg, "routes"), "auto") == 0;
	tunnel->rekey_after_s = (uint32_t)wt_config_uint(cfg, "rekey_after");
	tunnel->offload = (enum wt_offload_choice)choice(wt_config_find(cfg, "offload")->choices,
							 wt_config_string(cfg, "offload"));
	tunnel->txqueuelen = (uint32_t)wt_config_uint(cfg, "txqueuelen");
	tunnel->mss_clamp = wt_config_bool(cfg, "mss_clamp");
	tunnel->workers = (unsigned)wt_config_uint(cfg, "workers");
	tunnel->replay_window = (uint32_t)strtoul(wt_config_string(cfg, "replay_window"), NULL, 10);
	tunnel->log_level = (enum wt_log_level)choice(wt_config_find(cfg, "log_level")->choices,
						      wt_config_string(cfg, "log_level"));
	tunnel->log_format = (enum wt_log_format)choice(wt_config_find(cfg, "log_format")->choices,
							wt_config_string(cfg, "log_format"));
	return cfg;
}

/* ---- plugins ------------------------------------------------------------- */

/* Does the plugin declare a key of `core` in the same scope? (That two plugins
 * do not declare one peer key is the registry's rule.) */
static bool steps_on_core(struct wt_assembly *assembly, struct wt_place place,
			  const struct wt_plugin *plugin, const struct wt_key_table *core)
{
	struct wt_key_table table = wt_plugin_keys(plugin);

	for (size_t i = 0; i < table.count; i++) {
		const struct wt_config_key *key = wt_key_table_at(&table, i);

		if (!wt_key_table_find(core, 1u << key->scope, key->name))
			continue;
		wt_problem_add_plugin(&assembly->problems, place,
				      "plugin %s-%s declares the key %s, which is the core's; it "
				      "needs another name",
				      wt_kind_text(plugin->kind), plugin->name, key->name);
		return true;
	}
	return false;
}

/* The plugin, or NULL: a problem was added. `core`: the core's keys of that
 * section. */
static const struct wt_plugin *beside_core(struct wt_assembly *assembly, struct wt_place place,
					   const struct wt_plugin *plugin,
					   const struct wt_key_table *core)
{
	if (steps_on_core(assembly, place, plugin, core) ||
	    steps_on_core(assembly, place, plugin, &wt_keys_peer))
		return NULL;
	return plugin;
}

/* The same for the plugin of that name. */
static const struct wt_plugin *load(struct wt_assembly *assembly,
				    const struct wt_ini_section *section, enum wt_plugin_kind kind,
				    const char *name, const struct wt_key_table *core)
{
	struct wt_place place = wt_place_of(section, wt_section_find(section, "plugin"));
	const struct wt_plugin_source *source = assembly->source;
	struct wt_error err = WT_ERROR_INIT;
	const struct wt_plugin *plugin = NULL;

	if (source->load(source->arg, kind, name, &plugin, &err) != WT_OK) {
		wt_problem_add_plugin(&assembly->problems, place, "%s", err.text);
		return NULL;
	}
	return beside_core(assembly, place, plugin, core);
}

static struct wt_config *section_values(struct wt_assembly *assembly,
					const struct wt_ini_section *section,
					const struct wt_key_table *core,
					const struct wt_plugin *plugin)
{
	struct wt_key_table tables[2] = { *core };
	struct wt_config *cfg;

	if (plugin)
		tables[1] = wt_plugin_keys(plugin);
	cfg = wt_config_new(*section->name ? section->name : section->kind, tables, plugin ? 2 : 1,
			    1u << WT_SCOPE_SECTION);
	if (cfg)
		wt_section_apply(assembly, section, cfg, !plugin);
	else
		assembly->out_of_memory = true;
	return cfg;
}

/* `plugin = auto`. NULL: problems were added. */
static const struct wt_plugin *choose_crypto(struct wt_assembly *assembly, struct wt_place place)
{
	struct wt_error err = WT_ERROR_INIT;
	struct wt_choice *choice = assembly->source->choose(assembly->source->arg, &err);

	assembly->settings->crypto.choice = choice;
	if (choice && choice->plugin)
		return beside_core(assembly, place, choice->plugin, &wt_keys_crypto);
	wt_problem_add_plugin(&assembly->problems, place, "auto found, but %s", err.text);
	for (size_t i = 0; choice && i < choice->count; i++)
		wt_problem_add_plugin(&assembly->problems, place, "%s",
				      choice->items[i].reason.text);
	return NULL;
}

/* What is chosen by speed may be another plugin tomorrow. */
static void refuse_keys_of_chosen(struct wt_assembly *assembly,
				  const struct wt_ini_section *section,
				  const struct wt_plugin *plugin)
{
	const struct wt_key_table table = wt_plugin_keys(plugin);

	for (size_t i = 0; i < section->count; i++) {
		const struct wt_ini_entry *entry = &section->entries[i];

		if (wt_key_table_find(&table, 1u << WT_SCOPE_SECTION, entry->key))
			wt_problem_add(&assembly->problems, wt_place_of(section, entry),
				       "key of plugin crypto-%s found, allowed is none with "
				       "\"plugin = auto\"; name the plugin to set its keys",
				       plugin->name);
	}
}

static void take_crypto(struct wt_assembly *assembly)
{
	struct wt_crypto_settings *crypto = &assembly->settings->crypto;
	const struct wt_ini_section *section = find_section(assembly, "crypto");
	const struct wt_ini_entry *entry;

	if (!section) {
		wt_problem_add(&assembly->problems, (struct wt_place){ .line = 0 },
			       "no [crypto] section found; add \"[crypto]\" and \"plugin = "
			       "aesgcm-openssl\"");
		return;
	}
	crypto->line = section->line;
	entry = wt_section_find(section, "plugin");
	if (entry && strcmp(entry->value, "auto") == 0)
		crypto->plugin = choose_crypto(assembly, wt_place_of(section, entry));
	else if (entry && *entry->value)
		crypto->plugin =
			load(assembly, section, WT_KIND_CRYPTO, entry->value, &wt_keys_crypto);
	if (crypto->plugin && crypto->choice)
		refuse_keys_of_chosen(assembly, section, crypto->plugin);
	crypto->config = section_values(assembly, section, &wt_keys_crypto, crypto->plugin);
	if (!crypto->config)
		return;
	crypto->allow_insecure = wt_config_bool(crypto->config, "allow_insecure");
	if (crypto->plugin && !crypto->plugin->standard && !crypto->allow_insecure)
		wt_problem_add(
			&assembly->problems, wt_place_of(section, entry),
			"\"%s\" found, whose algorithm is %s; allowed is AES-256-GCM, or any "
			"other with \"allow_insecure = yes\"",
			entry->value, crypto->plugin->algorithm);
}

static void take_plugin(struct wt_assembly *assembly, const struct wt_ini_section *section,
			enum wt_plugin_kind kind, struct wt_plugin_settings *out)
{
	const struct wt_key_table *core = kind == WT_KIND_AUTH ? &wt_keys_auth : &wt_keys_transport;
	const struct wt_ini_entry *entry = wt_section_find(section, "plugin");
	struct wt_config *cfg;

	out->line = section->line;
	out->name = strdup(section->name);
	if (!out->name)
		assembly->out_of_memory = true;
	if ((!entry && wt_name_is_valid(section->name)) || (entry && *entry->value))
		out->plugin =
			load(assembly, section, kind, entry ? entry->value : section->name, core);
	cfg = section_values(assembly, section, core, out->plugin);
	if (out->plugin) {
		out->config = cfg;
	} else {
		wt_config_free(cfg);
		assembly->keys_unknown = true;
	}
}

/* All [transport NAME] or all [auth NAME] sections. */
static void take_plugins(struct wt_assembly *assembly, enum wt_plugin_kind kind,
			 struct wt_plugin_settings **items, size_t *n)
{
	const char *text = wt_kind_text(kind);
	size_t count = 0;

	for (size_t i = 0; i < assembly->ini.count; i++)
		count += strcmp(assembly->ini.sections[i].kind, text) == 0;
	if (count == 0) {
		wt_problem_add(&assembly->problems, (struct wt_place){ .line = 0 },
			       "no [%s NAME] section found; add \"[%s %s]\"", text, text,
			       kind == WT_KIND_AUTH ? "hmac" : "tcp");
		assembly->keys_unknown = true;
		return;
	}
	*items = calloc(count, sizeof **items);
	if (!*items) {
		assembly->out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < assembly->ini.count; i++)
		if (strcmp(assembly->ini.sections[i].kind, text) == 0)
			take_plugin(assembly, &assembly->ini.sections[i], kind, &(*items)[(*n)++]);
}

/* ---- the whole ----------------------------------------------------------- */

/* The directory of `path`, absolute where it exists. NULL: out of memory. */
static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir, *absolute;

	if (!slash)
		dir = strdup(".");
	else
		dir = slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
	if (!dir)
		return NULL;
	absolute = realpath(dir, NULL);
	if (!absolute)
		return dir;
	free(dir);
	return absolute;
}

/* false: out of memory. */
static bool open_source(struct wt_assembly *assembly, const struct wt_config *tunnel)
{
	const char *given = wt_config_string(tunnel, "plugin_dir");
	char *dir = given ? wt_config_path(assembly->base_dir, given) : NULL;
	struct wt_error err = WT_ERROR_INIT;
	enum wt_status status = WT_ERR_NOMEM;

	if (!given || dir)
		status = assembly->source->open(assembly->source->arg, dir,
						wt_config_bool(tunnel, "self_test"), &err);
	free(dir);
	return status == WT_OK;
}

static void assemble(struct wt_assembly *assembly)
{
	struct wt_settings *settings = assembly->settings;
	struct wt_config *tunnel;

	for (size_t i = 0; i < assembly->ini.count; i++)
		check_section(assembly, &assembly->ini.sections[i]);
	tunnel = take_tunnel(assembly);
	if (!tunnel || !open_source(assembly, tunnel)) {
		assembly->out_of_memory = true;
		wt_config_free(tunnel);
		return;
	}
	wt_config_free(tunnel);
	take_crypto(assembly);
	take_plugins(assembly, WT_KIND_TRANSPORT, &settings->transports,
		     &settings->transport_count);
	take_plugins(assembly, WT_KIND_AUTH, &settings->auths, &settings->auth_count);
	/* Names that are missing would be looked at. */
	if (!assembly->out_of_memory)
		wt_peers_assemble(assembly);
	if (!assembly->out_of_memory)
		wt_peers_check(assembly);
}

int wt_settings_build(const char *path, const struct wt_plugin_source *source, FILE *problems,
		      struct wt_settings **out)
{
	struct wt_assembly assembly = {
		.problems = { .path = path },
		.source = source,
		.base_dir = directory_of(path),
		.settings = calloc(1, sizeof *assembly.settings),
	};
	enum wt_status status = WT_ERR_NOMEM;
	int code;

	*out = NULL;
	if (assembly.base_dir && assembly.settings)
		assembly.settings->path = strdup(path);
	if (assembly.settings && assembly.settings->path)
		status = wt_ini_read(&assembly.problems, &assembly.ini);
	if (status == WT_OK)
		assemble(&assembly);
	/* Plugins may rely on settings that are sound. */
	if (status == WT_OK && source->try_out && !assembly.out_of_memory &&
	    wt_problems_exit(&assembly.problems) == WT_EXIT_OK)
		source->try_out(assembly.settings, &assembly.problems);
	if (status == WT_ERR_NOMEM || assembly.out_of_memory)
		assembly.problems.out_of_memory = true;
	code = wt_problems_exit(&assembly.problems);
	wt_problems_print(&assembly.problems, problems);
	if (code == WT_EXIT_OK)
		*out = assembly.settings;
	else
		wt_settings_free(assembly.settings);
	wt_problems_clear(&assembly.problems);
	wt_ini_clear(&assembly.ini);
	free(assembly.base_dir);
	return code;
}

static void free_plugins(struct wt_plugin_settings *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		wt_config_free(items[i].config);
		free(items[i].name);
	}
	free(items);
}

void wt_settings_free(struct wt_settings *settings)
{
	if (!settings)
		return;
	for (size_t i = 0; i < settings->peer_count; i++)
		wt_peer_clear(&settings->peers[i]);
	free(settings->peers);
	free_plugins(settings->auths, settings->auth_count);
	free_plugins(settings->transports, settings->transport_count);
	wt_config_free(settings->crypto.config);
	wt_choice_free(settings->crypto.choice);
	free(settings->tunnel.addresses);
	free(settings->path);
	free(settings);
}
