/* SPDX-License-Identifier: MIT */
#include "engine/lookout.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "engine/stall.h"

#define NS_PER_S 1000000000ull

/* What is kept of one worker. */
struct watched {
	struct wt_pulse *pulse;
	const void *_Atomic *calling; /* its thread's; NULL: not met, or parted */
	int stat_fd;		      /* /proc/.../stat of its thread; -1: none */
	struct wt_stall stall;
	char place[WT_CALLING_NAME]; /* where it stood when that was said last */
};

struct wt_lookout {
	struct wt_pulse_watcher watcher;
	struct wt_node *node;
	pthread_t thread;
	pthread_mutex_t lock; /* of `workers` */
	_Atomic bool stop;
	long ticks_per_s;
	unsigned count;
	struct watched workers[];
};

/* ---- what is seen of a worker -------------------------------------------------- */

/* "PID (NAME) STATE ...": the name may hold anything; user and system time are the
 * 12th and 13th of what follows it (proc_pid_stat(5)). */
static void read_thread(const struct wt_lookout *lookout, int fd, struct wt_sight *sight)
{
	char text[1024];
	ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
	unsigned long user, kernel;
	const char *rest;
	char state;

	if (n <= 0)
		return;
	text[n] = '\0';
	rest = strrchr(text, ')');
	if (!rest || sscanf(rest + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu %lu", &state,
			    &user, &kernel) != 3)
		return;
	sight->state = state;
	sight->cpu_ms = (uint64_t)(user + kernel) * 1000u / (uint64_t)lookout->ticks_per_s;
}

/* The beat comes last: if it is the one of the last sight, so is all before it. Of a
 * worker that rested at first nothing is known, even if it does not any more.
 * Returns the slot that the worker is in. */
static const void *see(const struct wt_lookout *lookout, const struct watched *watched,
		       struct wt_sight *sight)
{
	const void *slot = NULL;

	*sight = (struct wt_sight){ .beats = atomic_load(&watched->pulse->beats), .state = '?' };
	if (!wt_pulse_rests(sight->beats)) {
		read_thread(lookout, watched->stat_fd, sight);
		slot = atomic_load_explicit(watched->calling, memory_order_relaxed);
	}
	sight->at_ms = wt_clock_system.mono_ns(&wt_clock_system) / 1000000u;
	sight->beats = atomic_load(&watched->pulse->beats);
	return slot;
}

/* ---- what is said -------------------------------------------------------------- */

static void say(struct wt_lookout *lookout, unsigned index, enum wt_stall_news news,
		const void *slot)
{
	struct watched *watched = &lookout->workers[index];
	const double seconds = (double)watched->stall.lasted_ms / 1000.0;

	if (news == WT_STALL_GOES_ON) {
		wt_log(WT_LOG_WARN, "worker %u goes on, after %.1f s in %s", index, seconds,
		       watched->place);
		return;
	}
	wt_whereabouts_name(slot, watched->place);
	wt_log(WT_LOG_WARN,
	       "worker %u stands still for %.1f s: it %s in %s; its peers' packets wait meanwhile. "
	       "Nothing there may take long: report it to who made it",
	       index, seconds, wt_stall_computes(&watched->stall) ? "computes" : "is blocked",
	       watched->place);
}

/* Look at each worker. Returns after how many ms to look again; 0: all rest. */
static unsigned look(struct wt_lookout *lookout)
{
	unsigned step = 0;

	pthread_mutex_lock(&lookout->lock);
	for (unsigned i = 0; i < lookout->count; i++) {
		struct watched *watched = &lookout->workers[i];
		enum wt_stall_news news;
		struct wt_sight sight;
		const void *slot;

		if (!watched->calling)
			continue;
		slot = see(lookout, watched, &sight);
		news = wt_stall_look(&watched->stall, &sight);
		if (news != WT_STALL_NOTHING)
			say(lookout, i, news, slot);
		if (watched->stall.said)
			step = WT_LOOKOUT_CLOSE_STEP_MS;
		else if (!wt_pulse_rests(sight.beats) && step == 0)
			step = WT_LOOKOUT_STEP_MS;
	}
	pthread_mutex_unlock(&lookout->lock);
	return step;
}

/* ---- the thread ----------------------------------------------------------------- */

static bool all_rest(struct wt_lookout *lookout)
{
	bool rest = true;

	pthread_mutex_lock(&lookout->lock);
	for (unsigned i = 0; i < lookout->count; i++)
		if (lookout->workers[i].calling)
			rest = rest &&
			       wt_pulse_rests(atomic_load(&lookout->workers[i].pulse->beats));
	pthread_mutex_unlock(&lookout->lock);
	return rest;
}

static void wait_for_post(struct wt_lookout *lookout)
{
	while (sem_wait(&lookout->watcher.wake) != 0 && errno == EINTR)
		;
}

/* Until a worker has something to do. */
static void sleep_with_them(struct wt_lookout *lookout)
{
	atomic_store(&lookout->watcher.sleeps, true);
	if (all_rest(lookout) || !atomic_exchange(&lookout->watcher.sleeps, false))
		wait_for_post(lookout);
}

/* Ends early only to stop. */
static void nap(struct wt_lookout *lookout, unsigned ms)
{
	uint64_t end = wt_clock_system.mono_ns(&wt_clock_system) + ms * 1000000ull;
	const struct timespec until = { .tv_sec = (time_t)(end / NS_PER_S),
					.tv_nsec = (long)(end % NS_PER_S) };

	while (sem_clockwait(&lookout->watcher.wake, CLOCK_MONOTONIC, &until) != 0 &&
	       errno == EINTR)
		;
}

static void *run(void *arg)
{
	struct wt_lookout *lookout = arg;

	while (!atomic_load(&lookout->stop)) {
		unsigned step = look(lookout);

		/* Not at once after each of many short turns. */
		if (step == 0) {
			sleep_with_them(lookout);
			if (atomic_load(&lookout->stop))
				break;
			(void)look(lookout);
			step = WT_LOOKOUT_STEP_MS;
		}
		nap(lookout, step);
	}
	return NULL;
}

static int start(struct wt_lookout *lookout)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&lookout->thread, NULL, run, lookout);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error == 0)
		(void)pthread_setname_np(lookout->thread, "wt-lookout");
	return error;
}

struct wt_lookout *wt_lookout_new(struct wt_node *node, struct wt_error *err)
{
	unsigned count = node->worker_count;
	struct wt_lookout *lookout =
		calloc(1, sizeof *lookout + count * sizeof lookout->workers[0]);
	int error = ENOMEM;

	if (!lookout)
		goto failed;
	lookout->node = node;
	lookout->ticks_per_s = sysconf(_SC_CLK_TCK);
	lookout->count = count;
	sem_init(&lookout->watcher.wake, 0, 0);
	for (unsigned i = 0; i < count; i++)
		lookout->workers[i] =
			(struct watched){ .pulse = &node->workers[i].loop.pulse, .stat_fd = -1 };
	error = pthread_mutex_init(&lookout->lock, NULL);
	if (error != 0)
		goto free_lookout;
	error = start(lookout);
	if (error != 0)
		goto destroy_lock;
	for (unsigned i = 0; i < count; i++)
		node->workers[i].loop.pulse.watcher = &lookout->watcher;
	return lookout;

destroy_lock:
	pthread_mutex_destroy(&lookout->lock);
free_lookout:
	sem_destroy(&lookout->watcher.wake);
	free(lookout);
failed:
	wt_fail(err, WT_ERR_NOMEM, "cannot start a thread: %s", strerror(error));
	return NULL;
}

void wt_lookout_free(struct wt_lookout *lookout)
{
	if (!lookout)
		return;
	for (unsigned i = 0; i < lookout->count; i++)
		lookout->node->workers[i].loop.pulse.watcher = NULL;
	atomic_store(&lookout->stop, true);
	sem_post(&lookout->watcher.wake);
	pthread_join(lookout->thread, NULL);
	for (unsigned i = 0; i < lookout->count; i++)
		if (lookout->workers[i].stat_fd >= 0)
			close(lookout->workers[i].stat_fd);
	pthread_mutex_destroy(&lookout->lock);
	sem_destroy(&lookout->watcher.wake);
	free(lookout);
}

void wt_lookout_meet(struct wt_lookout *lookout, struct wt_worker *worker)
{
	struct watched *watched;
	int fd;

	if (!lookout)
		return;
	fd = open("/proc/thread-self/stat", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		wt_log(WT_LOG_WARN,
		       "/proc/thread-self/stat cannot be opened: %s; should worker %u stand still, "
		       "the log will not say where",
		       strerror(errno), worker->index);
	watched = &lookout->workers[worker->index];
	pthread_mutex_lock(&lookout->lock);
	watched->stat_fd = fd;
	watched->calling = &wt_calling;
	pthread_mutex_unlock(&lookout->lock);
}

void wt_lookout_part(struct wt_lookout *lookout, struct wt_worker *worker)
{
	if (!lookout)
		return;
	pthread_mutex_lock(&lookout->lock);
	lookout->workers[worker->index].calling = NULL;
	pthread_mutex_unlock(&lookout->lock);
}
