/* SPDX-License-Identifier: MIT
 *
 * No call waits. The kernel reports each system call that could (conform/trap.h);
 * and no call takes a second in which this thread does not compute, whatever it
 * does then.
 */
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "conform/auth/check.h"
#include "conform/trap.h"

#define WAIT_MAX_NS INT64_C(1000000000)
#define FORGED 32u

static int64_t now_ns(clockid_t clock)
{
	struct timespec now = { 0 };

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* How long this thread has not computed, of the time that passed; the two clocks
 * are not read at one moment. */
static int64_t idle_ns(void)
{
	return now_ns(CLOCK_MONOTONIC) - now_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* The true message is delivered by the exchange; before it, some that are dropped
 * for different reasons. */
static bool time_each(struct wt_exchange *p, const struct wt_exchange_message *m,
		      struct wt_finding *note)
{
	for (size_t i = 0; i <= FORGED; i++) {
		struct wt_exchange_message forged = *m;
		const size_t at =
			WT_MESSAGE_HEADER + i * (m->len - WT_MESSAGE_HEADER) / (FORGED + 1);
		int64_t idle = idle_ns();

		forged.bytes[i == FORGED ? m->len - 1 : at] ^= 1;
		if (!wt_exchange_refuses(p, &forged, false, WT_FAULT_FORGERY, "changed byte", at,
					 note))
			return false;
		idle = idle_ns() - idle;
		if (idle > WAIT_MAX_NS)
			return wt_find(note, WT_FAULT_BLOCKS,
				       "message %zu, changed byte %zu: %lld ms", p->count, at,
				       (long long)(idle / 1000000));
	}
	return true;
}

struct attempt {
	struct wt_exchange *p;
	struct wt_finding *note;
	bool watched, good;
};

static void *attempt_main(void *arg)
{
	struct attempt *a = arg;

	a->watched = wt_trap_blocking();
	a->good = wt_exchange_run(a->p, time_each, a->note);
	wt_exchange_forget(a->p);
	return NULL;
}

bool wt_check_auth_blocking(const struct wt_exchange_setup *setup, struct wt_finding *note)
{
	struct wt_exchange p;
	struct attempt a = { .p = &p, .note = note };
	pthread_t thread;
	bool good = wt_exchange_open_friends(&p, setup, note);

	/* In a thread of its own: the watch stays as long as the thread. */
	if (good && pthread_create(&thread, NULL, attempt_main, &a) == 0) {
		pthread_join(thread, NULL);
		good = a.good;
		if (good && !a.watched)
			wt_find(note, WT_FAULT_NONE,
				"by time alone: the kernel does not allow to watch system calls");
	} else if (good) {
		good = wt_find(note, WT_FAULT_FAILED, "no thread");
	}
	wt_exchange_close(&p);
	return good;
}
