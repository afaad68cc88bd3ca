/* SPDX-License-Identifier: MIT
 *
 * netlink.h: a socket to the kernel's routing tables that remembers why the
 * kernel refused. Used inside this room only.
 *
 * libnl folds errno values into fewer codes of its own (an unreachable network
 * is an "unspecific failure"), so the kernel's errno, and its sentence where it
 * sends one, are kept from the answer itself.
 */
#ifndef WT_TUN_NETLINK_H
#define WT_TUN_NETLINK_H

#include <netlink/netlink.h>

#include "base/error.h"

struct wt_netlink {
	struct nl_sock *sock;
	int error;	   /* errno of the last refusal, 0: none */
	char sentence[96]; /* the kernel's words for it, "": none */
};

/* Connects. The struct must not move until closed. */
enum wt_status wt_netlink_open(struct wt_netlink *nl, struct wt_error *err) WT_MUST_CHECK;
/* Harmless on a zeroed struct. */
void wt_netlink_close(struct wt_netlink *nl);

/* A refusal that did not matter: the next failure is not blamed on it. */
void wt_netlink_forget(struct wt_netlink *nl);

/* Turns the negative code that a libnl call returned into a status, and writes
 * "<what the format says>: <why>" into err. The errno stays in nl->error. */
enum wt_status wt_netlink_fail(const struct wt_netlink *nl, int code, struct wt_error *err,
			       const char *fmt, ...) WT_PRINTF(4, 5);

#endif
