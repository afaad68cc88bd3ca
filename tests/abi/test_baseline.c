/* SPDX-License-Identifier: MIT
 *
 * Plugins that were built with the headers of another ABI than the host's, in whole
 * engines of this host: test_baseline PLUGIN_DIR MAJOR.MINOR.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "plugin/call.h"
#include "support/fixture.h"
#include "support/scratch.h"
#include "support/world.h"

#define METHOD (WT_METHOD_PRIVATE + 77u) /* of plugins/auth.c */

static const char *built_in, *version;
static char *place;
static struct wt_registry *registry;
static const struct wt_plugin *auth;

static const struct wt_plugin *load(enum wt_plugin_kind kind, const char *name)
{
	const struct wt_plugin *plugin = NULL;
	struct wt_error err = WT_ERROR_INIT;
	char file[64], abi[16];

	snprintf(file, sizeof file, "%s-%s.so", wt_kind_text(kind), name);
	wt_fixture_install(built_in, file, place, NULL);
	if (wt_registry_load(registry, kind, name, &plugin, &err) != WT_OK)
		fail_msg("%s", err.text);
	snprintf(abi, sizeof abi, "%u.%u", plugin->descriptor->abi_major,
		 plugin->descriptor->abi_minor);
	assert_string_equal(abi, version);
	wt_end_plugin(plugin);
	return plugin;
}

static int load_all(void **state)
{
	(void)state;
	place = wt_scratch_new();
	registry = wt_registry_new(&(struct wt_registry_options){ .plugin_dir = place });
	assert_non_null(registry);
	load(WT_KIND_CRYPTO, "elder");
	load(WT_KIND_TRANSPORT, "elder-stream");
	load(WT_KIND_TRANSPORT, "elder-datagram");
	auth = load(WT_KIND_AUTH, "elder");
	return 0;
}

static int unload_all(void **state)
{
	(void)state;
	wt_registry_free(registry);
	wt_scratch_free(place);
	return 0;
}

/* What is written once, for a table of today's size, is read from one of theirs. */
static void tables_are_read_as_far_as_they_go(void **state)
{
	const struct wt_plugin *crypto, *stream;
	struct wt_error err = WT_ERROR_INIT;

	(void)state;
	assert_int_equal(wt_registry_load(registry, WT_KIND_CRYPTO, "elder", &crypto, &err), WT_OK);
	assert_int_equal(
		wt_registry_load(registry, WT_KIND_TRANSPORT, "elder-stream", &stream, &err),
		WT_OK);
	assert_int_equal(crypto->descriptor->vector_count, 2);
	assert_int_equal(crypto->config_key_count, 2);
	assert_string_equal(crypto->algorithm, "toy@example.org");
	assert_non_null(crypto->ops.crypto.open_batch);
	assert_int_equal(stream->ops.transport.mode, WT_CHANNEL_STREAM);
	/* Left out by them, so the host's. */
	assert_non_null(stream->ops.transport.local_address);
	assert_non_null(auth->ops.auth.keygen);
	assert_string_equal(auth->ops.auth.silence_hint, "the same psk_file on both ends");
	assert_int_equal(auth->ops.auth.method, METHOD);
}

static void carries(struct wt_world *w)
{
	static const size_t lengths[] = { 20, 100, 1000, 1280 };

	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", lengths[i]);
		wt_world_carries(w, &w->server, &w->bob, "10.8.0.1", "10.8.0.3", lengths[i]);
		wt_world_carries(w, &w->bob, &w->server, "10.8.0.3", "10.8.0.1", lengths[i]);
	}
}

/* Several at once: over datagrams they leave as a run. */
static void carries_many(struct wt_world *w)
{
	uint8_t packet[1000], got[1500];
	size_t came = 0;

	for (uint8_t i = 0; i < 20; i++) {
		wt_packet_make(packet, sizeof packet, "10.8.0.2", "10.8.0.1", i);
		wt_end_inject(&w->alice, packet, sizeof packet);
	}
	while (came < 20 && wt_ends_take(w->ends, 3, &w->server, got, sizeof got) > 0)
		came++;
	assert_int_equal(came, 20);
}

static void up(struct wt_world *w, const char *transport)
{
	w->transport = transport;
	w->auth = "elder";
	w->crypto = "elder\nallow_insecure = yes\nelder_rounds = 5";
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_bob(w);
	wt_world_until(w, wt_world_all_up);
	wt_world_settle(w);
	assert_true(wt_world_logged(w, "5 rounds"));
}

/* Longer than a key lives, so there are handshakes beside the traffic. */
static void works(struct wt_world *w, const char *transport)
{
	up(w, transport);
	carries(w);
	carries_many(w);
	wt_world_pass(w, 130000);
	carries(w);
	/* One end starts anew. */
	wt_engine_stop(w->alice.engine);
	wt_end_close(&w->alice);
	wt_world_settle(w);
	wt_world_alice(w);
	wt_world_until(w, wt_world_all_up);
	wt_world_settle(w);
	carries(w);
}

static void a_stream_carries_traffic(void **state)
{
	works(*state, "elder-stream");
}

static void datagrams_carry_traffic(void **state)
{
	works(*state, "elder-datagram");
}

static void another_key_is_not_believed(void **state)
{
	struct wt_world *w = *state;

	w->transport = "elder-stream";
	w->auth = "elder";
	w->crypto = "elder\nallow_insecure = yes";
	wt_world_server(w, "");
	wt_world_client(w, &w->alice, &(struct wt_client){ .host = 2, .key = "stranger" });
	wt_world_pass(w, 5000);
	assert_false(wt_peer_is_up(wt_world_peer(&w->alice, 0)));
	assert_false(wt_peer_is_up(wt_world_peer(&w->server, 0)));
}

/* Whoever sees the wire sees a method of private use in byte 2. */
static void a_method_of_private_use_is_carried(void **state)
{
	struct wt_world *w = *state;

	up(w, "elder-stream");
	assert_ptr_equal(wt_node_auth(w->server.node, METHOD)->plugin, auth);
	assert_null(wt_node_auth(w->server.node, METHOD - 1));
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, wt_world_setup, wt_world_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_are_read_as_far_as_they_go),
		IN_WORLD(a_stream_carries_traffic),
		IN_WORLD(datagrams_carry_traffic),
		IN_WORLD(another_key_is_not_believed),
		IN_WORLD(a_method_of_private_use_is_carried),
	};

	if (argc != 3) {
		fputs("test_baseline PLUGIN_DIR MAJOR.MINOR\n", stderr);
		return 2;
	}
	built_in = argv[1];
	version = argv[2];
	return cmocka_run_group_tests(tests, load_all, unload_all);
}
