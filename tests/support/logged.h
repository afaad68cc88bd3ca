/* SPDX-License-Identifier: MIT
 *
 * logged.h: what a piece of code wrote to the log.
 */
#ifndef WT_TEST_SUPPORT_LOGGED_H
#define WT_TEST_SUPPORT_LOGGED_H

/* From here on lines are kept instead of written to stderr; count is 0. */
void wt_logged_start(void);
/* Back to stderr; what was kept stays. */
void wt_logged_stop(void);
int wt_logged_count(void);
/* "" when there is none. */
const char *wt_logged_last(void);

#endif
