/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

enum wt_status wt_fail(struct wt_error *err, enum wt_status status, const char *fmt, ...)
{
	if (err) {
		va_list args;

		va_start(args, fmt);
		vsnprintf(err->text, sizeof err->text, fmt, args);
		va_end(args);
	}
	return status;
}

const char *wt_status_text(enum wt_status status)
{
	static const char *const text[] = {
		[WT_OK] = "ok",
		[WT_AGAIN] = "not now",
		[WT_ERR_INVALID] = "invalid argument",
		[WT_ERR_NOMEM] = "out of memory, slots or descriptors",
		[WT_ERR_UNAVAILABLE] = "not available here",
		[WT_ERR_AUTH] = "authentication failed",
		[WT_ERR_IO] = "input/output error",
		[WT_ERR_CLOSED] = "closed by the other end",
		[WT_ERR_LIMIT] = "limit reached",
		[WT_ERR_CONFIG] = "unusable settings",
		[WT_ERR_CRYPTO] = "the crypto library failed",
		[WT_ERR_PERMISSION] = "permission denied",
		[WT_ERR_UNSUPPORTED] = "not supported",
	};

	if ((unsigned)status >= sizeof text / sizeof text[0] || !text[status])
		return "unknown status";
	return text[status];
}
