/* SPDX-License-Identifier: MIT */
#include "support/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/secret.h"
#include "support/memory_transport.h"
#include "support/packet_transport.h"
#include "support/scratch.h"

static const char server_ini[] = "[tunnel]\ninterface = wt0\naddress = 10.8.0.1/24\n%s\n"
				 "[crypto]\nplugin = %s\n"
				 "[transport %s]\nlisten = 127.0.0.1:%u%s\n%s"
				 "[auth %s]\n"
				 "[peer alice]\npsk_file = alice.psk\nallowed_ips = 10.8.0.2/32\n"
				 "[peer bob]\npsk_file = bob.psk\nallowed_ips = 10.8.0.3/32\n";
static const char client_ini[] = "[tunnel]\ninterface = wt0\naddress = 10.8.0.%u/24\n%s\n"
				 "[crypto]\nplugin = %s\n"
				 "[transport %s]\n%s"
				 "[auth %s]\n%s"
				 "[peer office]\nendpoint = %s://127.0.0.1:%u%s\n"
				 "psk_file = %s.psk\nallowed_ips = 10.8.0.0/24\n%s";

static void remember(void *arg, const char *line)
{
	struct wt_world *w = arg;

	pthread_mutex_lock(&w->log_lock);
	size_t at = strlen(w->log);

	snprintf(w->log + at, sizeof w->log - at, "%s\n", line);
	pthread_cond_broadcast(&w->logged);
	pthread_mutex_unlock(&w->log_lock);
}

bool wt_world_logged(struct wt_world *w, const char *text)
{
	pthread_mutex_lock(&w->log_lock);
	bool found = strstr(w->log, text) != NULL;

	pthread_mutex_unlock(&w->log_lock);
	return found;
}

bool wt_world_wait_log(struct wt_world *w, const char *text, unsigned seconds)
{
	struct timespec end;
	bool found;
	int rc = 0;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += (time_t)seconds;
	pthread_mutex_lock(&w->log_lock);
	while (!(found = strstr(w->log, text) != NULL) && rc == 0)
		rc = pthread_cond_timedwait(&w->logged, &w->log_lock, &end);
	pthread_mutex_unlock(&w->log_lock);
	return found;
}

int wt_world_setup(void **state)
{
	struct wt_world *w = calloc(1, sizeof(*w));

	assert_int_equal(pthread_mutex_init(&w->log_lock, NULL), 0);
	assert_int_equal(pthread_cond_init(&w->logged, NULL), 0);
	w->dir = wt_scratch_new();
	w->transport = "tcp";
	w->auth = "hmac";
	w->port = wt_free_port();
	w->ends[0] = &w->server;
	w->ends[1] = &w->alice;
	w->ends[2] = &w->bob;
	w->secrets_before = wt_secret_in_use();
	wt_clock_manual_init(&w->clock, 1000000, UINT64_C(1700000000000));
	wt_end_key(w->dir, "alice", 1);
	wt_end_key(w->dir, "bob", 2);
	wt_end_key(w->dir, "stranger", 3);
	wt_log_setup(WT_LOG_INFO, WT_LOG_TEXT);
	wt_log_flush();
	wt_log_capture(remember, w);
	*state = w;
	return 0;
}

int wt_world_setup_memory(void **state)
{
	int rc = wt_world_setup(state);

	wt_memory_reset();
	wt_end_plugin(&wt_memory_plugin);
	((struct wt_world *)*state)->transport = "memory";
	return rc;
}

int wt_world_setup_packets(void **state)
{
	int rc = wt_world_setup(state);

	wt_packets_reset();
	wt_memory_reset();
	wt_end_plugin(&wt_packet_plugin);
	wt_end_plugin(&wt_memory_plugin);
	((struct wt_world *)*state)->transport = "packets";
	return rc;
}

int wt_world_teardown(void **state)
{
	struct wt_world *w = *state;

	for (int i = 2; i >= 0; i--) {
		if (w->ends[i]->worker) {
			wt_engine_stop(w->ends[i]->engine);
			/* Every packet buffer came back, to every worker. */
			for (unsigned k = 0; k < w->ends[i]->node->worker_count; k++)
				assert_int_equal(w->ends[i]->worker[k].slots.free_count,
						 w->ends[i]->worker[k].slots.count);
		}
		wt_end_close(w->ends[i]);
	}
	wt_log_capture(NULL, NULL);
	/* No key is left anywhere. */
	assert_int_equal(wt_secret_in_use(), w->secrets_before);
	wt_scratch_free(w->dir);
	pthread_cond_destroy(&w->logged);
	pthread_mutex_destroy(&w->log_lock);
	free(w);
	return 0;
}

void wt_world_server(struct wt_world *w, const char *more)
{
	char also[96] = "", second[32] = "";

	if (w->second_port)
		snprintf(second, sizeof second, ", 127.0.0.1:%u", w->second_port);
	if (w->also)
		snprintf(also, sizeof also, "[transport %s]\nlisten = 127.0.0.1:%u\n", w->also,
			 w->port);
	wt_end_open(&w->server, w->dir, "server", &w->clock.clock, server_ini, more,
		    w->crypto ? w->crypto : "aesgcm-openssl", w->transport, w->port, second, also,
		    w->auth);
}

void wt_world_client(struct wt_world *w, struct wt_end *end, const struct wt_client *client)
{
	char name[32], section[64] = "", endpoint[64] = "";

	if (w->also) {
		snprintf(section, sizeof section, "[transport %s]\n", w->also);
		snprintf(endpoint, sizeof endpoint, ", %s://127.0.0.1:%u", w->also, w->port);
	}
	snprintf(name, sizeof name, "client%d", (int)(end - &w->server));
	wt_end_open(end, w->dir, name, &w->clock.clock, client_ini, client->host,
		    client->more ? client->more : "", w->crypto ? w->crypto : "aesgcm-sodium",
		    w->transport, section, w->auth, client->auth ? client->auth : "", w->transport,
		    w->port, endpoint, client->key, client->peer ? client->peer : "");
}

void wt_world_alice(struct wt_world *w)
{
	wt_world_client(w, &w->alice, &(struct wt_client){ .host = 2, .key = "alice" });
}

void wt_world_bob(struct wt_world *w)
{
	wt_world_client(w, &w->bob, &(struct wt_client){ .host = 3, .key = "bob" });
}

struct wt_peer *wt_world_peer(struct wt_end *end, size_t i)
{
	return &end->worker->peers[i];
}

bool wt_world_alice_up(void *arg)
{
	struct wt_world *w = arg;

	return wt_peer_is_up(wt_world_peer(&w->alice, 0)) &&
	       wt_peer_is_up(wt_world_peer(&w->server, 0));
}

bool wt_world_all_up(void *arg)
{
	struct wt_world *w = arg;

	return wt_world_alice_up(w) && wt_peer_is_up(wt_world_peer(&w->bob, 0)) &&
	       wt_peer_is_up(wt_world_peer(&w->server, 1));
}

void wt_world_until(struct wt_world *w, bool (*done)(void *))
{
	if (!wt_ends_turn(w->ends, 3, done, w))
		fail_msg("did not come about; the log:\n%s", w->log);
}

/* Without sockets nothing has to be waited for. */
static void settle_memory(struct wt_world *w)
{
	for (int i = 0; i < 60; i++)
		if (w->ends[i % 3]->engine)
			wt_engine_turn(w->ends[i % 3]->engine, 0);
}

void wt_world_settle(struct wt_world *w)
{
	if (strcmp(w->transport, "memory") == 0 || strcmp(w->transport, "packets") == 0)
		settle_memory(w);
	else
		wt_ends_settle(w->ends, 3);
}

/* Moves time in small steps, so that every timer fires at its moment. */
void wt_world_pass(struct wt_world *w, uint64_t ms)
{
	while (ms > 0) {
		uint64_t step = ms < 100 ? ms : 100;

		wt_clock_manual_advance(&w->clock, step);
		ms -= step;
		for (int i = 0; i < 3; i++)
			for (int k = 0; k < 3; k++)
				if (w->ends[k]->engine)
					wt_end_turn_all(w->ends[k]);
	}
	wt_world_settle(w);
}

void wt_world_carries(struct wt_world *w, struct wt_end *from, struct wt_end *to,
		      const char *source, const char *destination, size_t len)
{
	uint8_t sent[65535], got[65535];
	size_t n;

	wt_packet_make(sent, len, source, destination, (uint8_t)len);
	wt_end_inject(from, sent, len);
	n = wt_ends_take(w->ends, 3, to, got, sizeof got);
	if (n != len)
		fail_msg("%zu bytes sent, %zu came; the log:\n%s", len, n, w->log);
	assert_memory_equal(sent, got, len);
	wt_world_settle(w);
	assert_int_equal(wt_end_take(to, got, sizeof got), 0);
}

void wt_world_loses(struct wt_world *w, struct wt_end *from, struct wt_end *to, const char *source,
		    const char *destination)
{
	uint8_t packet[100];

	wt_packet_make(packet, sizeof packet, source, destination, 1);
	wt_end_inject(from, packet, sizeof packet);
	wt_world_settle(w);
	assert_int_equal(wt_end_take(to, packet, sizeof packet), 0);
}
