/* SPDX-License-Identifier: MIT */

/* Instances and the wrappers around every slot, with plugins of
 * tests/fixtures/bad-plugins that are right. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/secret.h"
#include "config/values.h"
#include "plugin/call.h"
#include "support/fixture.h"
#include "support/scratch.h"

static char *place;
static struct wt_registry *registry;
static struct wt_counters *counters;

static int setup(void **state)
{
	(void)state;
	place = wt_scratch_new();
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "crypto-toy.so", place, NULL);
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "crypto-toy-batch.so", place, NULL);
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "transport-still.so", place, NULL);
	wt_fixture_install(WT_TEST_FIXTURE_DIR, "auth-nobody.so", place, NULL);

	const struct wt_registry_options options = { .plugin_dir = place };

	registry = wt_registry_new(&options);
	counters = wt_counters_new(1);
	return registry && counters ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	wt_registry_free(registry);
	wt_counters_free(counters);
	wt_scratch_free(place);
	return 0;
}

static const struct wt_plugin *load(enum wt_plugin_kind kind, const char *name,
				    struct wt_host_instance *host, struct wt_config **cfg)
{
	struct wt_error err = WT_ERROR_INIT;
	const struct wt_plugin *plugin = NULL;

	if (wt_registry_load(registry, kind, name, &plugin, &err) != WT_OK)
		fail_msg("%s", err.text);
	assert_int_equal(wt_host_base_init(host, kind, name, NULL, counters, &err), WT_OK);

	const struct wt_key_table keys = { plugin->config_keys, plugin->config_key_count,
					   plugin->config_key_stride };

	*cfg = wt_config_new(name, &keys, 1, 1u << WT_SCOPE_SECTION);
	assert_non_null(*cfg);
	return plugin;
}

static uint64_t counted(const char *name)
{
	for (uint32_t id = 1; id <= wt_counter_count(counters); id++)
		if (strcmp(wt_counter_name(counters, id), name) == 0)
			return wt_counter_read(counters, id);
	fail_msg("no counter %s", name);
	return 0;
}

static const uint8_t key[WT_KEY_SIZE] = "thirty-two bytes of key material";
static const uint8_t nonce[WT_NONCE_SIZE] = "twelve bytes";

/* ---- crypto -------------------------------------------------------------- */

static void records_make_the_round_trip(void **state)
{
	struct wt_error err = WT_ERROR_INIT;
	struct wt_host_instance host;
	struct wt_config *cfg;
	size_t secrets = wt_secret_in_use();
	const struct wt_plugin *plugin = load(WT_KIND_CRYPTO, "toy", &host, &cfg);
	struct wt_crypto *crypto = NULL;
	uint8_t text[64] = "text", back[64];
	void *ctx;

	(void)state;
	assert_int_equal(wt_crypto_new(plugin, &host, cfg, &crypto, &err), WT_OK);
	ctx = wt_crypto_key_new(crypto, NULL, key);
	assert_non_null(ctx);
	assert_true(wt_secret_in_use() > secrets);
	assert_int_equal(wt_crypto_seal(crypto, NULL, ctx, nonce, NULL, 0, text, 5, text), WT_OK);
	assert_int_equal(wt_crypto_open(crypto, NULL, ctx, nonce, NULL, 0, text, 21, back), WT_OK);
	assert_string_equal((const char *)back, "text");
	text[3] ^= 1;
	assert_int_equal(wt_crypto_open(crypto, NULL, ctx, nonce, NULL, 0, text, 21, back),
			 WT_ERR_AUTH);
	/* A forgery is no failure of the library. */
	assert_int_equal(counted("crypto-toy.open_failed"), 0);
	assert_int_equal(counted("crypto-toy.seal_failed"), 0);
	assert_int_equal(counted("crypto-toy.key_failed"), 0);
	wt_crypto_key_free(crypto, ctx);
	wt_crypto_key_free(crypto, NULL);
	wt_crypto_free(crypto);
	wt_crypto_free(NULL);
	wt_config_free(cfg);
	assert_int_equal(wt_secret_in_use(), secrets);
}

static void injected_failures_hit_the_nth_call_once(void **state)
{
	struct wt_error err = WT_ERROR_INIT;
	struct wt_crypto_faults faults = { .key_init = 2, .seal = 3, .open = 1 };
	struct wt_host_instance host;
	struct wt_config *cfg;
	size_t secrets = wt_secret_in_use();
	const struct wt_plugin *plugin = load(WT_KIND_CRYPTO, "toy", &host, &cfg);
	struct wt_crypto *crypto = NULL;
	uint8_t text[32] = "", out[32];
	void *ctx, *second;

	(void)state;
	assert_int_equal(wt_crypto_new(plugin, &host, cfg, &crypto, &err), WT_OK);
	crypto->faults = &faults;
	ctx = wt_crypto_key_new(crypto, NULL, key);
	assert_non_null(ctx);
	assert_null(wt_crypto_key_new(crypto, NULL, key));
	second = wt_crypto_key_new(crypto, NULL, key);
	assert_non_null(second);
	for (int call = 1; call <= 5; call++)
		assert_int_equal(wt_crypto_seal(crypto, NULL, ctx, nonce, NULL, 0, text, 8, out),
				 call == 3 ? WT_ERR_CRYPTO : WT_OK);
	memset(text, 0xee, sizeof text);
	assert_int_equal(wt_crypto_open(crypto, NULL, ctx, nonce, NULL, 0, out, 24, text),
			 WT_ERR_CRYPTO);
	assert_memory_equal(text, "\0\0\0\0\0\0\0\0\xee", 9);
	assert_int_equal(wt_crypto_open(crypto, NULL, ctx, nonce, NULL, 0, out, 24, text), WT_OK);
	assert_int_equal(counted("crypto-toy.key_failed"), 1);
	assert_int_equal(counted("crypto-toy.seal_failed"), 1);
	assert_int_equal(counted("crypto-toy.open_failed"), 1);
	wt_crypto_key_free(crypto, second);
	wt_crypto_key_free(crypto, ctx);
	wt_crypto_free(crypto);
	wt_config_free(cfg);
	assert_int_equal(wt_secret_in_use(), secrets);
}

/* The plugin's own batch forms, the host's, and the host's with a failure in
 * them give the same to the caller. */
static void batches_work_with_and_without_the_plugin(void **state)
{
	static const struct {
		const char *name;
		uint64_t fault;
	} cases[] = { { "toy", 0 }, { "toy-batch", 0 }, { "toy", 2 }, { "toy-batch", 2 } };

	(void)state;
	for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
		struct wt_error err = WT_ERROR_INIT;
		struct wt_crypto_faults faults = { .seal = cases[c].fault };
		struct wt_host_instance host;
		struct wt_config *cfg;
		const struct wt_plugin *plugin = load(WT_KIND_CRYPTO, cases[c].name, &host, &cfg);
		struct wt_crypto *crypto = NULL;
		struct wt_aead_item items[3];
		uint8_t text[3][32] = { "one", "two", "three" };
		void *ctx;

		assert_int_equal(plugin->ops.crypto.seal_batch != NULL,
				 strcmp(cases[c].name, "toy-batch") == 0);
		assert_int_equal(wt_crypto_new(plugin, &host, cfg, &crypto, &err), WT_OK);
		ctx = wt_crypto_key_new(crypto, NULL, key);
		crypto->faults = cases[c].fault ? &faults : NULL;
		for (int i = 0; i < 3; i++)
			items[i] = (struct wt_aead_item){
				.struct_size = sizeof items[i],
				.len = 6,
				.nonce = nonce,
				.in = text[i],
				.out = text[i],
				.status = WT_AGAIN,
			};
		wt_crypto_seal_batch(crypto, NULL, ctx, items, 3);
		for (uint64_t i = 0; i < 3; i++)
			assert_int_equal(items[i].status,
					 cases[c].fault == i + 1 ? WT_ERR_CRYPTO : WT_OK);
		for (int i = 0; i < 3; i++)
			items[i].len = 6 + WT_TAG_SIZE;
		text[2][0] ^= 1;
		wt_crypto_open_batch(crypto, NULL, ctx, items, 3);
		assert_int_equal(items[0].status, WT_OK);
		assert_string_equal((const char *)text[0], "one");
		assert_int_equal(items[2].status, WT_ERR_AUTH);
		assert_memory_equal(text[2], "\0\0\0\0\0\0", 6);
		wt_crypto_key_free(crypto, ctx);
		wt_crypto_free(crypto);
		wt_config_free(cfg);
	}
	assert_int_equal(counted("crypto-toy.seal_failed"), 1);
	assert_int_equal(counted("crypto-toy-batch.seal_failed"), 1);
	assert_int_equal(counted("crypto-toy-batch.open_failed"), 0);
}

static void says_nothing(void *self, struct wt_worker *worker, void *ctx,
			 struct wt_aead_item *items, size_t n)
{
	(void)self, (void)worker, (void)ctx, (void)items, (void)n;
}

static void an_item_that_is_not_spoken_of_has_failed(void **state)
{
	struct wt_error err = WT_ERROR_INIT;
	struct wt_host_instance host;
	struct wt_config *cfg;
	const struct wt_plugin *plugin = load(WT_KIND_CRYPTO, "toy-batch", &host, &cfg);
	struct wt_crypto_ops ops = plugin->ops.crypto;
	struct wt_aead_item items[2] = { { .struct_size = sizeof items[0] },
					 { .struct_size = sizeof items[1] } };
	struct wt_crypto *crypto = NULL;

	(void)state;
	ops.seal_batch = ops.open_batch = says_nothing;
	assert_int_equal(wt_crypto_new(plugin, &host, cfg, &crypto, &err), WT_OK);
	crypto->ops = &ops;
	wt_crypto_seal_batch(crypto, NULL, NULL, items, 2);
	assert_int_equal(items[0].status, WT_ERR_CRYPTO);
	assert_int_equal(items[1].status, WT_ERR_CRYPTO);
	items[0].status = items[1].status = WT_OK;
	wt_crypto_open_batch(crypto, NULL, NULL, items, 2);
	assert_int_equal(items[0].status, WT_ERR_CRYPTO);
	assert_int_equal(items[1].status, WT_ERR_CRYPTO);
	wt_crypto_free(crypto);
	wt_config_free(cfg);
}

static const struct wt_crypto_ops *wiping_ops;
static unsigned wipes;

static void counting_wipe(void *self, void *ctx)
{
	wipes++;
	wiping_ops->key_wipe(self, ctx);
}

/* A context may hold memory of a library, which only the plugin can wipe. */
static void the_plugin_wipes_its_keys(void **state)
{
	struct wt_error err = WT_ERROR_INIT;
	struct wt_host_instance host;
	struct wt_config *cfg;
	const struct wt_plugin *plugin = load(WT_KIND_CRYPTO, "toy", &host, &cfg);
	struct wt_crypto_faults faults = { .key_init = 2 };
	struct wt_crypto_ops ops = plugin->ops.crypto;
	struct wt_crypto *crypto = NULL;
	void *ctx;

	(void)state;
	wiping_ops = &plugin->ops.crypto;
	ops.key_wipe = counting_wipe;
	assert_int_equal(wt_crypto_new(plugin, &host, cfg, &crypto, &err), WT_OK);
	crypto->ops = &ops;
	crypto->faults = &faults;
	ctx = wt_crypto_key_new(crypto, NULL, key);
	assert_non_null(ctx);
	assert_null(wt_crypto_key_new(crypto, NULL, key));
	assert_int_equal(wipes, 0);
	wt_crypto_key_free(crypto, ctx);
	assert_int_equal(wipes, 1);
	wt_crypto_free(crypto);
	wt_config_free(cfg);
}

static void a_create_that_fails_names_the_plugin(void **state)
{
	struct wt_error err = WT_ERROR_INIT;
	struct wt_host_instance host;
	struct wt_config *cfg;
	const struct wt_plugin *plugin = load(WT_KIND_CRYPTO, "toy", &host, &cfg);
	struct wt_crypto *crypto = NULL;

	(void)state;
	assert_int_equal(wt_config_set(cfg, "rounds", "4", ".", &err), WT_OK);
	assert_int_equal(wt_crypto_new(plugin, &host, cfg, &crypto, &err), WT_ERR_CONFIG);
	assert_null(crypto);
	assert_string_equal(err.text, "crypto plugin \"toy\": unusable settings");
	wt_config_free(cfg);
}

/* In its own words, and nothing of it stays behind. */
static void a_plugin_that_cannot_be_made_says_why(void **state)
{
	/* One of kind crypto is refused when it is loaded: its self-test makes one. */
	static const enum wt_plugin_kind kinds[] = { WT_KIND_TRANSPORT, WT_KIND_AUTH };

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		size_t secrets = wt_secret_in_use();
		struct wt_error err = WT_ERROR_INIT;
		struct wt_host_instance host;
		struct wt_instance *instance = NULL;
		struct wt_config *cfg;
		char file[64], words[128];

		snprintf(file, sizeof file, "%s-create-fails.so", wt_kind_text(kinds[i]));
		wt_fixture_install(WT_TEST_FIXTURE_DIR, file, place, NULL);

		const struct wt_plugin *plugin = load(kinds[i], "create-fails", &host, &cfg);

		assert_int_equal(wt_instance_new(plugin, &host, cfg, &instance, &err),
				 WT_ERR_UNAVAILABLE);
		assert_null(instance);
		snprintf(words, sizeof words, "%s plugin \"create-fails\": the card is not there",
			 wt_kind_text(kinds[i]));
		assert_int_equal(strncmp(err.text, words, strlen(words)), 0);
		wt_config_free(cfg);
		assert_int_equal(wt_secret_in_use(), secrets);
	}
}

/* ---- transport and auth -------------------------------------------------- */

static void transports_are_called_through_wrappers(void **state)
{
	struct wt_error err = WT_ERROR_INIT;
	struct wt_host_instance host;
	struct wt_config *cfg;
	const struct wt_plugin *plugin = load(WT_KIND_TRANSPORT, "still", &host, &cfg);
	struct wt_instance *still = NULL;
	struct sockaddr_storage address;
	struct wt_source source;
	struct wt_record record;
	size_t n = 7;
	void *tconn = NULL;

	(void)state;
	assert_int_equal(wt_instance_new(plugin, &host, cfg, &still, &err), WT_OK);
	assert_int_equal(wt_transport_ops(still)->headroom, 4);
	assert_int_equal(wt_transport_listen(still, NULL, &err), WT_OK);
	assert_int_equal(wt_transport_dial(still, NULL, NULL, 0, cfg, NULL, &tconn, &err),
			 WT_ERR_UNSUPPORTED);
	assert_string_equal(err.text, "this transport goes nowhere");
	assert_int_equal(wt_transport_send(still, NULL, tconn, &record, 1, &n), WT_ERR_CLOSED);
	assert_int_equal(n, 0);
	assert_int_equal(wt_transport_recv(still, NULL, tconn, &record, 1, &n), WT_ERR_CLOSED);
	wt_transport_set_max_record(still, NULL, tconn, 1000);
	assert_int_equal(wt_transport_max_record(still, NULL, tconn, NULL), WT_RECORD_MAX);
	wt_transport_source(still, NULL, tconn, NULL, &source);
	assert_int_equal(source.struct_size, sizeof source);
	assert_int_equal(wt_transport_local_address(still, NULL, tconn, NULL, &address),
			 WT_ERR_UNSUPPORTED);
	assert_int_equal(wt_transport_answer(still, NULL, tconn, NULL, NULL, 0),
			 WT_ERR_UNSUPPORTED);
	wt_transport_close(still, NULL, tconn, true);
	wt_instance_free(still);
	wt_instance_free(NULL);
	wt_config_free(cfg);
}

static void exaggerate(void *self, struct wt_worker *worker, void *conn, const struct wt_path *path,
		       struct wt_source *out)
{
	(void)self, (void)worker, (void)conn, (void)path;
	assert_int_equal(out->struct_size, sizeof *out);
	assert_int_equal(out->text[0], 0);
	out->token_len = 33;
	out->prefix_len = UINT16_MAX;
	memset(out->text, 'x', sizeof out->text);
}

static enum wt_status leave_got(void *self, struct wt_worker *worker, void *conn,
				struct wt_record *records, size_t n, size_t *got)
{
	(void)self, (void)worker, (void)conn, (void)records, (void)n, (void)got;
	return WT_ERR_IO;
}

static enum wt_status leave_taken(void *self, struct wt_worker *worker, void *conn,
				  const struct wt_record *records, size_t n, size_t *taken)
{
	(void)self, (void)worker, (void)conn, (void)records, (void)n, (void)taken;
	return WT_ERR_IO;
}

static void what_a_transport_says_is_bounded(void **state)
{
	const struct wt_plugin plugin = {
		.ops.transport = { .source = exaggerate, .recv = leave_got, .send = leave_taken },
	};
	const struct wt_instance instance = { .plugin = &plugin };
	struct wt_source source;
	struct wt_record record;
	size_t n = 7;

	(void)state;
	memset(&source, 0xa5, sizeof source);
	wt_transport_source(&instance, NULL, NULL, NULL, &source);
	assert_int_equal(source.token_len, sizeof source.token);
	assert_int_equal(source.prefix_len, sizeof source.prefix);
	assert_int_equal(strnlen(source.text, sizeof source.text), sizeof source.text - 1);
	assert_int_equal(wt_transport_recv(&instance, NULL, NULL, &record, 1, &n), WT_ERR_IO);
	assert_int_equal(n, 0);
	n = 7;
	assert_int_equal(wt_transport_send(&instance, NULL, NULL, &record, 1, &n), WT_ERR_IO);
	assert_int_equal(n, 0);
}

static void handshakes_are_called_through_wrappers(void **state)
{
	struct wt_error err = WT_ERROR_INIT;
	struct wt_host_instance host;
	struct wt_config *cfg;
	const struct wt_plugin *plugin = load(WT_KIND_AUTH, "nobody", &host, &cfg);
	const struct wt_auth_start start = { .struct_size = sizeof start };
	const struct wt_auth_in in = { .struct_size = sizeof in };
	uint8_t reply[WT_AUTH_MESSAGE_MAX];
	struct wt_auth_out out = { .struct_size = sizeof out,
				   .reply = reply,
				   .reply_capacity = sizeof reply };
	struct wt_instance *nobody = NULL;
	uint8_t peer[64], key32[WT_KEY_SIZE] = { 1 };

	(void)state;
	assert_int_equal(wt_instance_new(plugin, &host, cfg, &nobody, &err), WT_OK);
	assert_int_equal(wt_auth_ops(nobody)->method, WT_METHOD_PRIVATE);
	assert_int_equal(wt_auth_peer_add(nobody, cfg, 1, WT_PEER_DIALS, peer, &err), WT_OK);
	assert_int_equal(wt_auth_begin(nobody, NULL, peer, &start, &out), WT_AUTH_IGNORE);
	assert_int_equal(out.reason, WT_REASON_INTERNAL);
	assert_int_equal(wt_auth_accept(nobody, NULL, &in, &out), WT_AUTH_IGNORE);
	assert_int_equal(out.reason, WT_REASON_UNKNOWN_PEER);
	assert_int_equal(wt_auth_receive(nobody, NULL, peer, &in, &out), WT_AUTH_IGNORE);
	assert_int_equal(out.reason, WT_REASON_STEP);
	wt_auth_abandon(nobody, NULL, peer, 1);
	wt_auth_peer_remove(nobody, peer);
	assert_int_equal(wt_auth_keygen(plugin, &host.host, key32, &err), WT_ERR_UNSUPPORTED);
	assert_int_equal(wt_auth_pubkey(plugin, &host.host, key32, key32, &err),
			 WT_ERR_UNSUPPORTED);
	wt_instance_free(nobody);
	wt_config_free(cfg);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(records_make_the_round_trip),
		CASE(injected_failures_hit_the_nth_call_once),
		CASE(batches_work_with_and_without_the_plugin),
		CASE(an_item_that_is_not_spoken_of_has_failed),
		CASE(the_plugin_wipes_its_keys),
		CASE(a_create_that_fails_names_the_plugin),
		CASE(a_plugin_that_cannot_be_made_says_why),
		CASE(transports_are_called_through_wrappers),
		CASE(what_a_transport_says_is_bounded),
		CASE(handshakes_are_called_through_wrappers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
