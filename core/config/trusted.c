/* SPDX-License-Identifier: MIT */
#include "config/trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

static const char *type_text(mode_t mode)
{
	return S_ISDIR(mode)	? "a directory"
	       : S_ISFIFO(mode) ? "a FIFO"
	       : S_ISCHR(mode)	? "a character device"
	       : S_ISBLK(mode)	? "a block device"
	       : S_ISSOCK(mode) ? "a socket"
				: "no regular file";
}

static enum wt_status open_failed(const char *path, const struct wt_trusted_rule *rule, int error,
				  struct wt_error *err)
{
	switch (error) {
	case ELOOP:
		return wt_fail(err, WT_ERR_CONFIG,
			       "%s %s is a symbolic link, which is not followed here; name the "
			       "file that it points to",
			       rule->what, path);
	case ENOENT:
		if (rule->make)
			return wt_fail(err, WT_ERR_CONFIG,
				       "there is no %s %s; make one with: (umask 077; %s > %s)",
				       rule->what, path, rule->make, path);
		return wt_fail(err, WT_ERR_CONFIG,
			       "there is no %s %s; write it, or name another one", rule->what,
			       path);
	case EACCES:
		return wt_fail(err, WT_ERR_PERMISSION,
			       "%s %s cannot be opened: permission denied; run as its owner or as "
			       "root",
			       rule->what, path);
	case ENXIO:
		return wt_fail(err, WT_ERR_CONFIG,
			       "%s %s is a socket or a device, allowed is a regular file",
			       rule->what, path);
	default:
		return wt_fail(err, WT_ERR_IO, "%s %s cannot be opened: %s", rule->what, path,
			       strerror(error));
	}
}

/* Is the open directory the one in which systemd put this service's secrets? */
static bool is_credentials_directory(const struct stat *dir)
{
	const char *name = secure_getenv("CREDENTIALS_DIRECTORY");
	struct stat st;

	return name && *name == '/' && stat(name, &st) == 0 && st.st_dev == dir->st_dev &&
	       st.st_ino == dir->st_ino;
}

static enum wt_status check_directory(const char *dir, const struct stat *st,
				      const struct wt_trusted_rule *rule, struct wt_error *err)
{
	if (!(st->st_mode & (S_IWGRP | S_IWOTH)) || (st->st_mode & S_ISVTX))
		return WT_OK;
	return wt_fail(err, WT_ERR_CONFIG,
		       "%s is in directory %s of mode %04o, where others could exchange it; "
		       "run: chmod go-w %s",
		       rule->what, dir, st->st_mode & 07777u, dir);
}

static enum wt_status check_file(const char *path, const struct stat *st, bool credential,
				 const struct wt_trusted_rule *rule, struct wt_error *err)
{
	mode_t mode = st->st_mode & 07777u;

	if (!S_ISREG(st->st_mode))
		return wt_fail(err, WT_ERR_CONFIG, "%s %s is %s, allowed is a regular file",
			       rule->what, path, type_text(st->st_mode));
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return wt_fail(err, WT_ERR_CONFIG,
			       "%s %s belongs to uid %u, allowed is root or uid %u; run as root: "
			       "chown %u %s",
			       rule->what, path, st->st_uid, geteuid(), geteuid(), path);
	/* systemd's own mode for what it hands to a service */
	if (credential && mode == 0440)
		return WT_OK;
	if ((mode & rule->refused) || !(mode & S_IRUSR))
		return wt_fail(err, WT_ERR_CONFIG,
			       "%s %s has mode %04o, allowed is %s; "
			       "run: chmod %s %s",
			       rule->what, path, mode, rule->allowed, rule->chmod, path);
	return WT_OK;
}

enum wt_status wt_trusted_open(const char *path, const struct wt_trusted_rule *rule, int *fd,
			       struct wt_error *err)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t dir_len = slash ? (slash == path ? 1 : (size_t)(slash - path)) : 1;
	enum wt_status status;
	struct stat st, dir_st;
	int dir_fd, file_fd;

	if (dir_len >= sizeof dir)
		return open_failed(path, rule, ENAMETOOLONG, err);
	memcpy(dir, slash ? path : ".", dir_len);
	dir[dir_len] = '\0';

	dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return open_failed(path, rule, errno, err);
	file_fd = openat(dir_fd, *base ? base : ".",
			 O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
				 (rule->follow ? 0 : O_NOFOLLOW));
	if (file_fd < 0) {
		status = open_failed(path, rule, errno, err);
		goto close_dir;
	}
	if (fstat(file_fd, &st) != 0 || fstat(dir_fd, &dir_st) != 0) {
		status = open_failed(path, rule, errno, err);
		goto close_file;
	}
	status = check_file(path, &st, rule->credential && is_credentials_directory(&dir_st), rule,
			    err);
	if (status == WT_OK)
		status = check_directory(dir, &dir_st, rule, err);
	if (status == WT_OK) {
		*fd = file_fd;
		goto close_dir;
	}
close_file:
	close(file_fd);
close_dir:
	close(dir_fd);
	return status;
}
