/* SPDX-License-Identifier: MIT
 *
 * scratch.h: a directory of a test's own, removed when it ends.
 */
#ifndef WT_TEST_SUPPORT_SCRATCH_H
#define WT_TEST_SUPPORT_SCRATCH_H

#include <stddef.h>
#include <sys/types.h>

/* Makes a 0700 directory below $TMPDIR or /tmp; fails the test if it cannot. */
char *wt_scratch_new(void);
/* Removes it with all it holds, and frees the name. */
void wt_scratch_free(char *dir);
/* Writes dir/name with `mode`, and returns its path (free it). */
char *wt_scratch_file(const char *dir, const char *name, const void *data, size_t len, mode_t mode);
/* A copy of the running program of that path, mode 0755. */
void wt_scratch_program(const char *path);

#endif
