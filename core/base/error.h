/* SPDX-License-Identifier: MIT
 *
 * error.h: filling a struct wt_error, and the exit codes of `wtcore`.
 */
#ifndef WT_BASE_ERROR_H
#define WT_BASE_ERROR_H

#include <whispertunnel/status.h>

enum wt_exit {
	WT_EXIT_OK = 0,
	WT_EXIT_RUNTIME = 1,
	WT_EXIT_CONFIG = 2,
	WT_EXIT_RIGHTS = 3, /* rights or device */
	WT_EXIT_PLUGIN = 4
};

#define WT_ERROR_INIT                                                                              \
	{                                                                                          \
		.struct_size = sizeof(struct wt_error)                                             \
	}

/* Sets the sentence and returns `status`, so that a failure is one line:
 *	return wt_fail(err, WT_ERR_IO, "open %s: %s", path, strerror(errno));
 * err may be NULL. */
enum wt_status wt_fail(struct wt_error *err, enum wt_status status, const char *fmt, ...)
	WT_PRINTF(3, 4);

/* "WT_ERR_IO" reads "input/output error", for logs. */
const char *wt_status_text(enum wt_status status);

#endif
