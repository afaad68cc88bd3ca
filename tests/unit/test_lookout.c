/* SPDX-License-Identifier: MIT */

/* A plugin that keeps a worker from its loop is named in the log while it does,
 * and nothing is said of one that does not. The plugins of a whole engine here
 * stand still until the log says so, each in another of its operations. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/log.h"
#include "support/later_auth.h"
#include "support/memory_transport.h"
#include "support/process.h"
#include "support/world.h"

/* Far longer than a stall takes to be said, on any machine. */
#define PATIENCE_S 60

static struct wt_plugin slow_auth, slow_transport;
static const struct wt_host *transport_host; /* of the engine's instance, made last */
static unsigned slow_worker;		     /* whose timer stands still */
static bool compute;			     /* ... or computes */
static unsigned creates, destroys;
static _Atomic bool stood; /* once is enough */
static struct wt_world *world;

static void stand_still(void)
{
	time_t end = time(NULL) + PATIENCE_S;

	if (atomic_exchange(&stood, true))
		return;
	if (!compute)
		(void)wt_world_wait_log(world, " stands still ", PATIENCE_S);
	while (compute && !wt_world_logged(world, " stands still ") && time(NULL) < end)
		;
}

/* ---- plugins ------------------------------------------------------------------- */

static enum wt_auth_verdict slow_accept(void *self, struct wt_worker *worker,
					const struct wt_auth_in *in, struct wt_auth_out *out)
{
	stand_still();
	return wt_later_plugin.ops.auth.accept(self, worker, in, out);
}

static enum wt_status slow_send(void *self, struct wt_worker *worker, void *tconn,
				const struct wt_record *records, size_t n, size_t *taken)
{
	stand_still();
	return wt_memory_plugin.ops.transport.send(self, worker, tconn, records, n, taken);
}

static enum wt_status remember_host(const struct wt_host *host, const struct wt_config *cfg,
				    void **self, struct wt_error *err)
{
	transport_host = host;
	return wt_memory_plugin.ops.transport.create(host, cfg, self, err);
}

static enum wt_status create_slowly(const struct wt_host *host, const struct wt_config *cfg,
				    void **self, struct wt_error *err)
{
	/* The first is made to check the configuration, the second for the tunnel. */
	if (++creates == 2)
		(void)wt_world_wait_log(world, " has not returned for ", PATIENCE_S);
	return wt_memory_plugin.ops.transport.create(host, cfg, self, err);
}

static void destroy_slowly(void *self)
{
	if (++destroys == 2)
		(void)wt_world_wait_log(world, "destroy() of transport plugin \"late\" has not",
					PATIENCE_S);
	wt_memory_plugin.ops.transport.destroy(self);
}

static void on_resolved(void *arg, struct wt_worker *worker, enum wt_status status,
			const struct sockaddr_storage *addresses, size_t n, const char *error)
{
	(void)arg, (void)worker, (void)status, (void)addresses, (void)n, (void)error;
	stand_still();
}

static enum wt_status listen_and_resolve(void *self, struct wt_worker *worker, struct wt_error *err)
{
	assert_non_null(
		transport_host->resolve(transport_host, worker, "192.0.2.1", 1, on_resolved, NULL));
	return wt_memory_plugin.ops.transport.listen(self, worker, err);
}

static struct wt_timer *timer;

static void on_timer(void *arg, struct wt_worker *worker)
{
	(void)arg;
	(void)worker;
	stand_still();
}

static enum wt_status listen_with_timer(void *self, struct wt_worker *worker, struct wt_error *err)
{
	if (worker->index == slow_worker) {
		timer = transport_host->timer_new(transport_host, worker, on_timer, NULL);
		assert_non_null(timer);
		transport_host->timer_set(transport_host, timer, 0);
	}
	/* It is for one worker. */
	return worker->index ? WT_OK : wt_memory_plugin.ops.transport.listen(self, worker, err);
}

static int setup(void **state)
{
	int rc = wt_world_setup_memory(state);

	world = *state;
	slow_auth = wt_later_plugin;
	slow_transport = wt_memory_plugin;
	transport_host = NULL;
	slow_worker = 0;
	compute = false;
	stood = false;
	creates = destroys = 0;
	timer = NULL;
	memset(&wt_later, 0, sizeof wt_later);
	wt_end_plugin(&slow_auth);
	world->auth = slow_auth.name;
	world->server.lookout = true;
	return rc;
}

/* ---- the stories --------------------------------------------------------------- */

static bool over(void *arg)
{
	return wt_world_logged(arg, "goes on, after ");
}

static void assert_logged(const char *text)
{
	if (!wt_world_logged(world, text))
		fail_msg("\"%s\" is not in the log:\n%s", text, world->log);
}

static void turn_until_over(void)
{
	time_t end = time(NULL) + PATIENCE_S;

	while (!over(world) && time(NULL) < end)
		wt_ends_turn(world->ends, 2, over, world);
	assert_logged("warning: worker");
	assert_true(over(world));
}

static void a_handshake_that_blocks_is_named(void **state)
{
	(void)state;
	slow_auth.ops.auth.accept = slow_accept;
	wt_world_server(world, "");
	wt_world_alice(world);
	turn_until_over();
	assert_logged("worker 0 stands still for ");
	assert_logged(
		"it is blocked in accept() of auth plugin \"later\"; its peers' packets wait");
	assert_logged("worker 0 goes on, after ");
	assert_logged(" s in accept() of auth plugin \"later\"\n");
}

static void a_transport_that_computes_is_named(void **state)
{
	(void)state;
	compute = true;
	slow_transport.ops.transport.send = slow_send;
	memcpy(slow_transport.name, "slow", sizeof "slow");
	wt_end_plugin(&slow_transport);
	world->transport = "slow";
	wt_world_server(world, "");
	wt_world_alice(world);
	turn_until_over();
	assert_logged("it computes in send() of transport plugin \"slow\"");
}

static void stand_in_timer(const char *more)
{
	slow_transport.ops.transport.create = remember_host;
	slow_transport.ops.transport.listen = listen_with_timer;
	memcpy(slow_transport.name, "timed", sizeof "timed");
	wt_end_plugin(&slow_transport);
	world->transport = "timed";
	wt_world_server(world, more);
	turn_until_over();
	wt_engine_stop(world->server.engine);
	transport_host->timer_free(transport_host, timer);
}

static void a_timer_of_a_plugin_that_blocks_is_named(void **state)
{
	(void)state;
	stand_in_timer("");
	assert_logged("worker 0 stands still");
	assert_logged("it is blocked in a timer of transport plugin \"timed\"");
}

static void an_answer_to_a_plugin_that_blocks_is_named(void **state)
{
	(void)state;
	slow_transport.ops.transport.create = remember_host;
	slow_transport.ops.transport.listen = listen_and_resolve;
	memcpy(slow_transport.name, "asking", sizeof "asking");
	wt_end_plugin(&slow_transport);
	world->transport = "asking";
	wt_world_server(world, "");
	turn_until_over();
	assert_logged("is blocked in the answer to a resolve() of transport plugin \"asking\"");
}

static void a_start_and_a_stop_that_block_are_named(void **state)
{
	(void)state;
	slow_transport.ops.transport.create = create_slowly;
	slow_transport.ops.transport.destroy = destroy_slowly;
	memcpy(slow_transport.name, "late", sizeof "late");
	wt_end_plugin(&slow_transport);
	world->transport = "late";
	wt_world_server(world, "");
	assert_logged("warning: create() of transport plugin \"late\" has not returned for 5.0 s");
	assert_logged("create() of transport plugin \"late\" has returned, after ");
	wt_end_close(&world->server);
	assert_logged("destroy() of transport plugin \"late\" has not returned for 5.0 s");
}

static void the_worker_that_stands_is_told_from_those_that_go_on(void **state)
{
	(void)state;
	slow_worker = 1;
	stand_in_timer("workers = 2");
	assert_logged("worker 1 stands still");
	assert_logged("it is blocked in a timer of transport plugin \"timed\"");
	assert_false(wt_world_logged(world, "worker 0 "));
}

static void a_tunnel_at_work_is_said_nothing_of(void **state)
{
	struct timespec begin, now;

	(void)state;
	wt_world_server(world, "");
	wt_world_alice(world);
	wt_world_until(world, wt_world_alice_up);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		wt_world_carries(world, &world->alice, &world->server, "10.8.0.2", "10.8.0.1", 900);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < begin.tv_sec + 3);
	assert_false(wt_world_logged(world, "worker "));
}

static void nobody_looks_while_all_rest(void **state)
{
	static const char thread[] = "wt-lookout", field[] = "voluntary_ctxt_switches";
	uint64_t before, during;

	(void)state;
	world->transport = "tcp";
	wt_world_server(world, "workers = 2");
	/* It has looked round and lain down. */
	for (int i = 0; (before = wt_process_thread(thread, field, 10)) == 0 && i < 1000; i++)
		wt_engine_turn(world->server.engine, 10);
	assert_true(before > 0);
	/* Nothing to do for three seconds, in which it would look six times. */
	wt_engine_turn(world->server.engine, 3000);
	during = wt_process_thread(thread, field, 10) - before;
	assert_in_range(during, 0, 3);
	assert_false(wt_world_logged(world, "worker "));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, wt_world_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_handshake_that_blocks_is_named),
		TEST(a_transport_that_computes_is_named),
		TEST(a_timer_of_a_plugin_that_blocks_is_named),
		TEST(an_answer_to_a_plugin_that_blocks_is_named),
		TEST(a_start_and_a_stop_that_block_are_named),
		TEST(the_worker_that_stands_is_told_from_those_that_go_on),
		TEST(a_tunnel_at_work_is_said_nothing_of),
		TEST(nobody_looks_while_all_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
