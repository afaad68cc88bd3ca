/* SPDX-License-Identifier: MIT
 *
 * trusted.h: opening the files that decide whom this end believes: the INI
 * file and key files.
 *
 * Everything is checked on the open descriptor, never on the name, so that the
 * file cannot be exchanged between check and use. Any thread.
 */
#ifndef WT_CONFIG_TRUSTED_H
#define WT_CONFIG_TRUSTED_H

#include <stdbool.h>
#include <sys/types.h>
#include <whispertunnel/status.h>

struct wt_trusted_rule {
	const char *what;    /* "key file": begins every message */
	const char *allowed; /* the modes that pass, in words */
	const char *make;    /* command that writes a missing one to stdout, or NULL */
	mode_t refused;	     /* permission bits that must be clear */
	const char *chmod;   /* argument of the chmod that mends the mode */
	bool follow;	     /* may the name be a symbolic link? */
	bool credential;     /* is 0440 allowed inside $CREDENTIALS_DIRECTORY? */
};

/* Open `path` for reading. It must be a regular file owned by root or the
 * effective user, readable by its owner, without the bits of rule->refused, in
 * a directory that only its owner can write to (or a sticky one). On WT_OK the
 * caller closes *fd; otherwise err says what was found and the command that
 * mends it. Never blocks on a FIFO or device. */
enum wt_status wt_trusted_open(const char *path, const struct wt_trusted_rule *rule, int *fd,
			       struct wt_error *err) WT_MUST_CHECK;

#endif
