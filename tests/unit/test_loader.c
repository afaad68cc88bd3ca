/* SPDX-License-Identifier: MIT */

/* Every way in which a plugin can be wrong: what the loader says of it, and
 * that nothing of it stays behind. The plugins are tests/fixtures/bad-plugins,
 * copied into a directory whose owner and mode the test decides. */

#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/secret.h"
#include "plugin/descriptor.h"
#include "plugin/registry.h"
#include "support/fixture.h"
#include "support/process.h"
#include "support/scratch.h"

#define PARTS 5

static char *place; /* scratch directory with the plugin of the moment */

/* ---- helpers ------------------------------------------------------------- */

static void remove_from_place(const char *name)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", place, name);
	assert_int_equal(remove(path), 0);
}

static struct wt_registry *new_registry(unsigned timeout_ms)
{
	const struct wt_registry_options options = {
		.plugin_dir = place,
		.probe_timeout_ms = timeout_ms,
	};
	struct wt_registry *registry = wt_registry_new(&options);

	assert_non_null(registry);
	return registry;
}

/* What the process held before; the same must be true after. */
struct before {
	char *maps, *fds;
	size_t secrets;
};

static struct before look(void)
{
	return (struct before){ wt_process_maps(), wt_process_fds(), wt_secret_in_use() };
}

static void assert_as_before(struct before *before)
{
	struct before now = look();

	assert_string_equal(now.maps, before->maps);
	assert_string_equal(now.fds, before->fds);
	assert_int_equal(now.secrets, before->secrets);
	assert_false(wt_process_has_child());
	free(now.maps);
	free(now.fds);
	free(before->maps);
	free(before->fds);
}

static void assert_says(const char *text, const char *const parts[PARTS])
{
	for (size_t i = 0; i < PARTS && parts[i]; i++)
		if (!strstr(text, parts[i]))
			fail_msg("\"%s\" is not in: %s", parts[i], text);
	for (const char *p = text; *p; p++)
		assert_true((unsigned char)*p >= 0x20);
}

/* Loads what is installed, and expects a refusal that names the plugin, its
 * path and `parts`. */
static void assert_refused(enum wt_plugin_kind kind, const char *name, enum wt_status status,
			   unsigned timeout_ms, const char *const parts[PARTS])
{
	struct before before = look();
	struct wt_registry *registry = new_registry(timeout_ms);
	const struct wt_plugin *plugin = NULL;
	struct wt_error err = WT_ERROR_INIT;
	char path[4096], head[128];
	enum wt_status got = wt_registry_load(registry, kind, name, &plugin, &err);

	if (got != status)
		fail_msg("%s: status %d, expected %d: %s", name, (int)got, (int)status, err.text);
	assert_null(plugin);
	assert_int_equal(wt_registry_count(registry), 0);
	snprintf(head, sizeof head, "%s plugin \"%s\"", wt_kind_text(kind), name);
	snprintf(path, sizeof path, "(%s/%s-%s.so)", place, wt_kind_text(kind), name);
	assert_says(err.text, (const char *const[PARTS]){ head, path });
	assert_says(err.text, parts);
	wt_registry_free(registry);
	assert_as_before(&before);
}

static int make_place(void **state)
{
	(void)state;
	place = wt_scratch_new();
	return 0;
}

static int drop_place(void **state)
{
	(void)state;
	wt_scratch_free(place);
	return 0;
}

/* ---- plugins that are wrong ---------------------------------------------- */

#define C WT_KIND_CRYPTO
#define T WT_KIND_TRANSPORT
#define A WT_KIND_AUTH

#define TEXT_OF(number) #number
#define ABI_TEXT(major, minor) TEXT_OF(major) "." TEXT_OF(minor)
#define ABI ABI_TEXT(WT_ABI_MAJOR, WT_ABI_MINOR)

static const struct {
	enum wt_plugin_kind kind;
	const char *name;
	enum wt_status status;
	unsigned timeout_ms; /* 0: the default, long enough for any machine */
	const char *parts[PARTS];
} bad[] = {
	/* clang-format off */
	{ C, "plain", WT_ERR_INVALID, 0, { "note: is no WhisperTunnel plugin", "WT_PLUGIN" } },
	{ C, "no-note", WT_ERR_INVALID, 0, { "note: is no WhisperTunnel plugin" } },
	{ C, "two-notes", WT_ERR_INVALID, 0, { "note: ", "more than one" } },
	{ C, "short-note", WT_ERR_INVALID, 0, { "note: ", "too short (8 bytes of 60)" } },
	{ C, "abi-major", WT_ERR_UNSUPPORTED, 0, { "note: ", "plugin ABI 9.", "speaks " ABI, "headers" } },
	{ C, "abi-minor", WT_ERR_UNSUPPORTED, 0, { "note: ", "plugin ABI 0.0", "older than " ABI_TEXT(WT_ABI_MAJOR, WT_ABI_MINOR_OLDEST), "headers" } },
	{ C, "other-kind", WT_ERR_INVALID, 0, { "note: ", "kind transport, not crypto" } },
	{ C, "strange-kind", WT_ERR_INVALID, 0, { "note: ", "kind unknown, not crypto" } },
	{ C, "other-name", WT_ERR_INVALID, 0, { "note: ", "\"somebody\"", "crypto-somebody.so" } },

	{ C, "sigill", WT_ERR_UNAVAILABLE, 0, { "load: ", "SIGILL", "constructors", "another CPU" } },
	{ C, "sigsegv", WT_ERR_INVALID, 0, { "load: ", "SIGSEGV", "constructors", "another plugin" } },
	{ C, "abort", WT_ERR_INVALID, 0, { "load: ", "SIGABRT", "saying \"toy: heap is broken\";" } },
	{ C, "hang", WT_ERR_INVALID, 1000, { "load: hung", "constructors", "1000 ms", "another plugin" } },
	{ C, "leave", WT_ERR_INVALID, 0, { "load: ", "status 7", "constructors" } },
	{ C, "unresolved", WT_ERR_UNAVAILABLE, 0, { "load: undefined symbol: wt_symbol_of_nobody", "another build" } },
	{ C, "host-symbol", WT_ERR_UNAVAILABLE, 0, { "load: undefined symbol: wt_registry_count", "another build" } },
	{ C, "replaced", WT_ERR_IO, 0, { "load: ", "replaced while it was being loaded", "start again" } },

	{ C, "no-symbol", WT_ERR_INVALID, 0, { "descriptor: ", "wt_plugin_descriptor", "WT_PLUGIN" } },
	{ C, "borrowed-symbol", WT_ERR_INVALID, 0, { "descriptor: ", "does not export" } },
	{ C, "descriptor-short", WT_ERR_INVALID, 0, { "descriptor: ", "40 bytes, at least 56", "WT_PLUGIN" } },
	{ C, "descriptor-abi", WT_ERR_INVALID, 0, { "descriptor: ", "ABI 3.", "note says " ABI } },
	{ C, "descriptor-kind", WT_ERR_INVALID, 0, { "descriptor: ", "auth plugin", "note says crypto" } },
	{ C, "descriptor-name", WT_ERR_INVALID, 0, { "descriptor: ", "\"somebody\"", "\"descriptor-name\"" } },
	{ C, "descriptor-version", WT_ERR_INVALID, 0, { "descriptor: ", "\"1.0\"", "\"2.0\"" } },
	{ C, "no-name", WT_ERR_INVALID, 0, { "descriptor: has no name or no version", "WT_PLUGIN" } },
	{ C, "no-version", WT_ERR_INVALID, 0, { "descriptor: has no name or no version" } },
	{ C, "rude-version", WT_ERR_INVALID, 0, { "descriptor: has version \"1.?\"", "printable" } },
	{ C, "no-algorithm", WT_ERR_INVALID, 0, { "descriptor: ", ".algorithm" } },
	{ C, "rude-algorithm", WT_ERR_INVALID, 0, { "descriptor: names no algorithm" } },
	{ C, "vectors-short", WT_ERR_INVALID, 0, { "descriptor: has vectors of 16 bytes, at least ", ".struct_size" } },
	{ C, "no-vectors", WT_ERR_INVALID, 0, { "descriptor: ", "\"TOY\"", "no vectors" } },
	{ C, "cut-vectors", WT_ERR_INVALID, 0, { "descriptor: ", "\"TOY\"", "no vectors" } },

	{ C, "no-ops", WT_ERR_INVALID, 0, { "operations: ", ".ops" } },
	{ C, "ops-short", WT_ERR_INVALID, 0, { "operations: ", "16 bytes, at least 24", ".struct_size" } },
	{ C, "no-seal", WT_ERR_INVALID, 0, { "operations: has no seal, which is required" } },
	{ C, "cut-slots", WT_ERR_INVALID, 0, { "operations: has no seal, open, which is required" } },
	{ C, "key-size", WT_ERR_INVALID, 0, { "operations: has key_size = 24, this program needs 32" } },
	{ C, "ctx-align", WT_ERR_INVALID, 0, { "operations: has ctx_align = 24", "power of two" } },
	{ C, "ctx-size", WT_ERR_INVALID, 0, { "operations: has ctx_size = 0, allowed is 1..65536" } },
	{ C, "nonce-size", WT_ERR_INVALID, 0, { "operations: has nonce_size = 8, this program needs 12" } },
	{ C, "tag-size", WT_ERR_INVALID, 0, { "operations: has tag_size = 12, this program needs 16" } },
	{ T, "ops-short", WT_ERR_INVALID, 0, { "operations: ", "8 bytes, at least 24", ".struct_size" } },
	{ T, "overhead", WT_ERR_INVALID, 0, { "operations: has overhead_ipv6 = 1025, allowed is 0..1024" } },
	{ T, "no-send", WT_ERR_INVALID, 0, { "operations: has no send, which is required" } },
	{ T, "mode", WT_ERR_INVALID, 0, { "operations: has mode = 3, allowed is 1..2" } },
	{ T, "headroom", WT_ERR_INVALID, 0, { "operations: has headroom = 17, allowed is 0..16" } },
	{ T, "cut-slots", WT_ERR_INVALID, 0, { "operations: has no source, max_record, which is required" } },
	{ T, "no-limit", WT_ERR_INVALID, 0, { "operations: has no set_max_record, which is required" } },
	{ A, "method", WT_ERR_INVALID, 0, { "operations: has method = 256, allowed is 1..255" } },
	{ A, "ops-short", WT_ERR_INVALID, 0, { "operations: ", "12 bytes, at least 16", ".struct_size" } },
	{ A, "no-accept", WT_ERR_INVALID, 0, { "operations: has no accept, which is required" } },
	{ A, "cut-slots", WT_ERR_INVALID, 0, { "operations: has no receive, abandon, which is required" } },
	{ A, "peer-size", WT_ERR_INVALID, 0, { "operations: has peer_size = 0, allowed is 1..65536" } },
	{ A, "peer-align", WT_ERR_INVALID, 0, { "operations: has peer_align = 8192", "power of two" } },
	{ A, "method-none", WT_ERR_INVALID, 0, { "operations: has method = 0, allowed is 1..255" } },

	{ C, "no-keys", WT_ERR_INVALID, 0, { "keys: ", ".config_keys" } },
	{ C, "many-keys", WT_ERR_INVALID, 0, { "keys: has 257 keys", "up to 256", ".config_key_count" } },
	{ C, "keys-short", WT_ERR_INVALID, 0, { "keys: has keys of configuration of 16 bytes, at least ", ".struct_size" } },
	{ C, "keys-mixed", WT_ERR_INVALID, 0, { "keys: has keys of configuration of several sizes (key 1)" } },
	{ C, "twice", WT_ERR_INVALID, 0, { "keys: ", "rounds is declared twice" } },
	{ C, "key-name", WT_ERR_INVALID, 0, { "keys: ", "\"Bad-Name\"", "[a-z0-9_]" } },
	{ C, "key-type", WT_ERR_INVALID, 0, { "keys: ", "what", "type 99" } },
	{ C, "no-choices", WT_ERR_INVALID, 0, { "keys: ", "which", "choices" } },
	{ C, "key-default", WT_ERR_CONFIG, 0, { "keys: ", "default of key n", "\"12\"", "0 to 9" } },
	{ C, "required", WT_ERR_INVALID, 0, { "keys: ", "needed", "defaults alone" } },

	{ C, "unavailable", WT_ERR_UNAVAILABLE, 0, { "available: ", "no such?instruction", "another plugin" } },
	{ C, "available-hangs", WT_ERR_INVALID, 1000, { "available: hung", "availability test" } },
	{ C, "available-crashes", WT_ERR_UNAVAILABLE, 0, { "available: ", "SIGILL", "availability test" } },

	{ C, "vector-tag", WT_ERR_CRYPTO, 0, { "self-test: toy vector 1: seal gave a wrong answer", "another build" } },
	{ C, "not-aes", WT_ERR_CRYPTO, 0, { "self-test: GCM specification", "test case 13", "seal gave a wrong" } },
	{ C, "test-crashes", WT_ERR_INVALID, 0, { "self-test: ", "SIGSEGV", "its self-test" } },
	{ C, "test-hangs", WT_ERR_INVALID, 1000, { "self-test: hung: its self-test did not end within 1000 ms" } },
	{ C, "create-fails", WT_ERR_UNAVAILABLE, 0, { "self-test: the card is not there?" } },
	{ C, "key-fails", WT_ERR_CRYPTO, 0, { "self-test: toy vector 1: key_init failed", "another build" } },
	{ C, "vectors-mixed", WT_ERR_INVALID, 0, { "self-test: vector 1 (toy vector 2)", "another struct_size" } },
	{ C, "open-believes", WT_ERR_CRYPTO, 0, { "self-test: toy vector 1", "tag's first byte", "took it for genuine" } },
	{ C, "open-one-byte", WT_ERR_CRYPTO, 0, { "self-test: toy vector 1", "tag's last byte", "took it for genuine" } },
	{ C, "open-leaks", WT_ERR_CRYPTO, 0, { "self-test: toy vector 1", "not all zero" } },
	{ C, "open-says", WT_ERR_CRYPTO, 0, { "self-test: ", "WT_ERR_AUTH" } },
	{ C, "seal-overruns", WT_ERR_CRYPTO, 0, { "self-test: ", "seal wrote behind its output" } },
	{ C, "seal-in-place", WT_ERR_CRYPTO, 0, { "self-test: ", "seal in place gave a wrong" } },
	{ C, "seal-batch", WT_ERR_CRYPTO, 0, { "self-test: ", "seal_batch gave a wrong" } },
	{ C, "open-batch", WT_ERR_CRYPTO, 0, { "self-test: ", "open_batch gave a wrong" } },
	{ C, "key-stays", WT_ERR_CRYPTO, 0, { "self-test: ", "key_wipe left a piece" } },
	{ C, "key-shared", WT_ERR_CRYPTO, 0, { "self-test: toy vector 1: seal gave a wrong" } },
	{ C, "none", WT_ERR_CRYPTO, 0, { "self-test: the definition of none", "tag's first byte", "took it for genuine" } },
	{ C, "unload-crashes", WT_ERR_INVALID, 0, { "unload: ", "SIGSEGV", "destructors" } },
	{ C, "unload-hangs", WT_ERR_INVALID, 1000, { "unload: hung: its destructors did not end within 1000 ms" } },
	/* clang-format on */
};

static void bad_plugins_are_refused_and_leave_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		char file[64];

		snprintf(file, sizeof file, "%s-%s.so", wt_kind_text(bad[i].kind), bad[i].name);
		wt_fixture_install(WT_TEST_FIXTURE_DIR, file, place, NULL);
		assert_refused(bad[i].kind, bad[i].name, bad[i].status, bad[i].timeout_ms,
			       bad[i].parts);
		remove_from_place(file);
	}
	print_message("%zu plugins refused\n", sizeof bad / sizeof bad[0]);
}

/* ---- files that are no plugins ------------------------------------------- */

static void text_and_broken_files_are_refused(void **state)
{
	static const char text[] = "#!/bin/sh\necho not a plugin\n";
	static const char *const damaged[PARTS] = { "note: is damaged or cut short",
						    "install it again" };
	static const char *const no_elf[PARTS] = { "note: is no ELF shared object", "WT_PLUGIN" };
	uint8_t *whole;
	size_t size;

	(void)state;
	free(wt_scratch_file(place, "crypto-odd.so", text, sizeof text - 1, 0644));
	assert_refused(C, "odd", WT_ERR_INVALID, 0, no_elf);
	free(wt_scratch_file(place, "crypto-odd.so", "", 0, 0644));
	assert_refused(C, "odd", WT_ERR_INVALID, 0, no_elf);
	free(wt_scratch_file(place, "crypto-odd.so", "\177ELF\2\1\1", 7, 0644));
	assert_refused(C, "odd", WT_ERR_INVALID, 0, no_elf);

	whole = wt_fixture_read(WT_TEST_FIXTURE_DIR "/crypto-toy.so", &size);
	/* Cut in the program headers, in the middle, and by its last byte. */
	const size_t cuts[] = { 100, size / 2, size - 1 };

	for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
		free(wt_scratch_file(place, "crypto-odd.so", whole, cuts[i], 0644));
		assert_refused(C, "odd", WT_ERR_INVALID, 0, damaged);
	}
	/* EI_CLASS and e_machine of another machine; e_type of a program. */
	whole[4] ^= 3;
	free(wt_scratch_file(place, "crypto-odd.so", whole, size, 0644));
	assert_refused(C, "odd", WT_ERR_UNSUPPORTED, 0,
		       (const char *const[PARTS]){ "note: is for another machine", "build it" });
	whole[4] ^= 3;
	whole[18] ^= 0x55;
	free(wt_scratch_file(place, "crypto-odd.so", whole, size, 0644));
	assert_refused(C, "odd", WT_ERR_UNSUPPORTED, 0,
		       (const char *const[PARTS]){ "note: is for another machine", "build it" });
	whole[18] ^= 0x55;
	/* A segment that begins, and one that ends, behind the file. */
	for (int field = 0; field < 2; field++) {
		ElfW(Phdr) *segment =
			(ElfW(Phdr) *)(void *)(whole + ((ElfW(Ehdr) *)(void *)whole)->e_phoff);
		ElfW(Phdr) right = *segment;

		if (field == 0)
			segment->p_offset = size + 1;
		else
			segment->p_filesz = size - segment->p_offset + 1;
		free(wt_scratch_file(place, "crypto-odd.so", whole, size, 0644));
		assert_refused(C, "odd", WT_ERR_INVALID, 0, damaged);
		*segment = right;
	}
	whole[16] = 2;
	free(wt_scratch_file(place, "crypto-odd.so", whole, size, 0644));
	assert_refused(C, "odd", WT_ERR_INVALID, 0,
		       (const char *const[PARTS]){ "note: ", "no shared object", "-shared" });
	free(whole);
}

static void assert_damaged(const uint8_t *bytes, size_t size)
{
	free(wt_scratch_file(place, "crypto-odd.so", bytes, size, 0644));
	assert_refused(C, "odd", WT_ERR_INVALID, 0,
		       (const char *const[PARTS]){ "note: is damaged or cut short" });
}

/* What a file only says it has costs nothing: who reads would make room for it. */
static void sizes_that_no_plugin_has_are_refused(void **state)
{
	const size_t notes = 600u << 10;
	size_t size;
	uint8_t *right = wt_fixture_read(WT_TEST_FIXTURE_DIR "/crypto-toy.so", &size);
	uint8_t *whole = calloc(1, size + notes);
	ElfW(Ehdr) *header = (ElfW(Ehdr) *)(void *)whole;

	(void)state;
	assert_non_null(whole);
	/* As many sections as the first one says, and segments. */
	memcpy(whole, right, size);
	header->e_shnum = 0;
	assert_damaged(whole, size);
	memcpy(whole, right, size);
	header->e_phnum = PN_XNUM;
	assert_damaged(whole, size);
	/* Each segment of notes is in bounds, and read; both together are too much. */
	memcpy(whole, right, size);
	for (size_t i = 0; i < 2; i++) {
		ElfW(Phdr) *segment = (ElfW(Phdr) *)(void *)(whole + header->e_phoff) + i;

		segment->p_type = PT_NOTE;
		segment->p_offset = size + 4 * i;
		segment->p_filesz = notes - 4 * i;
	}
	assert_damaged(whole, size + notes);
	free(whole);
	free(right);
}

static void a_missing_plugin_lists_what_is_there(void **state)
{
	(void)state;
	assert_refused(C, "toy", WT_ERR_CONFIG, 0,
		       (const char *const[PARTS]){ "file: there is no such file", "plugin_dir" });
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "crypto-toy.so", place, NULL);
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "crypto-toy.so", place, "crypto-another.so");
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "transport-still.so", place, NULL);
	assert_refused(C, "toi", WT_ERR_CONFIG, 0,
		       (const char *const[PARTS]){ "file: there is no such file",
						   "did you mean \"toy\"?",
						   "crypto plugins there are: another, toy" });
}

/* A copy under another name is no second plugin. */
static void one_plugin_in_two_files_is_one(void **state)
{
	struct wt_registry *registry = new_registry(0);
	struct wt_error err = WT_ERROR_INIT;
	const struct wt_plugin *plugin = NULL, *again = NULL;

	(void)state;
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "crypto-toy.so", place, NULL);
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "crypto-toy.so", place, "crypto-copy.so");
	assert_int_equal(wt_registry_load(registry, C, "toy", &plugin, &err), WT_OK);
	assert_int_equal(wt_registry_load(registry, C, "copy", &again, &err), WT_ERR_INVALID);
	assert_null(again);
	assert_says(err.text, (const char *const[PARTS]){ "crypto plugin \"copy\"",
							  "note: ", "says its name is \"toy\"",
							  "must be called crypto-toy.so" });
	assert_int_equal(wt_registry_count(registry), 1);
	wt_registry_free(registry);
}

static void names_stay_in_the_directory(void **state)
{
	static const char *const names[] = { "",
					     "../toy",
					     "./toy",
					     "/etc/passwd",
					     "crypto-toy.so",
					     "Toy",
					     "to\ny",
					     "toy_1",
					     "a-name-of-thirty-two-characters-" };
	struct wt_registry *registry = new_registry(0);

	(void)state;
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "crypto-toy.so", place, NULL);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const struct wt_plugin *plugin;
		struct wt_error err = WT_ERROR_INIT;

		assert_int_equal(wt_registry_load(registry, C, names[i], &plugin, &err),
				 WT_ERR_CONFIG);
		assert_says(err.text, (const char *const[PARTS]){ "crypto plugin \"", "name: ",
								  "a-z, 0-9 and -", "plugin_dir" });
	}
	wt_registry_free(registry);
}

/* ---- plugins that are right ---------------------------------------------- */

static const struct wt_plugin *load(struct wt_registry *registry, enum wt_plugin_kind kind,
				    const char *name)
{
	struct wt_error err = WT_ERROR_INIT;
	const struct wt_plugin *plugin = NULL;

	if (wt_registry_load(registry, kind, name, &plugin, &err) != WT_OK)
		fail_msg("%s", err.text);
	assert_non_null(plugin);
	return plugin;
}

static void good_plugins_load_and_leave_nothing(void **state)
{
	static const struct {
		enum wt_plugin_kind kind;
		const char *name;
		size_t keys;
	} good[] = {
		{ C, "toy", 2 },	   { C, "toy-batch", 2 }, { C, "toy-exact", 2 },
		{ C, "toy-batchless", 2 }, { C, "toy-newer", 2 }, { T, "still", 1 },
		{ T, "still-short", 0 },   { A, "nobody", 1 },
	};
	struct before before = look();
	struct wt_registry *registry = new_registry(0);

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		char file[64];

		snprintf(file, sizeof file, "%s-%s.so", wt_kind_text(good[i].kind), good[i].name);
		wt_fixture_install(WT_TEST_FIXTURE_DIR, file, place, NULL);

		const struct wt_plugin *plugin = load(registry, good[i].kind, good[i].name);

		assert_int_equal(plugin->kind, good[i].kind);
		assert_string_equal(plugin->name, good[i].name);
		assert_string_equal(plugin->version, "1.0");
		assert_string_equal(plugin->algorithm, good[i].kind == C ? "TOY" : "");
		assert_false(plugin->standard);
		assert_int_equal(plugin->config_key_count, good[i].keys);
		assert_int_equal(plugin->descriptor->struct_size,
				 sizeof(struct wt_plugin_descriptor));
		assert_string_equal(plugin->descriptor->license, "MIT");
		assert_ptr_equal(load(registry, good[i].kind, good[i].name), plugin);
		assert_ptr_equal(wt_registry_at(registry, i), plugin);
	}
	assert_int_equal(wt_registry_count(registry), sizeof good / sizeof good[0]);
	assert_null(wt_registry_at(registry, sizeof good / sizeof good[0]));
	assert_string_equal(wt_registry_dir(registry), place);

	char *maps = wt_process_maps();

	assert_non_null(strstr(maps, "/crypto-toy.so\n"));
	free(maps);
	wt_registry_free(registry);
	assert_as_before(&before);
}

/* Slots that the plugin's table is too short for are absent, even when the
 * bytes behind it look like one. */
static void what_lies_outside_struct_size_is_absent(void **state)
{
	struct wt_registry *registry = new_registry(0);

	(void)state;
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "crypto-toy-batch.so", place, NULL);
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "crypto-toy-batchless.so", place, NULL);
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "transport-still-short.so", place, NULL);
	assert_non_null(load(registry, C, "toy-batch")->ops.crypto.seal_batch);
	assert_null(load(registry, C, "toy-batchless")->ops.crypto.seal_batch);
	assert_null(load(registry, C, "toy-batchless")->ops.crypto.open_batch);
	assert_null(load(registry, T, "still-short")->descriptor->config_keys);
	wt_registry_free(registry);
}

static void whole_fields_of_both_sizes_are_copied(void **state)
{
	(void)state;
	assert_int_equal(wt_size_known(40, 64), 40);
	assert_int_equal(wt_size_known(47, 64), 40);
	assert_int_equal(wt_size_known(64, 64), 64);
	assert_int_equal(wt_size_known(72, 64), 64);
	assert_int_equal(wt_size_known(UINT32_MAX, 64), 64);
	assert_int_equal(wt_size_known(7, 64), 0);
}

/* The last field of each is missing: it is zero, and the next begins there. */
static void known_answers_of_a_shorter_kind_are_read_by_their_stride(void **state)
{
	const size_t stride = offsetof(struct wt_crypto_vector, source);
	struct wt_crypto_vector out, whole = { .text_len = 7, .source = "none" };
	uint8_t two[2 * sizeof whole];

	(void)state;
	memcpy(two, &whole, sizeof whole);
	whole.text_len = 9;
	memcpy(two + stride, &whole, stride);
	wt_vector_take(&out, two, stride, 0);
	assert_int_equal(out.text_len, 7);
	assert_null(out.source);
	memset(&out, 0xff, sizeof out);
	wt_vector_take(&out, two, stride, 1);
	assert_int_equal(out.text_len, 9);
	assert_null(out.source);
}

static void optional_slots_have_defaults(void **state)
{
	struct wt_registry *registry = new_registry(0);
	struct wt_error err = WT_ERROR_INIT;
	struct sockaddr_storage address;
	uint8_t key[WT_KEY_SIZE] = { 1 };

	(void)state;
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "transport-still.so", place, NULL);
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "transport-packets.so", place, NULL);
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "auth-nobody.so", place, NULL);

	const struct wt_plugin *still = load(registry, T, "still");
	const struct wt_plugin *packets = load(registry, T, "packets");
	const struct wt_plugin *nobody = load(registry, A, "nobody");

	assert_int_equal(still->ops.transport.local_address(NULL, NULL, NULL, NULL, &address),
			 WT_ERR_UNSUPPORTED);
	assert_int_equal(still->ops.transport.answer(NULL, NULL, NULL, NULL, key, 1),
			 WT_ERR_UNSUPPORTED);
	packets->ops.transport.set_max_record(NULL, NULL, NULL, 1);
	assert_int_equal(nobody->ops.auth.keygen(NULL, key, &err), WT_ERR_UNSUPPORTED);
	assert_non_null(strstr(err.text, "no key pairs"));
	assert_int_equal(nobody->ops.auth.pubkey(NULL, key, key, &err), WT_ERR_UNSUPPORTED);
	assert_non_null(strstr(err.text, "no public keys"));
	assert_non_null(nobody->ops.auth.silence_hint);
	wt_registry_free(registry);
}

/* The page faults of all children so far. */
static long children_faults(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_CHILDREN, &usage), 0);
	return usage.ru_minflt;
}

/* A second one is loaded when other threads run already. */
static void what_runs_here_needs_no_child(void **state)
{
	struct wt_registry *first = new_registry(0), *second = new_registry(0);
	long faults = children_faults();

	(void)state;
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "crypto-toy.so", place, NULL);
	assert_non_null(load(first, C, "toy"));
	assert_true(children_faults() > faults);
	faults = children_faults();
	assert_non_null(load(second, C, "toy"));
	assert_int_equal(children_faults(), faults);
	wt_registry_free(first);
	wt_registry_free(second);
}

static void the_self_test_can_be_left_out(void **state)
{
	const struct wt_registry_options options = { .plugin_dir = place, .skip_self_test = true };
	struct wt_registry *registry = wt_registry_new(&options);
	struct wt_error err = WT_ERROR_INIT;
	const struct wt_plugin *plugin;

	(void)state;
	assert_non_null(registry);
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "crypto-not-aes.so", place, NULL);
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "crypto-no-vectors.so", place, NULL);
	assert_true(load(registry, C, "not-aes")->standard);
	/* An algorithm that nobody could test is refused all the same. */
	assert_int_equal(wt_registry_load(registry, C, "no-vectors", &plugin, &err),
			 WT_ERR_INVALID);
	wt_registry_free(registry);
}

static void plugins_that_claim_the_same_are_refused(void **state)
{
	static const struct {
		enum wt_plugin_kind kind;
		const char *name;
		const char *parts[PARTS];
	} cases[] = {
		{ A, "same-method", { "register: ", "method 128", "auth plugin \"nobody\"" } },
		{ T, "same-key", { "register: ", "key secret_file", "auth plugin \"nobody\"" } },
	};
	struct wt_registry *registry = new_registry(0);

	(void)state;
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "auth-nobody.so", place, NULL);
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "auth-nobody-too.so", place, NULL);
	load(registry, A, "nobody");
	load(registry, A, "nobody-too");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct before before = look();
		struct wt_error err = WT_ERROR_INIT;
		const struct wt_plugin *plugin = NULL;
		char file[64];

		snprintf(file, sizeof file, "%s-%s.so", wt_kind_text(cases[i].kind), cases[i].name);
		wt_fixture_install(WT_TEST_FIXTURE_DIR, file, place, NULL);
		assert_int_equal(
			wt_registry_load(registry, cases[i].kind, cases[i].name, &plugin, &err),
			WT_ERR_CONFIG);
		assert_null(plugin);
		assert_says(err.text, cases[i].parts);
		assert_as_before(&before);
	}
	assert_int_equal(wt_registry_count(registry), 2);
	/* A peer has one auth section: two methods may both have a `psk_file`. */
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "auth-same-key.so", place, NULL);
	load(registry, A, "same-key");
	wt_registry_free(registry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_plugins_are_refused_and_leave_nothing,
						make_place, drop_place),
		cmocka_unit_test_setup_teardown(text_and_broken_files_are_refused, make_place,
						drop_place),
		cmocka_unit_test_setup_teardown(sizes_that_no_plugin_has_are_refused, make_place,
						drop_place),
		cmocka_unit_test_setup_teardown(a_missing_plugin_lists_what_is_there, make_place,
						drop_place),
		cmocka_unit_test_setup_teardown(one_plugin_in_two_files_is_one, make_place,
						drop_place),
		cmocka_unit_test_setup_teardown(names_stay_in_the_directory, make_place,
						drop_place),
		cmocka_unit_test_setup_teardown(good_plugins_load_and_leave_nothing, make_place,
						drop_place),
		cmocka_unit_test_setup_teardown(what_lies_outside_struct_size_is_absent, make_place,
						drop_place),
		cmocka_unit_test(whole_fields_of_both_sizes_are_copied),
		cmocka_unit_test(known_answers_of_a_shorter_kind_are_read_by_their_stride),
		cmocka_unit_test_setup_teardown(optional_slots_have_defaults, make_place,
						drop_place),
		cmocka_unit_test_setup_teardown(what_runs_here_needs_no_child, make_place,
						drop_place),
		cmocka_unit_test_setup_teardown(the_self_test_can_be_left_out, make_place,
						drop_place),
		cmocka_unit_test_setup_teardown(plugins_that_claim_the_same_are_refused, make_place,
						drop_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
