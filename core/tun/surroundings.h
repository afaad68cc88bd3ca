/* SPDX-License-Identifier: MIT
 *
 * surroundings.h: the links, addresses and routes of this machine: that any of
 * them changed (rtnetlink(7)), and whether an address is still there.
 *
 * All calls work on the network namespace of the thread that opened it, or for
 * wt_surroundings_have of the calling one; none waits. No rights are needed.
 */
#ifndef WT_TUN_SURROUNDINGS_H
#define WT_TUN_SURROUNDINGS_H

#include <stdbool.h>

#include "base/error.h"

struct sockaddr;

/* Begin to listen. *fd is readable when something changed; close(2) ends it.
 * WT_ERR_IO, with words: the kernel has no rtnetlink for us; *fd is -1. */
enum wt_status wt_surroundings_open(int *fd, struct wt_error *err) WT_MUST_CHECK;

/* Take in what came, a bounded part of it at a time. True: something changed. Also when
 * the kernel had to leave out the news for want of room. */
bool wt_surroundings_read(int fd);

/* Is this one of the machine's own addresses, so that what is sent from it gets
 * answers? The port does not matter. True when it cannot be told, and for
 * another family than IPv4 and IPv6. */
bool wt_surroundings_have(const struct sockaddr *address);

#endif
