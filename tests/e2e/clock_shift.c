/* SPDX-License-Identifier: MIT
 *
 * Preloaded into a daemon by the end-to-end tests: CLOCK_REALTIME is shifted by
 * the seconds (a native int64_t) in the file that WT_CLOCK_SHIFT names, which a
 * test may rewrite at any time. All other clocks stay true, as they do when an
 * administrator or NTP sets the wall clock.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *shift;

__attribute__((constructor)) static void map_shift(void)
{
	const char *path = getenv("WT_CLOCK_SHIFT");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *page;

	if (fd < 0)
		return;
	page = mmap(NULL, sizeof *shift, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (page != MAP_FAILED)
		shift = page;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = (int)syscall(SYS_clock_gettime, clock, now);

	if (result == 0 && clock == CLOCK_REALTIME && shift)
		now->tv_sec += *shift;
	return result;
}
