/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/error.h"
#include "base/secret.h"
#include "plugin/call.h"

static enum wt_status create(const struct wt_plugin *plugin, const struct wt_host *host,
			     const struct wt_config *cfg, void **self, struct wt_error *err)
{
	enum wt_status status = WT_ERR_INVALID;
	const void *outer;

	switch (plugin->kind) {
	case WT_KIND_CRYPTO:
		outer = wt_calling_enter_slow(&plugin->ops.crypto.create);
		status = plugin->ops.crypto.create(host, cfg, self, err);
		break;
	case WT_KIND_TRANSPORT:
		outer = wt_calling_enter_slow(&plugin->ops.transport.create);
		status = plugin->ops.transport.create(host, cfg, self, err);
		break;
	case WT_KIND_AUTH:
		outer = wt_calling_enter_slow(&plugin->ops.auth.create);
		status = plugin->ops.auth.create(host, cfg, self, err);
		break;
	default:
		return status;
	}
	wt_calling_leave(outer);
	return status;
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
	host->plugin = plugin;
	wt_calling_know(plugin);
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

static void destroy(const struct wt_plugin *plugin, void *self)
{
	const void *outer;

	switch (plugin->kind) {
	case WT_KIND_CRYPTO:
		outer = wt_calling_enter_slow(&plugin->ops.crypto.destroy);
		plugin->ops.crypto.destroy(self);
		break;
	case WT_KIND_TRANSPORT:
		outer = wt_calling_enter_slow(&plugin->ops.transport.destroy);
		plugin->ops.transport.destroy(self);
		break;
	case WT_KIND_AUTH:
		outer = wt_calling_enter_slow(&plugin->ops.auth.destroy);
		plugin->ops.auth.destroy(self);
		break;
	default:
		return;
	}
	wt_calling_leave(outer);
}

void wt_instance_free(struct wt_instance *instance)
{
	if (!instance)
		return;
	destroy(instance->plugin, instance->self);
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
