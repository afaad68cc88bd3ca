/* SPDX-License-Identifier: MIT */

/* `plugin = auto`: which of the crypto plugins of a directory is taken, what is
 * said of the others, and that those are gone. Plugins are copies of real ones
 * and of fixtures; what each costs is the test's to say, but where measuring
 * itself is tested. */

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
#include "plugin/choice.h"
#include "support/fixture.h"
#include "support/process.h"
#include "support/scratch.h"

static char *place;
static char logged[8192];

static int make_place(void **state)
{
	(void)state;
	place = wt_scratch_new();
	return 0;
}

static int remove_place(void **state)
{
	(void)state;
	wt_scratch_free(place);
	return 0;
}

static struct wt_registry *new_registry(void)
{
	struct wt_registry *registry =
		wt_registry_new(&(struct wt_registry_options){ .plugin_dir = place });

	assert_non_null(registry);
	return registry;
}

/* ---- choosing by figures -------------------------------------------------- */

/* What a plugin is said to cost; a name that is not here cannot be measured. */
struct figures {
	const char *name;
	uint64_t small, large;
};

static enum wt_status look_up(void *arg, const struct wt_plugin *plugin, struct wt_measured *out,
			      struct wt_error *err)
{
	for (const struct figures *f = arg; f->name; f++) {
		if (strcmp(f->name, plugin->name) != 0)
			continue;
		*out = (struct wt_measured){ { f->small, f->large } };
		return WT_OK;
	}
	return wt_fail(err, WT_ERR_CRYPTO, "crypto plugin \"%s\": does not seal", plugin->name);
}

static void the_smallest_product_is_taken(void **state)
{
	static const struct {
		struct figures figures[3];
		const char *taken;
	} cases[] = {
		{ { { "aesgcm-openssl", 100, 1000 }, { "faulty-none", 200, 2000 } },
		  "aesgcm-openssl" },
		{ { { "aesgcm-openssl", 200, 2000 }, { "faulty-none", 100, 1000 } },
		  "faulty-none" },
		/* half the cost of a short record outweighs 1.9 of a long one */
		{ { { "aesgcm-openssl", 100, 1000 }, { "faulty-none", 50, 1900 } }, "faulty-none" },
		{ { { "aesgcm-openssl", 100, 1000 }, { "faulty-none", 50, 2100 } },
		  "aesgcm-openssl" },
		/* equal: the first by name */
		{ { { "aesgcm-openssl", 100, 1000 }, { "faulty-none", 100, 1000 } },
		  "aesgcm-openssl" },
		/* larger than 64 bits hold */
		{ { { "aesgcm-openssl", UINT64_MAX, UINT64_MAX },
		    { "faulty-none", UINT64_MAX, 1 } },
		  "faulty-none" },
	};

	(void)state;
	wt_fixture_install(WT_TEST_PLUGIN_DIR, "crypto-aesgcm-openssl.so", place, NULL);
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "crypto-faulty-none.so", place, NULL);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wt_registry *registry = new_registry();
		struct wt_error err = WT_ERROR_INIT;
		struct wt_choice *choice =
			wt_choice_new(registry, look_up, (void *)cases[i].figures, &err);

		assert_non_null(choice);
		assert_non_null(choice->plugin);
		assert_string_equal(choice->plugin->name, cases[i].taken);
		assert_int_equal(choice->count, 2);
		for (size_t k = 0; k < choice->count; k++)
			assert_int_equal(choice->items[k].fate,
					 strcmp(choice->items[k].name, cases[i].taken) == 0
						 ? WT_CANDIDATE_USED
						 : WT_CANDIDATE_SLOWER);
		/* The losers are gone, from the registry and from memory. */
		assert_int_equal(wt_registry_count(registry), 1);
		assert_ptr_equal(wt_registry_at(registry, 0), choice->plugin);
		char *maps = wt_process_maps();

		for (size_t k = 0; k < choice->count; k++) {
			char file[64];

			snprintf(file, sizeof file, "/crypto-%s.so", choice->items[k].name);
			assert_int_equal(strstr(maps, file) != NULL,
					 choice->items[k].fate == WT_CANDIDATE_USED);
		}
		free(maps);
		wt_choice_free(choice);
		wt_registry_free(registry);
	}
}

/* ---- those that are left out ---------------------------------------------- */

static void keep_lines(void *arg, const char *line)
{
	size_t len = strlen(logged);

	(void)arg;
	snprintf(logged + len, sizeof logged - len, "%s\n", line);
}

static void log_choice(const struct wt_choice *choice, enum wt_log_level level)
{
	logged[0] = '\0';
	wt_log_setup(level, WT_LOG_TEXT);
	wt_log_capture(keep_lines, NULL);
	wt_choice_log(choice);
	wt_log_capture(NULL, NULL);
	wt_log_setup(WT_LOG_INFO, WT_LOG_TEXT);
}

static const struct wt_candidate *candidate(const struct wt_choice *choice, const char *name)
{
	for (size_t i = 0; i < choice->count; i++)
		if (strcmp(choice->items[i].name, name) == 0)
			return &choice->items[i];
	fail_msg("%s is no candidate", name);
	return NULL;
}

static void assert_left_out(const struct wt_choice *choice, const char *name,
			    enum wt_candidate_fate fate, const char *part)
{
	const struct wt_candidate *left = candidate(choice, name);
	char head[64];

	assert_int_equal(left->fate, fate);
	snprintf(head, sizeof head, "crypto plugin \"%s\"", name);
	assert_ptr_equal(strstr(left->reason.text, head), left->reason.text);
	if (!strstr(left->reason.text, part))
		fail_msg("\"%s\" is not in: %s", part, left->reason.text);
}

static void each_that_is_left_out_has_its_reason(void **state)
{
	static const struct figures figures[] = { { "aesgcm-openssl", 100, 1000 },
						  { "faulty-none", 300, 3000 },
						  { NULL, 0, 0 } };
	struct wt_registry *registry = new_registry();
	struct wt_error err = WT_ERROR_INIT;

	(void)state;
	wt_fixture_install(WT_TEST_PLUGIN_DIR, "crypto-aesgcm-openssl.so", place, NULL);
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "crypto-faulty-none.so", place, NULL);
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "crypto-faulty-key-kept.so", place, NULL);
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "crypto-unavailable.so", place, NULL);
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "crypto-sigill.so", place, NULL);
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "crypto-toy.so", place, NULL);
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "crypto-no-seal.so", place, NULL);
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "crypto-not-aes.so", place, NULL);
	/* No candidates. */
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "auth-nobody.so", place, NULL);
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "crypto-toy.so", place, "crypto-Toy.so");
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "crypto-toy.so", place, "crypto-toy.so.old");

	struct wt_choice *choice = wt_choice_new(registry, look_up, (void *)figures, &err);

	assert_non_null(choice);
	assert_non_null(choice->plugin);
	assert_string_equal(choice->plugin->name, "aesgcm-openssl");
	assert_int_equal(choice->count, 8);
	assert_int_equal(candidate(choice, "faulty-none")->fate, WT_CANDIDATE_SLOWER);
	assert_left_out(choice, "unavailable", WT_CANDIDATE_UNSUITED, "no such?instruction");
	assert_left_out(choice, "sigill", WT_CANDIDATE_UNSUITED, "another CPU");
	assert_left_out(choice, "toy", WT_CANDIDATE_UNSUITED, "its algorithm is TOY");
	assert_left_out(choice, "no-seal", WT_CANDIDATE_BROKEN, "has no seal");
	assert_left_out(choice, "not-aes", WT_CANDIDATE_BROKEN, "wrong answer");
	assert_left_out(choice, "faulty-key-kept", WT_CANDIDATE_BROKEN, "");
	assert_int_equal(wt_registry_count(registry), 1);

	log_choice(choice, WT_LOG_INFO);
	assert_non_null(strstr(logged, "warning: crypto auto: left out: crypto plugin "
				       "\"no-seal\""));
	assert_non_null(strstr(logged, "warning: crypto auto: left out: crypto plugin "
				       "\"not-aes\""));
	assert_null(strstr(logged, "unavailable"));
	assert_non_null(strstr(logged, "\ninfo: crypto auto: aesgcm-openssl 100 and 1000 ns, "
				       "faulty-none 300 and 3000 ns per record of 1420 and 16384 "
				       "bytes: aesgcm-openssl is used\n"));
	log_choice(choice, WT_LOG_DEBUG);
	assert_non_null(strstr(logged, "debug: crypto auto: left out: crypto plugin "
				       "\"unavailable\""));
	assert_non_null(strstr(logged, "debug: crypto auto: left out: crypto plugin \"toy\""));
	wt_choice_free(choice);
	wt_registry_free(registry);
}

static void one_that_cannot_be_measured_is_broken(void **state)
{
	static const struct figures figures[] = { { "faulty-none", 300, 3000 }, { NULL, 0, 0 } };
	struct wt_registry *registry = new_registry();
	struct wt_error err = WT_ERROR_INIT;

	(void)state;
	wt_fixture_install(WT_TEST_PLUGIN_DIR, "crypto-aesgcm-openssl.so", place, NULL);
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "crypto-faulty-none.so", place, NULL);
	struct wt_choice *choice = wt_choice_new(registry, look_up, (void *)figures, &err);

	assert_non_null(choice);
	assert_string_equal(choice->plugin->name, "faulty-none");
	assert_left_out(choice, "aesgcm-openssl", WT_CANDIDATE_BROKEN, "does not seal");
	assert_int_equal(wt_registry_count(registry), 1);
	wt_choice_free(choice);
	wt_registry_free(registry);
}

static void none_left_is_an_error(void **state)
{
	struct wt_registry *registry = new_registry();
	struct wt_error err = WT_ERROR_INIT;

	(void)state;
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "crypto-unavailable.so", place, NULL);
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "crypto-no-seal.so", place, NULL);
	struct wt_choice *choice = wt_choice_new(registry, NULL, NULL, &err);

	assert_non_null(choice);
	assert_null(choice->plugin);
	assert_int_equal(choice->count, 2);
	assert_non_null(strstr(err.text, "none of the 2 crypto plugins in "));
	assert_non_null(strstr(err.text, place));
	assert_int_equal(wt_registry_count(registry), 0);
	log_choice(choice, WT_LOG_INFO);
	assert_null(strstr(logged, "is used"));
	wt_choice_free(choice);
	wt_registry_free(registry);
}

static void no_plugin_at_all_is_an_error(void **state)
{
	struct wt_registry *registry = new_registry();
	struct wt_error err = WT_ERROR_INIT;
	struct wt_choice *choice = wt_choice_new(registry, NULL, NULL, &err);

	(void)state;
	assert_non_null(choice);
	assert_null(choice->plugin);
	assert_int_equal(choice->count, 0);
	assert_non_null(strstr(err.text, "there is no crypto-NAME.so in "));
	assert_non_null(strstr(err.text, place));
	wt_choice_free(choice);
	wt_registry_free(registry);
}

static void a_missing_directory_is_an_error(void **state)
{
	struct wt_registry *registry =
		wt_registry_new(&(struct wt_registry_options){ .plugin_dir = "/nowhere/at/all" });
	struct wt_error err = WT_ERROR_INIT;

	(void)state;
	assert_non_null(registry);
	assert_null(wt_choice_new(registry, NULL, NULL, &err));
	assert_non_null(strstr(err.text, "/nowhere/at/all"));
	wt_registry_free(registry);
}

/* ---- measuring ------------------------------------------------------------ */

static void a_real_one_is_measured(void **state)
{
	struct wt_registry *registry = new_registry();
	struct wt_error err = WT_ERROR_INIT;
	size_t secrets = wt_secret_in_use();

	(void)state;
	wt_fixture_install(WT_TEST_PLUGIN_DIR, "crypto-aesgcm-openssl.so", place, NULL);
	struct wt_choice *choice = wt_choice_new(registry, NULL, NULL, &err);

	assert_non_null(choice);
	if (!choice->plugin)
		fail_msg("%s: %s", err.text, choice->items[0].reason.text);
	const struct wt_measured *measured = &choice->items[0].measured;

	/* No CPU does 1000 GB/s, and none in use takes 1 s. */
	for (size_t i = 0; i < WT_MEASURE_LENGTHS; i++)
		assert_in_range(measured->ns[i], wt_measure_lengths[i] / 1000, 1000000000);
	assert_true(measured->ns[WT_MEASURE_LARGE] > measured->ns[WT_MEASURE_SMALL]);
	assert_int_equal(wt_secret_in_use(), secrets);
	wt_choice_free(choice);
	wt_registry_free(registry);
}

/* A plugin of this program: seals as it is told, after a while. */
static struct {
	enum wt_status create, key_init, seal, open;
	bool forgets; /* what it sealed */
	size_t slowness;
	int instances, keys;
} toy;

static enum wt_status toy_create(const struct wt_host *host, const struct wt_config *cfg,
				 void **self, struct wt_error *err)
{
	(void)host;
	(void)cfg;
	(void)self;
	toy.instances += toy.create == WT_OK;
	return toy.create == WT_OK ? WT_OK : wt_fail(err, toy.create, "no instance");
}

static void toy_destroy(void *self)
{
	(void)self;
	toy.instances--;
}

static enum wt_status toy_key_init(void *self, struct wt_worker *worker, void *ctx,
				   const uint8_t *key)
{
	(void)self;
	(void)worker;
	(void)ctx;
	(void)key;
	toy.keys += toy.key_init == WT_OK;
	return toy.key_init;
}

static void toy_key_wipe(void *self, void *ctx)
{
	(void)self;
	(void)ctx;
	toy.keys--;
}

static enum wt_status toy_seal(void *self, struct wt_worker *worker, void *ctx,
			       const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
			       const uint8_t *in, size_t len, uint8_t *out)
{
	(void)self;
	(void)worker;
	(void)ctx;
	(void)nonce;
	(void)aad;
	(void)aad_len;
	assert_ptr_equal(in, out);
	for (volatile size_t i = 0; i < toy.slowness * len; i++)
		;
	memset(out + len, 0, WT_TAG_SIZE);
	return toy.seal;
}

static enum wt_status toy_open(void *self, struct wt_worker *worker, void *ctx,
			       const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
			       const uint8_t *in, size_t len, uint8_t *out)
{
	(void)self;
	(void)worker;
	(void)ctx;
	(void)nonce;
	(void)aad;
	(void)aad_len;
	assert_ptr_equal(in, out);
	if (toy.forgets)
		out[len - WT_TAG_SIZE - 1] ^= 1;
	return toy.open;
}

static const struct wt_plugin toy_plugin = {
	.kind = WT_KIND_CRYPTO,
	.name = "toy",
	.standard = true,
	.ops.crypto = { .struct_size = sizeof(struct wt_crypto_ops),
			.key_size = WT_KEY_SIZE,
			.nonce_size = WT_NONCE_SIZE,
			.tag_size = WT_TAG_SIZE,
			.ctx_size = 16,
			.ctx_align = 16,
			.create = toy_create,
			.destroy = toy_destroy,
			.key_init = toy_key_init,
			.key_wipe = toy_key_wipe,
			.seal = toy_seal,
			.open = toy_open },
};

static void the_slower_one_costs_more(void **state)
{
	struct wt_measured fast, slow;
	struct wt_error err = WT_ERROR_INIT;

	(void)state;
	toy.slowness = 1;
	assert_int_equal(wt_measure_crypto(&toy_plugin, &fast, &err), WT_OK);
	/* So much that no other work on the machine hides it. */
	toy.slowness = 64;
	assert_int_equal(wt_measure_crypto(&toy_plugin, &slow, &err), WT_OK);
	for (size_t i = 0; i < WT_MEASURE_LENGTHS; i++)
		assert_true(slow.ns[i] > 2 * fast.ns[i]);
	toy.slowness = 0;
}

static void a_failure_is_no_figure(void **state)
{
	struct {
		enum wt_status *at, status;
		const char *part;
	} cases[] = {
		{ &toy.create, WT_ERR_UNAVAILABLE, "no instance" },
		{ &toy.key_init, WT_ERR_CRYPTO, "a key could not be set up" },
		{ &toy.seal, WT_ERR_CRYPTO, "a record of 1420 bytes" },
		{ &toy.open, WT_ERR_AUTH, "a record of 1420 bytes" },
	};
	struct wt_measured measured;
	struct wt_error err = WT_ERROR_INIT;
	size_t secrets = wt_secret_in_use();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		*cases[i].at = cases[i].status;
		assert_int_equal(wt_measure_crypto(&toy_plugin, &measured, &err),
				 cases[i].at == &toy.create ? cases[i].status : WT_ERR_CRYPTO);
		*cases[i].at = WT_OK;
		assert_ptr_equal(strstr(err.text, "crypto plugin \"toy\": "), err.text);
		assert_non_null(strstr(err.text, cases[i].part));
		assert_int_equal(toy.instances, 0);
		assert_int_equal(toy.keys, 0);
	}
	toy.forgets = true;
	assert_int_equal(wt_measure_crypto(&toy_plugin, &measured, &err), WT_ERR_CRYPTO);
	toy.forgets = false;
	assert_int_equal(wt_measure_crypto(&toy_plugin, &measured, &err), WT_OK);
	assert_int_equal(wt_secret_in_use(), secrets);
}

#define CHOICE_TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHOICE_TEST(the_smallest_product_is_taken),
		CHOICE_TEST(each_that_is_left_out_has_its_reason),
		CHOICE_TEST(one_that_cannot_be_measured_is_broken),
		CHOICE_TEST(none_left_is_an_error),
		CHOICE_TEST(no_plugin_at_all_is_an_error),
		CHOICE_TEST(a_missing_directory_is_an_error),
		CHOICE_TEST(a_real_one_is_measured),
		cmocka_unit_test(the_slower_one_costs_more),
		cmocka_unit_test(a_failure_is_no_figure),
	};

	return cmocka_run_group_tests_name("choice", tests, NULL, NULL);
}
