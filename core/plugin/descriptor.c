/* SPDX-License-Identifier: MIT */
#include "plugin/descriptor.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "config/values.h"
#include "plugin/note.h"

#define ALGORITHM_MAX 63u
#define CONFIG_KEYS_MAX 256u

/* What even the shortest descriptor has: all that every kind needs. */
#define DESCRIPTOR_MIN                                                                             \
	(offsetof(struct wt_plugin_descriptor, ops) +                                              \
	 sizeof(((struct wt_plugin_descriptor *)0)->ops))

static bool is_printable(const char *text, size_t max)
{
	size_t n = 0;

	while (text[n] >= 0x20 && text[n] < 0x7f)
		if (++n > max)
			return false;
	return n > 0 && text[n] == '\0';
}

static enum wt_status check_texts(struct wt_plugin_descriptor *d,
				  const struct wt_plugin_note_desc *note, struct wt_error *err)
{
	if (!d->name || !d->version)
		return wt_fail(err, WT_ERR_INVALID,
			       "has no name or no version; set both with WT_PLUGIN");
	if (d->kind != note->kind || strcmp(d->name, note->name) != 0)
		return wt_fail(err, WT_ERR_INVALID,
			       "says it is %s plugin \"%.*s\", its note says %s plugin \"%s\"; "
			       "write both with WT_PLUGIN",
			       wt_kind_text((enum wt_plugin_kind)d->kind), (int)WT_NAME_MAX,
			       d->name, wt_kind_text((enum wt_plugin_kind)note->kind), note->name);
	if (!is_printable(d->version, WT_VERSION_MAX) || strcmp(d->version, note->version) != 0)
		return wt_fail(err, WT_ERR_INVALID,
			       "has version \"%.*s\" in its descriptor and \"%s\" in its note; "
			       "write one of at most %u printable characters with WT_PLUGIN",
			       (int)WT_VERSION_MAX, d->version, note->version, WT_VERSION_MAX);
	if (!d->license)
		d->license = "";
	if (!d->summary)
		d->summary = "";
	return WT_OK;
}

static enum wt_status check_algorithm(struct wt_loaded *loaded, struct wt_error *err)
{
	struct wt_plugin_descriptor *d = &loaded->descriptor;

	if (d->kind != WT_KIND_CRYPTO) {
		d->algorithm = "";
		d->vectors = NULL;
		d->vector_count = 0;
		return WT_OK;
	}
	if (!d->algorithm || !is_printable(d->algorithm, ALGORITHM_MAX))
		return wt_fail(err, WT_ERR_INVALID,
			       "names no algorithm; set .algorithm, to \"%s\" if it is that",
			       WT_ALGORITHM_AES256GCM);
	loaded->plugin.standard = strcmp(d->algorithm, WT_ALGORITHM_AES256GCM) == 0;
	if (loaded->plugin.standard)
		return WT_OK;
	if (!d->vectors || d->vector_count == 0)
		return wt_fail(err, WT_ERR_INVALID,
			       "has the algorithm \"%s\", for which this program knows no test, "
			       "and brings no vectors; add .vectors or use %s",
			       d->algorithm, WT_ALGORITHM_AES256GCM);
	loaded->vector_stride = d->vectors[0].struct_size;
	if (loaded->vector_stride < WT_VECTOR_SIZE_MIN ||
	    loaded->vector_stride % _Alignof(struct wt_crypto_vector) != 0)
		return wt_fail(err, WT_ERR_INVALID,
			       "has vectors of %zu bytes, at least %zu are needed; set "
			       ".struct_size of each",
			       loaded->vector_stride, WT_VECTOR_SIZE_MIN);
	return WT_OK;
}

enum wt_status wt_descriptor_take(struct wt_loaded *loaded, const void *raw,
				  const struct wt_plugin_note_desc *note, struct wt_error *err)
{
	struct wt_plugin_descriptor *d = &loaded->descriptor;
	struct wt_plugin *plugin = &loaded->plugin;
	enum wt_status status;
	uint32_t size;

	memcpy(&size, raw, sizeof size);
	if (size < DESCRIPTOR_MIN)
		return wt_fail(err, WT_ERR_INVALID,
			       "has a descriptor of %u bytes, at least %zu are needed; write it "
			       "with WT_PLUGIN",
			       size, DESCRIPTOR_MIN);
	memset(d, 0, sizeof *d);
	memcpy(d, raw, wt_size_known(size, sizeof *d));
	d->struct_size = sizeof *d;

	if (d->abi_major != note->abi_major || d->abi_minor != note->abi_minor)
		return wt_fail(err, WT_ERR_INVALID,
			       "says it speaks plugin ABI %u.%u, its note says %u.%u; write both "
			       "with WT_PLUGIN",
			       d->abi_major, d->abi_minor, note->abi_major, note->abi_minor);
	status = check_texts(d, note, err);
	if (status == WT_OK)
		status = check_algorithm(loaded, err);
	if (status != WT_OK)
		return status;

	plugin->kind = (enum wt_plugin_kind)d->kind;
	memcpy(plugin->name, note->name, sizeof plugin->name);
	memcpy(plugin->version, note->version, sizeof plugin->version);
	plugin->descriptor = d;
	plugin->algorithm = strdup(d->algorithm);
	if (!plugin->algorithm)
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");
	return WT_OK;
}

enum wt_status wt_keys_take(struct wt_loaded *loaded, struct wt_error *err)
{
	const struct wt_plugin_descriptor *d = &loaded->descriptor;
	struct wt_key_table table = { .keys = d->config_keys, .count = d->config_key_count };
	enum wt_status status;

	if (table.count == 0)
		return WT_OK;
	if (!table.keys || table.count > CONFIG_KEYS_MAX)
		return wt_fail(err, WT_ERR_INVALID,
			       "has %zu keys of configuration at %p, allowed is up to %u; set "
			       ".config_keys and .config_key_count",
			       table.count, (const void *)table.keys, CONFIG_KEYS_MAX);
	table.stride = table.keys[0].struct_size;
	if (table.stride < WT_CONFIG_KEY_SIZE_MIN ||
	    table.stride % _Alignof(struct wt_config_key) != 0)
		return wt_fail(err, WT_ERR_INVALID,
			       "has keys of configuration of %zu bytes, at least %zu are needed; "
			       "set .struct_size of each",
			       table.stride, WT_CONFIG_KEY_SIZE_MIN);
	for (size_t i = 1; i < table.count; i++)
		if (wt_key_table_at(&table, i)->struct_size != table.stride)
			return wt_fail(err, WT_ERR_INVALID,
				       "has keys of configuration of several sizes (key %zu); set "
				       ".struct_size of each",
				       i);
	status = wt_key_table_check(&table, err);
	if (status != WT_OK)
		return status;
	for (size_t i = 0; i < table.count && d->kind == WT_KIND_CRYPTO; i++)
		/* It is tested before any file gave it settings. */
		if (wt_key_table_at(&table, i)->flags & WT_CONFIG_REQUIRED)
			return wt_fail(err, WT_ERR_INVALID,
				       "requires key %s; a crypto plugin must work with its "
				       "defaults alone",
				       wt_key_table_at(&table, i)->name);
	loaded->plugin.config_keys = table.keys;
	loaded->plugin.config_key_count = table.count;
	loaded->plugin.config_key_stride = table.stride;
	return WT_OK;
}
