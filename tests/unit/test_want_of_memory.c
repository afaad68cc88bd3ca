/* SPDX-License-Identifier: MIT
 *
 * Whole engines, of which each allocation fails in turn: nothing crashes, nothing is
 * lost (AddressSanitizer), a start that fails says so, and what runs is whole again
 * soon after there is memory. The core is linked with the functions below in place of the
 * C library's; what the test's own transport and method allocate does not fail.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/secret.h"
#include "conform/heap.h"
#include "session/initiation.h"
#include "support/later_auth.h"
#include "support/memory_transport.h"
#include "support/packet_transport.h"
#include "support/world.h"

/* ---- the allocator of the core --------------------------------------------------- */

static _Atomic unsigned long countdown; /* 0: none fails */
static atomic_bool failed;

/* On any worker. */
static bool must_fail(void)
{
	unsigned long left = countdown;

	while (left > 0 && !atomic_compare_exchange_weak(&countdown, &left, left - 1))
		;
	if (left != 1)
		return false;
	failed = true;
	errno = ENOMEM;
	return true;
}

/* From now on the n-th fails, and those after it do not. */
static void fail_nth(unsigned long n)
{
	countdown = n;
	failed = false;
}

void *failing_malloc(size_t size);
void *failing_calloc(size_t n, size_t size);
void *failing_realloc(void *p, size_t size);
void *failing_reallocarray(void *p, size_t n, size_t size);
char *failing_strdup(const char *s);
int failing_asprintf(char **out, const char *fmt, ...) WT_PRINTF(2, 3);
int failing_vasprintf(char **out, const char *fmt, va_list args) WT_PRINTF(2, 0);
void *failing_aligned_alloc(size_t align, size_t size);
void *failing_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);

void *failing_malloc(size_t size)
{
	return must_fail() ? NULL : malloc(size);
}

void *failing_calloc(size_t n, size_t size)
{
	return must_fail() ? NULL : calloc(n, size);
}

void *failing_realloc(void *p, size_t size)
{
	return must_fail() ? NULL : realloc(p, size);
}

void *failing_reallocarray(void *p, size_t n, size_t size)
{
	return must_fail() ? NULL : reallocarray(p, n, size);
}

char *failing_strdup(const char *s)
{
	return must_fail() ? NULL : strdup(s);
}

int failing_vasprintf(char **out, const char *fmt, va_list args)
{
	return must_fail() ? -1 : vasprintf(out, fmt, args);
}

int failing_asprintf(char **out, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = failing_vasprintf(out, fmt, args);
	va_end(args);
	return n;
}

void *failing_aligned_alloc(size_t align, size_t size)
{
	return must_fail() ? NULL : aligned_alloc(align, size);
}

void *failing_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	return must_fail() ? MAP_FAILED : mmap(at, size, protection, flags, fd, offset);
}

/* ---- starting ---------------------------------------------------------------------- */

static const char start_ini[] = "[tunnel]\ninterface = wt0\naddress = 10.8.0.1/24\n%s"
				"[crypto]\nplugin = aesgcm-openssl\n"
				"[transport %s]\nlisten = 127.0.0.1:4433\n"
				"[auth later]\n"
				"[peer alice]\npsk_file = alice.psk\nallowed_ips = 10.8.0.2/32\n"
				"connections = 2\n"
				"[peer bob]\npsk_file = bob.psk\n"
				"allowed_ips = 10.8.0.3/32, fd00::/64\n"
				"endpoint = %s://127.0.0.1:4434, %s://127.0.0.1:4435\n";

static void every_start_fails_in_order(struct wt_world *w, const char *tunnel)
{
	char text[1024], said[4096];
	unsigned long n = 1;

	snprintf(text, sizeof text, start_ini, tunnel, w->transport, w->transport, w->transport);
	for (bool more = true; more; n++) {
		struct wt_end end = { .tun = -1 };
		const size_t secrets = wt_secret_in_use();
		const struct wt_usage before = wt_usage_now();

		w->log[0] = '\0';
		fail_nth(n);
		bool good =
			wt_end_try(&end, w->dir, "start", &w->clock.clock, text, said, sizeof said);
		more = failed;
		fail_nth(0);
		if (!good && !more)
			fail_msg("with all its memory: %s", said);
		if (!good && said[0] == '\0')
			fail_msg("allocation %lu: it did not start, and did not say why", n);
		wt_end_close(&end);
		assert_int_equal(wt_secret_in_use(), secrets);
		/* Memory is AddressSanitizer's to count. */
		assert_int_equal(wt_usage_now().descriptors, before.descriptors);
	}
	print_message("%lu allocations\n", n - 2);
	assert_in_range(n, 50, 5000);
}

static void a_start_without_memory_says_so(void **state)
{
	every_start_fails_in_order(*state, "");
}

static void so_does_one_of_several_workers(void **state)
{
	every_start_fails_in_order(*state, "workers = 2\n");
}

/* ---- running ----------------------------------------------------------------------- */

static void drain(struct wt_world *w)
{
	uint8_t packet[2000];

	for (int i = 0; i < 3; i++)
		while (w->ends[i]->engine && wt_end_take(w->ends[i], packet, sizeof packet) > 0)
			;
}

static void send_some(struct wt_world *w)
{
	uint8_t packet[100];

	wt_packet_make(packet, sizeof packet, "10.8.0.2", "10.8.0.1", 1);
	wt_end_inject(&w->alice, packet, sizeof packet);
	wt_packet_make(packet, sizeof packet, "10.8.0.1", "10.8.0.2", 1);
	wt_end_inject(&w->server, packet, sizeof packet);
	wt_world_pass(w, 100);
	drain(w);
}

static void rekey(struct wt_world *w)
{
	struct wt_conn *conn = wt_world_peer(&w->alice, 0)->active;

	if (conn && !conn->own.auth)
		wt_initiation_start(conn);
	wt_world_pass(w, 200);
}

/* The end of a connection, or of what is known of it at one end. */
static void lose(struct wt_world *w)
{
	if (strcmp(w->transport, "memory") == 0 && wt_memory_net.links) {
		wt_memory_cut(wt_memory_net.links);
	} else {
		struct wt_conn *conn = wt_world_peer(&w->server, 0)->active;

		if (conn)
			wt_conn_close(conn, true, "forgotten");
	}
	wt_world_pass(w, 1000);
}

static void a_day(struct wt_world *w)
{
	wt_world_pass(w, 1000);
	send_some(w);
	rekey(w);
	send_some(w);
	rekey(w);
	send_some(w);
	lose(w);
	send_some(w);
}

/* A dead peer is looked for after 5 s, given up after 15 more, and dialled again
 * after 5 at most. */
#define HEALED_MS 60000u

static void everything_heals(void **state)
{
	struct wt_world *w = *state;
	unsigned long n = 1;

	for (bool more = true; more; n++) {
		wt_world_server(w, "");
		wt_world_alice(w);
		fail_nth(n);
		a_day(w);
		more = failed;
		fail_nth(0);
		for (unsigned ms = 0; ms < HEALED_MS; ms += 500) {
			send_some(w);
			wt_world_pass(w, 400);
		}
		if (!wt_world_alice_up(w))
			fail_msg("allocation %lu: not up again; the log:\n%s", n, w->log);
		wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
		wt_world_carries(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.2", 100);
		for (int i = 1; i >= 0; i--)
			wt_end_close(w->ends[i]);
		w->server = w->alice = (struct wt_end){ .engine = NULL };
		assert_int_equal(wt_secret_in_use(), w->secrets_before);
		w->log[0] = '\0';
		wt_world_pass(w, 100);
	}
	print_message("%lu allocations\n", n - 2);
	assert_in_range(n, 5, 5000);
}

/* ------------------------------------------------------------------------------------ */

static int with_later(void **state, bool two_messages)
{
	wt_end_plugin(&wt_later_plugin);
	wt_later = (struct wt_later){ .two_messages = two_messages };
	((struct wt_world *)*state)->auth = "later";
	return 0;
}

static int setup_memory(void **state)
{
	return wt_world_setup_memory(state) || with_later(state, false);
}

static int setup_packets(void **state)
{
	return wt_world_setup_packets(state) || with_later(state, false);
}

static int setup_packets_two_messages(void **state)
{
	return wt_world_setup_packets(state) || with_later(state, true);
}

int main(void)
{
#define WORLD(test, setup) cmocka_unit_test_setup_teardown(test, setup, wt_world_teardown)
	const struct CMUnitTest tests[] = {
		WORLD(a_start_without_memory_says_so, setup_memory),
		WORLD(so_does_one_of_several_workers, setup_packets),
		WORLD(everything_heals, setup_memory),
		WORLD(everything_heals, setup_packets),
		WORLD(everything_heals, setup_packets_two_messages),
	};

	return cmocka_run_group_tests_name("want_of_memory", tests, NULL, NULL);
}
