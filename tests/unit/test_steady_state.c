/* SPDX-License-Identifier: MIT
 *
 * What a tunnel costs once it runs: no allocation, next to no copies, few system
 * calls. Two whole engines over loopback TCP and UDP; packets of all sizes and shapes.
 *
 * The allocator is interposed: everything in the process is counted, plugins and
 * their libraries among it.
 */
#include <errno.h>
#include <execinfo.h>
#include <malloc.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "control/counters.h"
#include "record/layer4.h"
#include "record/params.h"
#include "support/run.h"
#include "support/world.h"

#define ALL_FEATURES (WT_FEATURE_PARTIAL | WT_FEATURE_SEGMENTS)

/* ---- the allocator, watched -------------------------------------------------------- */

/* A sanitizer has its own allocator, and everything takes longer under it. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WATCHED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WATCHED 0
#endif
#endif
#ifndef WATCHED
#define WATCHED 1
#endif

#if WATCHED

#define PACKETS 1000000u

/* glibc's own; exported for this purpose. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *p);

static bool watching;
static uint64_t calls;
static void *first_caller[12];
static int first_depth;

static void note(void)
{
	if (!watching)
		return;
	watching = false; /* backtrace() may allocate */
	if (calls++ == 0)
		first_depth = backtrace(first_caller, 12);
	watching = true;
}

#define INTERPOSED __attribute__((visibility("default")))

INTERPOSED void *malloc(size_t size)
{
	note();
	return __libc_malloc(size);
}

INTERPOSED void *calloc(size_t n, size_t size)
{
	note();
	return __libc_calloc(n, size);
}

INTERPOSED void *realloc(void *p, size_t size)
{
	note();
	return __libc_realloc(p, size);
}

INTERPOSED void *memalign(size_t align, size_t size)
{
	note();
	return __libc_memalign(align, size);
}

INTERPOSED void *aligned_alloc(size_t align, size_t size)
{
	note();
	return __libc_memalign(align, size);
}

INTERPOSED int posix_memalign(void **out, size_t align, size_t size)
{
	note();
	*out = __libc_memalign(align, size);
	return *out ? 0 : ENOMEM;
}

INTERPOSED void free(void *p)
{
	if (p)
		note();
	__libc_free(p);
}

static void watch(void)
{
	void *warm[1];

	(void)backtrace(warm, 1);
	calls = 0;
	watching = true;
}

static void assert_some(void)
{
	watching = false;
	assert_true(calls > 0);
}

static void assert_none(void)
{
	watching = false;
	if (calls == 0)
		return;
	backtrace_symbols_fd(first_caller, first_depth, 2);
	fail_msg("%llu calls of the allocator; the first came from there",
		 (unsigned long long)calls);
}

#else

#define PACKETS 20000u

static void watch(void)
{
}

static void assert_some(void)
{
}

static void assert_none(void)
{
}

#endif

/* ---- traffic --------------------------------------------------------------------------- */

#define BATCH_PACKETS 24
#define BATCH_BYTES (140u * 1024u) /* the socket that stands for a device holds more */

/* What one application sends: shapes as a kernel hands them over. */
struct shape {
	uint8_t header[10];
	uint8_t packet[WT_RUN_MAX];
	size_t len;
	size_t content; /* what arrives of it, however it was cut on the way */
};

struct traffic {
	struct wt_world *w;
	struct shape up[8], down[8]; /* from Alice; to her */
	size_t shapes;
	uint64_t state;	      /* of the random numbers */
	uint64_t sent, bytes; /* packets and runs */
};

static void shape_make(struct shape *s, bool up, uint8_t protocol, size_t payload, uint16_t size)
{
	static const uint8_t to_server[8] = { 10, 8, 0, 2, 10, 8, 0, 1 };
	static const uint8_t to_alice[8] = { 10, 8, 0, 1, 10, 8, 0, 2 };
	const struct wt_run run = { .family = AF_INET,
				    .protocol = protocol,
				    .payload = payload,
				    .size = size,
				    .tcp_flags = 0x10,
				    .tcp_extra = protocol == IPPROTO_TCP ? 12 : 0,
				    .seed = payload,
				    .addresses = up ? to_server : to_alice };
	const struct wt_vnet vnet = wt_run_vnet(&run);

	*s = (struct shape){ .header = { vnet.flags, vnet.type },
			     .content = payload > 0 ? payload : 1 };
	memcpy(s->header + 4, &vnet.segment_size, 2);
	memcpy(s->header + 6, &vnet.checksum_start, 2);
	memcpy(s->header + 8, &vnet.checksum_offset, 2);
	s->len = wt_run_whole(&run, s->packet);
}

static void shape_add(struct traffic *t, uint8_t protocol, size_t payload, uint16_t size)
{
	shape_make(&t->up[t->shapes], true, protocol, payload, size);
	shape_make(&t->down[t->shapes], false, protocol, payload, size);
	t->shapes++;
}

static void turn(struct wt_world *w)
{
	wt_engine_turn(w->alice.engine, 0);
	wt_engine_turn(w->server.engine, 0);
}

/* The bytes behind the headers; one for a packet that has none. */
static size_t content(const uint8_t *packet, size_t len)
{
	size_t headers = packet[9] == IPPROTO_UDP ? 28 : 52;

	return len > headers ? len - headers : 1;
}

/* Everything that came: how many packets, and *bytes of content. */
static size_t drain(struct wt_end *end, size_t *bytes)
{
	static uint8_t packet[65535];
	uint8_t header[10];
	size_t n = 0, len;

	*bytes = 0;
	for (; (len = wt_end_take_raw(end, header, packet, sizeof packet)) > 0; n++)
		*bytes += content(packet, len);
	return n;
}

/* One batch from `from` to `to`, and until all of it is there. */
static void batch(struct traffic *t, struct wt_end *from, struct wt_end *to,
		  const struct shape *shapes)
{
	size_t bytes = 0, due = 0, came = 0, more;

	for (int i = 0; i < BATCH_PACKETS; i++) {
		/* Long runs are seldom by number, not by bytes. */
		uint64_t dice = wt_random_next(&t->state) % 64;
		const struct shape *s = &shapes[dice < t->shapes ? dice : dice % 3];

		if (bytes + s->len > BATCH_BYTES)
			break;
		wt_end_inject_raw(from, s->header, s->packet, s->len);
		bytes += s->len;
		due += s->content;
		t->sent++;
	}
	t->bytes += bytes;
	for (int i = 0; i < 10000 && came < due; i++) {
		turn(t->w);
		(void)drain(to, &more);
		came += more;
	}
	if (came != due)
		fail_msg("%zu bytes of %zu came", came, due);
}

static void carry(struct traffic *t, uint64_t packets)
{
	uint64_t end = t->sent + packets;

	while (t->sent < end) {
		batch(t, &t->w->alice, &t->w->server, t->up);
		batch(t, &t->w->server, &t->w->alice, t->down);
		wt_clock_manual_advance(&t->w->clock, 1);
	}
}

static struct traffic *traffic_start(struct wt_world *w, uint32_t alice_takes)
{
	struct traffic *t = calloc(1, sizeof *t);

	assert_non_null(t);
	t->w = w;
	w->server.features = ALL_FEATURES;
	w->alice.features = alice_takes;
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	return t;
}

/* ---- the tests ------------------------------------------------------------------------ */

static void a_running_tunnel_allocates_nothing(void **state)
{
	struct traffic *t;

	/* A handshake does: so this would be seen. */
	watch();
	t = traffic_start(*state, WT_FEATURE_PARTIAL);
	assert_some();
	shape_add(t, IPPROTO_UDP, 12, 0);
	shape_add(t, IPPROTO_TCP, 0, 0);
	shape_add(t, IPPROTO_TCP, 1448, 0);
	shape_add(t, IPPROTO_TCP, 65000, 1448);
	shape_add(t, IPPROTO_UDP, 48000, 1200);
	shape_add(t, IPPROTO_TCP, 3000, 1448);
	shape_add(t, IPPROTO_TCP, 4000, 100);
	carry(t, 1000);
	watch();
	carry(t, PACKETS);
	assert_none();
	free(t);
	if (!WATCHED) {
		print_message("allocations were not counted: a sanitizer has the allocator\n");
		skip();
	}
}

static void a_tunnel_over_datagrams_allocates_nothing(void **state)
{
	struct wt_world *w = *state;
	struct traffic *t;

	w->transport = "udp";
	t = traffic_start(w, ALL_FEATURES);
	shape_add(t, IPPROTO_UDP, 12, 0);
	shape_add(t, IPPROTO_TCP, 0, 0);
	shape_add(t, IPPROTO_TCP, 1200, 0);
	shape_add(t, IPPROTO_TCP, 64800, 1200);
	shape_add(t, IPPROTO_UDP, 48000, 1200);
	shape_add(t, IPPROTO_TCP, 3000, 1200);
	shape_add(t, IPPROTO_TCP, 4000, 500);
	carry(t, 1000);
	watch();
	carry(t, PACKETS / 4);
	assert_none();
	assert_true(w->alice.worker->offloads.carved > PACKETS / 1000);
	assert_true(w->server.worker->offloads.merged_runs > PACKETS / 1000);
	free(t);
	if (!WATCHED) {
		print_message("allocations were not counted: a sanitizer has the allocator\n");
		skip();
	}
}

static uint64_t counter(const struct wt_end *end, const char *name)
{
	const struct wt_counters *counters = end->node->counters;

	for (uint32_t id = 1; id <= wt_counter_count(counters); id++)
		if (strcmp(wt_counter_name(counters, id), name) == 0)
			return wt_counter_read(counters, id);
	fail_msg("no counter %s", name);
	return 0;
}

static uint64_t copied(struct wt_end *end)
{
	return counter(end, "transport-tcp.tcp_copied_bytes") + end->worker->offloads.copied_bytes;
}

static void bulk_is_not_copied(void **state)
{
	struct wt_world *w = *state;
	struct traffic *t = traffic_start(w, ALL_FEATURES);

	shape_add(t, IPPROTO_TCP, 0, 0);
	shape_add(t, IPPROTO_TCP, 1448, 0);
	shape_add(t, IPPROTO_UDP, 1392, 0);
	shape_add(t, IPPROTO_TCP, 65000, 1448);
	shape_add(t, IPPROTO_TCP, 24616, 1448);
	carry(t, 20000);
	print_message("%llu MB, %.4f %% of it copied\n", (unsigned long long)(t->bytes >> 20),
		      100.0 * (double)(copied(&w->server) + copied(&w->alice)) / (double)t->bytes);
	assert_true((copied(&w->server) + copied(&w->alice)) * 100 <= t->bytes);
	free(t);
}

/* Over datagrams not a byte of it. */
static void bulk_over_datagrams_is_not_copied(void **state)
{
	struct wt_world *w = *state;
	struct traffic *t;

	w->transport = "udp";
	t = traffic_start(w, ALL_FEATURES);
	shape_add(t, IPPROTO_TCP, 0, 0);
	shape_add(t, IPPROTO_TCP, 1200, 0);
	shape_add(t, IPPROTO_UDP, 1240, 0);
	shape_add(t, IPPROTO_TCP, 64800, 1200);
	shape_add(t, IPPROTO_TCP, 24616, 1200);
	carry(t, 20000);
	assert_int_equal(w->server.worker->offloads.copied_bytes, 0);
	assert_int_equal(w->alice.worker->offloads.copied_bytes, 0);
	free(t);
}

/* Those that are cut are copied once, and counted. */
static void what_is_cut_is_counted(void **state)
{
	struct wt_world *w = *state;
	struct traffic *t = traffic_start(w, WT_FEATURE_PARTIAL);
	size_t bytes;

	shape_add(t, IPPROTO_TCP, 14480, 1448);
	wt_end_inject_raw(&w->server, t->down[0].header, t->down[0].packet, t->down[0].len);
	for (int i = 0; i < 20; i++)
		turn(w);
	assert_int_equal(drain(&w->alice, &bytes), 10);
	assert_int_equal(bytes, 14480);
	assert_int_equal(w->server.worker->offloads.copied_bytes, 10 * (20 + 32 + 1448));
	free(t);
}

static void small_packets_share_system_calls(void **state)
{
	struct wt_world *w = *state;
	struct traffic *t = traffic_start(w, ALL_FEATURES);
	uint64_t sends, receives;

	shape_add(t, IPPROTO_UDP, 12, 0);
	shape_add(t, IPPROTO_TCP, 0, 0);
	shape_add(t, IPPROTO_UDP, 200, 0);
	sends = counter(&w->alice, "transport-tcp.tcp_tx_calls");
	receives = counter(&w->server, "transport-tcp.tcp_rx_calls");
	while (t->sent < 24000)
		batch(t, &w->alice, &w->server, t->up);
	sends = counter(&w->alice, "transport-tcp.tcp_tx_calls") - sends;
	receives = counter(&w->server, "transport-tcp.tcp_rx_calls") - receives;
	print_message("24 at a time: %.1f packets a send, %.1f a receive\n",
		      (double)t->sent / (double)sends, (double)t->sent / (double)receives);
	/* Sixteen are sealed ahead: two sends for each batch. */
	assert_true(sends * 12 <= t->sent);
	assert_true(receives * 8 <= t->sent);
	free(t);
}

/* The same over datagrams, where packets of one size are one message. */
static void small_packets_share_datagram_calls(void **state)
{
	struct wt_world *w = *state;
	struct traffic *t;
	uint64_t sends, runs;

	w->transport = "udp";
	t = traffic_start(w, ALL_FEATURES);
	for (int i = 0; i < 3; i++)
		shape_add(t, IPPROTO_UDP, 12, 0);
	sends = counter(&w->alice, "transport-udp.udp_tx_calls");
	runs = counter(&w->alice, "transport-udp.udp_gso_sends");
	while (t->sent < 24000)
		batch(t, &w->alice, &w->server, t->up);
	sends = counter(&w->alice, "transport-udp.udp_tx_calls") - sends;
	runs = counter(&w->alice, "transport-udp.udp_gso_sends") - runs;
	print_message("24 at a time: %.1f packets a send, %.1f a message\n",
		      (double)t->sent / (double)sends, (double)t->sent / (double)runs);
	assert_true(sends * 20 <= t->sent);
	assert_true(runs * 20 <= t->sent);
	free(t);
}

int main(void)
{
#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, wt_world_setup, wt_world_teardown)
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_running_tunnel_allocates_nothing),
		WORLD_TEST(a_tunnel_over_datagrams_allocates_nothing),
		WORLD_TEST(bulk_is_not_copied),
		WORLD_TEST(bulk_over_datagrams_is_not_copied),
		WORLD_TEST(what_is_cut_is_counted),
		WORLD_TEST(small_packets_share_system_calls),
		WORLD_TEST(small_packets_share_datagram_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
