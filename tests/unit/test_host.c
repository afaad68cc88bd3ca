/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/log.h"
#include "base/secret.h"
#include "config/values.h"
#include "plugin/host.h"
#include "support/logged.h"

static struct wt_host_instance instance;
static const struct wt_host *host = &instance.host;
static struct wt_counters *counters;
static struct wt_clock_manual clock_manual;

struct wt_worker {
	unsigned index;
};

static uint32_t index_of(const struct wt_host *of, const struct wt_worker *worker)
{
	(void)of;
	return worker->index;
}

static int setup(void **state)
{
	struct wt_error err = WT_ERROR_INIT;

	(void)state;
	wt_clock_manual_init(&clock_manual, 5000, 1700000000000);
	counters = wt_counters_new(2);
	return counters && wt_host_base_init(&instance, WT_KIND_TRANSPORT, "tcp",
					     &clock_manual.clock, counters, &err) == WT_OK
		       ? 0
		       : -1;
}

static int teardown(void **state)
{
	(void)state;
	wt_counters_free(counters);
	return 0;
}

static void no_slot_is_null(void **state)
{
	typedef void any_fn(void);

	(void)state;
	assert_int_equal(host->struct_size, sizeof *host);
	assert_int_equal(host->abi_major, WT_ABI_MAJOR);
	assert_int_equal(host->abi_minor, WT_ABI_MINOR);
	for (size_t at = offsetof(struct wt_host, log); at < sizeof *host; at += sizeof(any_fn *)) {
		any_fn *fn;

		memcpy(&fn, (const uint8_t *)host + at, sizeof fn);
		if (!fn)
			fail_msg("the slot at byte %zu is NULL", at);
	}
}

static void lines_name_the_plugin(void **state)
{
	(void)state;
	wt_logged_start();
	host->log(host, WT_LOG_WARN, "%d of %s", 3, "them");
	assert_string_equal(wt_logged_last(), "warning: transport tcp: 3 of them");
	for (int i = 0; i < 20; i++)
		host->log_limited(host, WT_LOG_WARN, "test_host", "again %d", i);
	wt_logged_stop();
	assert_int_equal(wt_logged_count(), 1 + (int)WT_LOG_BURST);
}

static void clocks_are_the_given_ones(void **state)
{
	struct wt_host_instance other;

	(void)state;
	wt_clock_manual_advance(&clock_manual, 250);
	assert_int_equal(host->boot_ms(host), 5250);
	assert_int_equal(host->unix_ms(host), 1700000000250);
	assert_int_equal(host->mono_ns(host), 5250000000u);
	assert_int_equal(wt_host_base_init(&other, WT_KIND_AUTH, "x", NULL, NULL, NULL), WT_OK);
	assert_true(other.host.mono_ns(&other.host) >= 1);
}

static void secrets_are_secret(void **state)
{
	size_t before = wt_secret_in_use();
	uint8_t random[2][64] = { { 0 } };
	uint8_t *p = host->secret_alloc(host, 100, 64);

	(void)state;
	assert_non_null(p);
	assert_true(wt_secret_in_use() > before);
	host->secret_free(host, p);
	assert_int_equal(wt_secret_in_use(), before);
	host->random(host, random[0], 64);
	host->random(host, random[1], 64);
	assert_int_equal(host->equal(random[0], random[1], 64), 0);
	host->wipe(random, sizeof random);
	assert_int_equal(host->equal(random[0], random[1], 64), 1);
}

static void counters_have_the_plugins_name(void **state)
{
	uint32_t id = host->counter(host, "short_sends");
	struct wt_worker worker = { .index = 1 };
	struct wt_host_instance other;

	(void)state;
	assert_int_equal(id, 1);
	assert_string_equal(wt_counter_name(counters, id), "transport-tcp.short_sends");
	host->count(host, &worker, id, 2); /* no worker runs yet */
	instance.host.worker_index = index_of;
	host->count(host, &worker, id, 3);
	host->count(host, NULL, id, 4);
	assert_int_equal(wt_counter_read(counters, id), 9);
	assert_int_equal(counters->values[WT_COUNTERS_MAX + id], 3);
	assert_int_equal(counters->values[2 * WT_COUNTERS_MAX + id], 6);

	assert_int_equal(wt_host_base_init(&other, WT_KIND_AUTH, "x", NULL, NULL, NULL), WT_OK);
	assert_int_equal(other.host.counter(&other.host, "any"), 0);
	other.host.count(&other.host, &worker, 1, 1);
	assert_int_equal(wt_counter_read(counters, id), 9);
}

static void settings_are_read_through_it(void **state)
{
	static const struct wt_config_key keys[] = {
		{ .struct_size = sizeof keys[0], .type = WT_CONFIG_UINT, .name = "n", .max = 9 },
		{ .struct_size = sizeof keys[0], .type = WT_CONFIG_BOOL, .name = "b" },
		{ .struct_size = sizeof keys[0], .type = WT_CONFIG_STRING, .name = "s" },
		{ .struct_size = sizeof keys[0], .type = WT_CONFIG_SOCKADDR, .name = "a" },
		{ .struct_size = sizeof keys[0], .type = WT_CONFIG_KEYFILE32, .name = "k" },
	};
	const struct wt_key_table table = { keys, sizeof keys / sizeof keys[0], sizeof keys[0] };
	struct wt_config *cfg = wt_config_new("here", &table, 1, 1u);
	struct sockaddr_storage address;

	(void)state;
	assert_non_null(cfg);
	assert_int_equal(wt_config_set(cfg, "n", "7", ".", NULL), WT_OK);
	assert_int_equal(wt_config_set(cfg, "b", "yes", ".", NULL), WT_OK);
	assert_int_equal(wt_config_set(cfg, "s", "text", ".", NULL), WT_OK);
	assert_int_equal(wt_config_set(cfg, "a", "127.0.0.1:1,[::1]:2", ".", NULL), WT_OK);
	assert_string_equal(host->config_name(host, cfg), "here");
	assert_int_equal(host->config_is_set(host, cfg, "n"), 1);
	assert_int_equal(host->config_is_set(host, cfg, "k"), 0);
	assert_int_equal(host->config_uint(host, cfg, "n"), 7);
	assert_int_equal(host->config_bool(host, cfg, "b"), 1);
	assert_string_equal(host->config_string(host, cfg, "s"), "text");
	assert_int_equal(host->config_sockaddr(host, cfg, "a", 1, &address), WT_OK);
	assert_int_equal(address.ss_family, AF_INET6);
	assert_int_equal(host->config_sockaddr(host, cfg, "a", 2, &address), WT_ERR_INVALID);
	assert_null(host->config_key32(host, cfg, "k"));
	wt_config_free(cfg);
}

static void what_needs_the_engine_refuses(void **state)
{
	uint8_t text[20], out[20];
	struct wt_link *conn = NULL;

	(void)state;
	memset(text, 1, sizeof text);
	memset(out, 2, sizeof out);
	assert_int_equal(host->aead_seal(host, NULL, text, text, NULL, 0, text, 4, out),
			 WT_ERR_UNSUPPORTED);
	assert_int_equal(host->aead_open(host, NULL, text, text, NULL, 0, text, 20, out),
			 WT_ERR_UNSUPPORTED);
	assert_memory_equal(out, "\0\0\0\0\2", 5);
	assert_int_equal(host->aead_open(host, NULL, text, text, NULL, 0, text, 3, out),
			 WT_ERR_UNSUPPORTED);
	assert_null(host->timer_new(host, NULL, NULL, NULL));
	host->timer_set(host, NULL, 1);
	host->timer_stop(host, NULL);
	host->timer_free(host, NULL);
	assert_null(host->watch_new(host, NULL, 0, WT_EVENT_READ, NULL, NULL));
	assert_int_equal(host->watch_set(host, NULL, 0), WT_ERR_UNSUPPORTED);
	host->watch_free(host, NULL);
	assert_null(host->resolve(host, NULL, "localhost", 1, NULL, NULL));
	host->resolve_cancel(host, NULL);
	assert_null(host->slot_get(host, NULL));
	host->slot_done(host, NULL, NULL);
	assert_int_equal(host->link_accepted(host, NULL, NULL, &conn), WT_ERR_UNSUPPORTED);
	host->link_connected(host, NULL, NULL);
	host->link_readable(host, NULL, NULL);
	host->link_writable(host, NULL, NULL);
	host->link_ended(host, NULL, NULL, WT_ERR_CLOSED, "");
	assert_int_equal(host->auth_params(host, NULL, 1, text, NULL), WT_ERR_UNSUPPORTED);
	host->auth_complete(host, NULL, 1, 0, NULL);
	assert_int_equal(host->rate_allow(host, NULL, 1, text, 4, 1, 1), 0);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

/* What a source is of, to be compared; zeroed first, as the core does. */
static struct wt_source source_at(int family, const char *ip, uint16_t port)
{
	struct wt_source out = { .struct_size = sizeof out };
	struct sockaddr_storage address = { .ss_family = (sa_family_t)family };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;

	if (family == AF_INET) {
		assert_int_equal(inet_pton(family, ip, &v4->sin_addr), 1);
		v4->sin_port = htons(port);
	} else {
		assert_int_equal(inet_pton(family, ip, &v6->sin6_addr), 1);
		v6->sin6_port = htons(port);
	}
	host->source_of_address(host, (const struct sockaddr *)&address, &out);
	return out;
}

static bool same_prefix(const struct wt_source *a, const struct wt_source *b)
{
	return a->prefix_len == b->prefix_len && memcmp(a->prefix, b->prefix, a->prefix_len) == 0;
}

static void a_source_is_an_address_or_a_network(void **state)
{
	const struct wt_source v4 = source_at(AF_INET, "192.0.2.1", 4433);
	const struct wt_source next = source_at(AF_INET, "192.0.2.2", 4433);
	const struct wt_source v6 = source_at(AF_INET6, "2001:db8::1", 4433);
	const struct wt_source near = source_at(AF_INET6, "2001:db8::f:2", 4433);
	const struct wt_source far = source_at(AF_INET6, "2001:db8:0:1::1", 4433);

	(void)state;
	assert_int_equal(v4.token_len, 7);
	assert_memory_equal(v4.token, "\x04\xc0\x00\x02\x01\x11\x51", 7);
	assert_string_equal(v4.text, "192.0.2.1:4433");
	assert_false(same_prefix(&v4, &next));
	assert_string_equal(v6.text, "[2001:db8::1]:4433");
	assert_true(same_prefix(&v6, &near));
	assert_false(same_prefix(&v6, &far));
}

/* A socket for both families shows IPv4 so. All of it is in one /64: strangers would
 * share one limit. */
static void ipv4_in_ipv6_is_ipv4(void **state)
{
	const struct wt_source plain = source_at(AF_INET, "192.0.2.1", 4433);
	const struct wt_source mapped = source_at(AF_INET6, "::ffff:192.0.2.1", 4433);

	(void)state;
	assert_memory_equal(&mapped, &plain, sizeof plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(no_slot_is_null),
		CASE(lines_name_the_plugin),
		CASE(clocks_are_the_given_ones),
		CASE(secrets_are_secret),
		CASE(counters_have_the_plugins_name),
		CASE(settings_are_read_through_it),
		CASE(what_needs_the_engine_refuses),
		CASE(a_source_is_an_address_or_a_network),
		CASE(ipv4_in_ipv6_is_ipv4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
