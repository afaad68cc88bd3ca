/* SPDX-License-Identifier: MIT */
#include "config/problems.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* The text that stands after "FILE:LINE: ". NULL: out of memory. */
static char *compose(struct wt_place place, const char *fmt, va_list args) WT_PRINTF(2, 0);

static char *compose(struct wt_place place, const char *fmt, va_list args)
{
	char *sentence = NULL, *text = NULL;

	if (vasprintf(&sentence, fmt, args) < 0)
		return NULL;
	if (place.section && place.key) {
		if (asprintf(&text, "[%s] %s: %s", place.section, place.key, sentence) < 0)
			text = NULL;
	} else if (place.section) {
		if (asprintf(&text, "[%s]: %s", place.section, sentence) < 0)
			text = NULL;
	} else {
		return sentence;
	}
	free(sentence);
	return text;
}

static void add(struct wt_problems *problems, struct wt_place place, const char *fmt, va_list args)
	WT_PRINTF(3, 0);

static void add(struct wt_problems *problems, struct wt_place place, const char *fmt, va_list args)
{
	char *text = compose(place, fmt, args);

	if (text && problems->count == problems->room) {
		size_t room = problems->room ? problems->room * 2 : 16;
		struct wt_problem *items = reallocarray(problems->items, room, sizeof *items);

		if (items) {
			problems->items = items;
			problems->room = room;
		}
	}
	if (!text || problems->count == problems->room) {
		problems->out_of_memory = true;
		free(text);
		return;
	}
	problems->items[problems->count] = (struct wt_problem){ place.line, problems->count, text };
	problems->count++;
}

void wt_problem_add(struct wt_problems *problems, struct wt_place place, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(problems, place, fmt, args);
	va_end(args);
}

void wt_problem_add_plugin(struct wt_problems *problems, struct wt_place place, const char *fmt,
			   ...)
{
	va_list args;

	va_start(args, fmt);
	add(problems, place, fmt, args);
	va_end(args);
	problems->plugin_count++;
}

int wt_problems_exit(const struct wt_problems *problems)
{
	if (problems->count == 0 && !problems->out_of_memory)
		return WT_EXIT_OK;
	return problems->count > 0 && problems->count == problems->plugin_count ? WT_EXIT_PLUGIN
										: WT_EXIT_CONFIG;
}

static int in_file_order(const void *a, const void *b)
{
	const struct wt_problem *x = a, *y = b;
	unsigned x_line = x->line ? (unsigned)x->line : UINT_MAX;
	unsigned y_line = y->line ? (unsigned)y->line : UINT_MAX;

	if (x_line != y_line)
		return x_line < y_line ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static void print_escaped(FILE *out, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p < 0x20 || *p == 0x7f)
			fprintf(out, "\\x%02x", *p);
		else
			putc(*p, out);
	}
}

void wt_problems_print(struct wt_problems *problems, FILE *out)
{
	if (problems->count > 0)
		qsort(problems->items, problems->count, sizeof *problems->items, in_file_order);
	for (size_t i = 0; i < problems->count; i++) {
		const struct wt_problem *problem = &problems->items[i];

		print_escaped(out, problems->path);
		if (problem->line > 0)
			fprintf(out, ":%d", problem->line);
		fputs(": ", out);
		print_escaped(out, problem->text);
		putc('\n', out);
	}
	if (problems->out_of_memory) {
		print_escaped(out, problems->path);
		fputs(": out of memory: some problems are not shown\n", out);
	}
}

void wt_problems_clear(struct wt_problems *problems)
{
	for (size_t i = 0; i < problems->count; i++)
		free(problems->items[i].text);
	free(problems->items);
	*problems = (struct wt_problems){ .path = problems->path };
}
