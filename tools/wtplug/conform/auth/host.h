/* SPDX-License-Identifier: MIT
 *
 * host.h: what an auth plugin gets from its host beside what every plugin
 * gets: the AEAD, answers about parameters and rates, timers and watches to answer
 * later with, and who takes such an answer.
 *
 * Timers go off when somebody waits for an answer, not when their time has come:
 * the clock is the tester's.
 */
#ifndef WT_CONFORM_AUTH_HOST_H
#define WT_CONFORM_AUTH_HOST_H

#include <pthread.h>

#include "base/clock.h"
#include "conform/auth/secrecy.h"
#include "conform/crypto/backend.h"
#include "plugin/call.h"

struct wt_auth_host {
	struct wt_host_instance host;
	const struct wt_backend *aead; /* borrowed */
	struct wt_clock_manual *clock; /* borrowed */
	const uint8_t *params;	       /* borrowed: what auth_params tells the peer */
	pthread_mutex_t lock;	       /* of all that follows */
	struct wt_secrecy secrecy;     /* what its log lines must not say, and said */
	struct wt_timer *timers;
	struct wt_watch *watches;
	uint64_t ignored; /* a ticket that nobody asks for; 0: none */
	/* The verdict that came last, by the ticket it is for. */
	uint64_t ticket;
	uint32_t verdict;
	bool sound; /* did an output come with it? */
	struct wt_auth_out out;
	uint8_t reply[WT_AUTH_MESSAGE_MAX];
};

enum wt_status wt_auth_host_init(struct wt_auth_host *host, const struct wt_plugin *plugin,
				 struct wt_clock_manual *clock, const struct wt_backend *aead,
				 const uint8_t *params, struct wt_error *err) WT_MUST_CHECK;
/* After the instance is gone. */
void wt_auth_host_free(struct wt_auth_host *host);

/* The verdict that a call with that ticket put off, as if it had been given at
 * once, in an output with room for the reply. WT_AUTH_PENDING: it never came, or without what
 * belongs to it. */
enum wt_auth_verdict wt_auth_host_wait(struct wt_auth_host *host, uint64_t ticket,
				       struct wt_auth_out *out);

/* What comes for that ticket from now on is dropped, and for the one before no longer. */
void wt_auth_host_ignore(struct wt_auth_host *host, uint64_t ticket);
/* Timers that are armed go off, and watches are asked, although nobody waits: until
 * none is armed, or often enough. The clock stays. */
void wt_auth_host_settle(struct wt_auth_host *host);

#endif
