/* SPDX-License-Identifier: MIT
 *
 * answer.h: JSON from a child process to its parent, through a file in memory.
 */
#ifndef WT_CLI_ANSWER_H
#define WT_CLI_ANSWER_H

#include <jansson.h>

/* Why there is none. */
#define WT_ANSWER_NONE "out of descriptors or memory; raise the limits (ulimit -n, ulimit -v)"

/* Made before the fork; -1: out of descriptors or memory. The caller closes it. */
int wt_answer_new(void);
/* In the child: what was written before is replaced. */
void wt_answer_write(int fd, const json_t *json);
/* In the parent: NULL when nothing sound was written. The caller gives it up. */
json_t *wt_answer_read(int fd);

#endif
