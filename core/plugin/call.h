/* SPDX-License-Identifier: MIT
 *
 * call.h: instances of plugins, and the one place that calls through their
 * tables: for each slot one wrapper with the slot's own contract, which also
 * says where this thread is (plugin/calling.h).
 *
 * A struct wt_crypto also counts what its library fails at, as
 * crypto-NAME.key_failed, .seal_failed and .open_failed (a tag that does not
 * verify is no failure of the library), and can be made to fail by tests.
 */
#ifndef WT_PLUGIN_CALL_H
#define WT_PLUGIN_CALL_H

#include <stdatomic.h>
#include <string.h>

#include "plugin/calling.h"
#include "plugin/defaults.h"
#include "plugin/host.h"
#include "plugin/registry.h"

/* ---- instances ----------------------------------------------------------- */

struct wt_instance {
	const struct wt_plugin *plugin;
	struct wt_host_instance *host;
	void *self; /* the plugin's */
};

/* create(): `host` (made with wt_host_base_init, the engine's slots filled in)
 * and `cfg` outlive the instance. err begins with the plugin's kind and name.
 * Main thread. */
enum wt_status wt_instance_new(const struct wt_plugin *plugin, struct wt_host_instance *host,
			       const struct wt_config *cfg, struct wt_instance **out,
			       struct wt_error *err) WT_MUST_CHECK;
/* destroy(). NULL is allowed. Main thread. */
void wt_instance_free(struct wt_instance *instance);

/* Countdowns of injected failures: n lets the n-th call from now fail, once;
 * 0 lets all pass. */
struct wt_crypto_faults {
	_Atomic uint64_t key_init, seal, open;
};

struct wt_crypto {
	struct wt_instance *instance;
	const struct wt_crypto_ops *ops;	       /* of instance->plugin */
	void *self;				       /* of instance */
	uint32_t key_failed, seal_failed, open_failed; /* ids of counters */
	struct wt_crypto_faults *faults;	       /* tests only; NULL in the daemon */
};

/* As wt_instance_new, for a plugin of kind crypto. */
enum wt_status wt_crypto_new(const struct wt_plugin *plugin, struct wt_host_instance *host,
			     const struct wt_config *cfg, struct wt_crypto **out,
			     struct wt_error *err) WT_MUST_CHECK;
/* After the last wt_crypto_key_free. NULL is allowed. */
void wt_crypto_free(struct wt_crypto *crypto);

/* Does this call have to fail? */
static inline bool wt_fault_hits(_Atomic uint64_t *countdown)
{
	uint64_t left = atomic_load_explicit(countdown, memory_order_relaxed);

	while (left > 0)
		if (atomic_compare_exchange_weak_explicit(
			    countdown, &left, left - 1, memory_order_relaxed, memory_order_relaxed))
			return left == 1;
	return false;
}

/* ---- crypto -------------------------------------------------------------- */

/* A key context in secret memory, set up with the first key_size of the 32
 * bytes at `key`. NULL: no memory, or the library failed (counted). */
void *wt_crypto_key_new(struct wt_crypto *crypto, struct wt_worker *worker,
			const uint8_t *key) WT_MUST_CHECK;
/* key_wipe, and the memory back. NULL is allowed. */
void wt_crypto_key_free(struct wt_crypto *crypto, void *ctx);

static inline enum wt_status wt_crypto_seal(struct wt_crypto *crypto, struct wt_worker *worker,
					    void *ctx, const uint8_t *nonce, const uint8_t *aad,
					    size_t aad_len, const uint8_t *in, size_t len,
					    uint8_t *out)
{
	const void *outer = wt_calling_enter(&crypto->ops->seal);
	enum wt_status status = WT_ERR_CRYPTO;

	if (!crypto->faults || !wt_fault_hits(&crypto->faults->seal))
		status = crypto->ops->seal(crypto->self, worker, ctx, nonce, aad, aad_len, in, len,
					   out);
	wt_calling_leave(outer);
	if (__builtin_expect(status != WT_OK, 0))
		wt_host_count(crypto->instance->host, worker, crypto->seal_failed, 1);
	return status;
}

static inline enum wt_status wt_crypto_open(struct wt_crypto *crypto, struct wt_worker *worker,
					    void *ctx, const uint8_t *nonce, const uint8_t *aad,
					    size_t aad_len, const uint8_t *in, size_t len,
					    uint8_t *out)
{
	const void *outer = wt_calling_enter(&crypto->ops->open);
	enum wt_status status = WT_ERR_CRYPTO;

	if (!crypto->faults || !wt_fault_hits(&crypto->faults->open))
		status = crypto->ops->open(crypto->self, worker, ctx, nonce, aad, aad_len, in, len,
					   out);
	else if (len > crypto->ops->tag_size)
		memset(out, 0, len - crypto->ops->tag_size);
	wt_calling_leave(outer);
	if (__builtin_expect(status != WT_OK && status != WT_ERR_AUTH, 0))
		wt_host_count(crypto->instance->host, worker, crypto->open_failed, 1);
	return status;
}

/* Injected failures are for single records, so they go the single way. */
static inline void wt_crypto_seal_batch(struct wt_crypto *crypto, struct wt_worker *worker,
					void *ctx, struct wt_aead_item *items, size_t n)
{
	if (!crypto->ops->seal_batch || crypto->faults) {
		wt_default_seal_batch(crypto, worker, ctx, items, n);
		return;
	}
	const void *outer = wt_calling_enter(&crypto->ops->seal_batch);

	/* An item of which nothing is said is not sealed. */
	for (size_t i = 0; i < n; i++)
		items[i].status = WT_ERR_CRYPTO;
	crypto->ops->seal_batch(crypto->self, worker, ctx, items, n);
	wt_calling_leave(outer);
	for (size_t i = 0; i < n; i++)
		if (__builtin_expect(items[i].status != WT_OK, 0))
			wt_host_count(crypto->instance->host, worker, crypto->seal_failed, 1);
}

static inline void wt_crypto_open_batch(struct wt_crypto *crypto, struct wt_worker *worker,
					void *ctx, struct wt_aead_item *items, size_t n)
{
	if (!crypto->ops->open_batch || crypto->faults) {
		wt_default_open_batch(crypto, worker, ctx, items, n);
		return;
	}
	const void *outer = wt_calling_enter(&crypto->ops->open_batch);

	for (size_t i = 0; i < n; i++)
		items[i].status = WT_ERR_CRYPTO;
	crypto->ops->open_batch(crypto->self, worker, ctx, items, n);
	wt_calling_leave(outer);
	for (size_t i = 0; i < n; i++)
		if (__builtin_expect(items[i].status != WT_OK && items[i].status != WT_ERR_AUTH, 0))
			wt_host_count(crypto->instance->host, worker, crypto->open_failed, 1);
}

/* ---- transport ----------------------------------------------------------- */

static inline const struct wt_transport_ops *wt_transport_ops(const struct wt_instance *transport)
{
	return &transport->plugin->ops.transport;
}

static inline enum wt_status wt_transport_listen(const struct wt_instance *transport,
						 struct wt_worker *worker, struct wt_error *err)
{
	const void *outer = wt_calling_enter_slow(&wt_transport_ops(transport)->listen);
	enum wt_status result = wt_transport_ops(transport)->listen(transport->self, worker, err);

	wt_calling_leave(outer);
	return result;
}

static inline enum wt_status wt_transport_dial(const struct wt_instance *transport,
					       struct wt_worker *worker,
					       const struct sockaddr *remote, socklen_t remote_len,
					       const struct wt_config *cfg, struct wt_link *conn,
					       void **tconn, struct wt_error *err)
{
	const void *outer = wt_calling_enter(&wt_transport_ops(transport)->dial);
	enum wt_status result = wt_transport_ops(transport)->dial(
		transport->self, worker, remote, remote_len, cfg, conn, tconn, err);

	wt_calling_leave(outer);
	return result;
}

static inline void wt_transport_close(const struct wt_instance *transport, struct wt_worker *worker,
				      void *tconn, bool abort)
{
	const void *outer = wt_calling_enter(&wt_transport_ops(transport)->close);

	wt_transport_ops(transport)->close(transport->self, worker, tconn,
					   abort ? WT_CLOSE_ABORT : 0);
	wt_calling_leave(outer);
}

static inline enum wt_status wt_transport_send(const struct wt_instance *transport,
					       struct wt_worker *worker, void *tconn,
					       const struct wt_record *records, size_t n,
					       size_t *taken)
{
	const void *outer = wt_calling_enter(&wt_transport_ops(transport)->send);
	enum wt_status status;

	*taken = 0;
	status = wt_transport_ops(transport)->send(transport->self, worker, tconn, records, n,
						   taken);
	wt_calling_leave(outer);
	/* Its own count is the one thing that we would index by. */
	if (*taken > n)
		*taken = n;
	return status;
}

static inline enum wt_status wt_transport_recv(const struct wt_instance *transport,
					       struct wt_worker *worker, void *tconn,
					       struct wt_record *records, size_t n, size_t *got)
{
	const void *outer = wt_calling_enter(&wt_transport_ops(transport)->recv);
	enum wt_status status;

	*got = 0;
	status = wt_transport_ops(transport)->recv(transport->self, worker, tconn, records, n, got);
	wt_calling_leave(outer);
	if (*got > n)
		*got = n;
	/* Asking on for nothing would never end. */
	return status == WT_OK && *got == 0 ? WT_AGAIN : status;
}

static inline void wt_transport_set_max_record(const struct wt_instance *transport,
					       struct wt_worker *worker, void *tconn, uint32_t max)
{
	const void *outer = wt_calling_enter(&wt_transport_ops(transport)->set_max_record);

	wt_transport_ops(transport)->set_max_record(transport->self, worker, tconn, max);
	wt_calling_leave(outer);
}

static inline uint32_t wt_transport_max_record(const struct wt_instance *transport,
					       struct wt_worker *worker, void *tconn,
					       const struct wt_path *path)
{
	const void *outer = wt_calling_enter(&wt_transport_ops(transport)->max_record);
	uint32_t result =
		wt_transport_ops(transport)->max_record(transport->self, worker, tconn, path);

	wt_calling_leave(outer);
	return result;
}

/* *out is what the plugin may say: lengths in their arrays, a text that ends. */
static inline void wt_transport_source(const struct wt_instance *transport,
				       struct wt_worker *worker, void *tconn,
				       const struct wt_path *path, struct wt_source *out)
{
	const void *outer = wt_calling_enter(&wt_transport_ops(transport)->source);

	*out = (struct wt_source){ .struct_size = sizeof *out };
	wt_transport_ops(transport)->source(transport->self, worker, tconn, path, out);
	wt_calling_leave(outer);
	if (out->token_len > sizeof out->token)
		out->token_len = sizeof out->token;
	if (out->prefix_len > sizeof out->prefix)
		out->prefix_len = sizeof out->prefix;
	out->text[sizeof out->text - 1] = '\0';
}

static inline enum wt_status wt_transport_local_address(const struct wt_instance *transport,
							struct wt_worker *worker, void *tconn,
							const struct wt_path *path,
							struct sockaddr_storage *out)
{
	const void *outer = wt_calling_enter(&wt_transport_ops(transport)->local_address);
	enum wt_status result = wt_transport_ops(transport)->local_address(transport->self, worker,
									   tconn, path, out);

	wt_calling_leave(outer);
	return result;
}

/* WT_ERR_UNSUPPORTED: this transport has no way apart from send. */
static inline enum wt_status wt_transport_answer(const struct wt_instance *transport,
						 struct wt_worker *worker, void *tconn,
						 const struct wt_path *path, const uint8_t *message,
						 size_t len)
{
	const void *outer = wt_calling_enter(&wt_transport_ops(transport)->answer);
	enum wt_status result = wt_transport_ops(transport)->answer(transport->self, worker, tconn,
								    path, message, len);

	wt_calling_leave(outer);
	return result;
}

/* ---- auth ---------------------------------------------------------------- */

static inline const struct wt_auth_ops *wt_auth_ops(const struct wt_instance *auth)
{
	return &auth->plugin->ops.auth;
}

static inline enum wt_status wt_auth_peer_add(const struct wt_instance *auth,
					      const struct wt_config *cfg, uint32_t peer_id,
					      uint32_t roles, void *peer, struct wt_error *err)
{
	const void *outer = wt_calling_enter_slow(&wt_auth_ops(auth)->peer_add);
	enum wt_status result =
		wt_auth_ops(auth)->peer_add(auth->self, cfg, peer_id, roles, peer, err);

	wt_calling_leave(outer);
	return result;
}

static inline void wt_auth_peer_remove(const struct wt_instance *auth, void *peer)
{
	const void *outer = wt_calling_enter_slow(&wt_auth_ops(auth)->peer_remove);

	wt_auth_ops(auth)->peer_remove(auth->self, peer);
	wt_calling_leave(outer);
}

static inline enum wt_auth_verdict wt_auth_begin(const struct wt_instance *auth,
						 struct wt_worker *worker, void *peer,
						 const struct wt_auth_start *start,
						 struct wt_auth_out *out)
{
	const void *outer = wt_calling_enter(&wt_auth_ops(auth)->start);
	enum wt_auth_verdict result =
		wt_auth_ops(auth)->start(auth->self, worker, peer, start, out);

	wt_calling_leave(outer);
	return result;
}

static inline enum wt_auth_verdict wt_auth_accept(const struct wt_instance *auth,
						  struct wt_worker *worker,
						  const struct wt_auth_in *in,
						  struct wt_auth_out *out)
{
	const void *outer = wt_calling_enter(&wt_auth_ops(auth)->accept);
	enum wt_auth_verdict result = wt_auth_ops(auth)->accept(auth->self, worker, in, out);

	wt_calling_leave(outer);
	return result;
}

static inline enum wt_auth_verdict wt_auth_receive(const struct wt_instance *auth,
						   struct wt_worker *worker, void *handshake,
						   const struct wt_auth_in *in,
						   struct wt_auth_out *out)
{
	const void *outer = wt_calling_enter(&wt_auth_ops(auth)->receive);
	enum wt_auth_verdict result =
		wt_auth_ops(auth)->receive(auth->self, worker, handshake, in, out);

	wt_calling_leave(outer);
	return result;
}

static inline void wt_auth_abandon(const struct wt_instance *auth, struct wt_worker *worker,
				   void *handshake, uint32_t local_index)
{
	const void *outer = wt_calling_enter(&wt_auth_ops(auth)->abandon);

	wt_auth_ops(auth)->abandon(auth->self, worker, handshake, local_index);
	wt_calling_leave(outer);
}

/* Without an instance: for commands. */
static inline enum wt_status wt_auth_keygen(const struct wt_plugin *plugin,
					    const struct wt_host *host,
					    uint8_t private_key[WT_KEY_SIZE], struct wt_error *err)
{
	return plugin->ops.auth.keygen(host, private_key, err);
}

static inline enum wt_status wt_auth_pubkey(const struct wt_plugin *plugin,
					    const struct wt_host *host,
					    const uint8_t private_key[WT_KEY_SIZE],
					    uint8_t public_key[WT_KEY_SIZE], struct wt_error *err)
{
	return plugin->ops.auth.pubkey(host, private_key, public_key, err);
}

#endif
