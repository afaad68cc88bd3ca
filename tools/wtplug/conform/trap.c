/* SPDX-License-Identifier: MIT */
#include "conform/trap.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "conform/guarded.h"

static struct wt_finding *shared;

static void caught(int number, siginfo_t *info, void *context)
{
	ptrdiff_t behind;
	const char *what = wt_guarded_find(info->si_addr, &behind);

	(void)context;
	if (!what) {
		/* The instruction runs again, and ends it. */
		signal(number, SIG_DFL);
		return;
	}
	/* Formatting is not safe in a handler in general; this one never returns
	 * to what it interrupted, and the parent has a time limit. */
	if (behind > 0)
		wt_find(shared, WT_FAULT_PAST_BUFFER,
			"byte %td behind the end of the %s is touched", behind, what);
	else
		wt_find(shared, WT_FAULT_PAST_BUFFER, "byte %td before the %s is touched", -behind,
			what);
	_exit(WT_TRAP_STATUS);
}

void wt_trap_set(struct wt_finding *finding)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO };

	shared = finding;
	action.sa_sigaction = caught;
	sigemptyset(&action.sa_mask);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}
