/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "config/assembly.h"
#include "config/keys.h"
#include "config/list.h"
#include "config/nearest.h"
#include "plugin/registry.h"

/* NAT boxes forget a UDP path after as little as 30 s. */
#define DATAGRAM_KEEPALIVE_S 25u

static void take_auth(struct wt_assembly *assembly, const struct wt_ini_section *section,
		      struct wt_peer_settings *peer)
{
	const struct wt_settings *settings = assembly->settings;
	const struct wt_ini_entry *entry = wt_section_find(section, "auth");
	struct wt_nearest nearest = { .word = entry ? entry->value : "" };
	char names[WT_NAMES_TEXT], hint[WT_NEAREST_HINT];

	/* Without a choice there is nothing to name; having none is reported once,
	 * for the whole file. */
	peer->auth = 0;
	wt_names_text(settings->auths, settings->auth_count, names);
	if (!entry && settings->auth_count > 1)
		wt_problem_add(&assembly->problems,
			       (struct wt_place){ section->line, section->label, "auth" },
			       "not found, but needed with several auth sections; allowed are %s",
			       names);
	if (!entry || !*entry->value)
		return;
	for (size_t i = 0; i < settings->auth_count; i++) {
		if (strcmp(settings->auths[i].name, entry->value) == 0) {
			peer->auth = i;
			return;
		}
		wt_nearest_offer(&nearest, settings->auths[i].name);
	}
	wt_problem_add(&assembly->problems, wt_place_of(section, entry),
		       "\"%s\" found, [auth] sections are there for: %s%s", entry->value, names,
		       wt_nearest_hint(&nearest, hint));
}

static void take_endpoints(struct wt_assembly *assembly, const struct wt_ini_section *section,
			   struct wt_peer_settings *peer)
{
	size_t room = 0, len;

	for (size_t i = 0; i < section->count; i++)
		if (strcmp(section->entries[i].key, "endpoint") == 0)
			room += wt_list_count(section->entries[i].value);
	if (room == 0)
		return;
	peer->endpoints = calloc(room, sizeof *peer->endpoints);
	if (!peer->endpoints) {
		assembly->out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < section->count; i++) {
		const struct wt_ini_entry *entry = &section->entries[i];
		const char *rest = entry->value, *item;

		if (strcmp(entry->key, "endpoint") != 0 || !*entry->value)
			continue;
		while (wt_list_next(&rest, &item, &len))
			if (wt_endpoint_parse(assembly, wt_place_of(section, entry), item, len,
					      &peer->endpoints[peer->endpoint_count]))
				peer->endpoint_count++;
	}
}

/* Does the peer use this transport: dial by it, or may it come in by it? */
static bool uses_transport(const struct wt_peer_settings *peer, size_t transport)
{
	if (!peer->endpoints)
		return true;
	for (size_t i = 0; i < peer->endpoint_count; i++)
		if (peer->endpoints[i].transport == transport)
			return true;
	return false;
}

static void add_table(struct wt_key_table *tables, size_t *n, const struct wt_plugin *plugin)
{
	if (!plugin)
		return;
	for (size_t i = 0; i < *n; i++)
		if (tables[i].keys == plugin->config_keys)
			return; /* two sections of one plugin */
	tables[(*n)++] = wt_plugin_keys(plugin);
}

static void take_values(struct wt_assembly *assembly, const struct wt_ini_section *section,
			struct wt_peer_settings *peer)
{
	const struct wt_settings *settings = assembly->settings;
	struct wt_key_table *tables = calloc(2 + settings->transport_count, sizeof *tables);
	size_t n = 0;

	if (!tables) {
		assembly->out_of_memory = true;
		return;
	}
	tables[n++] = wt_keys_peer;
	if (peer->auth < settings->auth_count)
		add_table(tables, &n, settings->auths[peer->auth].plugin);
	for (size_t i = 0; i < settings->transport_count; i++)
		if (uses_transport(peer, i))
			add_table(tables, &n, settings->transports[i].plugin);
	peer->config = wt_config_new(section->name, tables, n, 1u << WT_SCOPE_PEER);
	free(tables);
	if (!peer->config) {
		assembly->out_of_memory = true;
		return;
	}
	wt_section_apply(assembly, section, peer->config, assembly->keys_unknown);
}

static void take_keepalive(const struct wt_settings *settings, struct wt_peer_settings *peer)
{
	if (!peer->config)
		return;
	if (wt_config_is_set(peer->config, "keepalive")) {
		peer->keepalive_s = (uint32_t)wt_config_uint(peer->config, "keepalive");
		return;
	}
	for (size_t i = 0; i < peer->endpoint_count; i++) {
		const struct wt_plugin *plugin =
			settings->transports[peer->endpoints[i].transport].plugin;

		if (plugin && plugin->ops.transport.mode == WT_CHANNEL_DATAGRAM)
			peer->keepalive_s = DATAGRAM_KEEPALIVE_S;
	}
}

static void take_policy(struct wt_peer_settings *peer)
{
	const char *policy = peer->config ? wt_config_string(peer->config, "policy") : "order";

	if (strcmp(policy, "random") == 0)
		peer->policy = WT_POLICY_RANDOM;
	else if (strcmp(policy, "latency") == 0)
		peer->policy = WT_POLICY_LATENCY;
}

static void assemble(struct wt_assembly *assembly, const struct wt_ini_section *section,
		     struct wt_peer_settings *peer)
{
	peer->line = section->line;
	peer->name = strdup(section->name);
	if (!peer->name)
		assembly->out_of_memory = true;
	take_auth(assembly, section, peer);
	take_endpoints(assembly, section, peer);
	take_values(assembly, section, peer);
	wt_section_prefixes(assembly, section, "allowed_ips", true, &peer->allowed_ips,
			    &peer->allowed_ip_count);
	take_keepalive(assembly->settings, peer);
	take_policy(peer);
	peer->connections = peer->config && wt_config_is_set(peer->config, "connections")
				    ? (unsigned)wt_config_uint(peer->config, "connections")
				    : 1;
}

void wt_peers_assemble(struct wt_assembly *assembly)
{
	struct wt_settings *settings = assembly->settings;
	size_t count = 0;

	for (size_t i = 0; i < assembly->ini.count; i++)
		count += strcmp(assembly->ini.sections[i].kind, "peer") == 0;
	if (count == 0)
		wt_problem_add(&assembly->problems, (struct wt_place){ .line = 0 },
			       "no [peer NAME] section found, at least one is needed");
	if (count > WT_PEERS_MAX)
		wt_problem_add(&assembly->problems, (struct wt_place){ .line = 0 },
			       "%zu [peer NAME] sections found, allowed are %u", count,
			       WT_PEERS_MAX);
	if (count == 0 || count > WT_PEERS_MAX)
		return;
	settings->peers = calloc(count, sizeof *settings->peers);
	if (!settings->peers) {
		assembly->out_of_memory = true;
		return;
	}
	for (size_t i = 0; i < assembly->ini.count; i++)
		if (strcmp(assembly->ini.sections[i].kind, "peer") == 0)
			assemble(assembly, &assembly->ini.sections[i],
				 &settings->peers[settings->peer_count++]);
}

void wt_peer_clear(struct wt_peer_settings *peer)
{
	for (size_t i = 0; i < peer->endpoint_count; i++)
		wt_endpoint_clear(&peer->endpoints[i]);
	free(peer->endpoints);
	free(peer->allowed_ips);
	free(peer->name);
	wt_config_free(peer->config);
}
