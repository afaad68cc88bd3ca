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
#include "base/utf8.h"
#include "new/embedded.h"

#define SUFFIX ".in"

/* A project has the files of the folders `common`, KIND and KIND-MODE. */
static const struct wt_project_kind kinds[] = {
	{ "auth", { NULL } },
	{ "crypto", { NULL } },
	{ "transport", { "stream", "datagram", NULL } },
};
#define KINDS (sizeof kinds / sizeof kinds[0])

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

const struct wt_project_kind *wt_project_kind(const char *name)
{
	for (size_t i = 0; i < KINDS; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

void wt_project_kinds(char *out, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < KINDS && len < size; i++)
		len += (size_t)snprintf(out + len, size - len, "%s%s", i > 0 ? "|" : "",
					kinds[i].name);
}

bool wt_project_license_known(const char *license)
{
	return find("licenses", license) != NULL;
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

bool wt_project_license_valid(const char *license)
{
	size_t len = strlen(license);

	return len <= 80 && strpbrk(license, LETTERS) &&
	       strspn(license, LETTERS "0123456789-.+() ") == len;
}

bool wt_project_author_valid(const char *author)
{
	return author[strspn(author, " ")] != '\0' && strlen(author) <= WT_PROJECT_AUTHOR_MAX &&
	       wt_utf8_is_printable(author);
}

/* "0.1" of "0.1.0": what find_package() asks for. */
static void sdk_version(char out[16])
{
	const char *dot = strchr(WT_VERSION, '.');

	dot = dot ? strchr(dot + 1, '.') : NULL;
	snprintf(out, 16, "%.*s", dot ? (int)(dot - WT_VERSION) : 15, WT_VERSION);
}

/* The name as a part of a counter's: [a-z0-9_]. */
static void counter_name(const char *name, char out[WT_NAME_MAX + 1])
{
	snprintf(out, WT_NAME_MAX + 1, "%s", name);
	for (char *p = out; *p; p++)
		if (*p == '-')
			*p = '_';
}

/* Writes the text with each @WORD@ replaced. */
static void fill(const char *text, const struct wt_project *project, FILE *out)
{
	char year[16], version[16], counter[WT_NAME_MAX + 1];
	time_t now = time(NULL);
	struct tm utc = { 0 };

	gmtime_r(&now, &utc);
	snprintf(year, sizeof year, "%d", utc.tm_year + 1900);
	sdk_version(version);
	counter_name(project->name, counter);
	const struct {
		const char *word, *value;
	} words[] = {
		{ "@NAME@", project->name },	 { "@LICENSE@", project->license },
		{ "@AUTHOR@", project->author }, { "@YEAR@", year },
		{ "@SDK_VERSION@", version },	 { "@COUNTER@", counter },
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

/* What was written so far stays, and the next try would find the directory in use. */
static enum wt_status cut_short(const struct wt_project *project, const char *path,
				struct wt_error *err)
{
	return wt_fail(err, WT_ERR_IO, "%.300s: %s; remove %.300s before you try again", path,
		       strerror(errno), project->dir);
}

static enum wt_status write_file(const struct wt_project *project, const char *name,
				 const char *text, struct wt_error *err)
{
	char path[PATH_MAX];
	FILE *out;

	if (snprintf(path, sizeof path, "%s/%s", project->dir, name) >= (int)sizeof path)
		return wt_fail(err, WT_ERR_IO,
			       "%.200s: the path is too long; name a shorter one with --dir",
			       project->dir);
	/* x: what came in between is not overwritten. */
	out = fopen(path, "wxe");
	if (!out)
		return cut_short(project, path, err);
	fill(text, project, out);
	bool good = !ferror(out);

	if (fclose(out) != 0 || !good)
		return cut_short(project, path, err);
	return WT_OK;
}

static enum wt_status make_directory(const char *dir, struct wt_error *err)
{
	const struct dirent *entry;
	bool empty = true;
	DIR *stream;

	if (mkdir(dir, 0777) != 0 && errno != EEXIST)
		return wt_fail(err, WT_ERR_IO,
			       "%.300s cannot be made: %s; name another directory with --dir", dir,
			       strerror(errno));
	stream = opendir(dir);
	if (!stream)
		return wt_fail(err, WT_ERR_IO,
			       "%.300s cannot be read: %s; name another directory with --dir", dir,
			       strerror(errno));
	while (empty && (entry = readdir(stream)) != NULL)
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	closedir(stream);
	if (!empty)
		return wt_fail(err, WT_ERR_CONFIG,
			       "%.300s is not empty; name another directory with --dir", dir);
	return WT_OK;
}

/* Every file of one folder of templates. */
static enum wt_status write_folder(const struct wt_project *project, const char *folder,
				   struct wt_error *err)
{
	const size_t prefix = strlen(folder) + 1;
	enum wt_status status = WT_OK;

	for (const struct wt_embedded *t = wt_templates; status == WT_OK && t->name; t++) {
		char name[64];

		if (strncmp(t->name, folder, prefix - 1) != 0 || t->name[prefix - 1] != '/')
			continue;
		/* A template is not called as git's own file is. */
		bool hidden = strcmp(t->name + prefix, "gitignore" SUFFIX) == 0;

		snprintf(name, sizeof name, "%s%.*s", hidden ? "." : "",
			 (int)(strlen(t->name + prefix) - strlen(SUFFIX)), t->name + prefix);
		status = write_file(project, name, t->text, err);
	}
	return status;
}

enum wt_status wt_project_write(const struct wt_project *project, struct wt_error *err)
{
	const struct wt_embedded *license = find("licenses", project->license);
	enum wt_status status = make_directory(project->dir, err);
	char with_mode[64];

	if (status == WT_OK)
		status = write_folder(project, "common", err);
	if (status == WT_OK)
		status = write_folder(project, project->kind, err);
	snprintf(with_mode, sizeof with_mode, "%s-%s", project->kind,
		 project->mode ? project->mode : "");
	if (status == WT_OK && project->mode)
		status = write_folder(project, with_mode, err);
	if (status == WT_OK && license)
		status = write_file(project, "LICENSE", license->text, err);
	return status;
}
