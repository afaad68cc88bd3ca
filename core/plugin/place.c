/* SPDX-License-Identifier: MIT */
#include "plugin/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/build.h"
#include "base/error.h"
#include "config/nearest.h"
#include "plugin/home.h"
#include "plugin/registry.h"

void wt_place_choose(const char *wanted, struct wt_plugin_place *place)
{
	*place = (struct wt_plugin_place){ .path = wanted, .source = "plugin_dir", .fallback = "" };
	if (!place->path) {
		/* NULL in a process with raised rights (AT_SECURE): whoever
		 * starts it must not choose the code that it runs. */
		place->path = secure_getenv("WT_PLUGIN_DIR");
		place->source = "WT_PLUGIN_DIR";
	}
	if (!place->path) {
		place->path = wt_home_plugins(&place->fallback);
		place->source = "of this program's installation";
		place->home = place->path != NULL;
	}
	if (!place->path) {
		place->path = WT_PLUGIN_DIR_DEFAULT;
		place->source = "the default of this build";
	}
}

void wt_place_print(FILE *out)
{
	struct wt_plugin_place place;

	wt_place_choose(NULL, &place);
	fprintf(out, "plugin directory %s (%s%s%s)\n", place.path, place.source,
		place.fallback[0] ? "; " : "", place.fallback);
}

/* Is there a user namespace around us in which the system's root has no
 * number? Then the kernel shows its files, and those of every other user
 * outside, as one "overflow" uid, and cannot be asked which is which. */
static bool root_is_outside(void)
{
	unsigned inside, outside, count;
	bool mapped = false;
	FILE *f = fopen("/proc/self/uid_map", "re");

	if (!f)
		return false;
	while (!mapped && fscanf(f, "%u %u %u", &inside, &outside, &count) == 3)
		mapped = outside == 0 && count > 0;
	fclose(f);
	return !mapped;
}

static bool is_overflow_uid(uid_t uid)
{
	unsigned overflow = 0;
	FILE *f = fopen("/proc/sys/kernel/overflowuid", "re");

	if (!f)
		return false;
	bool found = fscanf(f, "%u", &overflow) == 1;

	fclose(f);
	return found && overflow != 0 && uid == overflow;
}

static bool owner_is_trusted(uid_t uid)
{
	return uid == 0 || uid == geteuid() || (is_overflow_uid(uid) && root_is_outside());
}

static enum wt_status check_owner(const char *what, const char *path, int path_len,
				  const struct stat *st, struct wt_error *err)
{
	if (owner_is_trusted(st->st_uid))
		return WT_OK;
	return wt_fail(err, WT_ERR_PERMISSION,
		       "%s%.*s belongs to uid %u, who could exchange the plugin; allowed is root "
		       "or uid %u: chown it, or keep plugins elsewhere (plugin_dir)",
		       what, path_len, path, st->st_uid, geteuid());
}

/* Others can write to `st`: which chmod takes that from them? */
static const char *needed_chmod(const struct stat *st)
{
	switch (st->st_mode & (S_IWGRP | S_IWOTH)) {
	case S_IWGRP:
		return "g-w";
	case S_IWOTH:
		return "o-w";
	default:
		return "go-w";
	}
}

static enum wt_status check_directory(const char *path, int path_len, const struct stat *st,
				      bool holds_plugins, struct wt_error *err)
{
	enum wt_status status = check_owner("directory ", path, path_len, st, err);

	if (status != WT_OK || !(st->st_mode & (S_IWGRP | S_IWOTH)))
		return status;
	/* In a sticky directory such as /tmp others can add names, but neither
	 * rename nor remove what is not theirs. That is enough for a directory
	 * on the way, as the next one down is root's or ours; it is not for the
	 * one that holds the plugins, to which anybody could add a hard link
	 * to an old, vulnerable file of root's. */
	if ((st->st_mode & S_ISVTX) && !holds_plugins)
		return WT_OK;
	return wt_fail(err, WT_ERR_PERMISSION,
		       "others can write to directory %.*s (mode %04o) and exchange the plugin; "
		       "run: chmod %s %.*s",
		       path_len, path, st->st_mode & 07777u, needed_chmod(st), path_len, path);
}

static const char *what_to_set(void)
{
	return getauxval(AT_SECURE) ? "set plugin_dir to where the plugins are"
				    : "set plugin_dir, or WT_PLUGIN_DIR in the environment, to "
				      "where the plugins are";
}

/* Each directory and link of `path`, as it is written. Where others can add
 * names, as in /tmp, a link of theirs could lead to any directory of root's. */
static enum wt_status check_way(const char *path, struct wt_error *err)
{
	enum wt_status status = WT_OK;

	for (size_t at = 0; status == WT_OK && path[at];) {
		char part[PATH_MAX];
		struct stat st;

		at += 1 + strcspn(path + at + 1, "/");
		snprintf(part, sizeof part, "%.*s", (int)at, path);
		if (lstat(part, &st) != 0)
			return wt_fail(err, WT_ERR_IO, "%s: %s", part, strerror(errno));
		status = S_ISLNK(st.st_mode)
				 ? check_owner("symbolic link ", path, (int)at, &st, err)
				 : check_directory(path, (int)at, &st, false, err);
	}
	return status;
}

enum wt_status wt_place_find(const char *wanted, char **dir, struct wt_error *err)
{
	struct wt_plugin_place place;
	struct stat st;
	const char *gap;

	wt_place_choose(wanted, &place);
	gap = place.fallback[0] ? "; " : "";
	if (place.path[0] != '/')
		return wt_fail(err, WT_ERR_CONFIG,
			       "plugin directory \"%s\" (%s) is not absolute; write it with a "
			       "leading /",
			       place.path, place.source);
	*dir = realpath(place.path, NULL);
	if (!*dir && errno == ENOMEM)
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");
	if (*dir && stat(*dir, &st) == 0 && !S_ISDIR(st.st_mode)) {
		free(*dir);
		*dir = NULL;
		errno = ENOTDIR;
	}
	if (!*dir)
		return wt_fail(err, WT_ERR_CONFIG, "plugin directory %s (%s%s%s): %s; %s",
			       place.path, place.source, gap, place.fallback, strerror(errno),
			       what_to_set());
	if (place.home && strcmp(*dir, place.path) != 0) {
		enum wt_status status = check_way(place.path, err);

		if (status != WT_OK) {
			free(*dir);
			*dir = NULL;
			return status;
		}
	}
	return WT_OK;
}

/* Walk from / to `dir`, checking each directory on the descriptor that the
 * next one is then opened from: no name is looked up twice. */
static enum wt_status open_directory(const char *dir, int *out, struct wt_error *err)
{
	enum wt_status status = WT_OK;
	size_t at = 1; /* dir[0, at) is what `fd` is */
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	while (fd >= 0) {
		struct stat st;
		char name[NAME_MAX + 1];
		size_t start = dir[at] == '/' ? at + 1 : at;
		size_t len = strcspn(dir + start, "/");
		int next;

		if (fstat(fd, &st) != 0)
			break;
		status = check_directory(dir, (int)at, &st, len == 0, err);
		if (status != WT_OK) {
			close(fd);
			return status;
		}
		if (len == 0) {
			*out = fd;
			return WT_OK;
		}
		if (len > NAME_MAX) {
			errno = ENAMETOOLONG;
			break;
		}
		memcpy(name, dir + start, len);
		name[len] = '\0';
		next = openat(fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		at = start + len;
		close(fd);
		fd = next;
	}
	status = wt_fail(err, WT_ERR_IO, "directory %.*s cannot be opened: %s", (int)at, dir,
			 strerror(errno));
	if (fd >= 0)
		close(fd);
	return status;
}

/* NAME of a directory entry KIND-NAME.so, with its length, or NULL. */
static const char *plugin_name(const char *entry, enum wt_plugin_kind kind, size_t *len)
{
	const char *prefix = wt_kind_text(kind);
	size_t prefix_len = strlen(prefix), entry_len = strlen(entry);

	if (entry_len < prefix_len + sizeof "-x.so" - 1 ||
	    strncmp(entry, prefix, prefix_len) != 0 || entry[prefix_len] != '-' ||
	    strcmp(entry + entry_len - 3, ".so") != 0)
		return NULL;
	*len = entry_len - prefix_len - 4;
	return *len <= WT_NAME_MAX ? entry + prefix_len + 1 : NULL;
}

/* "aesgcm-openssl, aesgcm-sodium": as many as fit. */
static size_t append_name(char *list, size_t size, size_t used, const char *name)
{
	int n = snprintf(list + used, size - used, "%s%s", used ? ", " : "", name);

	if (n > 0 && (size_t)n < size - used)
		return used + (size_t)n;
	list[used] = '\0';
	return used;
}

static enum wt_status say_missing(const char *dir, enum wt_plugin_kind kind, const char *name,
				  struct wt_error *err)
{
	char names[16][WT_NAME_MAX + 1], list[160] = "", hint[WT_NEAREST_HINT];
	struct wt_nearest nearest = { .word = name };
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, NULL, alphasort);
	size_t used = 0, found = 0;

	for (int i = 0; i < n; i++) {
		size_t len;
		const char *other = plugin_name(entries[i]->d_name, kind, &len);

		if (other && found < sizeof names / sizeof names[0]) {
			snprintf(names[found], sizeof names[0], "%.*s", (int)len, other);
			wt_nearest_offer(&nearest, names[found]);
			used = append_name(list, sizeof list, used, names[found]);
			found++;
		}
		free(entries[i]);
	}
	free(entries);
	if (found == 0)
		return wt_fail(err, WT_ERR_CONFIG,
			       "there is no such file, and no other %s plugin beside it; %s",
			       wt_kind_text(kind), what_to_set());
	return wt_fail(err, WT_ERR_CONFIG, "there is no such file%s; the %s plugins there are: %s",
		       wt_nearest_hint(&nearest, hint), wt_kind_text(kind), list);
}

static enum wt_status say_not_opened(int error, struct wt_error *err)
{
	if (error == ELOOP)
		return wt_fail(err, WT_ERR_PERMISSION,
			       "is a symbolic link, which is not followed; put the file itself "
			       "there");
	if (error == EACCES)
		return wt_fail(err, WT_ERR_PERMISSION,
			       "cannot be read: permission denied; run: chmod a+r on the file");
	if (error == ENOENT)
		return wt_fail(err, WT_ERR_IO, "cannot be opened: %s; name a plugin's file",
			       strerror(error));
	return wt_fail(err, WT_ERR_IO, "cannot be opened: %s; see to that, or name another file",
		       strerror(error));
}

static enum wt_status check_file(const struct wt_plugin_file *file, struct wt_error *err)
{
	const struct stat *st = &file->st;

	if (!S_ISREG(st->st_mode))
		return wt_fail(err, WT_ERR_PERMISSION,
			       "is not a regular file; put the plugin itself there");
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return wt_fail(err, WT_ERR_PERMISSION,
			       "others can write to the file (mode %04o); run: chmod %s on it",
			       st->st_mode & 07777u, needed_chmod(st));
	return check_owner("the file", "", 0, st, err);
}

enum wt_status wt_plugin_file_open(const char *dir, enum wt_plugin_kind kind, const char *name,
				   struct wt_plugin_file *file, struct wt_error *err)
{
	enum wt_status status;
	const char *base;
	int dir_fd;

	*file = (struct wt_plugin_file){ .fd = -1 };
	if (asprintf(&file->path, "%s/%s-%s.so", dir[1] ? dir : "", wt_kind_text(kind), name) < 0) {
		file->path = NULL;
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");
	}
	status = open_directory(dir, &dir_fd, err);
	if (status != WT_OK)
		return status;
	base = strrchr(file->path, '/') + 1;
	/* O_NONBLOCK: a FIFO of that name must not make us wait. */
	file->fd = openat(dir_fd, base, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (file->fd < 0)
		status = errno == ENOENT ? say_missing(dir, kind, name, err)
					 : say_not_opened(errno, err);
	else if (fstat(file->fd, &file->st) != 0)
		status = say_not_opened(errno, err);
	else
		status = check_file(file, err);
	close(dir_fd);
	return status;
}

enum wt_status wt_plugin_file_take(const char *path, struct wt_plugin_file *file,
				   struct wt_error *err)
{
	*file = (struct wt_plugin_file){ .fd = -1 };
	/* dlopen takes a path without a slash for a library of the system. */
	file->path = realpath(path, NULL);
	if (!file->path)
		return say_not_opened(errno, err);
	file->fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (file->fd < 0 || fstat(file->fd, &file->st) != 0)
		return say_not_opened(errno, err);
	if (S_ISDIR(file->st.st_mode))
		return wt_fail(err, WT_ERR_INVALID, "is a directory; name a plugin's file in it");
	if (!S_ISREG(file->st.st_mode))
		return wt_fail(err, WT_ERR_INVALID, "is no regular file; name a plugin's file");
	return WT_OK;
}

void wt_plugin_file_close(struct wt_plugin_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	free(file->path);
	*file = (struct wt_plugin_file){ .fd = -1 };
}

bool wt_plugin_file_unchanged(const struct wt_plugin_file *file)
{
	struct stat now;

	return lstat(file->path, &now) == 0 && now.st_dev == file->st.st_dev &&
	       now.st_ino == file->st.st_ino && now.st_size == file->st.st_size &&
	       now.st_mtim.tv_sec == file->st.st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == file->st.st_mtim.tv_nsec &&
	       now.st_ctim.tv_sec == file->st.st_ctim.tv_sec &&
	       now.st_ctim.tv_nsec == file->st.st_ctim.tv_nsec;
}
