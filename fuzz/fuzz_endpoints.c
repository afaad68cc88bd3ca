/* SPDX-License-Identifier: MIT
 *
 * fuzz_endpoints.c: two whole engines, and between them a network that does what
 * the input says: loses, doubles, delays, reorders, changes, repeats, moves the
 * source, breaks; ends crash and come back, clocks jump, strangers send.
 *
 * Input: mode u8 (bit 0: stream) | operations, each a byte, some with bytes behind
 * them; see `operate`. What must hold:
 *  - what comes out was sent there, is whole, and comes out once;
 *  - no key and nonce seal twice, of all keys there ever are;
 *  - once the network is honest, traffic flows both ways within HEAL_MS;
 *  - every packet buffer and every secret byte is given back.
 */
#include <netinet/in.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "fuzz.h"
#include "support/memory_transport.h"
#include "support/packet_transport.h"
#include "support/scratch.h"
#include "support/toy_plugin.h"
#include "support/tunnel.h"

#define PORT 4433
#define BOOT_MS 1000000u
/* Silence for 5 s, then a retry within 6; a connection that is ended from here waits as long. */
#define HEAL_MS 15000u
#define SENT_MAX 1024u
#define SENT_BY_INPUT 512u
#define ID_AT 20u
#define WEATHER 8u
#define KEPT 8u
#define KEPT_BYTES 2048u
#define OPERATIONS_MAX 200u

enum { ALICE, SERVER, ENDS };

static const char *const address[ENDS] = { "10.8.0.2", "10.8.0.1" };

struct kept {
	uint16_t from, to;
	uint32_t len;
	uint8_t bytes[KEPT_BYTES];
};

static struct {
	const uint8_t *data;
	size_t size;
	bool stream;
	char *dir;
	struct wt_clock_manual clock;
	struct wt_end end[ENDS];
	struct {
		uint8_t to;
		uint16_t len;
		bool came;
	} sent[SENT_MAX];
	uint32_t sent_count;
	uint8_t weather[WEATHER]; /* what becomes of the next datagrams, in turn */
	size_t weather_at;
	bool outage;		/* nothing arrives */
	struct kept kept[KEPT]; /* the latest datagrams, to be sent again */
	size_t kept_count;
	uint32_t path_max; /* of an honest network */
	bool changed;	   /* a stream is not what was sent */
} w;

/* An engine that stops says CLOSE three times, with pauses; here time is ours. */
int nanosleep(const struct timespec *time, struct timespec *left)
{
	(void)time;
	(void)left;
	return 0;
}

static uint8_t next(void)
{
	if (w.size == 0)
		return 0;
	w.size--;
	return *w.data++;
}

/* ---- the ends ---------------------------------------------------------------- */

static void open_end(int i)
{
	const char *transport = w.stream ? "memory" : "packets";

	if (i == SERVER)
		wt_end_open(&w.end[i], w.dir, "server", &w.clock.clock,
			    "[tunnel]\naddress = 10.8.0.1/24\n[crypto]\nplugin = toy\n"
			    "[transport %s]\nlisten = 127.0.0.1:%u\n[auth hmac]\n"
			    "[peer alice]\npsk_file = alice.psk\nallowed_ips = 10.8.0.2/32\n",
			    transport, PORT);
	else
		wt_end_open(&w.end[i], w.dir, "alice", &w.clock.clock,
			    "[tunnel]\naddress = 10.8.0.2/24\n[crypto]\nplugin = toy\n"
			    "[transport %s]\n[auth hmac]\n"
			    "[peer office]\nendpoint = %s://127.0.0.1:%u\npsk_file = alice.psk\n"
			    "allowed_ips = 10.8.0.0/24\n",
			    transport, transport, PORT);
}

static void close_end(int i)
{
	struct wt_end *end = &w.end[i];

	wt_engine_stop(end->engine);
	for (unsigned k = 0; k < end->node->worker_count; k++)
		FUZZ_CHECK(end->worker[k].slots.free_count == end->worker[k].slots.count);
	wt_end_close(end);
}

/* What came out at `i` was sent to it, and had not come before. */
static void take(int i)
{
	static uint8_t packet[65535], sent[65535];
	uint32_t id;
	size_t len;

	while ((len = wt_end_take(&w.end[i], packet, sizeof packet)) > 0) {
		/* "Packet too big", from the end itself. */
		if (packet[9] == IPPROTO_ICMP)
			continue;
		FUZZ_CHECK(len >= ID_AT + sizeof id);
		memcpy(&id, packet + ID_AT, sizeof id);
		FUZZ_CHECK(id < w.sent_count);
		FUZZ_CHECK(w.sent[id].to == i && w.sent[id].len == len);
		FUZZ_CHECK(!w.sent[id].came);
		w.sent[id].came = true;
		wt_packet_make(sent, len, address[!i], address[i], (uint8_t)id);
		memcpy(sent + ID_AT, &id, sizeof id);
		FUZZ_CHECK(memcmp(sent, packet, len) == 0);
	}
}

static void turn(void)
{
	for (int k = 0; k < 4; k++)
		for (int i = 0; i < ENDS; i++)
			wt_engine_turn(w.end[i].engine, 0);
	for (int i = 0; i < ENDS; i++)
		take(i);
}

/* In steps, so that every timer fires near its moment. */
static void pass(uint64_t ms)
{
	while (ms > 0) {
		uint64_t step = ms < 100 ? ms : 100;

		wt_clock_manual_advance(&w.clock, step);
		ms -= step;
		turn();
	}
}

/* The packet's id. */
static uint32_t send_to(int to, size_t len)
{
	uint8_t packet[1500];
	uint32_t id = w.sent_count;

	wt_packet_make(packet, len, address[!to], address[to], (uint8_t)id);
	memcpy(packet + ID_AT, &id, sizeof id);
	w.sent[id].to = (uint8_t)to;
	w.sent[id].len = (uint16_t)len;
	w.sent[id].came = false;
	w.sent_count++;
	wt_end_inject(&w.end[!to], packet, len);
	return id;
}

/* ---- the network ------------------------------------------------------------- */

static void keep(const struct wt_datagram *datagram)
{
	struct kept *kept = &w.kept[w.kept_count++ % KEPT];

	if (datagram->len > KEPT_BYTES)
		return;
	kept->from = datagram->from;
	kept->to = datagram->to;
	kept->len = datagram->len;
	memcpy(kept->bytes, datagram->bytes, datagram->len);
}

static enum wt_fate fate(void *arg, struct wt_datagram *datagram)
{
	uint8_t weather = w.weather[w.weather_at++ % WEATHER];
	uint32_t at = (uint32_t)(weather >> 3) * datagram->len / 32;

	(void)arg;
	keep(datagram);
	if (w.outage)
		return WT_FATE_LOST;
	switch (weather & 7) {
	case 1:
		return WT_FATE_LOST;
	case 2:
		return WT_FATE_TWICE;
	case 3:
		return WT_FATE_LATER;
	case 4:
		if (datagram->len > 0)
			datagram->bytes[at] ^= (uint8_t)(1u << (weather >> 5));
		return WT_FATE_ARRIVES;
	case 5:
		datagram->len = at;
		return WT_FATE_ARRIVES;
	default:
		return WT_FATE_ARRIVES;
	}
}

static void calm(void)
{
	memset(w.weather, 0, sizeof w.weather);
	w.outage = false;
	if (!w.stream) {
		wt_packet_net.path_max = w.path_max;
		wt_packets_rebind(wt_packets_last_port(), 0);
		wt_packets_release_all(false);
		return;
	}
	wt_memory_net.hold = wt_memory_net.unreachable = false;
	for (struct wt_memory_link *link = wt_memory_net.links, *after; link; link = after) {
		after = link->next;
		for (int to = 0; to < 2; to++) {
			wt_memory_room(link, to, 1 << 20);
			wt_memory_deliver(link, to, SIZE_MAX);
		}
		/* A changed length waits for bytes that nobody sends. */
		if (w.changed)
			wt_memory_cut(link);
	}
}

static void operate_packets(uint8_t operation)
{
	const struct kept *kept;
	uint8_t bytes[64];
	size_t len;

	switch (operation & 7) {
	case 0:
		for (size_t i = 0; i < WEATHER; i++)
			w.weather[i] = next();
		break;
	case 1:
		wt_packets_release(true);
		break;
	case 2:
		wt_packets_release_all(operation & 0x40);
		break;
	case 3:
		wt_packets_rebind(wt_packets_last_port(), (uint16_t)(50000 + next()));
		break;
	case 4:
		kept = &w.kept[next() % KEPT];
		if (kept->len > 0)
			wt_packets_inject(operation & 0x40 ? 40000 : kept->from, kept->to,
					  kept->bytes, kept->len);
		break;
	case 5:
		len = next() % sizeof bytes;
		for (size_t i = 0; i < len; i++)
			bytes[i] = next();
		wt_packets_inject(operation & 0x40 ? 40000 : PORT,
				  operation & 0x40 ? PORT : wt_packets_last_port(), bytes, len);
		break;
	case 6:
		w.outage = operation & 0x40;
		break;
	default:
		wt_packet_net.path_max = operation & 0x40 ? 1300 : w.path_max;
		break;
	}
}

static void operate_stream(uint8_t operation)
{
	struct wt_memory_link *link = wt_memory_net.links;
	int to = operation & 0x40 ? 1 : 0;
	uint8_t at;

	if (!link)
		return;
	switch (operation & 7) {
	case 0:
		wt_memory_net.hold = true;
		break;
	case 1:
		wt_memory_net.hold = false;
		wt_memory_deliver(link, to, SIZE_MAX);
		break;
	case 2:
		wt_memory_deliver(link, to, next());
		break;
	case 3:
		at = next();
		w.changed = true;
		if (wt_memory_waiting(link, to) > at)
			wt_memory_flip(link, to, at, (uint8_t)(next() | 1));
		break;
	case 4:
		at = next();
		w.changed = true;
		if (wt_memory_net.hold)
			wt_memory_inject(link, to, &at, 1);
		break;
	case 5:
		wt_memory_cut(link);
		break;
	case 6:
		wt_memory_net.unreachable = operation & 0x40;
		break;
	default:
		wt_memory_room(link, to, operation & 0x40 ? 100 : 1 << 20);
		break;
	}
}

/* ---- what happens ------------------------------------------------------------ */

static void restart(int i, bool crash)
{
	bool outage = w.outage;

	w.outage = w.outage || crash;
	if (w.stream && crash)
		for (struct wt_memory_link *link = wt_memory_net.links, *after; link;
		     link = after) {
			after = link->next;
			wt_memory_cut(link);
		}
	close_end(i);
	w.outage = outage;
	open_end(i);
}

static void operate(uint8_t operation)
{
	uint8_t more;

	switch (operation >> 3 & 7) {
	case 0:
	case 1:
		more = next();
		if (w.sent_count < SENT_BY_INPUT)
			(void)send_to(operation & 1 ? SERVER : ALICE, 24 + more * 5u);
		break;
	case 2:
		turn();
		break;
	case 3:
		more = next();
		pass((uint64_t)more * more + 1);
		break;
	case 4:
		if ((operation & 7) < 4)
			restart(operation & 1 ? SERVER : ALICE, operation & 2);
		else if ((operation & 7) == 4)
			pass(130000);
		else
			wt_clock_manual_advance(&w.clock, 60000);
		break;
	default:
		if (w.stream)
			operate_stream(operation);
		else
			operate_packets(operation);
		break;
	}
}

/* Both directions carry again, soon. */
static void heal(void)
{
	bool there = false, back = false;

	calm();
	for (uint64_t ms = 0; ms < HEAL_MS && !(there && back); ms += 200) {
		uint32_t a = send_to(SERVER, 100), b = send_to(ALICE, 100);

		pass(200);
		there = there || w.sent[a].came;
		back = back || w.sent[b].came;
	}
	FUZZ_CHECK(there && back);
}

/* WT_FUZZ_LOG=1 shows what the ends say. */
static void tell(void *arg, const char *line)
{
	if (arg)
		fprintf(stderr, "%7.1f s  %s\n",
			(double)(w.clock.clock.boot_ms(&w.clock.clock) - BOOT_MS) / 1000, line);
}

/* Once, since loading one means forking. */
static void link_plugins(void)
{
	const struct wt_registry_options options = { .plugin_dir = WT_TEST_PLUGIN_DIR,
						     .skip_self_test = true };
	static struct wt_registry *registry;
	const struct wt_plugin *hmac;

	if (registry)
		return;
	registry = wt_registry_new(&options);
	FUZZ_CHECK(registry &&
		   wt_registry_load(registry, WT_KIND_AUTH, "hmac", &hmac, NULL) == WT_OK);
	wt_end_plugin(hmac);
	wt_end_plugin(&wt_toy_plugin);
	wt_end_plugin(&wt_memory_plugin);
	wt_end_plugin(&wt_packet_plugin);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t secrets = wt_secret_in_use();

	memset(&w, 0, sizeof w);
	w.data = data;
	w.size = size;
	w.stream = next() & 1;
	w.dir = wt_scratch_new();
	wt_clock_manual_init(&w.clock, BOOT_MS, UINT64_C(1700000000000));
	wt_end_key(w.dir, "alice", 1);
	wt_log_setup(WT_LOG_DEBUG, WT_LOG_TEXT);
	wt_log_capture(tell, getenv("WT_FUZZ_LOG"));
	wt_memory_reset();
	wt_packets_reset();
	wt_packet_net.fate = fate;
	w.path_max = wt_packet_net.path_max;
	wt_toy_plugin_reset();
	link_plugins();
	open_end(SERVER);
	open_end(ALICE);
	turn();
	for (unsigned i = 0; i < OPERATIONS_MAX && w.size > 0; i++)
		operate(next());
	turn();
	heal();
	close_end(ALICE);
	close_end(SERVER);
	wt_log_capture(NULL, NULL);
	wt_scratch_free(w.dir);
	FUZZ_CHECK(!wt_toy_plugin_reused());
	FUZZ_CHECK(wt_secret_in_use() == secrets);
	return 0;
}
