/* SPDX-License-Identifier: MIT */

/* Each call of a plugin says where the thread is while it lasts, and after it
 * what was said before: also when one plugin calls another through the host. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "plugin/call.h"
#include "plugin/descriptor.h"

static struct wt_plugin crypto_plugin, transport_plugin, auth_plugin;
static struct wt_instance crypto_instance, transport, auth;
static struct wt_crypto crypto;
static const char outside; /* stands for a stage of the core */
static const struct wt_plugin *now_freed;
static char seen[256]; /* the names, one behind the other */

/* Called in each operation. */
static void note(const struct wt_plugin *plugin)
{
	const char *name = wt_ops_name(plugin, atomic_load(&wt_calling));

	snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s ", name ? name : "?");
}

/* ---- plugins ------------------------------------------------------------------- */

static enum wt_status create(const struct wt_host *host, const struct wt_config *cfg, void **self,
			     struct wt_error *err)
{
	(void)cfg, (void)self, (void)err;
	note(((const struct wt_host_instance *)host->self)->plugin);
	return WT_OK;
}

static void destroy(void *self)
{
	(void)self;
	note(now_freed);
}

static enum wt_status key_init(void *self, struct wt_worker *worker, void *ctx, const uint8_t *key)
{
	(void)self, (void)worker, (void)ctx, (void)key;
	note(&crypto_plugin);
	return WT_OK;
}

static void key_wipe(void *self, void *ctx)
{
	(void)self, (void)ctx;
	note(&crypto_plugin);
}

static enum wt_status cipher(void *self, struct wt_worker *worker, void *ctx, const uint8_t *nonce,
			     const uint8_t *aad, size_t aad_len, const uint8_t *in, size_t len,
			     uint8_t *out)
{
	(void)self, (void)worker, (void)ctx, (void)nonce, (void)aad, (void)aad_len, (void)in;
	(void)len, (void)out;
	note(&crypto_plugin);
	return WT_OK;
}

static void batch(void *self, struct wt_worker *worker, void *ctx, struct wt_aead_item *items,
		  size_t n)
{
	(void)self, (void)worker, (void)ctx, (void)n;
	items->status = WT_OK;
	note(&crypto_plugin);
}

static enum wt_status listen_on(void *self, struct wt_worker *worker, struct wt_error *err)
{
	(void)self, (void)worker, (void)err;
	note(&transport_plugin);
	return WT_OK;
}

static enum wt_status dial(void *self, struct wt_worker *worker, const struct sockaddr *remote,
			   socklen_t remote_len, const struct wt_config *cfg, struct wt_link *conn,
			   void **tconn, struct wt_error *err)
{
	(void)self, (void)worker, (void)remote, (void)remote_len, (void)cfg, (void)conn;
	(void)tconn, (void)err;
	note(&transport_plugin);
	return WT_OK;
}

static void close_connection(void *self, struct wt_worker *worker, void *tconn, uint32_t flags)
{
	(void)self, (void)worker, (void)tconn, (void)flags;
	note(&transport_plugin);
}

static enum wt_status send_records(void *self, struct wt_worker *worker, void *tconn,
				   const struct wt_record *records, size_t n, size_t *taken)
{
	(void)self, (void)worker, (void)tconn, (void)records, (void)n, (void)taken;
	note(&transport_plugin);
	return WT_OK;
}

static enum wt_status recv_records(void *self, struct wt_worker *worker, void *tconn,
				   struct wt_record *records, size_t n, size_t *got)
{
	(void)self, (void)worker, (void)tconn, (void)records, (void)n, (void)got;
	note(&transport_plugin);
	return WT_OK;
}

static void set_max_record(void *self, struct wt_worker *worker, void *tconn, uint32_t max)
{
	(void)self, (void)worker, (void)tconn, (void)max;
	note(&transport_plugin);
}

static uint32_t max_record(void *self, struct wt_worker *worker, void *tconn,
			   const struct wt_path *path)
{
	(void)self, (void)worker, (void)tconn, (void)path;
	note(&transport_plugin);
	return 0;
}

static void source(void *self, struct wt_worker *worker, void *tconn, const struct wt_path *path,
		   struct wt_source *out)
{
	(void)self, (void)worker, (void)tconn, (void)path, (void)out;
	note(&transport_plugin);
}

static enum wt_status local_address(void *self, struct wt_worker *worker, void *tconn,
				    const struct wt_path *path, struct sockaddr_storage *out)
{
	(void)self, (void)worker, (void)tconn, (void)path, (void)out;
	note(&transport_plugin);
	return WT_OK;
}

static enum wt_status answer(void *self, struct wt_worker *worker, void *tconn,
			     const struct wt_path *path, const uint8_t *message, size_t len)
{
	(void)self, (void)worker, (void)tconn, (void)path, (void)message, (void)len;
	note(&transport_plugin);
	return WT_OK;
}

static enum wt_status peer_add(void *self, const struct wt_config *cfg, uint32_t peer_id,
			       uint32_t roles, void *peer, struct wt_error *err)
{
	(void)self, (void)cfg, (void)peer_id, (void)roles, (void)peer, (void)err;
	note(&auth_plugin);
	return WT_OK;
}

static void peer_remove(void *self, void *peer)
{
	(void)self, (void)peer;
	note(&auth_plugin);
}

static enum wt_auth_verdict start(void *self, struct wt_worker *worker, void *peer,
				  const struct wt_auth_start *begin, struct wt_auth_out *out)
{
	(void)self, (void)worker, (void)peer, (void)begin, (void)out;
	note(&auth_plugin);
	return WT_AUTH_IGNORE;
}

/* Has something sealed, as handshakes do. */
static enum wt_auth_verdict accept_message(void *self, struct wt_worker *worker,
					   const struct wt_auth_in *in, struct wt_auth_out *out)
{
	(void)self, (void)in, (void)out;
	note(&auth_plugin);
	assert_int_equal(wt_crypto_seal(&crypto, worker, NULL, NULL, NULL, 0, NULL, 0, NULL),
			 WT_OK);
	note(&auth_plugin);
	return WT_AUTH_IGNORE;
}

static enum wt_auth_verdict receive(void *self, struct wt_worker *worker, void *handshake,
				    const struct wt_auth_in *in, struct wt_auth_out *out)
{
	(void)self, (void)worker, (void)handshake, (void)in, (void)out;
	note(&auth_plugin);
	return WT_AUTH_IGNORE;
}

static void abandon(void *self, struct wt_worker *worker, void *handshake, uint32_t local_index)
{
	(void)self, (void)worker, (void)handshake, (void)local_index;
	note(&auth_plugin);
}

static int setup(void **state)
{
	(void)state;
	crypto_plugin = (struct wt_plugin){
		.kind = WT_KIND_CRYPTO,
		.ops.crypto = { .create = create,
				.destroy = destroy,
				.ctx_size = 8,
				.ctx_align = 8,
				.key_init = key_init,
				.key_wipe = key_wipe,
				.seal = cipher,
				.open = cipher,
				.seal_batch = batch,
				.open_batch = batch },
	};
	transport_plugin = (struct wt_plugin){
		.kind = WT_KIND_TRANSPORT,
		.ops.transport = { .create = create,
				   .destroy = destroy,
				   .listen = listen_on,
				   .dial = dial,
				   .close = close_connection,
				   .send = send_records,
				   .recv = recv_records,
				   .set_max_record = set_max_record,
				   .max_record = max_record,
				   .source = source,
				   .local_address = local_address,
				   .answer = answer },
	};
	auth_plugin = (struct wt_plugin){
		.kind = WT_KIND_AUTH,
		.ops.auth = { .create = create,
			      .destroy = destroy,
			      .peer_add = peer_add,
			      .peer_remove = peer_remove,
			      .start = start,
			      .accept = accept_message,
			      .receive = receive,
			      .abandon = abandon },
	};
	crypto_instance.plugin = &crypto_plugin;
	crypto = (struct wt_crypto){ .instance = &crypto_instance,
				     .ops = &crypto_plugin.ops.crypto };
	transport.plugin = &transport_plugin;
	auth.plugin = &auth_plugin;
	seen[0] = '\0';
	wt_calling_leave(&outside);
	return 0;
}

/* These were named, in this order, and nothing of them is left. */
static void assert_seen(const char *names)
{
	assert_string_equal(seen, names);
	assert_ptr_equal(atomic_load(&wt_calling), &outside);
}

/* ---- tests --------------------------------------------------------------------- */

static void making_and_freeing_is_named(void **state)
{
	static const struct wt_plugin *const plugins[] = { &crypto_plugin, &transport_plugin,
							   &auth_plugin };
	struct wt_error err = { .struct_size = sizeof err };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct wt_host_instance host = { .host.self = &host };
		struct wt_instance *instance;

		now_freed = plugins[i];
		assert_int_equal(wt_instance_new(plugins[i], &host, NULL, &instance, &err), WT_OK);
		wt_instance_free(instance);
	}
	assert_seen("create destroy create destroy create destroy ");
}

static void a_known_plugin_is_named_with_what_it_does(void **state)
{
	char name[WT_CALLING_NAME];

	(void)state;
	memcpy(auth_plugin.name, "mine", sizeof "mine");
	wt_calling_know(&auth_plugin);
	wt_calling_know(&auth_plugin);
	assert_true(wt_calling_name(&auth_plugin.ops.auth.accept, name));
	assert_string_equal(name, "accept() of auth plugin \"mine\"");
	assert_true(wt_calling_name(&auth_plugin.callbacks.timer, name));
	assert_string_equal(name, "a timer of auth plugin \"mine\"");
	assert_true(wt_calling_name(&auth_plugin.callbacks.watch, name));
	assert_string_equal(name, "a watch of auth plugin \"mine\"");
	assert_true(wt_calling_name(&auth_plugin.callbacks.resolve, name));
	assert_string_equal(name, "the answer to a resolve() of auth plugin \"mine\"");
	assert_false(wt_calling_name(&outside, name));
	assert_string_equal(name, "");
	wt_calling_forget(&auth_plugin);
	assert_false(wt_calling_name(&auth_plugin.ops.auth.accept, name));
	assert_false(wt_calling_name(NULL, name));
}

static void each_operation_of_crypto_is_named(void **state)
{
	struct wt_aead_item item = { .status = WT_OK };
	void *ctx = wt_crypto_key_new(&crypto, NULL, NULL);

	(void)state;
	assert_non_null(ctx);
	assert_int_equal(wt_crypto_seal(&crypto, NULL, ctx, NULL, NULL, 0, NULL, 0, NULL), WT_OK);
	assert_int_equal(wt_crypto_open(&crypto, NULL, ctx, NULL, NULL, 0, NULL, 0, NULL), WT_OK);
	wt_crypto_seal_batch(&crypto, NULL, ctx, &item, 1);
	wt_crypto_open_batch(&crypto, NULL, ctx, &item, 1);
	wt_crypto_key_free(&crypto, ctx);
	assert_seen("key_init seal open seal_batch open_batch key_wipe ");
}

static void each_operation_of_a_transport_is_named(void **state)
{
	struct wt_source who;
	size_t n = 0;

	(void)state;
	assert_int_equal(wt_transport_listen(&transport, NULL, NULL), WT_OK);
	assert_int_equal(wt_transport_dial(&transport, NULL, NULL, 0, NULL, NULL, NULL, NULL),
			 WT_OK);
	assert_int_equal(wt_transport_send(&transport, NULL, NULL, NULL, 0, &n), WT_OK);
	assert_int_equal(wt_transport_recv(&transport, NULL, NULL, NULL, 0, &n), WT_AGAIN);
	wt_transport_set_max_record(&transport, NULL, NULL, 1);
	assert_int_equal(wt_transport_max_record(&transport, NULL, NULL, NULL), 0);
	wt_transport_source(&transport, NULL, NULL, NULL, &who);
	assert_int_equal(wt_transport_local_address(&transport, NULL, NULL, NULL, NULL), WT_OK);
	assert_int_equal(wt_transport_answer(&transport, NULL, NULL, NULL, NULL, 0), WT_OK);
	wt_transport_close(&transport, NULL, NULL, false);
	assert_seen("listen dial send recv set_max_record max_record source local_address "
		    "answer close ");
}

static void each_operation_of_auth_is_named_and_what_it_calls(void **state)
{
	(void)state;
	assert_int_equal(wt_auth_peer_add(&auth, NULL, 0, 0, NULL, NULL), WT_OK);
	assert_int_equal(wt_auth_begin(&auth, NULL, NULL, NULL, NULL), WT_AUTH_IGNORE);
	assert_int_equal(wt_auth_accept(&auth, NULL, NULL, NULL), WT_AUTH_IGNORE);
	assert_int_equal(wt_auth_receive(&auth, NULL, NULL, NULL, NULL), WT_AUTH_IGNORE);
	wt_auth_abandon(&auth, NULL, NULL, 0);
	wt_auth_peer_remove(&auth, NULL);
	assert_seen("peer_add start accept seal accept receive abandon peer_remove ");
}

static void an_address_elsewhere_names_nothing(void **state)
{
	(void)state;
	assert_null(wt_ops_name(&crypto_plugin, NULL));
	assert_null(wt_ops_name(&crypto_plugin, &outside));
	assert_null(wt_ops_name(&crypto_plugin, &auth_plugin.ops.auth.accept));
	assert_null(wt_ops_name(&crypto_plugin, &crypto_plugin.ops));
	assert_null(wt_ops_name(&crypto_plugin, &crypto_plugin.ops + 1));
	assert_string_equal(wt_ops_name(&crypto_plugin, &crypto_plugin.ops.crypto.seal), "seal");
}

/* Of auth what commands use, and the hint, come last. */
static void no_operation_is_without_a_name(void **state)
{
	static const struct {
		const struct wt_plugin *plugin;
		size_t begin, end;
	} cases[] = {
		{ &crypto_plugin, offsetof(struct wt_crypto_ops, available),
		  sizeof(struct wt_crypto_ops) },
		{ &transport_plugin, offsetof(struct wt_transport_ops, create),
		  sizeof(struct wt_transport_ops) },
		{ &auth_plugin, offsetof(struct wt_auth_ops, create),
		  offsetof(struct wt_auth_ops, keygen) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		for (size_t at = cases[i].begin; at < cases[i].end; at += sizeof(void *))
			if (!wt_ops_name(cases[i].plugin,
					 (const uint8_t *)&cases[i].plugin->ops + at))
				fail_msg("the slot at %zu of case %zu has no name", at, i);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(making_and_freeing_is_named),
		TEST(a_known_plugin_is_named_with_what_it_does),
		TEST(each_operation_of_crypto_is_named),
		TEST(each_operation_of_a_transport_is_named),
		TEST(each_operation_of_auth_is_named_and_what_it_calls),
		TEST(an_address_elsewhere_names_nothing),
		TEST(no_operation_is_without_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
