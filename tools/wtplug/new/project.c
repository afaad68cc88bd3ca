/* SPDX-License-Identifier: MIT */
#include "new/project.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/build.h"
#include "base/error.h"
#include "new/embedded.h"

#define SUFFIX ".in"

/* A template below `folder` and a slash; NULL: it is not there. */
static const struct wt_embedded *find(const char *folder, const char *name)
{
	char wanted[128];

	snprintf(wanted, sizeof wanted, "%s/%s" SUFFIX, folder, name);
	for (const struct wt_embedded *t = wt_templates; t->name; t++)
		if (strcmp(t->name, wanted) == 0)
			return t;
	return NULL;
}

bool wt_project_kind_known(const char *kind)
{
	return strchr(kind, '/') == NULL && find(kind, "plugin.c") != NULL;
}

void wt_project_kinds(char *out, size_t size)
{
	static const char file[] = "/plugin.c" SUFFIX;
	size_t len = 0;

	out[0] = '\0';
	for (const struct wt_embedded *t = wt_templates; t->name && len < size; t++) {
		const char *slash = strchr(t->name, '/');

		if (slash && strcmp(slash, file) == 0)
			len += (size_t)snprintf(out + len, size - len, "%s%.*s", len ? "|" : "",
						(int)(slash - t->name), t->name);
	}
}

bool wt_project_license_known(const char *license)
{
	return find("licenses", license) != NULL;
}

bool wt_project_license_valid(const char *license)
{
	size_t len = strlen(license);

	return len > 0 && len <= 80 &&
	       strspn(license,
		      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.+() ") ==
		       len;
}

/* "0.1" of "0.1.0": what find_package() asks for. */
static void sdk_version(char out[16])
{
	const char *dot = strchr(WT_VERSION, '.');

	dot = dot ? strchr(dot + 1, '.') : NULL;
	snprintf(out, 16, "%.*s", dot ? (int)(dot - WT_VERSION) : 15, WT_VERSION);
}

/* Writes the text with each @WORD@ replaced. */
static void fill(const char *text, const struct wt_project *project, FILE *out)
{
	char year[16], version[16];
	time_t now = time(NULL);
	struct tm utc = { 0 };

	gmtime_r(&now, &utc);
	snprintf(year, sizeof year, "%d", utc.tm_year + 1900);
	sdk_version(version);
	const struct {
		const char *word, *value;
	} words[] = {
		{ "@NAME@", project->name },	 { "@LICENSE@", project->license },
		{ "@AUTHOR@", project->author }, { "@YEAR@", year },
		{ "@SDK_VERSION@", version },
	};

	while (*text) {
		size_t i = 0, count = sizeof words / sizeof words[0];

		while (i < count && strncmp(text, words[i].word, strlen(words[i].word)) != 0)
			i++;
		if (i == count) {
			fputc(*text++, out);
			continue;
		}
		fputs(words[i].value, out);
		text += strlen(words[i].word);
	}
}

static enum wt_status write_file(const struct wt_project *project, const char *name,
				 const char *text, struct wt_error *err)
{
	char path[PATH_MAX];
	FILE *out;

	if (snprintf(path, sizeof path, "%s/%s", project->dir, name) >= (int)sizeof path)
		return wt_fail(err, WT_ERR_IO, "%.200s: the path is too long", project->dir);
	/* x: what came in between is not overwritten. */
	out = fopen(path, "wxe");
	if (!out)
		return wt_fail(err, WT_ERR_IO, "%.300s: %s", path, strerror(errno));
	fill(text, project, out);
	bool good = !ferror(out);

	if (fclose(out) != 0 || !good)
		return wt_fail(err, WT_ERR_IO, "%.300s: %s", path, strerror(errno));
	return WT_OK;
}

static enum wt_status make_directory(const char *dir, struct wt_error *err)
{
	const struct dirent *entry;
	bool empty = true;
	DIR *stream;

	if (mkdir(dir, 0777) != 0 && errno != EEXIST)
		return wt_fail(err, WT_ERR_IO, "%.300s: %s", dir, strerror(errno));
	stream = opendir(dir);
	if (!stream)
		return wt_fail(err, WT_ERR_IO, "%.300s: %s", dir, strerror(errno));
	while (empty && (entry = readdir(stream)) != NULL)
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	closedir(stream);
	if (!empty)
		return wt_fail(err, WT_ERR_CONFIG,
			       "%.300s is not empty; name another directory with --dir", dir);
	return WT_OK;
}

enum wt_status wt_project_write(const struct wt_project *project, struct wt_error *err)
{
	const size_t prefix = strlen(project->kind) + 1;
	const struct wt_embedded *license = find("licenses", project->license);
	enum wt_status status = make_directory(project->dir, err);

	for (const struct wt_embedded *t = wt_templates; status == WT_OK && t->name; t++) {
		char name[64];

		if (strncmp(t->name, project->kind, prefix - 1) != 0 || t->name[prefix - 1] != '/')
			continue;
		/* A template is not called as git's own file is. */
		bool hidden = strcmp(t->name + prefix, "gitignore" SUFFIX) == 0;

		snprintf(name, sizeof name, "%s%.*s", hidden ? "." : "",
			 (int)(strlen(t->name + prefix) - strlen(SUFFIX)), t->name + prefix);
		status = write_file(project, name, t->text, err);
	}
	if (status == WT_OK && license)
		status = write_file(project, "LICENSE", license->text, err);
	return status;
}
