/* SPDX-License-Identifier: MIT */
#include "support/backend.h"

#include <dlfcn.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"

static enum wt_status open_into(struct wt_backend *b, const char *path, struct wt_error *err)
{
	b->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!b->handle)
		return wt_fail(err, WT_ERR_IO, "%s", dlerror());
	b->descriptor = dlsym(b->handle, WT_PLUGIN_SYMBOL);
	if (!b->descriptor || b->descriptor->kind != WT_KIND_CRYPTO)
		return wt_fail(err, WT_ERR_INVALID, "%s is not a crypto plugin", path);
	b->ops = b->descriptor->ops;

	enum wt_status status = b->ops->available(&b->host.host, err);

	if (status != WT_OK)
		return status;
	return b->ops->create(&b->host.host, NULL, &b->self, err);
}

struct wt_backend *wt_backend_open(const char *dir, const char *name, enum wt_status *status,
				   struct wt_error *err)
{
	char path[PATH_MAX];
	struct wt_backend *b = calloc(1, sizeof *b);

	if (!b) {
		*status = wt_fail(err, WT_ERR_NOMEM, "out of memory");
		return NULL;
	}
	snprintf(path, sizeof path, "%s/crypto-%s.so", dir, name);
	wt_plain_host_init(&b->host, NULL);
	*status = open_into(b, path, err);
	if (*status == WT_OK)
		return b;
	wt_backend_close(b);
	return NULL;
}

void wt_backend_close(struct wt_backend *b)
{
	if (!b)
		return;
	if (b->self)
		b->ops->destroy(b->self);
	if (b->handle)
		dlclose(b->handle);
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

size_t wt_backend_names(const char *dir, char (*names)[WT_NAME_MAX + 1], size_t max)
{
	char pattern[PATH_MAX];
	glob_t found;
	size_t n = 0;

	snprintf(pattern, sizeof pattern, "%s/crypto-*.so", dir);
	if (glob(pattern, 0, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; i < found.gl_pathc && n < max; i++) {
		const char *name = strrchr(found.gl_pathv[i], '/') + strlen("/crypto-");
		size_t len = strlen(name) - strlen(".so");

		if (len <= WT_NAME_MAX)
			snprintf(names[n++], WT_NAME_MAX + 1, "%.*s", (int)len, name);
	}
	globfree(&found);
	return n;
}
