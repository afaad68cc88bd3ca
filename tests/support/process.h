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
/* How often the thread of that name has gone to sleep. Fails when there is none. */
uint64_t wt_process_switches(const char *thread);

#endif
