/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/error.h"
#include "base/secret.h"
#include "plugin/call.h"

static enum wt_status create(const struct wt_plugin *plugin, const struct wt_host *host,
			     const struct wt_config *cfg, void **self, struct wt_error *err)
{
	switch (plugin->kind) {
	case WT_KIND_CRYPTO:
		return plugin->ops.crypto.create(host, cfg, self, err);
	case WT_KIND_TRANSPORT:
		return plugin->ops.transport.create(host, cfg, self, err);
	case WT_KIND_AUTH:
		return plugin->ops.auth.create(host, cfg, self, err);
	}
	return WT_ERR_INVALID;
}

enum wt_status wt_instance_new(const struct wt_plugin *plugin, struct wt_host_instance *host,
			       const struct wt_config *cfg, struct wt_instance **out,
			       struct wt_error *err)
{
	struct wt_instance *instance = calloc(1, sizeof *instance);
	struct wt_error why = WT_ERROR_INIT;
	enum wt_status status;

	if (!instance)
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");
	instance->plugin = plugin;
	instance->host = host;
	status = create(plugin, &host->host, cfg, &instance->self, &why);
	if (status != WT_OK) {
		free(instance);
		why.text[sizeof why.text - 1] = '\0';
		return wt_fail(err, status, "%s plugin \"%s\": %s", wt_kind_text(plugin->kind),
			       plugin->name, why.text[0] ? why.text : wt_status_text(status));
	}
	*out = instance;
	return WT_OK;
}

void wt_instance_free(struct wt_instance *instance)
{
	if (!instance)
		return;
	switch (instance->plugin->kind) {
	case WT_KIND_CRYPTO:
		instance->plugin->ops.crypto.destroy(instance->self);
		break;
	case WT_KIND_TRANSPORT:
		instance->plugin->ops.transport.destroy(instance->self);
		break;
	case WT_KIND_AUTH:
		instance->plugin->ops.auth.destroy(instance->self);
		break;
	}
	free(instance);
}

enum wt_status wt_crypto_new(const struct wt_plugin *plugin, struct wt_host_instance *host,
			     const struct wt_config *cfg, struct wt_crypto **out,
			     struct wt_error *err)
{
	struct wt_crypto *crypto = calloc(1, sizeof *crypto);
	enum wt_status status;

	if (!crypto)
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");
	status = wt_instance_new(plugin, host, cfg, &crypto->instance, err);
	if (status != WT_OK) {
		free(crypto);
		return status;
	}
	crypto->ops = &plugin->ops.crypto;
	crypto->self = crypto->instance->self;
	crypto->key_failed = wt_host_counter(host, "key_failed");
	crypto->seal_failed = wt_host_counter(host, "seal_failed");
	crypto->open_failed = wt_host_counter(host, "open_failed");
	*out = crypto;
	return WT_OK;
}

void wt_crypto_free(struct wt_crypto *crypto)
{
	if (!crypto)
		return;
	wt_instance_free(crypto->instance);
	free(crypto);
}

void *wt_crypto_key_new(struct wt_crypto *crypto, struct wt_worker *worker, const uint8_t *key)
{
	void *ctx = wt_secret_alloc(crypto->ops->ctx_size, crypto->ops->ctx_align);
	enum wt_status status;
	const void *outer;

	if (!ctx)
		goto failed;
	if (crypto->faults && wt_fault_hits(&crypto->faults->key_init))
		goto free_ctx;
	outer = wt_calling_enter(&crypto->ops->key_init);
	status = crypto->ops->key_init(crypto->self, worker, ctx, key);
	wt_calling_leave(outer);
	if (status == WT_OK)
		return ctx;

free_ctx:
	wt_secret_free(ctx);
failed:
	wt_host_count(crypto->instance->host, worker, crypto->key_failed, 1);
	return NULL;
}

void wt_crypto_key_free(struct wt_crypto *crypto, void *ctx)
{
	const void *outer;

	if (!ctx)
		return;
	outer = wt_calling_enter(&crypto->ops->key_wipe);
	crypto->ops->key_wipe(crypto->self, ctx);
	wt_calling_leave(outer);
	wt_secret_free(ctx);
}
