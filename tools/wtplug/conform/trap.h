/* SPDX-License-Identifier: MIT
 *
 * trap.h: what the kernel catches, as a finding: a touched guard page of
 * conform/guarded.h says which buffer was left, and by how much; a system call that
 * waits, which one.
 */
#ifndef WT_CONFORM_TRAP_H
#define WT_CONFORM_TRAP_H

#include <stdbool.h>

#include "conform/finding.h"

/* Exit status of a process that the trap ended. */
#define WT_TRAP_STATUS 97

/* From here on SIGSEGV and SIGBUS at a guard page fill `finding`, which is shared
 * with the parent, and end the process with WT_TRAP_STATUS; at any other address
 * they end it as ever. */
void wt_trap_set(struct wt_finding *finding);

/* After wt_trap_set: from here on, and until this thread ends, a system call of it
 * that waits for time, for one of several descriptors, for a signal or a disk ends
 * the process as well. One that is told to wait for no time may be made (not of
 * those that take the time by a pointer), and so may those on one descriptor, a
 * process or a lock.
 * False: the kernel does not allow to watch. */
bool wt_trap_blocking(void);

#endif
