/* SPDX-License-Identifier: MIT
 *
 * home.h: the installation that this program belongs to, wherever it was moved
 * to: the ways from one part of it to another stay the same.
 *
 * A way leads from the directory of the program, such as "../lib/whispertunnel";
 * base/build.h has those that are needed. The program's own place is what
 * /proc/self/exe says, so behind symbolic links.
 */
#ifndef WT_PLUGIN_HOME_H
#define WT_PLUGIN_HOME_H

#include <limits.h>
#include <whispertunnel/status.h>

/* What `way` leads to: absolute, whether it is there or not. Fails without
 * /proc, and where `way` leads out of /. Any thread. */
enum wt_status wt_home_path(const char *way, char path[PATH_MAX],
			    struct wt_error *err) WT_MUST_CHECK;

/* Find the plugins of the installation; once, first thing in main(). `way` leads
 * to them, or is "" if they do not move with the program. Without this call, as
 * in tests, there are none. */
void wt_home_find(const char *way);

/* Their directory: absolute, links in it not followed; something of that name is
 * there. NULL: there is none to be used besides the build's default
 * (base/build.h), and *reason (never NULL) says why, or is "" if that is the
 * same. In a process with raised rights (AT_SECURE) there never is: whoever starts
 * it could have made a hard link to the program beside plugins of his own. Valid
 * forever. Any thread. */
const char *wt_home_plugins(const char **reason);

#endif
