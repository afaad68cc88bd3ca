/* SPDX-License-Identifier: MIT */
#include "plugin/home.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/build.h"
#include "base/error.h"

#define EXE "/proc/self/exe"

static char plugins[PATH_MAX]; /* "": there is none */
static struct wt_error why_not = WT_ERROR_INIT;

/* Cut the last name off: of "/opt" "" is left, of "" nothing can be cut. */
static bool cut_name(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash)
		return false;
	*slash = '\0';
	return true;
}

/* Go `way` from the directory `path`, as text: there are no links in it yet, as
 * the kernel has followed them. */
static bool follow(char path[PATH_MAX], const char *way)
{
	while (*way) {
		const size_t n = strcspn(way, "/"), len = strlen(path);

		if (n == 2 && way[0] == '.' && way[1] == '.') {
			if (!cut_name(path))
				return false;
		} else if (n > 0) {
			if (len + 1 + n >= PATH_MAX)
				return false;
			path[len] = '/';
			memcpy(path + len + 1, way, n);
			path[len + 1 + n] = '\0';
		}
		way += n + (way[n] == '/');
	}
	return path[0] == '/';
}

enum wt_status wt_home_path(const char *way, char path[PATH_MAX], struct wt_error *err)
{
	const ssize_t len = readlink(EXE, path, PATH_MAX);

	if (len < 0)
		return wt_fail(err, WT_ERR_IO, EXE ": %s", strerror(errno));
	if (len == PATH_MAX)
		return wt_fail(err, WT_ERR_IO, EXE ": %s", strerror(ENAMETOOLONG));
	/* Of a program that was removed or replaced since its start, " (deleted)"
	 * is behind the name that is cut off. */
	path[len] = '\0';
	if (path[0] != '/' || !cut_name(path) || !follow(path, way))
		return wt_fail(err, WT_ERR_IO, "from " EXE " no %s can be reached", way);
	return WT_OK;
}

static bool find(const char *way)
{
	struct stat st;

	if (wt_home_path(way, plugins, &why_not) != WT_OK)
		return false;
	if (strcmp(plugins, WT_PLUGIN_DIR_DEFAULT) == 0)
		return false; /* it lies where it was made for */
	if (getauxval(AT_SECURE)) {
		wt_fail(&why_not, WT_OK,
			"a process with raised rights does not look beside its program");
		return false;
	}
	if (lstat(plugins, &st) == 0 || (errno != ENOENT && errno != ENOTDIR))
		return true;
	wt_fail(&why_not, WT_OK, "there is no %s", plugins);
	return false;
}

void wt_home_find(const char *way)
{
	why_not.text[0] = '\0';
	if (way[0] == '\0' || !find(way))
		plugins[0] = '\0';
}

const char *wt_home_plugins(const char **reason)
{
	*reason = why_not.text;
	return plugins[0] ? plugins : NULL;
}
