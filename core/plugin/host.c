/* SPDX-License-Identifier: MIT */
#include "plugin/host.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/log.h"
#include "base/secret.h"
#include "config/values.h"
#include "plugin/host_refusal.h"
#include "plugin/registry.h"
#include "plugin/source.h"

static const struct wt_host_instance *instance_of(const struct wt_host *host)
{
	return host->self;
}

static void WT_PRINTF(3, 4)
	host_log(const struct wt_host *host, enum wt_log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	wt_vlog(level, instance_of(host)->label, fmt, args);
	va_end(args);
}

static void WT_PRINTF(4, 5) host_log_limited(const struct wt_host *host, enum wt_log_level level,
					     const char *topic, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	wt_vlog_limited(level, instance_of(host)->label, topic, fmt, args);
	va_end(args);
}

static uint64_t host_boot_ms(const struct wt_host *host)
{
	const struct wt_clock *clock = instance_of(host)->clock;

	return clock->boot_ms(clock);
}

static uint64_t host_unix_ms(const struct wt_host *host)
{
	const struct wt_clock *clock = instance_of(host)->clock;

	return clock->unix_ms(clock);
}

static uint64_t host_mono_ns(const struct wt_host *host)
{
	const struct wt_clock *clock = instance_of(host)->clock;

	return clock->mono_ns(clock);
}

/* wt_host_base_init saw the kernel's generator work; it does not fail after
 * that. Should it ever, standing still (and being restarted by the watchdog)
 * is the only answer: a key made of anything else is worse. */
static void host_random(const struct wt_host *host, void *buf, size_t len)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	(void)host;
	while (wt_random(buf, len) != WT_OK) {
		wt_log_limited(WT_LOG_ERROR, "random", "the kernel refuses random numbers");
		nanosleep(&pause, NULL);
	}
}

static void *host_secret_alloc(const struct wt_host *host, size_t size, size_t align)
{
	(void)host;
	return wt_secret_alloc(size, align);
}

static void host_secret_free(const struct wt_host *host, void *p)
{
	(void)host;
	wt_secret_free(p);
}

uint32_t wt_host_counter(const struct wt_host_instance *instance, const char *name)
{
	char full[WT_COUNTER_NAME_MAX + 1];
	int len;

	if (!instance->counters)
		return 0;
	len = snprintf(full, sizeof full, "%s.%s", instance->label, name);
	if (len < 0 || (size_t)len >= sizeof full)
		return 0;
	/* "transport tcp" is transport-tcp here, as in the file's name. */
	full[strcspn(instance->label, " ")] = '-';
	return wt_counter_register(instance->counters, full);
}

static uint32_t host_counter(const struct wt_host *host, const char *name)
{
	return wt_host_counter(instance_of(host), name);
}

static void host_count(const struct wt_host *host, struct wt_worker *worker, uint32_t counter,
		       uint64_t n)
{
	wt_host_count(instance_of(host), worker, counter, n);
}

static const char *host_config_name(const struct wt_host *host, const struct wt_config *cfg)
{
	(void)host;
	return wt_config_name(cfg);
}

static int host_config_is_set(const struct wt_host *host, const struct wt_config *cfg,
			      const char *key)
{
	(void)host;
	return wt_config_is_set(cfg, key);
}

static const char *host_config_string(const struct wt_host *host, const struct wt_config *cfg,
				      const char *key)
{
	(void)host;
	return wt_config_string(cfg, key);
}

static uint64_t host_config_uint(const struct wt_host *host, const struct wt_config *cfg,
				 const char *key)
{
	(void)host;
	return wt_config_uint(cfg, key);
}

static int host_config_bool(const struct wt_host *host, const struct wt_config *cfg,
			    const char *key)
{
	(void)host;
	return wt_config_bool(cfg, key);
}

static enum wt_status host_config_sockaddr(const struct wt_host *host, const struct wt_config *cfg,
					   const char *key, size_t i, struct sockaddr_storage *out)
{
	(void)host;
	return wt_config_sockaddr(cfg, key, i, out);
}

static const uint8_t *host_config_key32(const struct wt_host *host, const struct wt_config *cfg,
					const char *key)
{
	(void)host;
	return wt_config_key32(cfg, key);
}

enum wt_status wt_host_base_init(struct wt_host_instance *instance, enum wt_plugin_kind kind,
				 const char *name, const struct wt_clock *clock,
				 struct wt_counters *counters, struct wt_error *err)
{
	uint8_t probe;

	if (wt_random(&probe, sizeof probe) != WT_OK)
		return wt_fail(err, WT_ERR_UNAVAILABLE,
			       "the kernel gives no random numbers (getrandom); without them no "
			       "key can be made");

	*instance = (struct wt_host_instance){
		.clock = clock ? clock : &wt_clock_system,
		.counters = counters,
	};
	wt_host_refuse_all(&instance->host);

	struct wt_host *host = &instance->host;

	host->struct_size = sizeof *host;
	host->abi_major = WT_ABI_MAJOR;
	host->abi_minor = WT_ABI_MINOR;
	host->self = instance;
	host->log = host_log;
	host->log_limited = host_log_limited;
	host->boot_ms = host_boot_ms;
	host->unix_ms = host_unix_ms;
	host->mono_ns = host_mono_ns;
	host->random = host_random;
	host->wipe = wt_wipe;
	host->equal = wt_equal;
	host->secret_alloc = host_secret_alloc;
	host->secret_free = host_secret_free;
	host->counter = host_counter;
	host->count = host_count;
	host->config_name = host_config_name;
	host->config_is_set = host_config_is_set;
	host->config_string = host_config_string;
	host->config_uint = host_config_uint;
	host->config_bool = host_config_bool;
	host->config_sockaddr = host_config_sockaddr;
	host->config_key32 = host_config_key32;
	host->source_of_address = wt_source_of_address;
	snprintf(instance->label, sizeof instance->label, "%s %s", wt_kind_text(kind), name);
	return WT_OK;
}
