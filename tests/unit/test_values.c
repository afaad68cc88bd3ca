/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/log.h"
#include "base/secret.h"
#include "config/values.h"
#include "support/scratch.h"

#define KEY(...)                                                                                   \
	{                                                                                          \
		.struct_size = sizeof(struct wt_config_key), .help = "Help.", __VA_ARGS__          \
	}
#define SECTION .scope = WT_SCOPE_SECTION

static const struct wt_config_key keys[] = {
	KEY(.name = "realm", .type = WT_CONFIG_STRING, SECTION, .default_value = "whispertunnel"),
	KEY(.name = "title", .type = WT_CONFIG_STRING, SECTION),
	KEY(.name = "hidden", .type = WT_CONFIG_ENUM, SECTION, .flags = WT_CONFIG_SECRET,
	    .choices = "aa|bb"),
	KEY(.name = "nodelay", .type = WT_CONFIG_BOOL, SECTION, .default_value = "yes"),
	KEY(.name = "depth", .type = WT_CONFIG_UINT, SECTION, .min = 1, .max = 120,
	    .default_value = "120"),
	KEY(.name = "wide", .type = WT_CONFIG_UINT, SECTION, .min = 0, .max = UINT64_MAX),
	KEY(.name = "format", .type = WT_CONFIG_ENUM, SECTION, .choices = "text|json|none"),
	KEY(.name = "listen", .type = WT_CONFIG_SOCKADDR, SECTION),
	KEY(.name = "psk_file", .type = WT_CONFIG_KEYFILE32, .scope = WT_SCOPE_PEER),
	KEY(.name = "private_key_file", .type = WT_CONFIG_KEYFILE32, SECTION,
	    .make = "wtcore genkey"),
	KEY(.name = "public_key", .type = WT_CONFIG_KEY32, .scope = WT_SCOPE_PEER),
	KEY(.name = "sni", .type = WT_CONFIG_STRING, .scope = WT_SCOPE_ENDPOINT),
};
static const struct wt_key_table table = { keys, sizeof keys / sizeof keys[0], sizeof keys[0] };
#define ALL_SCOPES (1u << WT_SCOPE_SECTION | 1u << WT_SCOPE_PEER | 1u << WT_SCOPE_ENDPOINT)

static struct wt_config *config(void)
{
	struct wt_config *cfg = wt_config_new("box", &table, 1, ALL_SCOPES);

	assert_non_null(cfg);
	return cfg;
}

static void set(struct wt_config *cfg, const char *key, const char *text)
{
	struct wt_error err = WT_ERROR_INIT;

	if (wt_config_set(cfg, key, text, "/nowhere", &err) != WT_OK)
		fail_msg("%s = %s: %s", key, text, err.text);
}

static void defaults_apply_at_once(void **state)
{
	struct wt_config *cfg = config();
	struct sockaddr_storage address;

	(void)state;
	assert_string_equal(wt_config_name(cfg), "box");
	assert_string_equal(wt_config_string(cfg, "realm"), "whispertunnel");
	assert_true(wt_config_is_set(cfg, "realm"));
	assert_true(wt_config_bool(cfg, "nodelay"));
	assert_int_equal(wt_config_uint(cfg, "depth"), 120);
	assert_false(wt_config_is_set(cfg, "title"));
	assert_null(wt_config_string(cfg, "title"));
	assert_null(wt_config_string(cfg, "format"));
	assert_int_equal(wt_config_uint(cfg, "wide"), 0);
	assert_null(wt_config_key32(cfg, "psk_file"));
	assert_int_equal(wt_config_sockaddr(cfg, "listen", 0, &address), WT_ERR_INVALID);
	wt_config_free(cfg);
}

static void scopes_choose_the_keys(void **state)
{
	struct wt_config *cfg = wt_config_new("alice", &table, 1, 1u << WT_SCOPE_PEER);

	(void)state;
	assert_non_null(cfg);
	assert_int_equal(wt_config_count(cfg), 2);
	assert_ptr_equal(wt_config_at(cfg, 0), wt_config_find(cfg, "psk_file"));
	assert_null(wt_config_find(cfg, "realm"));
	assert_null(wt_config_find(cfg, "sni"));
	wt_config_free(cfg);
}

static void good_values_are_kept(void **state)
{
	static const struct {
		const char *text;
		bool value;
	} bools[] = { { "yes", true }, { "true", true },   { "on", true },
		      { "no", false }, { "false", false }, { "off", false } };
	struct wt_config *cfg = config();

	(void)state;
	for (size_t i = 0; i < sizeof bools / sizeof bools[0]; i++) {
		set(cfg, "nodelay", bools[i].text);
		assert_int_equal(wt_config_bool(cfg, "nodelay"), bools[i].value);
	}
	set(cfg, "depth", "1");
	assert_int_equal(wt_config_uint(cfg, "depth"), 1);
	set(cfg, "wide", "18446744073709551615");
	assert_true(wt_config_uint(cfg, "wide") == UINT64_MAX);
	set(cfg, "format", "none");
	assert_string_equal(wt_config_string(cfg, "format"), "none");
	set(cfg, "title", "first");
	set(cfg, "title", "second, with = and #");
	assert_string_equal(wt_config_string(cfg, "title"), "second, with = and #");
	wt_config_free(cfg);
}

static void bad_values_say_what_is_allowed(void **state)
{
	static const char uint_text[] = " found, allowed is a whole number from 1 to 120";
	static const char addr_text[] = " found, allowed are numeric addresses with a port, "
					"comma-separated: 0.0.0.0:4433, [::]:4433";
	static const struct {
		const char *key, *value, *found, *rest;
	} cases[] = {
		{ "realm", "", "no value found; write one or remove the line", "" },
		{ "nodelay", "maybe", "\"maybe\"",
		  " found, allowed are yes, no, true, false, on, off" },
		{ "nodelay", "Yes", "\"Yes\"",
		  " found, allowed are yes, no, true, false, on, off (did you mean \"yes\"?)" },
		{ "nodelay", "ture", "\"ture\"",
		  " found, allowed are yes, no, true, false, on, off (did you mean \"true\"?)" },
		{ "depth", "0", "\"0\"", uint_text },
		{ "depth", "121", "\"121\"", uint_text },
		{ "depth", "-1", "\"-1\"", uint_text },
		{ "depth", "+1", "\"+1\"", uint_text },
		{ "depth", "1s", "\"1s\"", uint_text },
		{ "depth", "0x10", "\"0x10\"", uint_text },
		{ "depth", "1 0", "\"1 0\"", uint_text },
		{ "depth", "18446744073709551617", "\"18446744073709551617\"", uint_text },
		{ "wide", "30000000000000000000", "\"30000000000000000000\"",
		  " found, allowed is a whole number from 0 to 18446744073709551615" },
		{ "wide", "18446744073709551616", "\"18446744073709551616\"",
		  " found, allowed is a whole number from 0 to 18446744073709551615" },
		{ "format", "jsno", "\"jsno\"",
		  " found, allowed are text, json, none (did you mean \"json\"?)" },
		{ "format", "tex", "\"tex\"",
		  " found, allowed are text, json, none (did you mean \"text\"?)" },
		{ "format", "text|json", "\"text|json\"", " found, allowed are text, json, none" },
		{ "hidden", "cc", "the value", " found, allowed are aa, bb" },
		{ "listen", "localhost:4433", "\"localhost:4433\"", addr_text },
		{ "listen", "0.0.0.0", "\"0.0.0.0\"", addr_text },
		{ "listen", "0.0.0.0:", "\"0.0.0.0:\"", addr_text },
		{ "listen", "0.0.0.0:65536", "\"0.0.0.0:65536\"", addr_text },
		{ "listen", "0.0.0.0:-1", "\"0.0.0.0:-1\"", addr_text },
		{ "listen", "::1:4433", "\"::1:4433\"", addr_text },
		{ "listen", "[::1]", "\"[::1]\"", addr_text },
		{ "listen", "[127.0.0.1]:1", "\"[127.0.0.1]:1\"", addr_text },
		{ "listen", "[::1:1", "\"[::1:1\"", addr_text },
		{ "listen", "[fe80::1%nosuchlink]:1", "\"[fe80::1%nosuchlink]:1\"", addr_text },
		{ "listen", "127.1:1", "\"127.1:1\"", addr_text },
		{ "listen", "127.0.0.1:1,", "\"\"", addr_text },
		{ "listen", "127.0.0.1:1,,127.0.0.1:2", "\"\"", addr_text },
		{ "listen", "127.0.0.1:1, x", "\"x\"", addr_text },
		{ "listen", ":", "\":\"", addr_text },
	};
	struct wt_config *cfg = config();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wt_error err = WT_ERROR_INIT;
		char want[512];

		snprintf(want, sizeof want, "%s%s", cases[i].found, cases[i].rest);
		assert_int_equal(wt_config_set(cfg, cases[i].key, cases[i].value, "/nowhere", &err),
				 WT_ERR_CONFIG);
		assert_string_equal(err.text, want);
	}
	/* What was there before is still there. */
	assert_int_equal(wt_config_uint(cfg, "depth"), 120);
	assert_false(wt_config_is_set(cfg, "listen"));
	wt_config_free(cfg);
}

static void addresses_become_a_list(void **state)
{
	struct wt_config *cfg = config();
	struct sockaddr_storage address;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;

	(void)state;
	set(cfg, "listen", "192.0.2.1:4433 ,\t[2001:db8::1]:65535,[fe80::1%lo]:0");
	assert_int_equal(wt_config_sockaddr(cfg, "listen", 0, &address), WT_OK);
	assert_int_equal(address.ss_family, AF_INET);
	assert_int_equal(ntohs(v4->sin_port), 4433);
	assert_int_equal(ntohl(v4->sin_addr.s_addr), 0xc0000201);
	assert_int_equal(wt_config_sockaddr(cfg, "listen", 1, &address), WT_OK);
	assert_int_equal(address.ss_family, AF_INET6);
	assert_int_equal(ntohs(v6->sin6_port), 65535);
	assert_int_equal(wt_config_sockaddr(cfg, "listen", 2, &address), WT_OK);
	assert_int_equal(v6->sin6_scope_id, if_nametoindex("lo"));
	assert_int_equal(v6->sin6_port, 0);
	assert_int_equal(wt_config_sockaddr(cfg, "listen", 3, &address), WT_ERR_INVALID);
	wt_config_free(cfg);
}

static void key_files_are_read_beside_the_ini_file(void **state)
{
	static const char text[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
	char *dir = wt_scratch_new();
	char *path = wt_scratch_file(dir, "a.psk", text, strlen(text), 0600);
	size_t in_use = wt_secret_in_use();
	struct wt_config *cfg = config();
	struct wt_error err = WT_ERROR_INIT;

	(void)state;
	assert_int_equal(wt_config_set(cfg, "psk_file", "a.psk", dir, &err), WT_OK);
	for (unsigned i = 0; i < 32; i++)
		assert_int_equal(wt_config_key32(cfg, "psk_file")[i], i);
	assert_int_equal(wt_config_set(cfg, "psk_file", path, "/nowhere", &err), WT_OK);
	assert_int_equal(wt_config_set(cfg, "psk_file", "b.psk", dir, &err), WT_ERR_CONFIG);
	assert_non_null(strstr(err.text, "there is no key file"));
	/* A refused value leaves the one before. */
	assert_int_equal(wt_config_key32(cfg, "psk_file")[31], 31);
	wt_config_free(cfg);
	assert_int_equal(wt_secret_in_use(), in_use);
	free(path);
	wt_scratch_free(dir);
}

static void a_missing_key_file_is_made_by_its_own_command(void **state)
{
	char *dir = wt_scratch_new();
	struct wt_config *cfg = config();
	struct wt_error err = WT_ERROR_INIT;

	(void)state;
	assert_int_equal(wt_config_set(cfg, "psk_file", "none", dir, &err), WT_ERR_CONFIG);
	assert_non_null(strstr(err.text, "; wtcore genpsk > "));
	assert_int_equal(wt_config_set(cfg, "private_key_file", "none", dir, &err), WT_ERR_CONFIG);
	assert_non_null(strstr(err.text, "; wtcore genkey > "));
	wt_config_free(cfg);
	wt_scratch_free(dir);
}

static void keys_are_decoded_in_place(void **state)
{
	static const struct {
		const char *text, *want;
	} bad[] = {
		{ "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "the value has 43 characters" },
		{ "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", "the value is not base64" },
		{ "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g", "the value holds 33 bytes" },
		{ "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "the value is all zero" },
		{ "alice.pub", "the value has 9 characters" },
	};
	size_t in_use = wt_secret_in_use();
	struct wt_config *cfg = config();
	struct wt_error err = WT_ERROR_INIT;

	(void)state;
	assert_null(wt_config_key32(cfg, "public_key"));
	set(cfg, "public_key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(wt_config_set(cfg, "public_key", bad[i].text, ".", &err),
				 WT_ERR_CONFIG);
		if (strncmp(err.text, bad[i].want, strlen(bad[i].want)) != 0)
			fail_msg("got \"%s\", want \"%s\"", err.text, bad[i].want);
		assert_null(strstr(err.text, bad[i].text));
	}
	for (unsigned i = 0; i < 32; i++)
		assert_int_equal(wt_config_key32(cfg, "public_key")[i], i);
	wt_config_free(cfg);
	assert_int_equal(wt_secret_in_use(), in_use);
}

static unsigned logged;

static void count_line(void *arg, const char *line)
{
	(void)arg;
	assert_non_null(strstr(line, "internal: key "));
	logged++;
}

static void wrong_reads_are_unset_and_logged(void **state)
{
	struct wt_config *cfg = config();
	struct sockaddr_storage address;

	(void)state;
	logged = 0;
	wt_log_capture(count_line, NULL);
	assert_false(wt_config_is_set(cfg, "nosuch"));
	assert_null(wt_config_string(cfg, "depth"));
	assert_int_equal(wt_config_uint(cfg, "realm"), 0);
	assert_false(wt_config_bool(cfg, "depth"));
	assert_null(wt_config_key32(cfg, "realm"));
	assert_int_equal(wt_config_sockaddr(cfg, "realm", 0, &address), WT_ERR_INVALID);
	wt_log_capture(NULL, NULL);
	assert_int_equal(logged, 6);
	assert_int_equal(wt_config_set(cfg, "nosuch", "1", ".", NULL), WT_ERR_INVALID);
	wt_config_free(cfg);
}

static void unsound_declarations_are_named(void **state)
{
	static const struct {
		const char *want;
		struct wt_config_key key;
	} cases[] = {
		{ "a key is named \"Bad\"", KEY(.name = "Bad", .type = WT_CONFIG_STRING, SECTION) },
		{ "a key is named \"\"", KEY(.name = "", .type = WT_CONFIG_STRING, SECTION) },
		{ "a key is named \"(null)\"", KEY(.type = WT_CONFIG_STRING, SECTION) },
		{ "key k has no help text",
		  { .struct_size = sizeof(struct wt_config_key), .name = "k", .help = "" } },
		{ "key k has the unknown scope 0", KEY(.name = "k", .type = WT_CONFIG_STRING) },
		{ "key k has the unknown scope 77",
		  KEY(.name = "k", .type = WT_CONFIG_STRING, .scope = 77) },
		{ "key k has the unknown type 0", KEY(.name = "k", SECTION) },
		{ "key k has the unknown type 8", KEY(.name = "k", .type = 8, SECTION) },
		{ "key k has no choices", KEY(.name = "k", .type = WT_CONFIG_ENUM, SECTION) },
		{ "key k has an empty range",
		  KEY(.name = "k", .type = WT_CONFIG_UINT, SECTION, .min = 2, .max = 1) },
		{ "the default of key k cannot be used: \"x\" found",
		  KEY(.name = "k", .type = WT_CONFIG_BOOL, SECTION, .default_value = "x") },
		{ "key k has a default; a key has none",
		  KEY(.name = "k", .type = WT_CONFIG_KEYFILE32, SECTION, .default_value = "x") },
		{ "key k has a default; a key has none",
		  KEY(.name = "k", .type = WT_CONFIG_KEY32, SECTION, .default_value = "x") },
	};
	struct wt_config_key twice[] = { keys[0], keys[1], keys[0] };
	struct wt_key_table doubled = { twice, 3, sizeof twice[0] };
	struct wt_key_table narrow = { keys, 1, sizeof keys[0] - 8 };
	struct wt_error err = WT_ERROR_INIT;

	(void)state;
	assert_int_equal(wt_key_table_check(&table, &err), WT_OK);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wt_key_table one = { &cases[i].key, 1, sizeof cases[i].key };

		assert_int_not_equal(wt_key_table_check(&one, &err), WT_OK);
		if (strncmp(err.text, cases[i].want, strlen(cases[i].want)) != 0)
			fail_msg("got \"%s\", want \"%s\"", err.text, cases[i].want);
	}
	assert_int_equal(wt_key_table_check(&doubled, &err), WT_ERR_INVALID);
	assert_string_equal(err.text, "key realm is declared twice");
	assert_int_equal(wt_key_table_check(&narrow, &err), WT_ERR_INVALID);
}

/* A plugin built against later headers has larger elements. */
static void a_larger_stride_is_stepped_over(void **state)
{
	struct later {
		struct wt_config_key key;
		uint64_t new_field[3];
	} later[] = {
		{ KEY(.name = "one", .type = WT_CONFIG_UINT, SECTION, .max = 9,
		      .default_value = "7"),
		  { 1, 2, 3 } },
		{ KEY(.name = "two", .type = WT_CONFIG_UINT, SECTION, .max = 9,
		      .default_value = "8"),
		  { 4, 5, 6 } },
	};
	struct wt_key_table wide = { &later[0].key, 2, sizeof later[0] };
	struct wt_config *cfg = wt_config_new("x", &wide, 1, 1u << WT_SCOPE_SECTION);

	(void)state;
	assert_non_null(cfg);
	assert_int_equal(wt_key_table_check(&wide, NULL), WT_OK);
	assert_int_equal(wt_config_uint(cfg, "one"), 7);
	assert_int_equal(wt_config_uint(cfg, "two"), 8);
	wt_config_free(cfg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_apply_at_once),
		cmocka_unit_test(scopes_choose_the_keys),
		cmocka_unit_test(good_values_are_kept),
		cmocka_unit_test(bad_values_say_what_is_allowed),
		cmocka_unit_test(addresses_become_a_list),
		cmocka_unit_test(key_files_are_read_beside_the_ini_file),
		cmocka_unit_test(a_missing_key_file_is_made_by_its_own_command),
		cmocka_unit_test(keys_are_decoded_in_place),
		cmocka_unit_test(wrong_reads_are_unset_and_logged),
		cmocka_unit_test(unsound_declarations_are_named),
		cmocka_unit_test(a_larger_stride_is_stepped_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
