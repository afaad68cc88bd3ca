/* SPDX-License-Identifier: MIT
 *
 * genpsk.h: `wtcore genpsk`, a new pre-shared key.
 */
#ifndef WT_ENGINE_GENPSK_H
#define WT_ENGINE_GENPSK_H

/* Write 32 random bytes as base64 and a newline to `fd`, unless it is a file
 * that group or others could read. Returns enum wt_exit; what went wrong is on
 * stderr. */
int wt_genpsk(int fd);

#endif
