/* SPDX-License-Identifier: MIT */
#include "support/plain_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <whispertunnel/plugin.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/secret.h"
#include "plugin/source.h"

static const struct wt_clock *clock_of(const struct wt_host *host)
{
	return ((const struct wt_plain_host *)host->self)->clock;
}

static void WT_PRINTF(3, 4)
	plain_log(const struct wt_host *host, enum wt_log_level level, const char *fmt, ...)
{
	va_list args;

	(void)host;
	va_start(args, fmt);
	wt_vlog(level, "plugin", fmt, args);
	va_end(args);
}

static void WT_PRINTF(4, 5) plain_log_limited(const struct wt_host *host, enum wt_log_level level,
					      const char *topic, const char *fmt, ...)
{
	va_list args;

	(void)host;
	va_start(args, fmt);
	wt_vlog_limited(level, "plugin", topic, fmt, args);
	va_end(args);
}

static uint64_t plain_boot_ms(const struct wt_host *host)
{
	return clock_of(host)->boot_ms(clock_of(host));
}

static uint64_t plain_unix_ms(const struct wt_host *host)
{
	return clock_of(host)->unix_ms(clock_of(host));
}

static uint64_t plain_mono_ns(const struct wt_host *host)
{
	return clock_of(host)->mono_ns(clock_of(host));
}

static void plain_random(const struct wt_host *host, void *buf, size_t len)
{
	(void)host;
	assert_int_equal(wt_random(buf, len), WT_OK);
}

static void *plain_secret_alloc(const struct wt_host *host, size_t size, size_t align)
{
	(void)host;
	return wt_secret_alloc(size, align);
}

static void plain_secret_free(const struct wt_host *host, void *p)
{
	(void)host;
	wt_secret_free(p);
}

static uint32_t plain_worker_count(const struct wt_host *host)
{
	(void)host;
	return 1;
}

void wt_plain_host_init(struct wt_plain_host *plain, const struct wt_clock *clock)
{
	*plain = (struct wt_plain_host){
		.host = {
			.struct_size = sizeof(struct wt_host),
			.abi_major = WT_ABI_MAJOR,
			.abi_minor = WT_ABI_MINOR,
			.self = plain,
			.log = plain_log,
			.log_limited = plain_log_limited,
			.boot_ms = plain_boot_ms,
			.unix_ms = plain_unix_ms,
			.mono_ns = plain_mono_ns,
			.random = plain_random,
			.wipe = wt_wipe,
			.equal = wt_equal,
			.secret_alloc = plain_secret_alloc,
			.secret_free = plain_secret_free,
			.worker_count = plain_worker_count,
			.source_of_address = wt_source_of_address,
		},
		.clock = clock ? clock : &wt_clock_system,
	};
}
