/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

#define LINE_MAX_BYTES 2048
#define TOPICS 64

struct topic {
	char name[48];
	uint64_t window_start_ms;
	uint32_t written;
	uint64_t left_out;
	enum wt_log_level level;
};

static struct {
	enum wt_log_level level;
	enum wt_log_format format;
	void (*capture)(void *arg, const char *line);
	void *capture_arg;
	pthread_mutex_t lock; /* guards topics */
	struct topic topics[TOPICS];
} state = { .level = WT_LOG_INFO, .lock = PTHREAD_MUTEX_INITIALIZER };

static const char *const level_names[] = { "error", "warning", "info", "debug" };

void wt_log_setup(enum wt_log_level level, enum wt_log_format format)
{
	state.level = level;
	state.format = format;
}

bool wt_log_enabled(enum wt_log_level level)
{
	return level <= state.level;
}

void wt_log_capture(void (*fn)(void *arg, const char *line), void *arg)
{
	state.capture = fn;
	state.capture_arg = arg;
}

/* Appends `in` to out[*at..), escaping what could forge a line or a JSON
 * string. Bytes over 0x7f pass if they form UTF-8 in either format. */
static void append_escaped(char *out, size_t size, size_t *at, const char *in, bool json)
{
	const unsigned char *p = (const unsigned char *)in;

	while (*p && *at + 8 < size) {
		size_t n = *p >= 0x80 ? wt_utf8_length(p) : 1;

		if (n == 0 || *p < 0x20 || *p == 0x7f) {
			*at += (size_t)snprintf(out + *at, size - *at, json ? "\\u%04x" : "\\x%02x",
						*p);
			p++;
			continue;
		}
		if (json && (*p == '"' || *p == '\\'))
			out[(*at)++] = '\\';
		memcpy(out + *at, p, n);
		*at += n;
		p += n;
	}
	out[*at] = '\0';
}

static void emit(enum wt_log_level level, const char *prefix, const char *text)
{
	char line[LINE_MAX_BYTES];
	size_t at = 0;
	bool json = state.format == WT_LOG_JSON;

	if (json) {
		uint64_t now = wt_clock_system.unix_ms(&wt_clock_system);

		at = (size_t)snprintf(line, sizeof line, "{\"time\":%llu.%03u,\"level\":\"%s\",",
				      (unsigned long long)(now / 1000), (unsigned)(now % 1000),
				      level_names[level]);
		if (prefix) {
			at += (size_t)snprintf(line + at, sizeof line - at, "\"plugin\":\"");
			append_escaped(line, sizeof line - 4, &at, prefix, true);
			at += (size_t)snprintf(line + at, sizeof line - at, "\",");
		}
		at += (size_t)snprintf(line + at, sizeof line - at, "\"message\":\"");
		append_escaped(line, sizeof line - 4, &at, text, true);
		line[at++] = '"';
		line[at++] = '}';
	} else {
		at = (size_t)snprintf(line, sizeof line, "%s: ", level_names[level]);
		if (prefix) {
			append_escaped(line, sizeof line - 4, &at, prefix, false);
			at += (size_t)snprintf(line + at, sizeof line - at, ": ");
		}
		append_escaped(line, sizeof line - 2, &at, text, false);
	}
	line[at] = '\0';
	if (state.capture) {
		state.capture(state.capture_arg, line);
		return;
	}
	line[at++] = '\n';
	/* A log that cannot be written must not stop the daemon. */
	ssize_t ignored = write(STDERR_FILENO, line, at);

	(void)ignored;
}

static void append_plain(char *line, size_t *at, const char *text, bool json)
{
	for (; *text && *at + 4 < LINE_MAX_BYTES; text++) {
		if (json && (*text == '"' || *text == '\\'))
			line[(*at)++] = '\\';
		line[(*at)++] = *text;
	}
}

static void append_number(char *line, size_t *at, uint64_t number, unsigned digits)
{
	char text[24];
	size_t i = sizeof text;

	text[--i] = '\0';
	for (; number > 0 || digits > 0; number /= 10, digits -= digits > 0)
		text[--i] = (char)('0' + number % 10);
	append_plain(line, at, text + i, false);
}

void wt_log_dying(const char *text)
{
	const bool json = state.format == WT_LOG_JSON;
	char line[LINE_MAX_BYTES];
	size_t at = 0;

	if (json) {
		uint64_t now = wt_clock_system.unix_ms(&wt_clock_system);

		append_plain(line, &at, "{\"time\":", false);
		append_number(line, &at, now / 1000, 1);
		append_plain(line, &at, ".", false);
		append_number(line, &at, now % 1000, 3);
		append_plain(line, &at, ",\"level\":\"error\",\"message\":\"", false);
	} else {
		append_plain(line, &at, "error: ", false);
	}
	append_plain(line, &at, text, json);
	append_plain(line, &at, json ? "\"}" : "", false);
	line[at++] = '\n';
	ssize_t ignored = write(STDERR_FILENO, line, at);

	(void)ignored;
}

void wt_vlog(enum wt_log_level level, const char *prefix, const char *fmt, va_list args)
{
	char text[LINE_MAX_BYTES - 256];

	if (!wt_log_enabled(level))
		return;
	vsnprintf(text, sizeof text, fmt, args);
	emit(level, prefix, text);
}

void wt_log(enum wt_log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	wt_vlog(level, NULL, fmt, args);
	va_end(args);
}

static void report_left_out(const struct topic *t)
{
	char text[128];

	snprintf(text, sizeof text, "%llu more like this left out (%s)",
		 (unsigned long long)t->left_out, t->name);
	emit(t->level, NULL, text);
}

/* May one more line of this topic be written? Fixed table: when it is full, a
 * new topic takes the place of the one that was quiet longest. */
static bool topic_allows(const char *name, enum wt_log_level level)
{
	struct topic *t = NULL, *oldest = &state.topics[0];
	bool allow;

	pthread_mutex_lock(&state.lock);
	/* Asked for here, no thread's time is before that of the last one. */
	uint64_t now = wt_clock_system.mono_ns(&wt_clock_system) / 1000000u;

	for (size_t i = 0; i < TOPICS && !t; i++) {
		struct topic *c = &state.topics[i];

		if (c->name[0] && strncmp(c->name, name, sizeof c->name - 1) == 0)
			t = c;
		else if (c->window_start_ms < oldest->window_start_ms)
			oldest = c;
	}
	if (!t) {
		t = oldest;
		if (t->left_out)
			report_left_out(t);
		*t = (struct topic){ .window_start_ms = now };
		snprintf(t->name, sizeof t->name, "%s", name);
	}
	if (now - t->window_start_ms >= WT_LOG_WINDOW_MS) {
		if (t->left_out)
			report_left_out(t);
		t->window_start_ms = now;
		t->written = 0;
		t->left_out = 0;
	}
	t->level = level;
	allow = t->written < WT_LOG_BURST;
	if (allow)
		t->written++;
	else
		t->left_out++;
	pthread_mutex_unlock(&state.lock);
	return allow;
}

void wt_vlog_limited(enum wt_log_level level, const char *prefix, const char *topic,
		     const char *fmt, va_list args)
{
	if (wt_log_enabled(level) && topic_allows(topic, level))
		wt_vlog(level, prefix, fmt, args);
}

void wt_log_limited(enum wt_log_level level, const char *topic, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	wt_vlog_limited(level, NULL, topic, fmt, args);
	va_end(args);
}

void wt_log_flush(void)
{
	pthread_mutex_lock(&state.lock);
	for (size_t i = 0; i < TOPICS; i++) {
		if (state.topics[i].left_out)
			report_left_out(&state.topics[i]);
		state.topics[i] = (struct topic){ .written = 0 };
	}
	pthread_mutex_unlock(&state.lock);
}
