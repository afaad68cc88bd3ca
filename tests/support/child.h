/* SPDX-License-Identifier: MIT
 *
 * child.h: a part of a test in a process of its own, for what would harm this one.
 */
#ifndef WT_TEST_SUPPORT_CHILD_H
#define WT_TEST_SUPPORT_CHILD_H

/* Runs `body` in a child. It returns 0, or the line that went wrong (which fails
 * the test), or -1 after printing why it cannot be tested here (which skips it). */
void wt_in_child(int (*body)(void));

#endif
