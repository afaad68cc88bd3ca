/* SPDX-License-Identifier: MIT */
#include "plugin/defaults.h"

#include "base/error.h"
#include "plugin/call.h"

void wt_default_seal_batch(struct wt_crypto *crypto, struct wt_worker *worker, void *ctx,
			   struct wt_aead_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		items[i].status =
			wt_crypto_seal(crypto, worker, ctx, items[i].nonce, items[i].aad,
				       items[i].aad_len, items[i].in, items[i].len, items[i].out);
}

void wt_default_open_batch(struct wt_crypto *crypto, struct wt_worker *worker, void *ctx,
			   struct wt_aead_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		items[i].status =
			wt_crypto_open(crypto, worker, ctx, items[i].nonce, items[i].aad,
				       items[i].aad_len, items[i].in, items[i].len, items[i].out);
}

/* Datagrams have the size they have. */
static void no_limit(void *self, struct wt_worker *worker, void *tconn, uint32_t max)
{
	(void)self, (void)worker, (void)tconn, (void)max;
}

static enum wt_status no_local_address(void *self, struct wt_worker *worker, void *tconn,
				       const struct wt_path *path, struct sockaddr_storage *out)
{
	(void)self, (void)worker, (void)tconn, (void)path, (void)out;
	return WT_ERR_UNSUPPORTED;
}

static enum wt_status no_answer(void *self, struct wt_worker *worker, void *tconn,
				const struct wt_path *path, const uint8_t *message, size_t len)
{
	(void)self, (void)worker, (void)tconn, (void)path, (void)message, (void)len;
	return WT_ERR_UNSUPPORTED;
}

static enum wt_status no_keygen(const struct wt_host *host, uint8_t private_key[WT_KEY_SIZE],
				struct wt_error *err)
{
	(void)host, (void)private_key;
	return wt_fail(err, WT_ERR_UNSUPPORTED, "this method has no key pairs to make");
}

static enum wt_status no_pubkey(const struct wt_host *host, const uint8_t private_key[WT_KEY_SIZE],
				uint8_t public_key[WT_KEY_SIZE], struct wt_error *err)
{
	(void)host, (void)private_key, (void)public_key;
	return wt_fail(err, WT_ERR_UNSUPPORTED, "this method has no public keys");
}

void wt_defaults_fill(struct wt_plugin *plugin)
{
	struct wt_transport_ops *transport = &plugin->ops.transport;
	struct wt_auth_ops *auth = &plugin->ops.auth;

	switch (plugin->kind) {
	case WT_KIND_CRYPTO:
		break;
	case WT_KIND_TRANSPORT:
		if (!transport->set_max_record)
			transport->set_max_record = no_limit;
		if (!transport->local_address)
			transport->local_address = no_local_address;
		if (!transport->answer)
			transport->answer = no_answer;
		break;
	case WT_KIND_AUTH:
		if (!auth->keygen)
			auth->keygen = no_keygen;
		if (!auth->pubkey)
			auth->pubkey = no_pubkey;
		if (!auth->silence_hint)
			auth->silence_hint = "the keys of this peer at both ends";
		break;
	}
}
