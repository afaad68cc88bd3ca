/* SPDX-License-Identifier: MIT
 *
 * process.h: what this process holds, to compare before and after.
 */
#ifndef WT_TEST_SUPPORT_PROCESS_H
#define WT_TEST_SUPPORT_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* The files in /proc/self/maps, each once, sorted, one a line. Free it. */
char *wt_process_maps(void);
/* /proc/self/fd: "number -> target", sorted, one a line. Free it. */
char *wt_process_fds(void);
/* Has this process a child, running or a zombie? */
bool wt_process_has_child(void);
/* A number of the status of the thread of that name (/proc/self/task/TID/status),
 * written in `base`. Fails when there is no such thread or field. */
uint64_t wt_process_thread(const char *thread, const char *field, int base);

#endif
