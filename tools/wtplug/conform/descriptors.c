/* SPDX-License-Identifier: MIT */
#include "conform/descriptors.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

static _Atomic unsigned misclosed;

unsigned wt_descriptors_misclosed(void)
{
	return atomic_load(&misclosed);
}

#ifdef SANITIZED

bool wt_descriptors_seen(void)
{
	return false;
}

#else

bool wt_descriptors_seen(void)
{
	return true;
}

__attribute__((visibility("default"), used)) int close(int fd)
{
	const int result = (int)syscall(SYS_close, fd);

	/* -1 is how none is written. */
	if (result != 0 && errno == EBADF && fd >= 0)
		atomic_fetch_add(&misclosed, 1);
	return result;
}

#endif
