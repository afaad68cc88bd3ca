/* SPDX-License-Identifier: MIT
 *
 * key_table.h: the configuration keys that one owner, a plugin or the core,
 * declares. Only read; any thread.
 */
#ifndef WT_CONFIG_KEY_TABLE_H
#define WT_CONFIG_KEY_TABLE_H

#include <stddef.h>
#include <whispertunnel/plugin.h>

#define WT_CHOICES_MAX 256u /* bytes of "a|b|c" with the NUL */

/* What a declaration has at least, all that the first ABI had which is still spoken. A
 * field that was appended since is read where WT_HAS finds it. */
#define WT_CONFIG_KEY_SIZE_MIN (offsetof(struct wt_config_key, make) + sizeof(const char *))

/* Keys of one owner (a plugin or the core); `stride` is sizeof an element as
 * the owner knew it. Borrowed: outlives every wt_config made from it. */
struct wt_key_table {
	const struct wt_config_key *keys;
	size_t count;
	size_t stride;
};

/* Element i (below count). */
const struct wt_config_key *wt_key_table_at(const struct wt_key_table *table, size_t i);
/* The key `name` in a scope of `scopes` (bits 1u << enum wt_config_scope), or
 * NULL. */
const struct wt_config_key *wt_key_table_find(const struct wt_key_table *table, unsigned scopes,
					      const char *name);
/* Are the declarations sound: names [a-z0-9_], each once a scope, known types and
 * scopes, a range or choices where the type wants them, defaults that pass
 * their own check? err names the key. For the loader: a plugin that fails
 * this is refused. */
enum wt_status wt_key_table_check(const struct wt_key_table *table,
				  struct wt_error *err) WT_MUST_CHECK;

#endif
