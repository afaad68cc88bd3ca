/* SPDX-License-Identifier: MIT
 *
 * slow_network.h: a network on which what is sent to 10.9.0.2 waits in the kernel
 * until the test lets somebody answer there.
 */
#ifndef WT_TEST_SUPPORT_SLOW_NETWORK_H
#define WT_TEST_SUPPORT_SLOW_NETWORK_H

#include <stdint.h>

/* In a network namespace of its own, a TAP device that has 10.9.0.1/24; the test
 * closes its descriptor. Skips the test where that is not allowed. */
int wt_slow_network_enter(void);
/* Somebody is 10.9.0.2: what waits leaves through the device. */
void wt_slow_network_answer(void);
/* And then nobody again. */
void wt_slow_network_silence(void);
/* The next UDP datagrams on the device carry records number 0.. of `segment`
 * bytes, `count` of them. */
void wt_slow_network_check(int tap, uint32_t segment, uint32_t count);

#endif
