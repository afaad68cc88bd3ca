/* SPDX-License-Identifier: MIT */
#include "conform/crypto/backend.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "config/values.h"
#include "plugin/installed.h"

static enum wt_status open_into(struct wt_backend *b, const char *path, struct wt_error *err)
{
	enum wt_status status = wt_loaded_here(path, &b->loaded, err);

	if (status != WT_OK)
		return status;
	const struct wt_plugin *plugin = &b->loaded->plugin;
	const struct wt_key_table keys = { plugin->config_keys, plugin->config_key_count,
					   plugin->config_key_stride };

	if (plugin->kind != WT_KIND_CRYPTO)
		return wt_fail(err, WT_ERR_INVALID, "%s is not a crypto plugin", path);
	b->descriptor = plugin->descriptor;
	b->ops = &plugin->ops.crypto;
	b->cfg = wt_config_new(plugin->name, &keys, 1, 1u << WT_SCOPE_SECTION);
	if (!b->cfg)
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");
	status = wt_host_base_init(&b->host, plugin->kind, plugin->name, NULL, NULL, err);
	if (status != WT_OK)
		return status;
	return b->ops->create(&b->host.host, b->cfg, &b->self, err);
}

struct wt_backend *wt_backend_open_file(const char *path, enum wt_status *status,
					struct wt_error *err)
{
	struct wt_backend *b = calloc(1, sizeof *b);

	if (!b) {
		*status = wt_fail(err, WT_ERR_NOMEM, "out of memory");
		return NULL;
	}
	*status = open_into(b, path, err);
	if (*status == WT_OK)
		return b;
	/* What create() left in it is nobody's. */
	b->self = NULL;
	wt_backend_close(b);
	return NULL;
}

struct wt_backend *wt_backend_open(const char *dir, const char *name, enum wt_status *status,
				   struct wt_error *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/crypto-%s.so", dir, name);
	return wt_backend_open_file(path, status, err);
}

void wt_backend_close(struct wt_backend *b)
{
	if (!b)
		return;
	if (b->self)
		b->ops->destroy(b->self);
	wt_config_free(b->cfg);
	wt_loaded_free(b->loaded);
	free(b);
}

void *wt_backend_key(const struct wt_backend *b, const uint8_t *key)
{
	void *ctx = wt_secret_alloc(b->ops->ctx_size, b->ops->ctx_align);

	if (ctx && b->ops->key_init(b->self, NULL, ctx, key) == WT_OK)
		return ctx;
	wt_secret_free(ctx);
	return NULL;
}

void wt_backend_key_free(const struct wt_backend *b, void *ctx)
{
	if (!ctx)
		return;
	b->ops->key_wipe(b->self, ctx);
	wt_secret_free(ctx);
}

enum wt_status wt_backend_seal(const struct wt_backend *b, struct wt_worker *worker,
			       const uint8_t *key, const uint8_t *nonce, const uint8_t *aad,
			       size_t aad_len, const uint8_t *in, size_t len, uint8_t *out)
{
	void *ctx = wt_backend_key(b, key);
	enum wt_status status = WT_ERR_CRYPTO;

	if (ctx)
		status = b->ops->seal(b->self, worker, ctx, nonce, aad, aad_len, in, len, out);
	wt_backend_key_free(b, ctx);
	return status;
}

enum wt_status wt_backend_open_record(const struct wt_backend *b, struct wt_worker *worker,
				      const uint8_t *key, const uint8_t *nonce, const uint8_t *aad,
				      size_t aad_len, const uint8_t *in, size_t len, uint8_t *out)
{
	void *ctx = wt_backend_key(b, key);
	enum wt_status status = WT_ERR_CRYPTO;

	if (ctx)
		status = b->ops->open(b->self, worker, ctx, nonce, aad, aad_len, in, len, out);
	wt_backend_key_free(b, ctx);
	return status;
}

size_t wt_backend_names(const char *dir, char (*names)[WT_NAME_MAX + 1], size_t max)
{
	struct wt_installed installed;
	size_t n = 0;

	if (wt_installed_list(dir, &installed) != WT_OK)
		return 0;
	for (size_t i = 0; i < installed.count && n < max; i++)
		if (installed.items[i].kind == WT_KIND_CRYPTO)
			memcpy(names[n++], installed.items[i].name, WT_NAME_MAX + 1);
	wt_installed_clear(&installed);
	return n;
}
