/* SPDX-License-Identifier: MIT
 *
 * A thousand peers on one socket: what they cost, and that nobody else costs
 * anything.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "session/index_table.h"
#include "support/packet_transport.h"
#include "support/scratch.h"
#include "support/world.h"

#define PEERS 1000u
/* Of allocated memory, both ends of one session together. The keys are in
 * locked memory besides. */
#define BYTES_A_SESSION (16u * 1024u)

static char *text_of_peers(const struct wt_world *w, bool dials)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	fprintf(out,
		"[tunnel]\ninterface = wt0\naddress = 10.%u.0.1/16\n"
		"[crypto]\nplugin = aesgcm-openssl\n[transport packets]\n",
		dials ? 7u : 8u);
	if (!dials)
		fprintf(out, "listen = 127.0.0.1:%u\n", w->port);
	fprintf(out, "[auth hmac]\n");
	for (unsigned i = 0; i < PEERS; i++) {
		fprintf(out, "[peer p%u]\npsk_file = many%u.psk\nallowed_ips = 10.%u.%u.%u/32\n", i,
			i, dials ? 8u : 7u, 1 + i / 200, 1 + i % 200);
		if (dials)
			fprintf(out, "endpoint = packets://127.0.0.1:%u\n", w->port);
	}
	fclose(out);
	return text;
}

static void write_keys(const struct wt_world *w)
{
	for (unsigned i = 0; i < PEERS; i++) {
		char name[32], text[64];
		/* 32 bytes in base64: digits are some of its letters. */
		int len = snprintf(text, sizeof text, "%040uAAA=\n", i + 1);

		snprintf(name, sizeof name, "many%u.psk", i);
		free(wt_scratch_file(w->dir, name, text, (size_t)len, 0600));
	}
}

static size_t allocated(void)
{
	return mallinfo2().uordblks + mallinfo2().hblkhd;
}

static bool all_up(void *arg)
{
	struct wt_world *w = arg;

	for (unsigned i = 0; i < PEERS; i++)
		if (!wt_peer_is_up(wt_world_peer(&w->server, i)) ||
		    !wt_peer_is_up(wt_world_peer(&w->alice, i)))
			return false;
	return true;
}

static void a_thousand_peers_are_up(void **state)
{
	struct wt_world *w = *state;
	char *server = text_of_peers(w, false), *client = text_of_peers(w, true);
	size_t before, after;
	uint8_t noise[1400];

	write_keys(w);
	wt_end_open(&w->server, w->dir, "server", &w->clock.clock, "%s", server);
	/* The sockets are there, nobody has dialled. */
	assert_int_equal(w->server.worker->indices->most, PEERS * WT_INDICES_PER_PEER);
	wt_end_open(&w->alice, w->dir, "client", &w->clock.clock, "%s", client);
	before = allocated();
	for (int i = 0; i < 300 && !all_up(w); i++)
		wt_world_pass(w, 100);
	assert_true(all_up(w));
	after = allocated();
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	(void)(after - before);
	print_message("a sanitizer's allocator: what a session takes is not measured\n");
#else
	print_message("%zu bytes a session, both ends\n", (after - before) / PEERS);
	assert_in_range((after - before) / PEERS, 1, BYTES_A_SESSION);
#endif
	/* Each record finds its own. */
	for (unsigned i = 0; i < PEERS; i += 37) {
		char from[32], to[32];

		snprintf(from, sizeof from, "10.7.%u.%u", 1 + i / 200, 1 + i % 200);
		snprintf(to, sizeof to, "10.8.%u.%u", 1 + i / 200, 1 + i % 200);
		wt_world_carries(w, &w->alice, &w->server, from, to, 100);
	}
	assert_int_equal(w->server.worker->indices->count, PEERS);
	wt_world_settle(w);
	before = allocated();
	for (unsigned i = 0; i < 20000; i++) {
		for (size_t k = 0; k < sizeof noise; k += 64)
			noise[k] = (uint8_t)(i * 31 + k);
		noise[0] = (uint8_t)(1 + i % 2);
		noise[1] = 1;
		noise[2] = noise[0] == 1;
		noise[3] = noise[0] == 1;
		noise[4] = (uint8_t)(i % 3 ? i : 0);
		noise[5] = noise[6] = noise[7] = 0;
		wt_packets_inject((uint16_t)(30000 + i % 1000), w->port, noise,
				  noise[0] == 1 ? 192 : 1400);
		if (i % 100 == 0)
			wt_world_settle(w);
	}
	for (int i = 0; i < 10; i++)
		wt_world_settle(w);
	/* What the log says of them is all that is new. */
	assert_true(allocated() < before + 65536);
	assert_true(all_up(w));
	free(server);
	free(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_thousand_peers_are_up, wt_world_setup_packets,
						wt_world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
