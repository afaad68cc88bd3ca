/* SPDX-License-Identifier: MIT
 *
 * trap.h: a fault of memory as a finding: a touched guard page of
 * conform/guarded.h says which buffer was left, and by how much.
 */
#ifndef WT_CONFORM_TRAP_H
#define WT_CONFORM_TRAP_H

#include "conform/finding.h"

/* Exit status of a process that the trap ended. */
#define WT_TRAP_STATUS 97

/* From here on SIGSEGV and SIGBUS at a guard page fill `finding`, which is shared
 * with the parent, and end the process with WT_TRAP_STATUS; at any other address
 * they end it as ever. */
void wt_trap_set(struct wt_finding *finding);

#endif
