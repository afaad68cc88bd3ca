/* SPDX-License-Identifier: MIT
 *
 * Whole INI files against plugins that are tables of this file: nothing is
 * loaded, so each rule and its exact message is one case.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/secret.h"
#include "config/settings.h"
#include "config/source.h"
#include "plugin/choice.h"
#include "plugin/registry.h"
#include "support/scratch.h"

#define KEY(...)                                                                                   \
	{                                                                                          \
		.struct_size = sizeof(struct wt_config_key), .help = "Help.", __VA_ARGS__          \
	}
#define SECTION .scope = WT_SCOPE_SECTION
#define PEER .scope = WT_SCOPE_PEER
#define ENDPOINT .scope = WT_SCOPE_ENDPOINT

static const struct wt_config_key tcp_keys[] = {
	KEY(.name = "listen", .type = WT_CONFIG_SOCKADDR, SECTION),
	KEY(.name = "sni", .type = WT_CONFIG_STRING, ENDPOINT),
	KEY(.name = "ttl", .type = WT_CONFIG_UINT, ENDPOINT, .min = 1, .max = 255,
	    .default_value = "64"),
};
static const struct wt_config_key udp_keys[] = {
	KEY(.name = "listen", .type = WT_CONFIG_SOCKADDR, SECTION),
	KEY(.name = "mark", .type = WT_CONFIG_UINT, PEER, .max = 9),
};
static const struct wt_config_key token_keys[] = {
	KEY(.name = "token", .type = WT_CONFIG_STRING, ENDPOINT, .flags = WT_CONFIG_REQUIRED),
};
static const struct wt_config_key hmac_keys[] = {
	KEY(.name = "realm", .type = WT_CONFIG_STRING, SECTION, .default_value = "whispertunnel"),
	KEY(.name = "psk_file", .type = WT_CONFIG_KEYFILE32, PEER,
	    .flags = WT_CONFIG_REQUIRED | WT_CONFIG_SECRET),
};
static const struct wt_config_key noise_keys[] = {
	KEY(.name = "public_key", .type = WT_CONFIG_STRING, PEER, .flags = WT_CONFIG_REQUIRED),
};
static const struct wt_config_key core_peer_keys[] = {
	KEY(.name = "endpoint", .type = WT_CONFIG_STRING, PEER),
};
static const struct wt_config_key core_section_keys[] = {
	KEY(.name = "plugin", .type = WT_CONFIG_STRING, SECTION),
};

static const struct wt_config_key rounds_keys[] = {
	KEY(.name = "rounds", .type = WT_CONFIG_UINT, SECTION, .max = 9, .default_value = "3"),
};

#define KEYS(table)                                                                                \
	.config_keys = (table), .config_key_count = sizeof(table) / sizeof((table)[0]),            \
	.config_key_stride = sizeof((table)[0])

static const struct wt_plugin plugins[] = {
	{ .kind = WT_KIND_CRYPTO, .name = "aesgcm", .standard = true },
	{ .kind = WT_KIND_CRYPTO, .name = "rounds", .standard = true, KEYS(rounds_keys) },
	{ .kind = WT_KIND_CRYPTO, .name = "aegis", .algorithm = (char *)"AEGIS-256" },
	{ .kind = WT_KIND_CRYPTO,
	  .name = "steps-on-core",
	  .standard = true,
	  KEYS(core_section_keys) },
	{ .kind = WT_KIND_TRANSPORT,
	  .name = "tcp",
	  KEYS(tcp_keys),
	  .ops.transport.mode = WT_CHANNEL_STREAM },
	{ .kind = WT_KIND_TRANSPORT,
	  .name = "udp",
	  KEYS(udp_keys),
	  .ops.transport.mode = WT_CHANNEL_DATAGRAM },
	{ .kind = WT_KIND_TRANSPORT,
	  .name = "token",
	  KEYS(token_keys),
	  .ops.transport.mode = WT_CHANNEL_STREAM },
	{ .kind = WT_KIND_TRANSPORT, .name = "steps-on-core", KEYS(core_peer_keys) },
	{ .kind = WT_KIND_AUTH, .name = "hmac", KEYS(hmac_keys) },
	{ .kind = WT_KIND_AUTH, .name = "noise", KEYS(noise_keys) },
};
#define PLUGINS (sizeof plugins / sizeof plugins[0])

static char *scratch; /* the working directory */
static char opened_with[256];

/* Its name is another in each run: "DIR" stands for it. */
static void hide_scratch(char *text)
{
	size_t len = strlen(scratch);

	while ((text = strstr(text, scratch)) != NULL) {
		memcpy(text, "DIR", 3);
		memmove(text + 3, text + len, strlen(text + len) + 1);
	}
}

static enum wt_status open_table(void *arg, const char *plugin_dir, bool self_test,
				 struct wt_error *err)
{
	(void)arg;
	(void)err;
	snprintf(opened_with, sizeof opened_with, "%s %s", plugin_dir ? plugin_dir : "(default)",
		 self_test ? "tested" : "untested");
	hide_scratch(opened_with);
	return WT_OK;
}

static enum wt_status load(void *arg, enum wt_plugin_kind kind, const char *name,
			   const struct wt_plugin **out, struct wt_error *err)
{
	(void)arg;
	for (size_t i = 0; i < PLUGINS; i++) {
		if (plugins[i].kind != kind || strcmp(plugins[i].name, name) != 0)
			continue;
		*out = &plugins[i];
		return WT_OK;
	}
	return wt_fail(err, WT_ERR_CONFIG, "plugin %s-%s: there is none", wt_kind_text(kind), name);
}

static const char *fastest; /* what `plugin = auto` finds; NULL: nothing */

static struct wt_choice *choose(void *arg, struct wt_error *err)
{
	struct wt_choice *choice = calloc(1, sizeof *choice);

	assert_non_null(choice);
	choice->items = calloc(2, sizeof *choice->items);
	assert_non_null(choice->items);
	if (fastest) {
		assert_int_equal(load(arg, WT_KIND_CRYPTO, fastest, &choice->plugin, err), WT_OK);
		return choice;
	}
	choice->count = 2;
	wt_fail(&choice->items[0].reason, WT_ERR_UNAVAILABLE, "crypto plugin \"a\": not here");
	wt_fail(&choice->items[1].reason, WT_ERR_CRYPTO, "crypto plugin \"b\": broken");
	wt_fail(err, WT_ERR_UNAVAILABLE, "none can be used");
	return choice;
}

static const struct wt_plugin_source source = {
	.open = open_table,
	.load = load,
	.choose = choose,
};

/* ---- running one file ---------------------------------------------------- */

static int enter_scratch(void **state)
{
	static const char psk[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";

	(void)state;
	char *made = wt_scratch_new();

	scratch = realpath(made, NULL);
	assert_non_null(scratch);
	free(made);
	free(wt_scratch_file(scratch, "a.psk", psk, strlen(psk), 0600));
	free(wt_scratch_file(scratch, "open.psk", psk, strlen(psk), 0644));
	return chdir(scratch);
}

static int leave_scratch(void **state)
{
	(void)state;
	assert_int_equal(chdir("/"), 0);
	wt_scratch_free(scratch);
	return 0;
}

static struct wt_settings *build(const char *ini, const char *want_problems, int want_code)
{
	struct wt_settings *settings = NULL;
	char *printed = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&printed, &len);
	int code;

	assert_non_null(out);
	free(wt_scratch_file(scratch, "t.ini", ini, strlen(ini), 0600));
	code = wt_settings_build("t.ini", &source, out, &settings);
	fclose(out);
	hide_scratch(printed);
	if (strcmp(printed, want_problems) != 0)
		fail_msg("for\n%s\ngot:\n%s\nwant:\n%s", ini, printed, want_problems);
	assert_int_equal(code, want_code);
	assert_int_equal(settings != NULL, code == WT_EXIT_OK);
	free(printed);
	return settings;
}

/* Sound parts to build cases from; a case's own lines follow on known lines. */
#define TUNNEL "[tunnel]\naddress = 10.8.0.1/24\n"			    /* 2 lines */
#define CRYPTO "[crypto]\nplugin = aesgcm\n"				    /* 2 */
#define TCP "[transport tcp]\nlisten = 0.0.0.0:4433\n"			    /* 2 */
#define HMAC "[auth hmac]\n"						    /* 1 */
#define HEAD TUNNEL CRYPTO TCP HMAC					    /* 7 lines */
#define ALICE "[peer alice]\npsk_file = a.psk\nallowed_ips = 10.8.0.2/32\n" /* 8..10 */
#define BOB "[peer bob]\npsk_file = a.psk\n"

static const char *const sound[] = {
	HEAD ALICE,
	TUNNEL CRYPTO "[transport tcp]\n" HMAC ALICE "endpoint = tcp://vpn.example.net:4433\n",
	HEAD ALICE "endpoint = tcp://192.0.2.1:1, tcp://[2001:db8::1]:65535?sni=x&ttl=3\n"
		   "endpoint = tcp://h:2\n",
	HEAD ALICE "auth = hmac\nkeepalive = 65535\nallowed_ips = fd00::/64, 10.9.0.0/16\n",
	HEAD "[auth noise]\n" ALICE "auth = hmac\n"
	     "[peer bob]\nauth = noise\npublic_key = x\nallowed_ips = 10.8.0.3/32\n",
	TUNNEL CRYPTO "[transport fast]\nplugin = tcp\nlisten = [::]:1\n"
		      "[transport slow]\nplugin = tcp\n" HMAC ALICE "endpoint = slow://h:1\n",
	TUNNEL "[crypto]\nplugin = aegis\nallow_insecure = yes\n" TCP HMAC ALICE,
	/* the same peer may name a network and a part of it */
	HEAD ALICE "allowed_ips = 10.8.0.0/16\n",
	HEAD ALICE "endpoint = tcp://10.8.0.3:1\n",
	HEAD "[transport udp]\n" ALICE "mark = 3\n",
};

static void sound_files_are_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof sound / sizeof sound[0]; i++)
		wt_settings_free(build(sound[i], "", WT_EXIT_OK));
}

#define CRYPTO_HELP                                                                                \
	"Crypto plugin: NAME of `crypto-NAME.so`, or `auto`: the fastest of those that are there " \
	"and have AES-256-GCM, measured at each start."
#define ADDRESS_HELP                                                                               \
	"Addresses of this end inside the tunnel, with prefix length: `10.8.0.1/24, "              \
	"fd00:8::1/64`."
#define ALLOWED_HELP                                                                               \
	"Networks behind the peer: what is sent to it, and the only source addresses accepted "    \
	"from it."
#define PREFIX_RULE "found, allowed is ADDRESS/LENGTH: 10.8.0.0/24, fd00:8::/64\n"
#define NETWORK_RULE "found, allowed are networks, with no bits set behind the length "
#define TUNNEL_KEYS                                                                                \
	"interface, address, mtu, routes, rekey_after, offload, txqueuelen, mss_clamp, "           \
	"workers, replay_window, log_level, "                                                      \
	"log_format, "                                                                             \
	"plugin_dir, "                                                                             \
	"self_test"
#define PEER_KEYS "endpoint, policy, allowed_ips, auth, keepalive, connections, psk_file"
#define NAME_RULE "with 1 to 31 characters of A-Z, a-z, 0-9, \"_\", \".\", \"-\"\n"
#define SCHEME_LINES(scheme)                                                                       \
	"; or add the two lines \"[transport " scheme "]\" and \"plugin = " scheme "\"\n"
#define FORM "allowed is SCHEME://HOST:PORT[?KEY=VALUE&...]\n"
#define HOST_RULE "found, allowed is a name, an IPv4 address or an IPv6 address in brackets\n"
#define AT_ENDPOINT "t.ini:11: [peer alice] endpoint: "

static const struct {
	int code;
	const char *ini, *problems;
} unsound[] = {
	/* sections */
	{ 2, "",
	  "t.ini: no [tunnel] section found; add \"[tunnel]\" and \"address = 10.8.0.1/24\"\n"
	  "t.ini: no [crypto] section found; add \"[crypto]\" and \"plugin = aesgcm-openssl\"\n"
	  "t.ini: no [transport NAME] section found; add \"[transport tcp]\"\n"
	  "t.ini: no [auth NAME] section found; add \"[auth hmac]\"\n"
	  "t.ini: no [peer NAME] section found, at least one is needed\n" },
	{ 2, HEAD ALICE "[pear bob]\n",
	  "t.ini:11: [pear bob]: unknown section found, allowed are [tunnel], [crypto], [transport "
	  "NAME], [auth NAME], [peer NAME] (did you mean \"peer\"?)\n" },
	{ 2, HEAD ALICE "[interface]\n",
	  "t.ini:11: [interface]: unknown section found, allowed are [tunnel], [crypto], "
	  "[transport NAME], [auth NAME], [peer NAME]\n" },
	{ 2, "[tunnel x]\naddress = 10.8.0.1/24\n" CRYPTO TCP HMAC ALICE,
	  "t.ini:1: [tunnel x]: section with a name found, allowed is [tunnel]\n" },
	{ 2, HEAD ALICE "[peer]\npsk_file = a.psk\nallowed_ips = 10.8.0.3/32\n",
	  "t.ini:11: [peer]: section without a name found, allowed is [peer NAME] " NAME_RULE },
	{ 2, HEAD ALICE "[peer b/b]\npsk_file = a.psk\nallowed_ips = 10.8.0.3/32\n",
	  "t.ini:11: [peer b/b]: this name found, allowed is [peer NAME] " NAME_RULE },
	{ 2,
	  HEAD ALICE "[peer abcdefghijklmnopqrstuvwxyz012345]\npsk_file = a.psk\n"
		     "allowed_ips = 10.8.0.3/32\n",
	  "t.ini:11: [peer abcdefghijklmnopqrstuvwxyz012345]: this name found, allowed is [peer "
	  "NAME] " NAME_RULE },

	/* keys */
	{ 2, "[tunnel]\n" CRYPTO TCP HMAC ALICE,
	  "t.ini:1: [tunnel] address: not found, but needed: " ADDRESS_HELP "\n" },
	{ 2, TUNNEL "mtuu = 1400\n" CRYPTO TCP HMAC ALICE,
	  "t.ini:3: [tunnel] mtuu: unknown key found, allowed are " TUNNEL_KEYS
	  " (did you mean \"mtu\"?)\n" },
	{ 2, TUNNEL "psk_file = a.psk\n" CRYPTO TCP HMAC ALICE,
	  "t.ini:3: [tunnel] psk_file: unknown key found, allowed are " TUNNEL_KEYS "\n" },
	{ 2, HEAD "psk_file = a.psk\n" ALICE,
	  "t.ini:8: [auth hmac] psk_file: unknown key found, allowed are plugin, realm; it is a "
	  "key of plugin auth-hmac in [peer NAME]\n" },
	{ 2, HEAD ALICE "listen = 0.0.0.0:1\n",
	  "t.ini:11: [peer alice] listen: unknown key found, allowed are " PEER_KEYS
	  "; it is a key of plugin transport-tcp in its own section\n" },
	{ 2, HEAD ALICE "address = 10.8.0.2\n",
	  "t.ini:11: [peer alice] address: unknown key found, allowed are " PEER_KEYS
	  "; it is a key of [tunnel]\n" },
	{ 2,
	  HEAD "[auth noise]\n[peer alice]\nauth = hmac\npsk_file = a.psk\npublic_key = x\n"
	       "allowed_ips = 10.8.0.2/32\n",
	  "t.ini:12: [peer alice] public_key: unknown key found, allowed are " PEER_KEYS
	  "; it is a key of plugin auth-noise that this peer does not use\n" },
	{ 2, HEAD "[peer alice]\nallowed_ips = 10.8.0.2/32\npsk = a.psk\n",
	  "t.ini:8: [peer alice] psk_file: not found, but needed: Help.\n"
	  "t.ini:10: [peer alice] psk: unknown key found, allowed are " PEER_KEYS
	  " (did you mean \"psk_file\"?)\n" },
	{ 2, HEAD "[peer alice]\npsk_file = a.psk\n",
	  "t.ini:8: [peer alice] allowed_ips: not found, but needed: " ALLOWED_HELP "\n" },
	{ 2, HEAD ALICE "psk_file = a.psk\n",
	  "t.ini:11: [peer alice] psk_file: key found again, first on line 9; remove one of "
	  "them\n" },
	{ 2, TUNNEL CRYPTO "[transport tcp]\nlisten =\n" HMAC ALICE,
	  "t.ini:6: [transport tcp] listen: no value found; write one or remove the line\n"
	  "t.ini:8: [peer alice]: nobody can reach this peer: it has no endpoint and no transport "
	  "listens; add \"endpoint = tcp://HOST:PORT\" here, or \"listen = 0.0.0.0:PORT\" to "
	  "[transport tcp]\n" },

	/* [tunnel] */
	{ 2, "[tunnel]\naddress = 10.8.0.1/33\n" CRYPTO TCP HMAC ALICE,
	  "t.ini:2: [tunnel] address: \"10.8.0.1/33\" " PREFIX_RULE },
	{ 2, "[tunnel]\naddress = 10.8.0.1/24,\n" CRYPTO TCP HMAC ALICE,
	  "t.ini:2: [tunnel] address: \"\" " PREFIX_RULE },
	{ 2, TUNNEL "address = 10.8.0.1/24\n" CRYPTO TCP HMAC ALICE,
	  "t.ini:2: [tunnel] address: 10.8.0.1/24 found twice, allowed is once\n" },
	{ 2, TUNNEL "interface = eth/0\n" CRYPTO TCP HMAC ALICE,
	  "t.ini:3: [tunnel] interface: \"eth/0\" found, allowed are 1 to 15 characters of A-Z, "
	  "a-z, 0-9, \"_\", \".\", \"-\"\n" },
	{ 2, TUNNEL "interface = abcdefghijklmnop\n" CRYPTO TCP HMAC ALICE,
	  "t.ini:3: [tunnel] interface: \"abcdefghijklmnop\" found, allowed are 1 to 15 characters "
	  "of A-Z, a-z, 0-9, \"_\", \".\", \"-\"\n" },
	{ 2, TUNNEL "mtu = 575\n" CRYPTO TCP HMAC ALICE,
	  "t.ini:3: [tunnel] mtu: \"575\" found, allowed is auto or a number from 576 to 65535\n" },
	{ 2, TUNNEL "mtu = 65536\n" CRYPTO TCP HMAC ALICE,
	  "t.ini:3: [tunnel] mtu: \"65536\" found, allowed is auto or a number from 576 to "
	  "65535\n" },
	{ 2, TUNNEL "mtu = 1400x\n" CRYPTO TCP HMAC ALICE,
	  "t.ini:3: [tunnel] mtu: \"1400x\" found, allowed is auto or a number from 576 to "
	  "65535\n" },
	{ 2, TUNNEL "mtu = 1279\naddress = fd00::1/64\n" CRYPTO TCP HMAC ALICE,
	  "t.ini:3: [tunnel] mtu: \"1279\" found, allowed is auto or a number from 1280 to 65535 "
	  "(with an IPv6 address)\n" },
	{ 2,
	  TUNNEL "routes = on\nrekey_after = 121\nlog_level = warn\nlog_format = jsn\n"
		 "self_test = nope\n" CRYPTO TCP HMAC ALICE,
	  "t.ini:3: [tunnel] routes: \"on\" found, allowed are auto, off\n"
	  "t.ini:4: [tunnel] rekey_after: \"121\" found, allowed is a whole number from 1 to "
	  "120\n"
	  "t.ini:5: [tunnel] log_level: \"warn\" found, allowed are error, warning, info, debug "
	  "(did you mean \"warning\"?)\n"
	  "t.ini:6: [tunnel] log_format: \"jsn\" found, allowed are text, json (did you mean "
	  "\"json\"?)\n"
	  "t.ini:7: [tunnel] self_test: \"nope\" found, allowed are yes, no, true, false, on, "
	  "off\n" },

	/* plugins */
	{ 2, TUNNEL "[crypto]\n" TCP HMAC ALICE,
	  "t.ini:3: [crypto] plugin: not found, but needed: " CRYPTO_HELP "\n" },
	{ 4, TUNNEL "[crypto]\nplugin = aesgmc\n" TCP HMAC ALICE,
	  "t.ini:4: [crypto] plugin: plugin crypto-aesgmc: there is none\n" },
	{ 4, TUNNEL CRYPTO "[transport tpc]\nlisten = 0.0.0.0:1\n" HMAC ALICE,
	  "t.ini:5: [transport tpc]: plugin transport-tpc: there is none\n" },
	/* Peers are not blamed for keys of a plugin that is not there. */
	{ 4, TUNNEL CRYPTO TCP "[auth hmca]\n" ALICE,
	  "t.ini:7: [auth hmca]: plugin auth-hmca: there is none\n" },
	{ 4, TUNNEL CRYPTO TCP "[auth x]\nplugin = ../hmac\n" ALICE,
	  "t.ini:8: [auth x] plugin: plugin auth-../hmac: there is none\n" },
	{ 2, TUNNEL "[crypto]\nplugin = aegis\n" TCP HMAC ALICE,
	  "t.ini:4: [crypto] plugin: \"aegis\" found, whose algorithm is AEGIS-256; allowed is "
	  "AES-256-GCM, or any other with \"allow_insecure = yes\"\n" },
	{ 4, HEAD "[transport steps-on-core]\n" ALICE,
	  "t.ini:8: [transport steps-on-core]: plugin transport-steps-on-core declares the "
	  "key endpoint, which is the core's; it needs another name\n" },
	{ 4, TUNNEL "[crypto]\nplugin = steps-on-core\n" TCP HMAC ALICE,
	  "t.ini:4: [crypto] plugin: plugin crypto-steps-on-core declares the key plugin, which "
	  "is the core's; it needs another name\n" },
	/* A plugin and the file: the file comes first. */
	{ 2, TUNNEL "[crypto]\nplugin = none\n" TCP HMAC ALICE "x = y\n",
	  "t.ini:4: [crypto] plugin: plugin crypto-none: there is none\n"
	  "t.ini:11: [peer alice] x: unknown key found, allowed are " PEER_KEYS "\n" },

	/* endpoints */
	{ 2, HEAD ALICE "endpoint = tpc://h:1\n",
	  AT_ENDPOINT "scheme \"tpc\" found, transport sections are there for: tcp (did you mean "
		      "\"tcp\"?)" SCHEME_LINES("tpc") },
	{ 2, HEAD ALICE "endpoint = quic://h:1\n",
	  AT_ENDPOINT
	  "scheme \"quic\" found, transport sections are there for: tcp" SCHEME_LINES("quic") },
	{ 2, HEAD ALICE "endpoint = h:1\n", AT_ENDPOINT "\"h:1\" found, " FORM },
	{ 2, HEAD ALICE "endpoint = ://h:1\n", AT_ENDPOINT "\"://h:1\" found, " FORM },
	{ 2, HEAD ALICE "endpoint = tcp://h\n", AT_ENDPOINT "\"h\" without a port found, " FORM },
	{ 2, HEAD ALICE "endpoint = tcp://[fd00::1]\n",
	  AT_ENDPOINT "\"[fd00::1]\" without a port found, " FORM },
	{ 2, HEAD ALICE "endpoint = tcp://h:0\n",
	  AT_ENDPOINT "port \"0\" found, allowed is 1..65535\n" },
	{ 2, HEAD ALICE "endpoint = tcp://h:65536\n",
	  AT_ENDPOINT "port \"65536\" found, allowed is 1..65535\n" },
	{ 2, HEAD ALICE "endpoint = tcp://h:1/\n",
	  AT_ENDPOINT "port \"1/\" found, allowed is 1..65535\n" },
	{ 2, HEAD ALICE "endpoint = tcp://fd00::1:4433\n",
	  AT_ENDPOINT "IPv6 address without brackets found, allowed is [fd00::1]\n" },
	{ 2, HEAD ALICE "endpoint = tcp://[192.0.2.1]:1\n",
	  AT_ENDPOINT "host \"192.0.2.1\" " HOST_RULE },
	{ 2, HEAD ALICE "endpoint = tcp://192.0.2.256:1\n",
	  AT_ENDPOINT "host \"192.0.2.256\" " HOST_RULE },
	{ 2, HEAD ALICE "endpoint = tcp://-h:1\n", AT_ENDPOINT "host \"-h\" " HOST_RULE },
	{ 2, HEAD ALICE "endpoint = tcp://a..b:1\n", AT_ENDPOINT "host \"a..b\" " HOST_RULE },
	{ 2, HEAD ALICE "endpoint = tcp://a_b:1\n", AT_ENDPOINT "host \"a_b\" " HOST_RULE },
	{ 2, HEAD ALICE "endpoint = tcp://u@h:1\n", AT_ENDPOINT "host \"u@h\" " HOST_RULE },
	{ 2, HEAD ALICE "endpoint = tcp://:1\n", AT_ENDPOINT "host \"\" " HOST_RULE },
	{ 2, HEAD ALICE "endpoint = tcp://h:1?snj=x\n",
	  AT_ENDPOINT "unknown option \"snj\" found, allowed are sni, ttl (did you mean "
		      "\"sni\"?)\n" },
	{ 2, HEAD ALICE "endpoint = tcp://h:1?ttl=0\n",
	  AT_ENDPOINT "option ttl: \"0\" found, allowed is a whole number from 1 to 255\n" },
	{ 2, HEAD ALICE "endpoint = tcp://h:1?ttl\n",
	  AT_ENDPOINT "option \"ttl\" found, allowed is KEY=VALUE\n" },
	{ 2, HEAD ALICE "endpoint = tcp://h:1?ttl=1&ttl=2\n",
	  AT_ENDPOINT "option ttl found twice, allowed is once\n" },
	{ 2,
	  HEAD "[transport token]\n[peer alice]\npsk_file = a.psk\nallowed_ips = 10.8.0.2/32\n"
	       "endpoint = token://h:1\n",
	  "t.ini:12: [peer alice] endpoint: option token not found, but needed: Help.\n" },
	{ 2,
	  HEAD "[transport udp]\n[peer alice]\npsk_file = a.psk\nallowed_ips = 10.8.0.2/32\n"
	       "endpoint = udp://h:1?x=y\n",
	  "t.ini:12: [peer alice] endpoint: unknown option \"x\" found, allowed is none\n" },

	/* peers */
	{ 2, HEAD "[auth noise]\n" ALICE,
	  "t.ini:9: [peer alice] auth: not found, but needed with several auth sections; allowed "
	  "are hmac, noise\n" },
	{ 2, HEAD "[auth other]\nplugin = hmac\n" ALICE "auth = hmac\n",
	  "t.ini:8: [auth other] plugin: auth-hmac found, which [auth hmac] on line 7 uses "
	  "already; "
	  "allowed is one section for each auth plugin\n" },
	{ 2, HEAD ALICE "auth = hmca\n",
	  "t.ini:11: [peer alice] auth: \"hmca\" found, [auth] sections are there for: hmac (did "
	  "you mean \"hmac\"?)\n" },
	{ 2, HEAD "[peer alice]\npsk_file = b.psk\nallowed_ips = 10.8.0.2/32\n",
	  "t.ini:9: [peer alice] psk_file: there is no key file DIR/b.psk; make one with: (umask "
	  "077; wtcore genpsk > DIR/b.psk)\n" },
	{ 2, HEAD "[peer alice]\npsk_file = open.psk\nallowed_ips = 10.8.0.2/32\n",
	  "t.ini:9: [peer alice] psk_file: key file DIR/open.psk has mode 0644, allowed is 0600 or "
	  "0400; run: chmod 600 DIR/open.psk\n" },
	{ 2, HEAD ALICE "keepalive = 65536\n",
	  "t.ini:11: [peer alice] keepalive: \"65536\" found, allowed is a whole number from 0 to "
	  "65535\n" },
	{ 2, HEAD ALICE "connections = 17\n",
	  "t.ini:11: [peer alice] connections: \"17\" found, allowed is a whole number from 1 to "
	  "16\n" },
	{ 2, HEAD ALICE "connections = 0\n",
	  "t.ini:11: [peer alice] connections: \"0\" found, allowed is a whole number from 1 to "
	  "16\n" },
	{ 2, HEAD ALICE "allowed_ips = 10.9.0.1/16\n",
	  "t.ini:11: [peer alice] allowed_ips: \"10.9.0.1/16\" " NETWORK_RULE
	  "(did you mean \"10.9.0.0/16\"?)\n" },
	{ 2, HEAD ALICE "allowed_ips = fd00::1/64, 10.9.0.0\n",
	  "t.ini:11: [peer alice] allowed_ips: \"fd00::1/64\" " NETWORK_RULE
	  "(did you mean \"fd00::/64\"?)\n" },
	{ 2, HEAD ALICE "allowed_ips = everything\n",
	  "t.ini:11: [peer alice] allowed_ips: \"everything\" " PREFIX_RULE },

	/* across peers */
	{ 2, TUNNEL CRYPTO "[transport tcp]\n" HMAC ALICE,
	  "t.ini:7: [peer alice]: nobody can reach this peer: it has no endpoint and no transport "
	  "listens; add \"endpoint = tcp://HOST:PORT\" here, or \"listen = 0.0.0.0:PORT\" to "
	  "[transport tcp]\n" },
	{ 2, HEAD ALICE BOB "allowed_ips = 10.8.0.0/24\n",
	  "t.ini:13: [peer bob] allowed_ips: 10.8.0.0/24 found, which overlaps 10.8.0.2/32 of "
	  "[peer alice] on line 10; an address can belong to one peer only\n" },
	{ 2, HEAD ALICE BOB "allowed_ips = 10.9.0.0/24\nallowed_ips = 10.8.0.2\n",
	  "t.ini:14: [peer bob] allowed_ips: 10.8.0.2/32 found, which overlaps 10.8.0.2/32 of "
	  "[peer alice] on line 10; an address can belong to one peer only\n" },
	{ 2,
	  HEAD ALICE "allowed_ips = fd00::/16\n" BOB "allowed_ips = fd00:1::/32, 10.8.0.3\n"
		     "[peer carol]\npsk_file = a.psk\n"
		     "allowed_ips = fd00:1:2::/48\n",
	  "t.ini:14: [peer bob] allowed_ips: fd00:1::/32 found, which overlaps fd00::/16 of [peer "
	  "alice] on line 11; an address can belong to one peer only\n"
	  "t.ini:17: [peer carol] allowed_ips: fd00:1:2::/48 found, which overlaps fd00:1::/32 of "
	  "[peer bob] on line 14; an address can belong to one peer only\n" },
	{ 2, HEAD ALICE "endpoint = tcp://h:1, tcp://10.8.0.2:1\n",
	  AT_ENDPOINT "10.8.0.2 lies inside allowed_ips 10.8.0.2/32 of this same peer, so that the "
		      "tunnel would be routed into itself; take the address out of allowed_ips\n" },
	{ 2, HEAD ALICE "allowed_ips = 2000::/3\nendpoint = tcp://[2001:db8::1]:1\n",
	  "t.ini:12: [peer alice] endpoint: 2001:db8::1 lies inside allowed_ips 2000::/3 of this "
	  "same "
	  "peer, so that the tunnel would be routed into itself; take the address out of "
	  "allowed_ips\n" },
	{ 2, HEAD ALICE "allowed_ips = 10.8.0.1\n",
	  "t.ini:11: [peer alice] allowed_ips: 10.8.0.1/32 found, which is this end's own address; "
	  "allowed are the addresses behind the peer\n" },

	/* one run shows all */
	{ 2,
	  "[tunnel]\nadress = 10.8.0.1/24\nmtu = 9\n[crypto]\nplugin: x\n[transport tcp]\n"
	  "listen = here\n" HMAC "[peer alice]\nallowed_ips = 10.8.0.2/24\nendpoint = h\n",
	  "t.ini:1: [tunnel] address: not found, but needed: " ADDRESS_HELP "\n"
	  "t.ini:2: [tunnel] adress: unknown key found, allowed are " TUNNEL_KEYS
	  " (did you mean \"address\"?)\n"
	  "t.ini:3: [tunnel] mtu: \"9\" found, allowed is auto or a number from 576 to 65535\n"
	  "t.ini:4: [crypto] plugin: not found, but needed: " CRYPTO_HELP "\n"
	  "t.ini:5: [crypto]: \":\" found between key and value, allowed is \"=\"\n"
	  "t.ini:7: [transport tcp] listen: \"here\" found, allowed are numeric addresses with a "
	  "port, comma-separated: 0.0.0.0:4433, [::]:4433\n"
	  "t.ini:9: [peer alice] psk_file: not found, but needed: Help.\n"
	  "t.ini:10: [peer alice] allowed_ips: \"10.8.0.2/24\" " NETWORK_RULE
	  "(did you mean \"10.8.0.0/24\"?)\n"
	  "t.ini:11: [peer alice] endpoint: \"h\" found, " FORM },
};

static void each_mistake_has_its_message(void **state)
{
	size_t in_use = wt_secret_in_use();

	(void)state;
	for (size_t i = 0; i < sizeof unsound / sizeof unsound[0]; i++)
		assert_null(build(unsound[i].ini, unsound[i].problems, unsound[i].code));
	assert_int_equal(wt_secret_in_use(), in_use);
}

static void values_arrive(void **state)
{
	struct wt_settings *s = build(
		"[tunnel]\ninterface = vpn.0\naddress = 10.8.0.1/24, fd00::1/64\n"
		"address = 10.9.0.1/16\nmtu = 1400\nroutes = off\nrekey_after = 3\n"
		"log_level = debug\nlog_format = json\n"
		"[crypto]\nplugin = aegis\nallow_insecure = yes\n"
		"[transport t]\nplugin = tcp\n[transport udp]\n[auth noise]\n[auth h]\n"
		"plugin = hmac\nrealm = here\n"
		"[peer alice]\nauth = h\npsk_file = a.psk\nallowed_ips = 10.8.0.2\nkeepalive = 7\n"
		"endpoint = t://[fd01::1]:1?ttl=9, udp://vpn.example.net:65535\n"
		"[peer bob]\nauth = noise\npublic_key = k\nallowed_ips = 10.8.0.3,fd00::/96\n"
		"endpoint = t://192.0.2.7:2\nconnections = 16\n"
		"[peer carol]\nauth = noise\npublic_key = k\nallowed_ips = 10.8.0.4\nmark = 4\n"
		"endpoint = udp://192.0.2.7:2\n",
		"", WT_EXIT_OK);
	const struct wt_peer_settings *alice = &s->peers[0], *bob = &s->peers[1],
				      *carol = &s->peers[2];
	char text[WT_PREFIX_TEXT];

	(void)state;
	assert_string_equal(s->path, "t.ini");
	assert_string_equal(s->tunnel.interface, "vpn.0");
	assert_int_equal(s->tunnel.address_count, 3);
	assert_string_equal(wt_prefix_format(&s->tunnel.addresses[0], text), "10.8.0.1/24");
	assert_string_equal(wt_prefix_format(&s->tunnel.addresses[2], text), "10.9.0.1/16");
	assert_int_equal(s->tunnel.mtu, 1400);
	assert_false(s->tunnel.routes);
	assert_int_equal(s->tunnel.rekey_after_s, 3);
	assert_int_equal(s->tunnel.log_level, WT_LOG_DEBUG);
	assert_int_equal(s->tunnel.log_format, WT_LOG_JSON);
	assert_string_equal(s->crypto.plugin->name, "aegis");
	assert_true(s->crypto.allow_insecure);
	assert_int_equal(s->transport_count, 2);
	assert_string_equal(s->transports[0].name, "t");
	assert_string_equal(s->transports[0].plugin->name, "tcp");
	assert_string_equal(wt_config_name(s->transports[0].config), "t");
	assert_int_equal(s->auth_count, 2);
	assert_string_equal(wt_config_string(s->auths[1].config, "realm"), "here");
	assert_int_equal(s->peer_count, 3);

	assert_string_equal(alice->name, "alice");
	assert_string_equal(wt_config_name(alice->config), "alice");
	assert_int_equal(alice->auth, 1);
	assert_int_equal(alice->keepalive_s, 7);
	assert_int_equal(alice->endpoint_count, 2);
	assert_int_equal(alice->endpoints[0].transport, 0);
	assert_string_equal(alice->endpoints[0].host, "fd01::1");
	assert_int_equal(alice->endpoints[0].port, 1);
	assert_int_equal(wt_config_uint(alice->endpoints[0].config, "ttl"), 9);
	assert_int_equal(alice->endpoints[1].transport, 1);
	assert_string_equal(alice->endpoints[1].host, "vpn.example.net");
	assert_int_equal(alice->endpoints[1].port, 65535);
	assert_int_equal(wt_config_key32(alice->config, "psk_file")[31], 31);

	assert_int_equal(bob->auth, 0);
	assert_int_equal(bob->keepalive_s, 0);
	assert_int_equal(bob->allowed_ip_count, 2);
	assert_int_equal(wt_config_uint(bob->endpoints[0].config, "ttl"), 64);
	/* A key of a transport that the peer does not use is not there. */
	assert_null(wt_config_find(bob->config, "mark"));
	assert_int_equal(wt_config_uint(carol->config, "mark"), 4);
	assert_int_equal(carol->keepalive_s, 25);
	assert_int_equal(bob->connections, 16);
	wt_settings_free(s);
}

static void defaults_arrive(void **state)
{
	struct wt_settings *s = build(HEAD ALICE, "", WT_EXIT_OK);

	(void)state;
	assert_string_equal(opened_with, "(default) tested");
	assert_string_equal(s->tunnel.interface, "wt0");
	assert_int_equal(s->tunnel.mtu, 0);
	assert_true(s->tunnel.routes);
	assert_int_equal(s->tunnel.rekey_after_s, 120);
	assert_int_equal(s->tunnel.log_level, WT_LOG_INFO);
	assert_int_equal(s->tunnel.log_format, WT_LOG_TEXT);
	assert_false(s->crypto.allow_insecure);
	assert_int_equal(s->peers[0].endpoint_count, 0);
	assert_int_equal(s->peers[0].keepalive_s, 0);
	assert_int_equal(s->peers[0].connections, 1);
	wt_settings_free(s);
}

#define AUTO TUNNEL "[crypto]\nplugin = auto\n"

static void the_fastest_crypto_plugin_is_taken(void **state)
{
	struct wt_settings *s;

	(void)state;
	fastest = "aesgcm";
	s = build(AUTO TCP HMAC ALICE, "", WT_EXIT_OK);
	assert_string_equal(s->crypto.plugin->name, "aesgcm");
	assert_ptr_equal(s->crypto.choice->plugin, s->crypto.plugin);
	wt_settings_free(s);
	/* Its keys have their defaults, and cannot be set. */
	fastest = "rounds";
	s = build(AUTO "allow_insecure = yes\n" TCP HMAC ALICE, "", WT_EXIT_OK);
	assert_int_equal(wt_config_uint(s->crypto.config, "rounds"), 3);
	wt_settings_free(s);
	build(AUTO "rounds = 4\n" TCP HMAC ALICE,
	      "t.ini:5: [crypto] rounds: key of plugin crypto-rounds found, allowed is none with "
	      "\"plugin = auto\"; name the plugin to set its keys\n",
	      WT_EXIT_CONFIG);
	fastest = "steps-on-core";
	build(AUTO TCP HMAC ALICE,
	      "t.ini:4: [crypto] plugin: plugin crypto-steps-on-core declares the key plugin, "
	      "which is the core's; it needs another name\n",
	      WT_EXIT_PLUGIN);
	fastest = NULL;
	build(AUTO TCP HMAC ALICE,
	      "t.ini:4: [crypto] plugin: auto found, but none can be used\n"
	      "t.ini:4: [crypto] plugin: crypto plugin \"a\": not here\n"
	      "t.ini:4: [crypto] plugin: crypto plugin \"b\": broken\n",
	      WT_EXIT_PLUGIN);
	/* Of a plugin that is named nothing is chosen. */
	s = build(HEAD ALICE, "", WT_EXIT_OK);
	assert_null(s->crypto.choice);
	wt_settings_free(s);
}

static void plugins_are_looked_for_where_the_file_says(void **state)
{
	(void)state;
	wt_settings_free(build(TUNNEL "plugin_dir = lib\nself_test = no\n" CRYPTO TCP HMAC ALICE,
			       "", WT_EXIT_OK));
	assert_string_equal(opened_with, "DIR/lib untested");
	wt_settings_free(build(TUNNEL "plugin_dir = /lib\n" CRYPTO TCP HMAC ALICE, "", WT_EXIT_OK));
	assert_string_equal(opened_with, "/lib tested");
}

/* Names are asked again when they are resolved. */
static void loops_are_seen_in_resolved_addresses(void **state)
{
	static const struct {
		const char *address;
		const char *inside;
	} cases[] = {
		{ "10.8.0.2", "10.8.0.2/32" },	      { "10.8.0.3", NULL },
		{ "fd00::99", "fd00::/64" },	      { "fd00:0:0:1::1", NULL },
		{ "::ffff:10.8.0.2", "10.8.0.2/32" }, { "::ffff:10.8.0.3", NULL },
	};
	struct wt_settings *s =
		build(HEAD ALICE "allowed_ips = fd00::/64, 0.0.0.0/0\n", "", WT_EXIT_OK);
	struct sockaddr other = { .sa_family = AF_UNIX };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct sockaddr_in v4 = { .sin_family = AF_INET };
		struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
		const struct wt_prefix *found = NULL;
		char text[WT_PREFIX_TEXT];

		if (inet_pton(AF_INET, cases[i].address, &v4.sin_addr) == 1)
			found = wt_peer_settings_loop(&s->peers[0], (struct sockaddr *)&v4);
		else if (inet_pton(AF_INET6, cases[i].address, &v6.sin6_addr) == 1)
			found = wt_peer_settings_loop(&s->peers[0], (struct sockaddr *)&v6);
		else
			fail_msg("bad case %s", cases[i].address);
		assert_int_equal(found != NULL, cases[i].inside != NULL);
		if (found)
			assert_string_equal(wt_prefix_format(found, text), cases[i].inside);
	}
	assert_null(wt_peer_settings_loop(&s->peers[0], &other));
	wt_settings_free(s);
}

/* As many peers as a large server has, each known only to itself. */
static void thousands_of_peers_are_quick(void **state)
{
	enum { N = 5000 };
	char *ini = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&ini, &len);
	struct wt_settings *s;

	(void)state;
	assert_non_null(out);
	fputs(HEAD, out);
	for (unsigned i = 0; i < N; i++)
		fprintf(out, "[peer p%u]\npsk_file = a.psk\nallowed_ips = 10.%u.%u.2\n", i,
			9 + i / 256, i % 256);
	fclose(out);
	s = build(ini, "", WT_EXIT_OK);
	assert_int_equal(s->peer_count, N);
	assert_string_equal(s->peers[N - 1].name, "p4999");
	wt_settings_free(s);
	free(ini);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_files_are_taken),
		cmocka_unit_test(each_mistake_has_its_message),
		cmocka_unit_test(values_arrive),
		cmocka_unit_test(defaults_arrive),
		cmocka_unit_test(the_fastest_crypto_plugin_is_taken),
		cmocka_unit_test(plugins_are_looked_for_where_the_file_says),
		cmocka_unit_test(loops_are_seen_in_resolved_addresses),
		cmocka_unit_test(thousands_of_peers_are_quick),
	};

	return cmocka_run_group_tests(tests, enter_scratch, leave_scratch);
}
