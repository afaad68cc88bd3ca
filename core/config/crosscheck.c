/* SPDX-License-Identifier: MIT */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "config/assembly.h"
#include "config/list.h"
#include "config/sockaddr.h"
#include "plugin/registry.h"

/* ---- finding the line to blame ------------------------------------------- */

static const struct wt_ini_section *section_of(const struct wt_assembly *assembly,
					       const struct wt_peer_settings *peer)
{
	const struct wt_ini_section *section = assembly->ini.sections;

	while (section->line != peer->line)
		section++;
	return section;
}

/* Of the entry of `peer` that `prefix` was parsed from. */
static struct wt_place place_of_prefix(const struct wt_assembly *assembly,
				       const struct wt_peer_settings *peer,
				       const struct wt_prefix *prefix)
{
	const struct wt_ini_section *section = section_of(assembly, peer);

	for (size_t i = 0; i < section->count; i++) {
		const struct wt_ini_entry *entry = &section->entries[i];
		const char *rest = entry->value, *item;
		size_t len;

		if (strcmp(entry->key, "allowed_ips") != 0)
			continue;
		while (wt_list_next(&rest, &item, &len)) {
			char text[WT_INI_LINE_MAX + 1];
			struct wt_prefix found;

			memcpy(text, item, len);
			text[len] = '\0';
			if (wt_prefix_parse(text, &found) == WT_OK &&
			    wt_prefix_compare(&found, prefix) == 0)
				return wt_place_of(section, entry);
		}
	}
	return wt_place_of(section, NULL);
}

static struct wt_place place_of_host(const struct wt_assembly *assembly,
				     const struct wt_peer_settings *peer, const char *host)
{
	const struct wt_ini_section *section = section_of(assembly, peer);

	for (size_t i = 0; i < section->count; i++)
		if (strcmp(section->entries[i].key, "endpoint") == 0 &&
		    strstr(section->entries[i].value, host))
			return wt_place_of(section, &section->entries[i]);
	return wt_place_of(section, NULL);
}

/* ---- somebody must call -------------------------------------------------- */

static bool somebody_listens(const struct wt_settings *settings)
{
	for (size_t i = 0; i < settings->transport_count; i++) {
		const struct wt_config *cfg = settings->transports[i].config;

		/* Without its plugin nothing is known: be silent. */
		if (!cfg || (wt_config_find(cfg, "listen") && wt_config_is_set(cfg, "listen")))
			return true;
	}
	return settings->transport_count == 0;
}

static void check_reachability(struct wt_assembly *assembly)
{
	const struct wt_settings *settings = assembly->settings;

	if (somebody_listens(settings))
		return;
	for (size_t i = 0; i < settings->peer_count; i++) {
		const struct wt_ini_section *section;

		/* An endpoint that was refused has its own problem. */
		if (settings->peers[i].endpoints)
			continue;
		section = section_of(assembly, &settings->peers[i]);
		wt_problem_add(&assembly->problems, wt_place_of(section, NULL),
			       "nobody can reach this peer: it has no endpoint and no transport "
			       "listens; add \"endpoint = %s://HOST:PORT\" here, or \"listen = "
			       "0.0.0.0:PORT\" to [transport %s]",
			       settings->transports[0].name, settings->transports[0].name);
	}
}

/* ---- a tunnel inside itself ---------------------------------------------- */

const struct wt_prefix *wt_peer_settings_loop(const struct wt_peer_settings *peer,
					      const struct sockaddr *address)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
	uint8_t family = (uint8_t)address->sa_family;
	const uint8_t *bytes;

	if (family == AF_INET)
		bytes = (const uint8_t *)&v4->sin_addr;
	else if (family == AF_INET6)
		bytes = v6->sin6_addr.s6_addr;
	else
		return NULL;
	/* ::ffff:192.0.2.1 is sent as IPv4. */
	if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		family = AF_INET;
		bytes += 12;
	}
	/* A default route is never set by us: whoever wants all traffic inside
	 * pins the way to the endpoint himself. */
	for (size_t i = 0; i < peer->allowed_ip_count; i++)
		if (peer->allowed_ips[i].length > 0 &&
		    wt_prefix_contains(&peer->allowed_ips[i], family, bytes))
			return &peer->allowed_ips[i];
	return NULL;
}

static void check_loops(struct wt_assembly *assembly, const struct wt_peer_settings *peer)
{
	for (size_t i = 0; i < peer->endpoint_count; i++) {
		struct sockaddr_storage address;
		const struct wt_prefix *inside;
		char text[WT_PREFIX_TEXT];

		if (wt_sockaddr_parse_host(peer->endpoints[i].host, &address) != WT_OK)
			continue; /* a name: the engine asks again once it is resolved */
		inside = wt_peer_settings_loop(peer, (const struct sockaddr *)&address);
		if (inside)
			wt_problem_add(&assembly->problems,
				       place_of_host(assembly, peer, peer->endpoints[i].host),
				       "%s lies inside allowed_ips %s of this same peer, so that "
				       "the tunnel would be routed into itself; take the address "
				       "out of allowed_ips",
				       peer->endpoints[i].host, wt_prefix_format(inside, text));
	}
}

/* ---- one address, one peer ----------------------------------------------- */

struct claim {
	const struct wt_prefix *prefix;
	const struct wt_peer_settings *peer;
};

static int by_prefix(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int order = wt_prefix_compare(x->prefix, y->prefix);

	return order ? order : x->peer->line - y->peer->line;
}

static void report_overlap(struct wt_assembly *assembly, const struct claim *a,
			   const struct claim *b)
{
	const struct claim *later = a->peer->line > b->peer->line ? a : b;
	const struct claim *earlier = later == a ? b : a;
	struct wt_place first = place_of_prefix(assembly, earlier->peer, earlier->prefix);
	char here[WT_PREFIX_TEXT], there[WT_PREFIX_TEXT];

	wt_problem_add(&assembly->problems, place_of_prefix(assembly, later->peer, later->prefix),
		       "%s found, which overlaps %s of [peer %s] on line %d; an address can belong "
		       "to one peer only",
		       wt_prefix_format(later->prefix, here),
		       wt_prefix_format(earlier->prefix, there), earlier->peer->name, first.line);
}

/* Two prefixes overlap only when one contains the other. In sorted order the
 * containers of a prefix come before it, nested: a stack of those still open
 * finds every overlap in one pass. */
static void check_overlaps(struct wt_assembly *assembly)
{
	const struct wt_settings *settings = assembly->settings;
	size_t count = 0, n = 0, depth = 0;
	struct claim *claims;
	size_t *open;

	for (size_t i = 0; i < settings->peer_count; i++)
		count += settings->peers[i].allowed_ip_count;
	claims = calloc(count + 1, sizeof *claims);
	open = calloc(count + 1, sizeof *open);
	if (!claims || !open) {
		assembly->out_of_memory = true;
		goto out;
	}
	for (size_t i = 0; i < settings->peer_count; i++)
		for (size_t k = 0; k < settings->peers[i].allowed_ip_count; k++)
			claims[n++] = (struct claim){ &settings->peers[i].allowed_ips[k],
						      &settings->peers[i] };
	qsort(claims, count, sizeof *claims, by_prefix);
	for (size_t i = 0; i < count; i++) {
		while (depth > 0 &&
		       !wt_prefix_overlaps(claims[open[depth - 1]].prefix, claims[i].prefix))
			depth--;
		for (size_t d = depth; d > 0; d--) {
			if (claims[open[d - 1]].peer == claims[i].peer)
				continue;
			report_overlap(assembly, &claims[open[d - 1]], &claims[i]);
			break;
		}
		open[depth++] = i;
	}
out:
	free(claims);
	free(open);
}

/* The same file copied to both ends: a peer that claims our own address. */
static void check_own_address(struct wt_assembly *assembly, const struct wt_peer_settings *peer)
{
	const struct wt_tunnel_settings *tunnel = &assembly->settings->tunnel;

	for (size_t i = 0; i < peer->allowed_ip_count; i++) {
		const struct wt_prefix *prefix = &peer->allowed_ips[i];

		if (prefix->length != (prefix->family == AF_INET ? 32 : 128))
			continue;
		for (size_t k = 0; k < tunnel->address_count; k++) {
			char text[WT_PREFIX_TEXT];

			if (wt_prefix_contains(prefix, tunnel->addresses[k].family,
					       tunnel->addresses[k].bytes))
				wt_problem_add(&assembly->problems,
					       place_of_prefix(assembly, peer, prefix),
					       "%s found, which is this end's own address; allowed "
					       "are the addresses behind the peer",
					       wt_prefix_format(prefix, text));
		}
	}
}

/* ---- one section, one method --------------------------------------------- */

/* A first message shows its method and nothing else of its sender: two sections
 * of one method could not be told apart. */
static void check_methods(struct wt_assembly *assembly)
{
	const struct wt_settings *settings = assembly->settings;

	for (size_t i = 1; i < settings->auth_count; i++) {
		const struct wt_plugin_settings *one = &settings->auths[i];
		char label[WT_INI_LINE_MAX + 1];

		for (size_t k = 0; k < i && one->plugin; k++) {
			if (settings->auths[k].plugin != one->plugin)
				continue;
			snprintf(label, sizeof label, "auth %s", one->name);
			wt_problem_add(&assembly->problems,
				       (struct wt_place){ one->line, label, "plugin" },
				       "auth-%s found, which [auth %s] on line %d uses already; "
				       "allowed is one section for each auth plugin",
				       one->plugin->name, settings->auths[k].name,
				       settings->auths[k].line);
			break;
		}
	}
}

void wt_peers_check(struct wt_assembly *assembly)
{
	const struct wt_settings *settings = assembly->settings;

	check_methods(assembly);
	check_reachability(assembly);
	for (size_t i = 0; i < settings->peer_count; i++) {
		check_loops(assembly, &settings->peers[i]);
		check_own_address(assembly, &settings->peers[i]);
	}
	check_overlaps(assembly);
}
