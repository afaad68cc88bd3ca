/* SPDX-License-Identifier: MIT
 *
 * daemon.h: the process around the engine: rights, TUN device, signals.
 */
#ifndef WT_ENGINE_DAEMON_H
#define WT_ENGINE_DAEMON_H

#include "config/settings.h"

/* Run until SIGTERM or SIGINT. Returns the process's exit code (enum wt_exit);
 * what went wrong is in the log. */
int wt_daemon_run(const struct wt_settings *settings);

/* All that can be checked without rights and without creating anything:
 * instances are made and peers added, and taken down again. WT_EXIT_OK,
 * WT_EXIT_CONFIG with a sentence in err, or WT_EXIT_RUNTIME. */
int wt_daemon_check(const struct wt_settings *settings, struct wt_error *err);

#endif
