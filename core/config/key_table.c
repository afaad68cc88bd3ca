/* SPDX-License-Identifier: MIT */
#include "config/key_table.h"

#include <string.h>

#include "base/error.h"
#include "config/values.h"

const struct wt_config_key *wt_key_table_at(const struct wt_key_table *table, size_t i)
{
	return (const struct wt_config_key *)((const char *)table->keys + i * table->stride);
}

const struct wt_config_key *wt_key_table_find(const struct wt_key_table *table, unsigned scopes,
					      const char *name)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct wt_config_key *key = wt_key_table_at(table, i);

		if ((scopes & 1u << key->scope) && strcmp(key->name, name) == 0)
			return key;
	}
	return NULL;
}

static enum wt_status check_name(const struct wt_config_key *key, struct wt_error *err)
{
	size_t len = key->name ? strspn(key->name, "abcdefghijklmnopqrstuvwxyz0123456789_") : 0;

	if (len == 0 || len > WT_NAME_MAX || key->name[len])
		return wt_fail(err, WT_ERR_INVALID,
			       "a key is named \"%.40s\", allowed is [a-z0-9_], "
			       "1 to %u characters",
			       key->name ? key->name : "(null)", WT_NAME_MAX);
	if (!key->help || !*key->help)
		return wt_fail(err, WT_ERR_INVALID, "key %s has no help text", key->name);
	return WT_OK;
}

static enum wt_status check_default(const struct wt_config_key *key, struct wt_error *err)
{
	struct wt_key_table one = { key, 1, sizeof *key };
	struct wt_config *cfg = wt_config_new("default", &one, 1, 1u << key->scope);
	struct wt_error why = WT_ERROR_INIT;
	enum wt_status status;

	if (!cfg)
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");
	status = wt_config_set(cfg, key->name, key->default_value, ".", &why);
	wt_config_free(cfg);
	if (status != WT_OK)
		return wt_fail(err, status, "the default of key %s cannot be used: %s", key->name,
			       why.text);
	return WT_OK;
}

static enum wt_status check_key(const struct wt_config_key *key, struct wt_error *err)
{
	enum wt_status status = check_name(key, err);

	if (status != WT_OK)
		return status;
	if (key->scope < WT_SCOPE_SECTION || key->scope > WT_SCOPE_ENDPOINT)
		return wt_fail(err, WT_ERR_INVALID, "key %s has the unknown scope %u", key->name,
			       key->scope);
	if (key->type < WT_CONFIG_STRING || key->type > WT_CONFIG_KEY32)
		return wt_fail(err, WT_ERR_INVALID, "key %s has the unknown type %u", key->name,
			       key->type);
	if (key->type == WT_CONFIG_ENUM &&
	    (!key->choices || !*key->choices || strlen(key->choices) >= WT_CHOICES_MAX))
		return wt_fail(err, WT_ERR_INVALID, "key %s has no choices, or too many",
			       key->name);
	if (key->type == WT_CONFIG_UINT && key->min > key->max)
		return wt_fail(err, WT_ERR_INVALID, "key %s has an empty range", key->name);
	if (!key->default_value)
		return WT_OK;
	if (key->type == WT_CONFIG_KEYFILE32 || key->type == WT_CONFIG_KEY32)
		return wt_fail(err, WT_ERR_INVALID, "key %s has a default; a key has none",
			       key->name);
	return check_default(key, err);
}

enum wt_status wt_key_table_check(const struct wt_key_table *table, struct wt_error *err)
{
	if (table->count > 0 && table->stride < WT_CONFIG_KEY_SIZE_MIN)
		return wt_fail(err, WT_ERR_INVALID, "keys of %zu bytes, at least %zu are needed",
			       table->stride, WT_CONFIG_KEY_SIZE_MIN);
	for (size_t i = 0; i < table->count; i++) {
		const struct wt_config_key *key = wt_key_table_at(table, i);
		enum wt_status status = check_key(key, err);

		if (status != WT_OK)
			return status;
		if (wt_key_table_find(table, 1u << key->scope, key->name) != key)
			return wt_fail(err, WT_ERR_INVALID, "key %s is declared twice", key->name);
	}
	return WT_OK;
}
