/* SPDX-License-Identifier: MIT
 *
 * receive.h: transport -> open -> TUN.
 */
#ifndef WT_PIPELINE_RECEIVE_H
#define WT_PIPELINE_RECEIVE_H

#include "worker/worker.h"

/* Receive from every connection that has something, each within the turn's
 * budget. True: there is more. */
bool wt_receive_turn(struct wt_worker *worker);

#endif
