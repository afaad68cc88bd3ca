/* SPDX-License-Identifier: MIT
 *
 * netns.h: tests that make devices: a network namespace of their own, and
 * children with other rights.
 */
#ifndef WT_TEST_SUPPORT_NETNS_H
#define WT_TEST_SUPPORT_NETNS_H

#include <stdbool.h>

/* Moves this process into a fresh network namespace (only `lo`, and that is
 * down); the one it leaves, if it came from here, vanishes with its devices.
 * Without root a user namespace is made around it the first time. Skips the
 * test, with the reason printed, where the kernel allows neither. */
void wt_netns_enter(void);

/* Sets `lo` of this namespace up or down, with its addresses and routes. */
void wt_netns_loopback(bool up);
/* Gives a device ("lo"), or a label on it ("lo:1"), this IPv4 address in place of
 * the one it has, with the prefix length of its class. */
void wt_netns_address(const char *name, const char *address);

/* Are we root, and not in a user namespace of one user? Then a child may become
 * another user. Skips the test, with a reason, if not. */
void wt_netns_need_root(void);

/* Runs fn(arg) in a forked child and returns what it returned, 0..255. Fails
 * the test when the child dies otherwise. cmocka's assertions do not work in
 * the child: it says what is wrong with WT_CHILD_CHECK. */
int wt_child_run(int (*fn)(void *arg), void *arg);

#define WT_CHILD_CHECK(condition)                                                                  \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);  \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)

/* What a child that could not do its test returns, after it printed why. */
#define WT_CHILD_SKIP 77

/* In a child: becomes the user and group 65534 with no capabilities; 0 or -1. */
int wt_child_become_nobody(void);

/* In a child: an empty tmpfs over `dir`, seen by this child alone; 0 or -1. */
int wt_child_hide(const char *dir);

#endif
