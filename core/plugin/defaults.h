/* SPDX-License-Identifier: MIT
 *
 * defaults.h: what the host does for the optional slots of a plugin's table.
 */
#ifndef WT_PLUGIN_DEFAULTS_H
#define WT_PLUGIN_DEFAULTS_H

#include "plugin/registry.h"

struct wt_crypto;

/* Fill absent optional slots, all but the batch forms: those need the plugin's
 * own seal and open, which a slot cannot reach, and are the two below. */
void wt_defaults_fill(struct wt_plugin *plugin);

/* seal and open, item by item, with the contract of the batch forms. */
void wt_default_seal_batch(struct wt_crypto *crypto, struct wt_worker *worker, void *ctx,
			   struct wt_aead_item *items, size_t n);
void wt_default_open_batch(struct wt_crypto *crypto, struct wt_worker *worker, void *ctx,
			   struct wt_aead_item *items, size_t n);

#endif
