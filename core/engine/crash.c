/* SPDX-License-Identifier: MIT
 *
 * The handler reads two words of its own thread and the tables of the plugins,
 * writes once, and calls nothing that POSIX does not allow it (signal-safety(7)).
 */
#include "engine/crash.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "base/log.h"
#include "engine/whereabouts.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* What the kernel saves of this processor's registers is below 16 KiB. */
#define STACK_SIZE (64u * 1024u)

static const struct {
	int number;
	const char *name;
} signals[] = {
	{ SIGSEGV, "SIGSEGV" }, { SIGBUS, "SIGBUS" },	{ SIGILL, "SIGILL" },
	{ SIGFPE, "SIGFPE" },	{ SIGABRT, "SIGABRT" },
};

static void append(char *out, size_t size, const char *text)
{
	size_t at = strlen(out);

	for (; *text && at + 1 < size; text++)
		out[at++] = *text;
	out[at] = '\0';
}

static void on_crash(int number, siginfo_t *info, void *context)
{
	char text[WT_CALLING_NAME + 96] = "", place[WT_CALLING_NAME];

	(void)context;
	for (size_t i = 0; i < COUNT(signals); i++)
		if (signals[i].number == number)
			append(text, sizeof text, signals[i].name);
	wt_whereabouts_name(atomic_load_explicit(&wt_calling, memory_order_relaxed), place);
	append(text, sizeof text, " in ");
	append(text, sizeof text, place);
	append(text, sizeof text, ": this process ends. Report it to who made it");
	wt_log_dying(text);
	/* The action is the default again. An instruction that failed runs again and
	 * ends the process; what a call sent, abort() too, is sent once more. */
	if (info->si_code <= 0)
		(void)raise(number);
}

void wt_crash_watch(void)
{
	static char memory[STACK_SIZE];
	const stack_t stack = { .ss_sp = memory, .ss_size = sizeof memory };
	struct sigaction action = { .sa_sigaction = on_crash,
				    .sa_flags = (int)(SA_SIGINFO | SA_RESETHAND | SA_ONSTACK) };
	struct sigaction before;
	stack_t old;

	if (sigaltstack(NULL, &old) == 0 && (old.ss_flags & SS_DISABLE))
		(void)sigaltstack(&stack, NULL);
	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < COUNT(signals); i++)
		if (sigaction(signals[i].number, NULL, &before) == 0 &&
		    !(before.sa_flags & SA_SIGINFO) && before.sa_handler == SIG_DFL)
			(void)sigaction(signals[i].number, &action, NULL);
}
