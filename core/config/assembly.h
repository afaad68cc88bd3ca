/* SPDX-License-Identifier: MIT
 *
 * assembly.h: the state while settings are put together, shared by settings.c
 * (sections and plugins), section.c, peers.c, endpoint.c and crosscheck.c; nobody
 * else includes it.
 *
 * Each step adds what is wrong to `problems` and goes on with the rest.
 */
#ifndef WT_CONFIG_ASSEMBLY_H
#define WT_CONFIG_ASSEMBLY_H

#include "config/ini.h"
#include "config/problems.h"
#include "config/settings.h"
#include "config/source.h"

struct wt_assembly {
	struct wt_problems problems;
	struct wt_ini ini;
	char *base_dir; /* of the INI file: where relative paths begin */
	const struct wt_plugin_source *source;
	struct wt_settings *settings;
	/* A transport or auth plugin is missing: which keys peers may have is
	 * not known, so unknown ones are not blamed. */
	bool keys_unknown;
	bool out_of_memory;
};

static inline struct wt_place wt_place_of(const struct wt_ini_section *section,
					  const struct wt_ini_entry *entry)
{
	return (struct wt_place){ entry ? entry->line : section->line, section->label,
				  entry ? entry->key : NULL };
}

struct wt_key_table wt_plugin_keys(const struct wt_plugin *plugin);

/* The entry `key`, or NULL. Of several, the first. */
const struct wt_ini_entry *wt_section_find(const struct wt_ini_section *section, const char *key);

/* Put the entries of `section` into cfg: unknown keys (unless `lenient`),
 * repeated ones, bad values and missing required ones become problems. */
void wt_section_apply(struct wt_assembly *assembly, const struct wt_ini_section *section,
		      struct wt_config *cfg, bool lenient);

/* All prefixes of the entries `key`, in order; `networks`: without host bits.
 * The caller frees *out. */
void wt_section_prefixes(struct wt_assembly *assembly, const struct wt_ini_section *section,
			 const char *key, bool networks, struct wt_prefix **out, size_t *count);

/* NAME of [KIND NAME]: [A-Za-z0-9_.-], 1..31. */
bool wt_name_is_valid(const char *name);

/* "hmac, noise", or "none". */
#define WT_NAMES_TEXT 256
const char *wt_names_text(const struct wt_plugin_settings *items, size_t n,
			  char out[WT_NAMES_TEXT]);

/* "are address, mtu (did you mean ...?)", "is none": what could stand where the
 * unknown key `found` does. */
#define WT_KEYS_TEXT 640
const char *wt_keys_text(const struct wt_config *cfg, const char *found, char out[WT_KEYS_TEXT]);

/* Parse "SCHEME://HOST:PORT?KEY=VALUE&..." of `len` characters; false: it was
 * refused and a problem added. */
bool wt_endpoint_parse(struct wt_assembly *assembly, struct wt_place place, const char *text,
		       size_t len, struct wt_endpoint *out);
void wt_endpoint_clear(struct wt_endpoint *endpoint);

/* All [peer NAME] sections, after the plugins are loaded. */
void wt_peers_assemble(struct wt_assembly *assembly);
/* What only shows when all is known: reachability, routing loops, overlaps. */
void wt_peers_check(struct wt_assembly *assembly);
void wt_peer_clear(struct wt_peer_settings *peer);

#endif
