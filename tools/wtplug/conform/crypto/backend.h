/* SPDX-License-Identifier: MIT
 *
 * backend.h: a crypto plugin with an instance, loaded without self-test, so that
 * a faulty one can be looked at.
 *
 * Tests of what a plugin does go through here; tests of what a plugin must be
 * before it may run go through plugin/registry.h.
 */
#ifndef WT_CONFORM_CRYPTO_BACKEND_H
#define WT_CONFORM_CRYPTO_BACKEND_H

#include <stddef.h>
#include <whispertunnel/crypto.h>
#include <whispertunnel/plugin.h>

#include "plugin/host.h"
#include "plugin/loader.h"

struct wt_backend {
	struct wt_loaded *loaded;
	const struct wt_plugin_descriptor *descriptor; /* of loaded */
	const struct wt_crypto_ops *ops;	       /* of loaded; batch forms may be NULL */
	void *self;				       /* the instance */
	struct wt_host_instance host;		       /* a base host */
	struct wt_config *cfg;			       /* the defaults */
};

/* Loads the file and makes an instance with default settings. NULL: err says
 * why, with *status WT_ERR_UNAVAILABLE when the plugin itself says no. */
struct wt_backend *wt_backend_open_file(const char *path, enum wt_status *status,
					struct wt_error *err) WT_MUST_CHECK;
/* The same for dir/crypto-NAME.so. */
struct wt_backend *wt_backend_open(const char *dir, const char *name, enum wt_status *status,
				   struct wt_error *err) WT_MUST_CHECK;
/* NULL is allowed. */
void wt_backend_close(struct wt_backend *backend);

/* A key context in secret memory, as the daemon makes it; NULL if that or
 * key_init failed. */
void *wt_backend_key(const struct wt_backend *backend, const uint8_t *key) WT_MUST_CHECK;
/* NULL is allowed. */
void wt_backend_key_free(const struct wt_backend *backend, void *ctx);

/* One record under a key that is made for it, as host->aead_seal and aead_open do for
 * a handshake; WT_ERR_CRYPTO when there is no context for it. */
enum wt_status wt_backend_seal(const struct wt_backend *backend, struct wt_worker *worker,
			       const uint8_t *key, const uint8_t *nonce, const uint8_t *aad,
			       size_t aad_len, const uint8_t *in, size_t len,
			       uint8_t *out) WT_MUST_CHECK;
enum wt_status wt_backend_open_record(const struct wt_backend *backend, struct wt_worker *worker,
				      const uint8_t *key, const uint8_t *nonce, const uint8_t *aad,
				      size_t aad_len, const uint8_t *in, size_t len,
				      uint8_t *out) WT_MUST_CHECK;

/* The names of all crypto plugins in `dir`, sorted: up to `max` of them. */
size_t wt_backend_names(const char *dir, char (*names)[WT_NAME_MAX + 1], size_t max);

#endif
