/* SPDX-License-Identifier: MIT
 *
 * stranger.h: first messages that come as datagrams where anyone may send.
 *
 * Nothing is kept of one that is not accepted: no memory, no buffer, no place in
 * a table. What is not a fresh message of a known peer is dropped in silence or
 * answered with less than it brought, and ends nothing. An accepted one is a rekey
 * of the association that the same process of that peer has already, or begins
 * one that takes the place of any other once it is confirmed.
 */
#ifndef WT_SESSION_STRANGER_H
#define WT_SESSION_STRANGER_H

#include "record/header.h"
#include "session/conn.h"

/* A handshake message whose receiver_index is 0. */
void wt_stranger_receive(const struct wt_origin *from, const struct wt_message *message,
			 const uint8_t *data, size_t len);

#endif
