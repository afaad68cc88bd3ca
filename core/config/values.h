/* SPDX-License-Identifier: MIT
 *
 * values.h: checked values of one scope, the `struct wt_config` that plugins
 * see, core sections included: there is one checker for all keys.
 *
 * Set by one thread, then read by any.
 */
#ifndef WT_CONFIG_VALUES_H
#define WT_CONFIG_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <whispertunnel/host.h>
#include <whispertunnel/plugin.h>

#include "config/key_table.h"

/* An empty set of values for the keys of `tables` whose scope is in `scopes`;
 * defaults apply at once. Where two tables have a key of one name, the first
 * counts. `name` is copied. NULL: out of memory. */
struct wt_config *wt_config_new(const char *name, const struct wt_key_table *tables, size_t n,
				unsigned scopes) WT_MUST_CHECK;
void wt_config_free(struct wt_config *cfg); /* wipes secrets; NULL allowed */

/* The keys in it, in the order of the tables. */
size_t wt_config_count(const struct wt_config *cfg);
const struct wt_config_key *wt_config_at(const struct wt_config *cfg, size_t i);
/* The declaration of `key`, or NULL. */
const struct wt_config_key *wt_config_find(const struct wt_config *cfg, const char *key);

/* Check `text` by the key's type and keep it; a value set before is replaced.
 * Key files are opened here, with relative paths taken from `base_dir`. On
 * failure the value is as before and err says what was found and what is
 * allowed, without file, line and key (the caller knows those). An undeclared
 * key is WT_ERR_INVALID. */
enum wt_status wt_config_set(struct wt_config *cfg, const char *key, const char *text,
			     const char *base_dir, struct wt_error *err) WT_MUST_CHECK;

/* Was it set by wt_config_set, so not by its default? */
bool wt_config_is_written(const struct wt_config *cfg, const char *key);

/* Reading; the contracts of struct wt_host's config_* calls. What has a
 * default is set. An undeclared key, or one of another type, is a programming
 * error: it reads as unset and logs an error. */
const char *wt_config_name(const struct wt_config *cfg);
bool wt_config_is_set(const struct wt_config *cfg, const char *key);
const char *wt_config_string(const struct wt_config *cfg, const char *key); /* STRING, ENUM */
uint64_t wt_config_uint(const struct wt_config *cfg, const char *key);
bool wt_config_bool(const struct wt_config *cfg, const char *key);
enum wt_status wt_config_sockaddr(const struct wt_config *cfg, const char *key, size_t i,
				  struct sockaddr_storage *out) WT_MUST_CHECK;
const uint8_t *wt_config_key32(const struct wt_config *cfg, const char *key);

/* "DIR/path", or a copy of an absolute path. The caller frees it; NULL: out of
 * memory. */
char *wt_config_path(const char *base_dir, const char *path) WT_MUST_CHECK;

#endif
