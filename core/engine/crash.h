/* SPDX-License-Identifier: MIT
 *
 * crash.h: a process that a signal of its own making ends says before in which
 * operation of which plugin it was.
 */
#ifndef WT_ENGINE_CRASH_H
#define WT_ENGINE_CRASH_H

/* From here on SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT write one line of log and
 * then do what they would have done: the exit status stays, and so does what a
 * debugger sees. Where somebody handles one of them already (a sanitizer), it
 * is left alone. Once, on the main thread, whose stack may overflow: there is
 * another one for the handler. */
void wt_crash_watch(void);

#endif
