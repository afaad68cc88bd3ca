/* SPDX-License-Identifier: MIT */
#include "plugin/vigil.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "plugin/calling.h"

#define NS_PER_S 1000000000ull
/* In the time of one that is said. */
#define LOOKS 10u

struct wt_vigil {
	const void *_Atomic *calling; /* of the thread that is looked at */
	_Atomic uint64_t *number;
	unsigned step_ms;
	pthread_t thread;
	sem_t end;
	/* The vigil's own: */
	uint64_t last;	     /* the call that was seen last */
	unsigned looks, say; /* how often; after how many it is said */
	bool said;
	char place[WT_CALLING_NAME];
};

static double seconds(const struct wt_vigil *vigil)
{
	return (double)vigil->looks * vigil->step_ms / 1000.0;
}

static void begin(struct wt_vigil *vigil, uint64_t number)
{
	if (vigil->said)
		wt_log(WT_LOG_WARN, "%s has returned, after %.1f s", vigil->place, seconds(vigil));
	vigil->last = number;
	vigil->looks = 0;
	vigil->say = LOOKS;
	vigil->said = false;
}

static void look(struct wt_vigil *vigil)
{
	uint64_t number = atomic_load(vigil->number);
	const void *slot = atomic_load(vigil->calling);
	char place[WT_CALLING_NAME];

	if (!wt_calling_name(slot, place) || number != vigil->last) {
		begin(vigil, number);
		return;
	}
	if (++vigil->looks < vigil->say)
		return;
	vigil->say *= 2;
	vigil->said = true;
	memcpy(vigil->place, place, sizeof place);
	wt_log(WT_LOG_WARN,
	       "%s has not returned for %.1f s, and this process waits for it. Report it to who "
	       "made it",
	       place, seconds(vigil));
}

/* False: it is over. */
static bool nap(struct wt_vigil *vigil)
{
	uint64_t end = wt_clock_system.mono_ns(&wt_clock_system) + vigil->step_ms * 1000000ull;
	const struct timespec until = { .tv_sec = (time_t)(end / NS_PER_S),
					.tv_nsec = (long)(end % NS_PER_S) };

	while (sem_clockwait(&vigil->end, CLOCK_MONOTONIC, &until) != 0)
		if (errno != EINTR)
			return true;
	return false;
}

static void *run(void *arg)
{
	struct wt_vigil *vigil = arg;

	begin(vigil, 0);
	while (nap(vigil))
		look(vigil);
	begin(vigil, 0);
	return NULL;
}

struct wt_vigil *wt_vigil_begin(unsigned say_ms)
{
	struct wt_vigil *vigil = calloc(1, sizeof *vigil);
	sigset_t all, before;
	int error;

	if (!vigil)
		return NULL;
	vigil->calling = &wt_calling;
	vigil->number = &wt_calling_number;
	vigil->step_ms = say_ms / LOOKS;
	sem_init(&vigil->end, 0, 0);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&vigil->thread, NULL, run, vigil);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error == 0)
		return vigil;
	sem_destroy(&vigil->end);
	free(vigil);
	return NULL;
}

void wt_vigil_end(struct wt_vigil *vigil)
{
	if (!vigil)
		return;
	sem_post(&vigil->end);
	pthread_join(vigil->thread, NULL);
	sem_destroy(&vigil->end);
	free(vigil);
}
