/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "config/assembly.h"
#include "config/nearest.h"
#include "config/sockaddr.h"
#include "plugin/registry.h"

#define FORM "allowed is SCHEME://HOST:PORT[?KEY=VALUE&...]"

/* A name of DNS (RFC 1123, section 2.1): labels of letters, digits and inner
 * hyphens, 63 each and 253 in all. Its last label has a letter, or else it
 * would be a mistyped IPv4 address. */
static bool is_host_name(const char *host)
{
	size_t total = strlen(host), label;
	bool letter = false;

	if (total == 0 || total > 253)
		return false;
	for (const char *p = host;; p += label + 1) {
		label = strcspn(p, ".");
		if (label == 0 || label > 63 || p[0] == '-' || p[label - 1] == '-')
			return false;
		letter = false;
		for (size_t i = 0; i < label; i++) {
			bool alpha = (p[i] >= 'a' && p[i] <= 'z') || (p[i] >= 'A' && p[i] <= 'Z');

			if (!alpha && p[i] != '-' && !(p[i] >= '0' && p[i] <= '9'))
				return false;
			letter |= alpha;
		}
		if (!p[label])
			return letter;
	}
}

/* Index of the section, or settings->transport_count. */
static size_t find_transport(struct wt_assembly *assembly, struct wt_place place,
			     const char *scheme)
{
	const struct wt_settings *settings = assembly->settings;
	struct wt_nearest nearest = { .word = scheme };
	char hint[WT_NEAREST_HINT], names[WT_NAMES_TEXT];

	for (size_t i = 0; i < settings->transport_count; i++) {
		if (strcmp(settings->transports[i].name, scheme) == 0)
			return i;
		wt_nearest_offer(&nearest, settings->transports[i].name);
	}
	wt_problem_add(
		&assembly->problems, place,
		"scheme \"%s\" found, transport sections are there for: %s%s; or add the two "
		"lines \"[transport %s]\" and \"plugin = %s\"",
		scheme, wt_names_text(settings->transports, settings->transport_count, names),
		wt_nearest_hint(&nearest, hint), scheme, scheme);
	return settings->transport_count;
}

/* "HOST" or "[IPV6]" -> out->host. */
static bool take_host(struct wt_assembly *assembly, struct wt_place place, char *host,
		      struct wt_endpoint *out)
{
	struct sockaddr_storage address;
	size_t len = strlen(host);
	bool brackets = len >= 2 && host[0] == '[' && host[len - 1] == ']';
	bool numeric;

	if (brackets) {
		host[len - 1] = '\0';
		host++;
	}
	numeric = wt_sockaddr_parse_host(host, &address) == WT_OK;
	if (numeric && address.ss_family == AF_INET6 && !brackets) {
		wt_problem_add(&assembly->problems, place,
			       "IPv6 address without brackets found, allowed is [%s]", host);
		return false;
	}
	if (brackets ? !numeric || address.ss_family != AF_INET6
		     : !numeric && !is_host_name(host)) {
		wt_problem_add(&assembly->problems, place,
			       "host \"%s\" found, allowed is a name, an IPv4 address or an IPv6 "
			       "address in brackets",
			       host);
		return false;
	}
	out->host = strdup(host);
	if (!out->host)
		assembly->out_of_memory = true;
	return out->host != NULL;
}

static bool take_option(struct wt_assembly *assembly, struct wt_place place, char *option,
			struct wt_endpoint *out)
{
	struct wt_error err = WT_ERROR_INIT;
	char *value = strchr(option, '=');

	if (!value) {
		wt_problem_add(&assembly->problems, place,
			       "option \"%s\" found, allowed is KEY=VALUE", option);
		return false;
	}
	*value++ = '\0';
	if (!wt_config_find(out->config, option)) {
		char allowed[WT_KEYS_TEXT];

		wt_problem_add(&assembly->problems, place,
			       "unknown option \"%s\" found, allowed %s", option,
			       wt_keys_text(out->config, option, allowed));
		return false;
	}
	if (wt_config_is_written(out->config, option)) {
		wt_problem_add(&assembly->problems, place, "option %s found twice, allowed is once",
			       option);
		return false;
	}
	if (wt_config_set(out->config, option, value, assembly->base_dir, &err) == WT_OK)
		return true;
	wt_problem_add(&assembly->problems, place, "option %s: %s", option, err.text);
	return false;
}

/* `options`: "KEY=VALUE&KEY=VALUE", or NULL. */
static bool take_options(struct wt_assembly *assembly, struct wt_place place, char *options,
			 struct wt_endpoint *out)
{
	const struct wt_plugin *plugin = assembly->settings->transports[out->transport].plugin;
	struct wt_key_table table;
	bool sound = true;

	if (!plugin)
		return true; /* reported; its options cannot be judged */
	table = wt_plugin_keys(plugin);
	out->config = wt_config_new(place.section, &table, 1, 1u << WT_SCOPE_ENDPOINT);
	if (!out->config) {
		assembly->out_of_memory = true;
		return false;
	}
	while (options) {
		char *next = strchr(options, '&');

		if (next)
			*next++ = '\0';
		sound &= take_option(assembly, place, options, out);
		options = next;
	}
	for (size_t i = 0; i < wt_config_count(out->config); i++) {
		const struct wt_config_key *key = wt_config_at(out->config, i);

		if (!(key->flags & WT_CONFIG_REQUIRED) || wt_config_is_set(out->config, key->name))
			continue;
		wt_problem_add(&assembly->problems, place, "option %s not found, but needed: %s",
			       key->name, key->help);
		sound = false;
	}
	return sound;
}

bool wt_endpoint_parse(struct wt_assembly *assembly, struct wt_place place, const char *text,
		       size_t len, struct wt_endpoint *out)
{
	char copy[WT_INI_LINE_MAX + 1];
	char *host, *options, *colon;
	bool sound;

	*out = (struct wt_endpoint){ .transport = 0 };
	memcpy(copy, text, len);
	copy[len] = '\0';
	host = strstr(copy, "://");
	if (!host || host == copy) {
		wt_problem_add(&assembly->problems, place, "\"%s\" found, " FORM, copy);
		return false;
	}
	*host = '\0';
	host += 3;
	options = strchr(host, '?');
	if (options)
		*options++ = '\0';
	out->transport = find_transport(assembly, place, copy);
	sound = out->transport < assembly->settings->transport_count;

	colon = strrchr(host, ':');
	if (!colon || strchr(colon, ']')) {
		wt_problem_add(&assembly->problems, place, "\"%s\" without a port found, " FORM,
			       host);
		return false;
	}
	*colon = '\0';
	if (!wt_sockaddr_parse_port(colon + 1, &out->port) || out->port == 0) {
		wt_problem_add(&assembly->problems, place, "port \"%s\" found, allowed is 1..65535",
			       colon + 1);
		sound = false;
	}
	sound &= take_host(assembly, place, host, out);
	if (out->transport < assembly->settings->transport_count)
		sound &= take_options(assembly, place, options, out);
	if (!sound)
		wt_endpoint_clear(out);
	return sound;
}

void wt_endpoint_clear(struct wt_endpoint *endpoint)
{
	free(endpoint->host);
	wt_config_free(endpoint->config);
	*endpoint = (struct wt_endpoint){ .transport = 0 };
}
