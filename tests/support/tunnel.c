/* SPDX-License-Identifier: MIT */
#include "support/tunnel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "config/source.h"
#include "config/trial.h"
#include "support/plain_host.h"
#include "support/scratch.h"
#include "tun/tun.h"

uint16_t wt_free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	close(fd);
	return ntohs(address.sin_port);
}

void wt_end_key(const char *dir, const char *name, uint8_t seed)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char file[64], text[46];
	uint8_t key[33] = { 0 };

	for (size_t i = 0; i < 32; i++)
		key[i] = (uint8_t)(seed + 7 * i);
	for (size_t i = 0; i < 11; i++) {
		uint32_t three =
			(uint32_t)key[3 * i] << 16 | (uint32_t)key[3 * i + 1] << 8 | key[3 * i + 2];

		for (size_t k = 0; k < 4; k++)
			text[4 * i + k] = digits[three >> (18 - 6 * k) & 63];
	}
	text[43] = '=';
	text[44] = '\n';
	snprintf(file, sizeof file, "%s.psk", name);
	free(wt_scratch_file(dir, file, text, 45, 0600));
}

/* ---- plugins: those that a test linked in, then those of the build ------------ */

#define LINKED_MAX 8u
static const struct wt_plugin *linked[LINKED_MAX];
static size_t linked_count;

void wt_end_plugin(const struct wt_plugin *plugin)
{
	for (size_t i = 0; i < linked_count; i++)
		if (linked[i] == plugin)
			return;
	assert_true(linked_count < LINKED_MAX);
	linked[linked_count++] = plugin;
}

static enum wt_status open_registry(void *arg, const char *plugin_dir, bool self_test,
				    struct wt_error *err)
{
	const struct wt_registry_options options = { .plugin_dir = WT_TEST_PLUGIN_DIR,
						     .skip_self_test = true };
	struct wt_end *end = arg;

	(void)plugin_dir;
	(void)self_test;
	end->registry = wt_registry_new(&options);
	return end->registry ? WT_OK : wt_fail(err, WT_ERR_NOMEM, "out of memory");
}

static enum wt_status load(void *arg, enum wt_plugin_kind kind, const char *name,
			   const struct wt_plugin **out, struct wt_error *err)
{
	struct wt_end *end = arg;

	for (size_t i = 0; i < linked_count; i++)
		if (linked[i]->kind == kind && strcmp(linked[i]->name, name) == 0) {
			*out = linked[i];
			return WT_OK;
		}
	return wt_registry_load(end->registry, kind, name, out, err);
}

/* ---- engines --------------------------------------------------------------------- */

static void open_queue(int *tun, int *inner)
{
	int pair[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	*tun = pair[0];
	*inner = pair[1];
}

/* Settings and engine; what was made before a failure is wt_end_close's. */
static bool make(struct wt_end *end, const char *path, const struct wt_clock *clock, char *said,
		 size_t size)
{
	const struct wt_plugin_source source = {
		.arg = end, .open = open_registry, .load = load, .try_out = wt_trial_run
	};
	struct wt_engine_options options = {
		.clock = clock,
		.mtu = end->mtu ? end->mtu : 1500,
		.features = end->features,
		.lookout = end->lookout,
	};
	struct wt_error err = WT_ERROR_INIT;
	enum wt_status status = WT_OK;
	FILE *stream = fmemopen(said, size, "w");

	assert_non_null(stream);
	int rc = wt_settings_build(path, &source, stream, &end->settings);

	fclose(stream);
	if (rc != WT_EXIT_OK)
		return false;
	options.settings = end->settings;
	end->engine = wt_engine_new(&options, &status, &err);
	if (!end->engine)
		snprintf(said, size, "%s", err.text);
	return end->engine != NULL;
}

/* The device, and what runs on it. */
static bool start(struct wt_end *end, char *said, size_t size)
{
	struct wt_error err = WT_ERROR_INIT;
	int queues[WT_TUN_INPUTS * WT_WORKERS_MAX];

	end->node = wt_engine_node(end->engine);
	end->worker = wt_engine_worker(end->engine);
	open_queue(&end->tun, &end->inner);
	if (end->two_queues)
		open_queue(&end->bulk, &end->inner_bulk);
	/* One device that all workers read: any packet may come to any of them. */
	for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++)
		queues[i] = end->two_queues && i % 2 == WT_TUN_BULK ? end->inner_bulk : end->inner;
	if (wt_engine_start(end->engine, queues, end->two_queues ? 2 : 1, &err) == WT_OK)
		return true;
	snprintf(said, size, "%s", err.text);
	return false;
}

bool wt_end_try(struct wt_end *end, const char *dir, const char *name, const struct wt_clock *clock,
		const char *text, char *said, size_t size)
{
	char file[64];

	snprintf(file, sizeof file, "%s.ini", name);
	char *path = wt_scratch_file(dir, file, text, strlen(text), 0600);

	said[0] = '\0';
	end->tun = end->inner = end->bulk = end->inner_bulk = -1;
	bool good = make(end, path, clock, said, size) && start(end, said, size);

	free(path);
	if (!good)
		wt_end_close(end);
	return good;
}

void wt_end_open(struct wt_end *end, const char *dir, const char *name,
		 const struct wt_clock *clock, const char *ini, ...)
{
	char *text = NULL, said[4096];
	va_list args;

	va_start(args, ini);
	assert_true(vasprintf(&text, ini, args) > 0);
	va_end(args);
	if (!wt_end_try(end, dir, name, clock, text, said, sizeof said))
		fail_msg("%s", said);
	free(text);
}

void wt_end_close(struct wt_end *end)
{
	if (!end->registry)
		return;
	wt_engine_free(end->engine);
	wt_settings_free(end->settings);
	wt_registry_free(end->registry);
	if (end->tun >= 0) {
		close(end->tun);
		close(end->inner);
	}
	if (end->bulk >= 0) {
		close(end->bulk);
		close(end->inner_bulk);
	}
	*end = (struct wt_end){ .features = end->features,
				.mtu = end->mtu,
				.lookout = end->lookout,
				.two_queues = end->two_queues,
				.tun = -1,
				.bulk = -1 };
}

bool wt_ends_turn(struct wt_end *const *ends, size_t n, bool (*done)(void *arg), void *arg)
{
	for (int i = 0; i < 2000; i++) {
		for (size_t k = 0; k < n; k++)
			if (ends[k] && ends[k]->engine)
				wt_engine_turn(ends[k]->engine, 1);
		if (done(arg))
			return true;
	}
	return false;
}

struct nudge {
	struct wt_note note;
	_Atomic bool read;
};

static void nudged(struct wt_note *note, struct wt_worker *worker)
{
	(void)worker;
	((struct nudge *)(void *)note)->read = true;
}

void wt_end_turn_all(struct wt_end *end)
{
	for (unsigned i = 1; i < end->node->worker_count; i++) {
		struct nudge nudge = { .note.read = nudged };

		wt_note_post(&nudge.note, &end->worker[i]);
		while (!nudge.read)
			wt_engine_turn(end->engine, 1);
	}
	wt_engine_turn(end->engine, 0);
}

size_t wt_ends_take(struct wt_end *const *ends, size_t n, struct wt_end *end, uint8_t *packet,
		    size_t size)
{
	size_t len = 0;

	for (int i = 0; i < 2000 && len == 0; i++) {
		for (size_t k = 0; k < n; k++)
			if (ends[k] && ends[k]->engine)
				wt_engine_turn(ends[k]->engine, i < 10 ? 0 : 1);
		len = wt_end_take(end, packet, size);
	}
	return len;
}

static bool count_down(void *arg)
{
	return --*(int *)arg == 0;
}

void wt_ends_settle(struct wt_end *const *ends, size_t n)
{
	int rounds = 20;

	(void)wt_ends_turn(ends, n, count_down, &rounds);
}

void wt_packet_make(uint8_t *out, size_t len, const char *from, const char *to, uint8_t seed)
{
	assert_in_range(len, 20, 65535);
	memset(out, 0, 20);
	out[0] = 0x45;
	out[2] = (uint8_t)(len >> 8);
	out[3] = (uint8_t)len;
	out[8] = 64;
	out[9] = 253;
	assert_int_equal(inet_pton(AF_INET, from, out + 12), 1);
	assert_int_equal(inet_pton(AF_INET, to, out + 16), 1);
	for (size_t i = 20; i < len; i++)
		out[i] = (uint8_t)(seed + 31 * i);
}

void wt_end_inject_raw(struct wt_end *end, const uint8_t header[10], const uint8_t *packet,
		       size_t len)
{
	uint8_t buffer[WT_TUN_HEADER + 65535];

	memcpy(buffer, header, WT_TUN_HEADER);
	memcpy(buffer + WT_TUN_HEADER, packet, len);
	ssize_t n = send(end->tun, buffer, WT_TUN_HEADER + len, 0);

	/* Full: workers on other threads make room. */
	if (n < 0 && errno == EAGAIN &&
	    poll(&(struct pollfd){ .fd = end->tun, .events = POLLOUT }, 1, 1000) == 1)
		n = send(end->tun, buffer, WT_TUN_HEADER + len, 0);
	assert_int_equal(n, (ssize_t)(WT_TUN_HEADER + len));
}

void wt_end_inject(struct wt_end *end, const uint8_t *packet, size_t len)
{
	static const uint8_t no_offload[WT_TUN_HEADER];

	wt_end_inject_raw(end, no_offload, packet, len);
}

size_t wt_end_take_raw(struct wt_end *end, uint8_t header[10], uint8_t *packet, size_t size)
{
	uint8_t buffer[WT_TUN_HEADER + 65535];
	ssize_t n = read(end->tun, buffer, sizeof buffer);

	if (n < 0)
		return 0;
	assert_in_range(n, WT_TUN_HEADER + 20, WT_TUN_HEADER + size);
	memcpy(header, buffer, WT_TUN_HEADER);
	memcpy(packet, buffer + WT_TUN_HEADER, (size_t)n - WT_TUN_HEADER);
	return (size_t)n - WT_TUN_HEADER;
}

size_t wt_end_take(struct wt_end *end, uint8_t *packet, size_t size)
{
	static const uint8_t no_offload[WT_TUN_HEADER];
	uint8_t header[WT_TUN_HEADER];
	size_t n = wt_end_take_raw(end, header, packet, size);

	if (n > 0)
		assert_memory_equal(header, no_offload, WT_TUN_HEADER);
	return n;
}
