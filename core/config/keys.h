/* SPDX-License-Identifier: MIT
 *
 * keys.h: the core's own keys, declared as those of plugins are.
 */
#ifndef WT_CONFIG_KEYS_H
#define WT_CONFIG_KEYS_H

#include <stdio.h>

#include "config/values.h"

/* A flag of the core alone: a comma-separated list that may also be written on
 * several lines, each with the key. The value kept is that of the last line. */
#define WT_KEY_LIST 0x80000000u

extern const struct wt_key_table wt_keys_tunnel;
extern const struct wt_key_table wt_keys_crypto;
extern const struct wt_key_table wt_keys_transport;
extern const struct wt_key_table wt_keys_auth;
extern const struct wt_key_table wt_keys_peer; /* scope WT_SCOPE_PEER */

struct wt_registry;

/* All keys of the core and of the plugins of `registry`, as Markdown: the
 * tables of docs/config.md. */
void wt_keys_print(const struct wt_registry *registry, FILE *out);

#endif
