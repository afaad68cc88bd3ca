/* SPDX-License-Identifier: MIT
 *
 * toy_plugin.h: the toy backend as a plugin of whole engines, that notices when
 * any two of them, at any time, seal under one key and nonce.
 */
#ifndef WT_TEST_SUPPORT_TOY_PLUGIN_H
#define WT_TEST_SUPPORT_TOY_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "plugin/registry.h"

/* Its name is "toy". It claims to be AES-256-GCM, so that no setting has to allow
 * it. */
extern const struct wt_plugin wt_toy_plugin;

/* Forget what was sealed so far. */
void wt_toy_plugin_reset(void);

/* Was a key and nonce used twice since then? */
bool wt_toy_plugin_reused(void);

/* Seals since then. */
size_t wt_toy_plugin_seals(void);

#endif
