/* SPDX-License-Identifier: MIT */
#include "conform/trap.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conform/guarded.h"

#define NO_TIMEOUT (-1)
/* Where an int is in an argument. */
#define LOW_HALF (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4u : 0u)

/* What waits, and which argument of it is 0 when it must not. Of a socket or a child
 * that depends on flags, some of them the descriptor's. */
static const struct {
	long number;
	int timeout;
	const char *name;
} blocking[] = {
#ifdef SYS_poll
	{ SYS_poll, 2, "poll" },
	{ SYS_select, NO_TIMEOUT, "select" },
	{ SYS_pause, NO_TIMEOUT, "pause" },
	{ SYS_epoll_wait, 3, "epoll_wait" },
#endif
	{ SYS_ppoll, NO_TIMEOUT, "ppoll" },
	{ SYS_pselect6, NO_TIMEOUT, "pselect" },
	{ SYS_epoll_pwait, 3, "epoll_pwait" },
	{ SYS_nanosleep, NO_TIMEOUT, "nanosleep" },
	{ SYS_clock_nanosleep, NO_TIMEOUT, "clock_nanosleep" },
	{ SYS_rt_sigtimedwait, NO_TIMEOUT, "sigtimedwait" },
	{ SYS_rt_sigsuspend, NO_TIMEOUT, "sigsuspend" },
	{ SYS_fsync, NO_TIMEOUT, "fsync" },
	{ SYS_fdatasync, NO_TIMEOUT, "fdatasync" },
};
#define BLOCKING (sizeof blocking / sizeof blocking[0])

static struct wt_finding *shared;

/* Formatting is not safe in a handler in general; these never return to what they
 * interrupted, and the parent has a time limit. */
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
	if (behind > 0)
		wt_find(shared, WT_FAULT_PAST_BUFFER,
			"byte %td behind the end of the %s is touched", behind, what);
	else
		wt_find(shared, WT_FAULT_PAST_BUFFER, "byte %td before the %s is touched", -behind,
			what);
	_exit(WT_TRAP_STATUS);
}

static void caught_call(int number, siginfo_t *info, void *context)
{
	const char *name = "?";

	(void)number;
	(void)context;
	for (size_t i = 0; i < BLOCKING; i++)
		if (blocking[i].number == info->si_syscall)
			name = blocking[i].name;
	wt_find(shared, WT_FAULT_BLOCKS, "it calls %s()", name);
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

bool wt_trap_blocking(void)
{
	/* For each call: is it that one? Is its timeout zero? Else trap. */
	struct sock_filter filter[1 + 5 * BLOCKING + 1], *at = filter;
	struct sigaction action = { .sa_flags = SA_SIGINFO };

	*at++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					     offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < BLOCKING; i++) {
		const bool timed = blocking[i].timeout != NO_TIMEOUT;

		*at++ = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)blocking[i].number, 0, timed ? 4 : 1);
		if (timed) {
			const size_t argument = (size_t)blocking[i].timeout;

			*at++ = (struct sock_filter)BPF_STMT(
				BPF_LD | BPF_W | BPF_ABS,
				(uint32_t)(offsetof(struct seccomp_data, args) +
					   argument * sizeof(uint64_t) + LOW_HALF));
			*at++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
		}
		*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
		if (timed)
			*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	*at++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { .len = (unsigned short)(at - filter), .filter = filter };

	action.sa_sigaction = caught_call;
	sigemptyset(&action.sa_mask);
	return shared && sigaction(SIGSYS, &action, NULL) == 0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}
