/* SPDX-License-Identifier: MIT
 *
 * log.h: one line an event, to stderr, as text or JSON.
 *
 * Control bytes and invalid UTF-8 are escaped, so that a name from a peer or a
 * file cannot forge a line. A line is written with one write(2). Any thread.
 */
#ifndef WT_BASE_LOG_H
#define WT_BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <whispertunnel/host.h>

enum wt_log_format { WT_LOG_TEXT = 0, WT_LOG_JSON = 1 };

/* Lines above `level` are dropped. */
void wt_log_setup(enum wt_log_level level, enum wt_log_format format);
bool wt_log_enabled(enum wt_log_level level);

/* For tests: every finished line goes to fn instead of stderr. NULL: stderr. */
void wt_log_capture(void (*fn)(void *arg, const char *line), void *arg);

void wt_log(enum wt_log_level level, const char *fmt, ...) WT_PRINTF(2, 3);
void wt_vlog(enum wt_log_level level, const char *prefix, const char *fmt, va_list args)
	WT_PRINTF(3, 0);

/* An error, from a signal handler of a thread that ends the process: neither lock
 * nor memory nor anything that may not be called there. `text` is plain ASCII; of
 * what is longer than a line the end is missing. Goes to stderr always. */
void wt_log_dying(const char *text);

/* For what the network can cause: at most WT_LOG_BURST lines in
 * WT_LOG_WINDOW_MS for each topic, then one line that says how many were left
 * out, when the window ends and the topic comes up again. `topic` is a string
 * constant; it is compared by its text. */
#define WT_LOG_BURST 5u
#define WT_LOG_WINDOW_MS 10000u
void wt_log_limited(enum wt_log_level level, const char *topic, const char *fmt, ...)
	WT_PRINTF(3, 4);
void wt_vlog_limited(enum wt_log_level level, const char *prefix, const char *topic,
		     const char *fmt, va_list args) WT_PRINTF(4, 0);

/* Lines still held back by the limit are summed up now (at exit). */
void wt_log_flush(void);

#endif
