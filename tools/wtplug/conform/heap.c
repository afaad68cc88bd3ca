/* SPDX-License-Identifier: MIT */
#include "conform/heap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

#ifdef SANITIZED

/* sanitizer/allocator_interface.h, which not every compiler brings along */
extern size_t __sanitizer_get_current_allocated_bytes(void);

size_t wt_heap_live(void)
{
	return __sanitizer_get_current_allocated_bytes();
}

bool wt_heap_can_fail(void)
{
	return false;
}

void wt_heap_fail(uint64_t n)
{
	(void)n;
}

bool wt_heap_failed(void)
{
	return false;
}

void wt_heap_seek(const uint8_t *bytes, size_t len)
{
	(void)bytes;
	(void)len;
}

bool wt_heap_found(void)
{
	return false;
}

#else

/* The C library's own, under the names that it exports them by as well. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t align, size_t size);
extern void __libc_free(void *p);

static _Atomic uint64_t countdown;
static _Atomic bool failed;
static _Atomic size_t live;
static const uint8_t *sought;
static size_t sought_len;
static bool found;

size_t wt_heap_live(void)
{
	return atomic_load(&live);
}

bool wt_heap_can_fail(void)
{
	return true;
}

void wt_heap_fail(uint64_t n)
{
	if (n > 0)
		atomic_store(&failed, false);
	atomic_store(&countdown, n);
}

bool wt_heap_failed(void)
{
	return atomic_load(&failed);
}

void wt_heap_seek(const uint8_t *bytes, size_t len)
{
	sought = bytes;
	sought_len = len;
	found = false;
}

bool wt_heap_found(void)
{
	return found;
}

static bool must_fail(void)
{
	uint64_t left = atomic_load_explicit(&countdown, memory_order_relaxed);

	while (left > 0) {
		if (!atomic_compare_exchange_weak(&countdown, &left, left - 1))
			continue;
		if (left > 1)
			return false;
		atomic_store(&failed, true);
		errno = ENOMEM;
		return true;
	}
	return false;
}

static void *counted(void *p)
{
	if (p)
		atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
	return p;
}

#define INTERPOSED __attribute__((visibility("default"), used))

INTERPOSED void *malloc(size_t size)
{
	return must_fail() ? NULL : counted(__libc_malloc(size));
}

INTERPOSED void *calloc(size_t n, size_t size)
{
	return must_fail() ? NULL : counted(__libc_calloc(n, size));
}

INTERPOSED void free(void *p)
{
	if (p)
		atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
	if (p && sought && memmem(p, malloc_usable_size(p), sought, sought_len))
		found = true;
	__libc_free(p);
}

INTERPOSED void *realloc(void *p, size_t size)
{
	if (!p)
		return malloc(size);
	if (must_fail())
		return NULL;
	/* The C library frees then, and gives none. */
	if (size == 0)
		atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
	return __libc_realloc(p, size);
}

INTERPOSED void *memalign(size_t align, size_t size)
{
	return must_fail() ? NULL : counted(__libc_memalign(align, size));
}

INTERPOSED void *aligned_alloc(size_t align, size_t size)
{
	return memalign(align, size);
}

INTERPOSED int posix_memalign(void **out, size_t align, size_t size)
{
	if (align < sizeof(void *) || (align & (align - 1)) != 0)
		return EINVAL;
	void *p = memalign(align, size);

	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}

#endif

static size_t count_entries(const char *path)
{
	DIR *dir = opendir(path);
	size_t n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

/* Of a process with many threads its stat costs less than a list of them. */
static size_t count_threads(void)
{
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	char stat[1024];
	ssize_t n = fd >= 0 ? read(fd, stat, sizeof stat - 1) : -1;
	unsigned long threads = 0;

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return 0;
	stat[n] = '\0';
	/* proc(5): the second field is a name in parentheses, the 20th the number. */
	const char *at = strrchr(stat, ')');

	for (int field = 2; at && field < 20; field++)
		at = strchr(at + 1, ' ');
	if (at)
		threads = strtoul(at, NULL, 10);
	return threads;
}

struct wt_usage wt_usage_now(void)
{
	struct wt_usage usage = {
		.descriptors = count_entries("/proc/self/fd"),
		.threads = count_threads(),
	};

	usage.heap = wt_heap_live();
	return usage;
}

bool wt_usage_kept(const struct wt_usage *before, size_t rounds, const char *what,
		   struct wt_finding *note)
{
	struct wt_usage now = wt_usage_now();

	/* A thread that was joined may still be on its way out. */
	for (int i = 0; i < 10000 && now.threads > before->threads; i++) {
		sched_yield();
		now.threads = count_threads();
	}
	now = wt_usage_now();
	if (now.threads > before->threads)
		return wt_find(note, WT_FAULT_LEAK_THREAD, "%zu threads more after %zu %s",
			       now.threads - before->threads, rounds, what);
	if (now.descriptors > before->descriptors)
		return wt_find(note, WT_FAULT_LEAK_DESCRIPTOR,
			       "%zu file descriptors more after %zu %s",
			       now.descriptors - before->descriptors, rounds, what);
	/* One each is a leak; a few are something that is kept for later. */
	if (now.heap >= before->heap + rounds)
		return wt_find(note, WT_FAULT_LEAK_MEMORY, "%zu %s more are allocated after %zu %s",
			       now.heap - before->heap, wt_heap_can_fail() ? "blocks" : "bytes",
			       rounds, what);
	return true;
}
