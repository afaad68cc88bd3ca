/* SPDX-License-Identifier: MIT
 *
 * descriptors.h: close() of this process, so that a descriptor that is closed once too
 * often is seen. In a program that links this, close() is the one here, for every
 * library in it; under ThreadSanitizer it stays that one's, and nothing is seen.
 */
#ifndef WT_CONFORM_DESCRIPTORS_H
#define WT_CONFORM_DESCRIPTORS_H

#include <stdbool.h>

bool wt_descriptors_seen(void);
/* How often a number was closed, so far, at which nothing was open. Any thread. */
unsigned wt_descriptors_misclosed(void);

#endif
