/* SPDX-License-Identifier: MIT */
#include "config/keys.h"

#include "plugin/registry.h"

#define KEY(...)                                                                                   \
	{                                                                                          \
		.struct_size = sizeof(struct wt_config_key), __VA_ARGS__                           \
	}
#define TABLE(keys)                                                                                \
	{                                                                                          \
		(keys), sizeof(keys) / sizeof((keys)[0]), sizeof((keys)[0])                        \
	}

static const struct wt_config_key tunnel[] = {
	KEY(.name = "interface", .type = WT_CONFIG_STRING, .scope = WT_SCOPE_SECTION,
	    .default_value = "wt0",
	    .help = "Name of the TUN device; a persistent one of that name is attached and left."),
	KEY(.name = "address", .type = WT_CONFIG_STRING, .scope = WT_SCOPE_SECTION,
	    .flags = WT_CONFIG_REQUIRED | WT_KEY_LIST,
	    .help = "Addresses of this end inside the tunnel, with prefix length: `10.8.0.1/24, "
		    "fd00:8::1/64`."),
	KEY(.name = "mtu", .type = WT_CONFIG_STRING, .scope = WT_SCOPE_SECTION,
	    .default_value = "auto",
	    .help = "Largest inner packet, `auto` or 576..65535; `auto` is 1500 when all "
		    "transports are streams, else computed from the path."),
	KEY(.name = "routes", .type = WT_CONFIG_ENUM, .scope = WT_SCOPE_SECTION,
	    .choices = "auto|off", .default_value = "auto",
	    .help = "Whether each peer's `allowed_ips` become routes to the device."),
	KEY(.name = "rekey_after", .type = WT_CONFIG_UINT, .scope = WT_SCOPE_SECTION, .min = 1,
	    .max = 120, .default_value = "120",
	    .help = "Seconds after which the dialling end makes new keys; less than 120 is for "
		    "tests."),
	KEY(.name = "offload", .type = WT_CONFIG_ENUM, .scope = WT_SCOPE_SECTION,
	    .choices = "auto|off|csum|tso|uso", .default_value = "auto",
	    .help = "What is left to the kernels at both ends: `csum` checksums, `tso` also the "
		    "cutting of TCP segments, `uso` of UDP segments instead; `auto` all that this "
		    "kernel takes."),
	KEY(.name = "txqueuelen", .type = WT_CONFIG_UINT, .scope = WT_SCOPE_SECTION, .min = 4,
	    .max = 10000, .default_value = "500",
	    .help = "Packets, or runs of up to 64 KB, that wait in the device: fewer are less "
		    "delay under load, more are fewer losses in bursts."),
	KEY(.name = "mss_clamp", .type = WT_CONFIG_BOOL, .scope = WT_SCOPE_SECTION,
	    .default_value = "yes",
	    .help = "Whether the MSS that TCP connections offer through the tunnel is lowered to "
		    "what "
		    "fits it and the way to who offers it, so that they work where ICMP is lost."),
	KEY(.name = "workers", .type = WT_CONFIG_UINT, .scope = WT_SCOPE_SECTION, .min = 1,
	    .max = 64, .default_value = "1",
	    .help = "Threads that carry packets. A connection is on one of them, so more than one "
		    "helps with several peers or `connections`, on a machine with more than one "
		    "core."),
	KEY(.name = "replay_window", .type = WT_CONFIG_ENUM, .scope = WT_SCOPE_SECTION,
	    .choices = "64|128|256|512|1024|2048|4096|8192|16384|32768|65536",
	    .default_value = "8192",
	    .help = "How many datagrams a late one may be behind the newest of its session and "
		    "still be accepted: more for ways that are bonded of unequal ones."),
	KEY(.name = "log_level", .type = WT_CONFIG_ENUM, .scope = WT_SCOPE_SECTION,
	    .choices = "error|warning|info|debug", .default_value = "info",
	    .help = "How much is logged."),
	KEY(.name = "log_format", .type = WT_CONFIG_ENUM, .scope = WT_SCOPE_SECTION,
	    .choices = "text|json", .default_value = "text",
	    .help = "One line of text or one JSON object for each event."),
	KEY(.name = "plugin_dir", .type = WT_CONFIG_STRING, .scope = WT_SCOPE_SECTION,
	    .help = "Where plugins are loaded from, instead of `$WT_PLUGIN_DIR` or the "
		    "installation's directory."),
	KEY(.name = "self_test", .type = WT_CONFIG_BOOL, .scope = WT_SCOPE_SECTION,
	    .default_value = "yes", .help = "Whether crypto plugins prove known answers at start."),
};

static const struct wt_config_key crypto[] = {
	KEY(.name = "plugin", .type = WT_CONFIG_STRING, .scope = WT_SCOPE_SECTION,
	    .flags = WT_CONFIG_REQUIRED,
	    .help = "Crypto plugin: NAME of `crypto-NAME.so`, or `auto`: the fastest of those that "
		    "are there and have AES-256-GCM, measured at each start."),
	KEY(.name = "allow_insecure", .type = WT_CONFIG_BOOL, .scope = WT_SCOPE_SECTION,
	    .default_value = "no", .help = "Accept a plugin whose algorithm is not AES-256-GCM."),
};

static const struct wt_config_key transport[] = {
	KEY(.name = "plugin", .type = WT_CONFIG_STRING, .scope = WT_SCOPE_SECTION,
	    .help = "Transport plugin, if it is not NAME of `[transport NAME]`."),
};

static const struct wt_config_key auth[] = {
	KEY(.name = "plugin", .type = WT_CONFIG_STRING, .scope = WT_SCOPE_SECTION,
	    .help = "Auth plugin, if it is not NAME of `[auth NAME]`."),
};

static const struct wt_config_key peer[] = {
	KEY(.name = "endpoint", .type = WT_CONFIG_STRING, .scope = WT_SCOPE_PEER,
	    .flags = WT_KEY_LIST,
	    .help = "Where to dial the peer, `SCHEME://HOST:PORT[?KEY=VALUE&...]`, in the order to "
		    "try; SCHEME is NAME of a `[transport NAME]`. Without it the peer dials us."),
	KEY(.name = "policy", .type = WT_CONFIG_ENUM, .scope = WT_SCOPE_PEER,
	    .choices = "order|random|latency", .default_value = "order",
	    .help = "Which of several endpoints: `order` the first that answers, going back to an "
		    "earlier one when it answers again; `random` any; `latency` the one that "
		    "answers fastest."),
	KEY(.name = "allowed_ips", .type = WT_CONFIG_STRING, .scope = WT_SCOPE_PEER,
	    .flags = WT_CONFIG_REQUIRED | WT_KEY_LIST,
	    .help = "Networks behind the peer: what is sent to it, and the only source addresses "
		    "accepted from it."),
	KEY(.name = "auth", .type = WT_CONFIG_STRING, .scope = WT_SCOPE_PEER,
	    .help = "NAME of the `[auth NAME]` to use; needed when there are several."),
	KEY(.name = "keepalive", .type = WT_CONFIG_UINT, .scope = WT_SCOPE_PEER, .min = 0,
	    .max = 65535,
	    .help = "Seconds between pings, 0: none. Unset: 25 if an endpoint is of a datagram "
		    "transport, else 0."),
	KEY(.name = "connections", .type = WT_CONFIG_UINT, .scope = WT_SCOPE_PEER, .min = 1,
	    .max = 16, .default_value = "1",
	    .help = "Connections at once, at most as many as the other end allows here; each flow "
		    "takes one of them. More than one helps with `workers`, or where one "
		    "connection is held back by losses."),
};

const struct wt_key_table wt_keys_tunnel = TABLE(tunnel);
const struct wt_key_table wt_keys_crypto = TABLE(crypto);
const struct wt_key_table wt_keys_transport = TABLE(transport);
const struct wt_key_table wt_keys_auth = TABLE(auth);
const struct wt_key_table wt_keys_peer = TABLE(peer);

/* ---- as Markdown --------------------------------------------------------- */

static void print_value_type(const struct wt_config_key *key, FILE *out)
{
	switch (key->type) {
	case WT_CONFIG_BOOL:
		fputs("yes or no", out);
		return;
	case WT_CONFIG_UINT:
		fprintf(out, "%llu..%llu", (unsigned long long)key->min,
			(unsigned long long)key->max);
		return;
	case WT_CONFIG_ENUM:
		for (const char *p = key->choices; *p; p++) {
			if (*p == '|')
				fputs(", ", out);
			else
				putc(*p, out);
		}
		return;
	case WT_CONFIG_SOCKADDR:
		fputs("list of ADDRESS:PORT", out);
		return;
	case WT_CONFIG_KEYFILE32:
		fputs("key file", out);
		return;
	case WT_CONFIG_KEY32:
		fputs("key in base64", out);
		return;
	default:
		fputs(key->flags & WT_KEY_LIST ? "list" : "text", out);
		return;
	}
}

static void print_key(const struct wt_config_key *key, const char *where, FILE *out)
{
	fprintf(out, "| `%s` | %s | ", key->name, where);
	print_value_type(key, out);
	if (key->flags & WT_CONFIG_REQUIRED)
		fputs(" | required | ", out);
	else if (key->default_value)
		fprintf(out, " | `%s` | ", key->default_value);
	else
		fputs(" | | ", out);
	fputs(key->help, out);
	fputs(" |\n", out);
}

/* `section`: where keys of scope WT_SCOPE_SECTION stand. */
static void print_table(const char *title, const struct wt_key_table *table, const char *section,
			FILE *out)
{
	fprintf(out,
		"### %s\n\n| key | where | value | default | meaning |\n|---|---|---|---|---|\n",
		title);
	for (size_t i = 0; i < table->count; i++) {
		const struct wt_config_key *key = wt_key_table_at(table, i);

		print_key(key,
			  key->scope == WT_SCOPE_SECTION ? section
			  : key->scope == WT_SCOPE_PEER	 ? "`[peer NAME]`"
							 : "endpoint",
			  out);
	}
	putc('\n', out);
}

static void print_plugin(const struct wt_plugin *plugin, FILE *out)
{
	struct wt_key_table table = { plugin->config_keys, plugin->config_key_count,
				      plugin->config_key_stride };
	char title[2 * WT_NAME_MAX + 32], section[64];

	snprintf(title, sizeof title, "Plugin %s-%s", wt_kind_text(plugin->kind), plugin->name);
	snprintf(section, sizeof section, "`[%s%s]`", wt_kind_text(plugin->kind),
		 plugin->kind == WT_KIND_CRYPTO ? "" : " NAME");
	print_table(title, &table, section, out);
}

void wt_keys_print(const struct wt_registry *registry, FILE *out)
{
	print_table("Tunnel", &wt_keys_tunnel, "`[tunnel]`", out);
	print_table("Crypto", &wt_keys_crypto, "`[crypto]`", out);
	print_table("Transports", &wt_keys_transport, "`[transport NAME]`", out);
	print_table("Auth", &wt_keys_auth, "`[auth NAME]`", out);
	print_table("Peers", &wt_keys_peer, "`[peer NAME]`", out);
	for (size_t i = 0; i < wt_registry_count(registry); i++)
		if (wt_registry_at(registry, i)->config_key_count > 0)
			print_plugin(wt_registry_at(registry, i), out);
}
