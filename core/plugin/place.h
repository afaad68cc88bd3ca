/* SPDX-License-Identifier: MIT
 *
 * place.h: the directory that plugins are loaded from, and who could have put
 * something else there.
 *
 * A plugin's code runs with all the rights of the daemon. So the file, and
 * every directory from / down to it, must be in the hands of root or of the
 * user that runs the daemon, and of nobody else. Main thread.
 */
#ifndef WT_PLUGIN_PLACE_H
#define WT_PLUGIN_PLACE_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <whispertunnel/plugin.h>

struct wt_plugin_place {
	const char *path;     /* as it was given */
	const char *source;   /* who gave it, for messages */
	bool home;	      /* of plugin/home.h */
	const char *fallback; /* "", or why it is the build's and not that */
};

/* The plugin directory: `wanted`, else the environment's WT_PLUGIN_DIR (not in
 * a process with raised rights), else that of the installation which the program
 * belongs to (plugin/home.h), else the build's. Nothing is looked at. Texts are
 * `wanted`, the environment's or static. */
void wt_place_choose(const char *wanted, struct wt_plugin_place *place);
/* "plugin directory PATH (SOURCE)" and a line feed, without `wanted`. */
void wt_place_print(FILE *out);

/* The same, absolute, symbolic links followed; on the way to the installation's,
 * which nobody named, only if nobody else could have put them there
 * (WT_ERR_PERMISSION). On WT_OK *dir is the caller's to free. */
enum wt_status wt_place_find(const char *wanted, char **dir, struct wt_error *err) WT_MUST_CHECK;

struct wt_plugin_file {
	char *path;	/* absolute */
	int fd;		/* open for reading; all checks were made on it */
	struct stat st; /* of fd */
};

/* Open the plugin NAME of that kind in `dir` (of wt_place_find) and check who
 * owns and who can write it and each directory above. Whatever the result,
 * *file is closed with wt_plugin_file_close, and file->path is there for
 * messages (NULL only without memory). When there is no such file, err lists
 * the plugins of that kind that are there. */
enum wt_status wt_plugin_file_open(const char *dir, enum wt_plugin_kind kind, const char *name,
				   struct wt_plugin_file *file, struct wt_error *err) WT_MUST_CHECK;
/* The same for the very file that the user of a tool named, whatever it is
 * called: who else could have written it is not looked at. */
enum wt_status wt_plugin_file_take(const char *path, struct wt_plugin_file *file,
				   struct wt_error *err) WT_MUST_CHECK;
void wt_plugin_file_close(struct wt_plugin_file *file);

/* Does the path still lead to the very file that was checked? */
bool wt_plugin_file_unchanged(const struct wt_plugin_file *file);

#endif
