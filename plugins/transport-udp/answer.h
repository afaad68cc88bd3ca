/* SPDX-License-Identifier: MIT
 *
 * answer.h: the way by which strangers are answered, with a buffer of its own.
 *
 * What is sent to an address of a network of ours waits in the kernel until it is
 * known where that address is, and counts as the socket's meanwhile. Who makes first
 * messages up can name addresses at which nobody is; if the answers were the listening
 * socket's, peers would have to wait for them.
 */
#ifndef WT_UDP_ANSWER_H
#define WT_UDP_ANSWER_H

#include "link.h"

/* A socket that sends from the address and port of `listener`, which is bound and
 * alone there, and receives nothing. -1: errno says why. */
int wt_udp_answer_socket(int listener) WT_MUST_CHECK;

/* The contract of wt_transport_ops.answer; WT_ERR_UNSUPPORTED where there is no such
 * socket, or it is not known which address the message was sent to. */
enum wt_status wt_udp_answer(struct wt_udp_link *link, const struct wt_path *path,
			     const uint8_t *message, size_t len) WT_MUST_CHECK;

#endif
