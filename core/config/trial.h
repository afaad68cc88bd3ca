/* SPDX-License-Identifier: MIT
 *
 * trial.h: asks the loaded plugins themselves whether they can work with the
 * settings: instances are made, peers added, and all taken down again.
 */
#ifndef WT_CONFIG_TRIAL_H
#define WT_CONFIG_TRIAL_H

#include "config/problems.h"
#include "config/settings.h"

/* What a plugin refuses (credentials it cannot use, one key for two peers)
 * becomes a problem at the line of its section or peer. Opens no socket, needs
 * no rights. Main thread. */
void wt_trial_run(const struct wt_settings *settings, struct wt_problems *problems);

#endif
