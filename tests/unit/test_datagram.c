/* SPDX-License-Identifier: MIT
 *
 * Whole engines over a network of datagrams that the test owns: sessions that
 * come up and last whatever becomes of any one message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/packet_transport.h"
#include "support/world.h"

static void up(struct wt_world *w)
{
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	wt_world_settle(w);
}

static void carries_both_ways(struct wt_world *w)
{
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
	wt_world_carries(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.2", 1280);
}

static void comes_up_and_carries(void **state)
{
	struct wt_world *w = *state;

	up(w);
	carries_both_ways(w);
	wt_world_bob(w);
	wt_world_until(w, wt_world_all_up);
	wt_world_carries(w, &w->bob, &w->server, "10.8.0.3", "10.8.0.1", 100);
	wt_world_carries(w, &w->server, &w->bob, "10.8.0.1", "10.8.0.3", 100);
	wt_world_carries(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.2", 100);
	/* M1, M2, M3 and the confirmation, no more: nothing was lost. */
	assert_int_equal(w->alice.worker->links->conns->keys.current->channel, WT_CHANNEL_DATAGRAM);
	assert_int_equal(w->server.worker->drops[WT_DROP_INDEX], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comes_up_and_carries, wt_world_setup_packets,
						wt_world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
