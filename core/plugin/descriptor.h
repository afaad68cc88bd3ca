/* SPDX-License-Identifier: MIT
 *
 * descriptor.h: from what a plugin says of itself to what the host believes.
 *
 * Everything is copied: a field that lies outside the plugin's struct_size is
 * absent (zero), one that lies outside ours is not read. Main thread.
 */
#ifndef WT_PLUGIN_DESCRIPTOR_H
#define WT_PLUGIN_DESCRIPTOR_H

#include <string.h>

#include "plugin/registry.h"

/* What a known answer has at least: see WT_CONFIG_KEY_SIZE_MIN. */
#define WT_VECTOR_SIZE_MIN (offsetof(struct wt_crypto_vector, source) + sizeof(const char *))

/* A loaded plugin with what its public part points to. */
struct wt_loaded {
	struct wt_plugin plugin; /* plugin.descriptor points to the next field */
	struct wt_plugin_descriptor descriptor;
	size_t vector_stride; /* of descriptor.vectors */
};

/* Fill *loaded from the descriptor `raw` of a plugin whose note is `note`:
 * sizes, agreement with the note, texts, algorithm. plugin.path and handle are
 * left alone. On WT_OK plugin.algorithm is the caller's to free. */
enum wt_status wt_descriptor_take(struct wt_loaded *loaded, const void *raw,
				  const struct wt_plugin_note_desc *note,
				  struct wt_error *err) WT_MUST_CHECK;

/* Copy the table of operations into plugin.ops: every required slot is there,
 * every size within its limits, and absent optional slots have the host's
 * defaults. err names all slots that are missing. */
enum wt_status wt_ops_take(struct wt_loaded *loaded, struct wt_error *err) WT_MUST_CHECK;

/* The name of the operation whose slot in plugin->ops this is the address of;
 * NULL: it is none of this plugin's. Any thread, and signal handlers. */
const char *wt_ops_name(const struct wt_plugin *plugin, const void *slot);

/* Fill plugin.config_keys, _count and _stride: elements of one size, sound
 * declarations (config/values.h). */
enum wt_status wt_keys_take(struct wt_loaded *loaded, struct wt_error *err) WT_MUST_CHECK;

/* How much of a struct that the plugin says is `theirs` bytes long may be
 * copied into one of `ours`: whole fields only, as its fields after the
 * smallest size it may have are 8 bytes each. */
static inline size_t wt_size_known(uint32_t theirs, size_t ours)
{
	size_t whole = theirs & ~(size_t)7;

	return whole < ours ? whole : ours;
}

/* Element i of known answers of `stride` bytes each; what it is too short for is zero. */
static inline void wt_vector_take(struct wt_crypto_vector *out, const void *first, size_t stride,
				  size_t i)
{
	memset(out, 0, sizeof *out);
	memcpy(out, (const uint8_t *)first + i * stride,
	       wt_size_known((uint32_t)stride, sizeof *out));
}

#endif
