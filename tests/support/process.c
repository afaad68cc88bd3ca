/* SPDX-License-Identifier: MIT */
#include "support/process.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct lines {
	char **line;
	size_t count;
};

static void lines_add(struct lines *lines, const char *text)
{
	lines->line = realloc(lines->line, (lines->count + 1) * sizeof *lines->line);
	assert_non_null(lines->line);
	lines->line[lines->count] = strdup(text);
	assert_non_null(lines->line[lines->count++]);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, each once, in one string; frees the lines. */
static char *lines_join(struct lines *lines)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	if (lines->count > 0)
		qsort(lines->line, lines->count, sizeof *lines->line, compare);
	for (size_t i = 0; i < lines->count; i++)
		if (i == 0 || strcmp(lines->line[i], lines->line[i - 1]) != 0)
			fprintf(out, "%s\n", lines->line[i]);
	for (size_t i = 0; i < lines->count; i++)
		free(lines->line[i]);
	free(lines->line);
	assert_int_equal(fclose(out), 0);
	return text;
}

char *wt_process_maps(void)
{
	struct lines lines = { .line = NULL };
	char line[PATH_MAX + 128];
	FILE *maps = fopen("/proc/self/maps", "re");

	assert_non_null(maps);
	while (fgets(line, sizeof line, maps)) {
		char *file = strchr(line, '/');

		if (!file)
			continue;
		file[strcspn(file, "\n")] = '\0';
		lines_add(&lines, file);
	}
	fclose(maps);
	return lines_join(&lines);
}

char *wt_process_fds(void)
{
	struct lines lines = { .line = NULL };
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		char target[PATH_MAX], line[PATH_MAX + 300];
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, target, sizeof target - 1);

		if (len < 0 || strtol(entry->d_name, NULL, 10) == dirfd(dir))
			continue;
		target[len] = '\0';
		snprintf(line, sizeof line, "%s -> %s", entry->d_name, target);
		lines_add(&lines, line);
	}
	closedir(dir);
	return lines_join(&lines);
}

bool wt_process_has_child(void)
{
	return waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD;
}

/* The same of one thread; false: it has another name, or no such field. */
static bool read_thread(const char *task, const char *thread, const char *field, int base,
			uint64_t *out)
{
	char path[300], line[256], name[32] = "";
	bool found = false;

	snprintf(path, sizeof path, "/proc/self/task/%s/status", task);
	FILE *status = fopen(path, "re");

	while (status && !found && fgets(line, sizeof line, status)) {
		(void)sscanf(line, "Name: %31s", name);
		found = strcmp(name, thread) == 0 && strncmp(line, field, strlen(field)) == 0 &&
			line[strlen(field)] == ':';
		if (found)
			*out = strtoull(line + strlen(field) + 1, NULL, base);
	}
	if (status)
		fclose(status);
	return found;
}

uint64_t wt_process_thread(const char *thread, const char *field, int base)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	uint64_t number = 0;
	bool found = false;

	assert_non_null(dir);
	while (!found && (entry = readdir(dir)) != NULL)
		found = read_thread(entry->d_name, thread, field, base, &number);
	closedir(dir);
	if (!found)
		fail_msg("there is no thread %s with a %s", thread, field);
	return number;
}
