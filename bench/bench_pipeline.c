/* SPDX-License-Identifier: MIT
 *
 * The packet path of whole engines over loopback TCP, without a TUN device:
 * does a server with many configured peers carry one peer's packets as fast as
 * a server with one, and what does a configured peer cost in memory?
 *
 * Both servers run in this process and take turns, round by round; the ratio is
 * formed within a round.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/scratch.h"
#include "support/tunnel.h"

#define BATCH 32

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void write_key(const char *dir, unsigned i)
{
	char name[32], text[46];

	snprintf(name, sizeof name, "p%u.psk", i);
	memset(text, 'A', sizeof text);
	snprintf(text, sizeof text, "%07u", i + 1);
	memset(text + 7, 'A', 36);
	memcpy(text + 43, "=\n", 3);
	free(wt_scratch_file(dir, name, text, 45, 0600));
}

/* A server with `peers` peers 10.9.X.Y. */
static void open_server(struct wt_end *server, const char *dir, unsigned peers, uint16_t port)
{
	size_t size = 4096 + (size_t)peers * 128, at = 0;
	char *ini = malloc(size);

	assert_non_null(ini);
	at = (size_t)snprintf(ini, size,
			      "[tunnel]\ninterface = wt0\naddress = 10.9.0.1/16\n"
			      "[crypto]\nplugin = aesgcm-openssl\n"
			      "[transport tcp]\nlisten = 127.0.0.1:%u\n[auth hmac]\n",
			      port);
	for (unsigned i = 0; i < peers; i++)
		at += (size_t)snprintf(
			ini + at, size - at,
			"[peer p%u]\npsk_file = p%u.psk\nallowed_ips = 10.9.%u.%u/32\n", i, i,
			1 + i / 250, 1 + i % 250);
	wt_end_open(server, dir, peers == 1 ? "one" : "many", NULL, "%s", ini);
	free(ini);
}

static void open_client(struct wt_end *client, const char *dir, unsigned i, uint16_t port)
{
	wt_end_open(client, dir, "client", NULL,
		    "[tunnel]\ninterface = wt0\naddress = 10.9.%u.%u/16\n"
		    "[crypto]\nplugin = aesgcm-openssl\n[transport tcp]\n[auth hmac]\n"
		    "[peer office]\nendpoint = tcp://127.0.0.1:%u\npsk_file = p%u.psk\n"
		    "allowed_ips = 10.9.0.0/16\n",
		    1 + i / 250, 1 + i % 250, port, i);
}

struct pair {
	struct wt_end server, client;
	unsigned peer;
	char address[32];
};

static bool is_up(void *arg)
{
	struct pair *p = arg;

	return p->server.worker->peers[p->peer].active && p->client.worker->peers[0].active;
}

static void open_pair(struct pair *p, const char *dir, unsigned peers)
{
	struct wt_end *ends[] = { &p->server, &p->client };
	uint16_t port = wt_free_port();

	p->peer = peers - 1;
	snprintf(p->address, sizeof p->address, "10.9.%u.%u", 1 + p->peer / 250, 1 + p->peer % 250);
	open_server(&p->server, dir, peers, port);
	open_client(&p->client, dir, p->peer, port);
	if (!wt_ends_turn(ends, 2, is_up, p))
		fail_msg("the tunnel did not come up");
}

/* Packets a second, client to server and back in turn. */
static double rate(struct pair *p, size_t size, double seconds)
{
	uint8_t up[1500], down[1500], got[1500];
	double end = now_s() + seconds, start = now_s();
	uint64_t arrived = 0;

	wt_packet_make(up, size, p->address, "10.9.0.1", 1);
	wt_packet_make(down, size, "10.9.0.1", p->address, 2);
	while (now_s() < end) {
		for (int i = 0; i < BATCH; i++) {
			wt_end_inject(&p->client, up, size);
			wt_end_inject(&p->server, down, size);
		}
		for (int i = 0; i < 3; i++) {
			wt_engine_turn(p->client.engine, 0);
			wt_engine_turn(p->server.engine, 0);
		}
		while (wt_end_take(&p->server, got, sizeof got))
			arrived++;
		while (wt_end_take(&p->client, got, sizeof got))
			arrived++;
	}
	return (double)arrived / (now_s() - start);
}

static long rss_kb(void)
{
	char line[256];
	long kb = -1;
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "VmRSS: %ld kB", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb;
}

/* In a process of its own, so that neither sees the other's pages. */
static long server_rss(const char *dir, unsigned peers)
{
	int pipe_fds[2];
	long kb = -1;

	assert_int_equal(pipe(pipe_fds), 0);
	fflush(NULL);
	pid_t pid = fork();

	if (pid == 0) {
		struct wt_end server = { .engine = NULL };

		open_server(&server, dir, peers, wt_free_port());
		kb = rss_kb();
		_exit(write(pipe_fds[1], &kb, sizeof kb) == sizeof kb ? 0 : 1);
	}
	close(pipe_fds[1]);
	if (read(pipe_fds[0], &kb, sizeof kb) != sizeof kb)
		kb = -1;
	close(pipe_fds[0]);
	waitpid(pid, NULL, 0);
	return kb;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void bench(void **state)
{
	const unsigned *args = *state;
	const unsigned peers = args[0], rounds = args[1];
	const size_t size = args[2];
	char *dir = wt_scratch_new();
	struct pair one = { .peer = 0 }, many = { .peer = 0 };
	double ratios[1000], rates[1000];

	wt_log_setup(WT_LOG_ERROR, WT_LOG_TEXT);
	for (unsigned i = 0; i < peers; i++)
		write_key(dir, i);
	long rss_one = server_rss(dir, 1), rss_many = server_rss(dir, peers);

	open_pair(&one, dir, 1);
	open_pair(&many, dir, peers);
	(void)rate(&one, size, 0.2);
	(void)rate(&many, size, 0.2);
	for (unsigned i = 0; i < rounds; i++) {
		double a = rate(&one, size, 0.3), b = rate(&many, size, 0.3);

		rates[i] = a;
		ratios[i] = b / a;
	}
	qsort(ratios, rounds, sizeof ratios[0], by_value);
	qsort(rates, rounds, sizeof rates[0], by_value);
	printf("%zu-byte packets, both directions, both ends on one thread, %u rounds\n", size,
	       rounds);
	printf("1 peer: %.0f packets/s (median)\n", rates[rounds / 2]);
	printf("%u peers / 1 peer: %.3f (median; %.3f .. %.3f)\n", peers, ratios[rounds / 2],
	       ratios[0], ratios[rounds - 1]);
	printf("RSS of a server: %ld KB with 1 peer, %ld KB with %u: %.1f KB a peer\n", rss_one,
	       rss_many, peers, (double)(rss_many - rss_one) / (peers - 1));
	wt_end_close(&one.client);
	wt_end_close(&one.server);
	wt_end_close(&many.client);
	wt_end_close(&many.server);
	wt_scratch_free(dir);
}

int main(int argc, char **argv)
{
	unsigned args[3] = { 1000, 11, 1400 };

	for (int i = 1; i < argc && i < 4; i++) {
		char *end;
		unsigned long v = strtoul(argv[i], &end, 10);

		args[i - 1] = (unsigned)v;
		if (*end || v < 2 || v > 60000 || (i == 2 && v > 1000) || (i == 3 && v > 1500)) {
			fprintf(stderr, "usage: bench_pipeline [peers 2..60000] [rounds 2..1000] "
					"[packet bytes 20..1500]\n");
			return 2;
		}
	}
	const struct CMUnitTest tests[] = { cmocka_unit_test_prestate(bench, args) };

	return cmocka_run_group_tests_name("bench_pipeline", tests, NULL, NULL);
}
