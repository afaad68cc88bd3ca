/* SPDX-License-Identifier: MIT
 *
 * backend.h: a crypto plugin, loaded bare: no checks, only its own tables.
 *
 * Tests of what a plugin does go through here; tests of what a plugin must be
 * before it may run go through plugin/registry.h.
 */
#ifndef WT_TEST_SUPPORT_BACKEND_H
#define WT_TEST_SUPPORT_BACKEND_H

#include <stddef.h>
#include <whispertunnel/crypto.h>
#include <whispertunnel/plugin.h>

#include "support/plain_host.h"

struct wt_backend {
	const struct wt_plugin_descriptor *descriptor;
	const struct wt_crypto_ops *ops;
	void *self; /* the instance */
	struct wt_plain_host host;
	void *handle;
};

/* Loads dir/crypto-NAME.so and makes an instance. NULL: err says why, with
 * *status WT_ERR_UNAVAILABLE when the plugin itself says no. */
struct wt_backend *wt_backend_open(const char *dir, const char *name, enum wt_status *status,
				   struct wt_error *err) WT_MUST_CHECK;
/* NULL is allowed. */
void wt_backend_close(struct wt_backend *backend);

/* A key context in secret memory, as the daemon makes it; NULL if that or
 * key_init failed. */
void *wt_backend_key(const struct wt_backend *backend, const uint8_t *key) WT_MUST_CHECK;
/* NULL is allowed. */
void wt_backend_key_free(const struct wt_backend *backend, void *ctx);

/* The names of all crypto plugins in `dir`, sorted: up to `max` of them. */
size_t wt_backend_names(const char *dir, char (*names)[WT_NAME_MAX + 1], size_t max);

#endif
