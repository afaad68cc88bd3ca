/* SPDX-License-Identifier: MIT
 *
 * status.h: what a call can say, on both sides of the plugin border.
 *
 * errno never crosses the border: a plugin turns it into one of these and,
 * where the call has a struct wt_error, into a sentence for the operator.
 */
#ifndef WHISPERTUNNEL_STATUS_H
#define WHISPERTUNNEL_STATUS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In C++ an enum has the size and the range that it has in C. */
#ifdef __cplusplus
#define WT_ENUM_BASE : uint32_t
#else
#define WT_ENUM_BASE
#endif

/* The result of every call that can fail. Values are part of the ABI: new
 * ones are appended, none is ever renumbered. */
enum wt_status WT_ENUM_BASE {
	WT_OK = 0,
	WT_AGAIN = 1,		/* nothing now; an event will say when */
	WT_ERR_INVALID = 2,	/* an argument outside its documented range */
	WT_ERR_NOMEM = 3,	/* memory, slots or descriptors are used up */
	WT_ERR_UNAVAILABLE = 4, /* not on this CPU, kernel or library */
	WT_ERR_AUTH = 5,	/* a tag or MAC did not verify */
	WT_ERR_IO = 6,		/* the kernel or network refused */
	WT_ERR_CLOSED = 7,	/* the other end closed */
	WT_ERR_LIMIT = 8,	/* a documented limit was reached */
	WT_ERR_CONFIG = 9,	/* the settings cannot work */
	WT_ERR_CRYPTO = 10,	/* the library failed for another reason than the tag */
	WT_ERR_PERMISSION = 11, /* rights are missing */
	WT_ERR_UNSUPPORTED = 12 /* an optional operation that is not there */
};

/* One sentence for the operator: what failed, on what, and what to do.
 * The caller owns it, sets struct_size and leaves the text empty; the callee writes
 * a NUL-terminated one (UTF-8, no newline) when it fails, without its own kind and
 * name, which the host puts in front. An empty one is replaced by the status's own
 * words. Never NULL in a call of the host. Never holds a key. */
struct wt_error {
	uint32_t struct_size;
	uint32_t reserved;
	char text[504];
};

#if defined(__GNUC__)
#define WT_MUST_CHECK __attribute__((warn_unused_result))
#define WT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define WT_MUST_CHECK
#define WT_PRINTF(fmt, args)
#endif

#ifdef __cplusplus
}
#endif

#endif
