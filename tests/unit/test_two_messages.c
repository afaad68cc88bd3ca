/* SPDX-License-Identifier: MIT
 *
 * Methods whose last message is the responder's: the dialler's first record is
 * the proof. Over streams, and over datagrams that lose it or its answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "session/initiation.h"
#include "support/later_auth.h"
#include "support/memory_transport.h"
#include "support/packet_transport.h"
#include "support/world.h"

static void set_later(void **state)
{
	wt_end_plugin(&wt_later_plugin);
	wt_later = (struct wt_later){ .two_messages = true };
	((struct wt_world *)*state)->auth = "later";
}

static int setup_stream(void **state)
{
	int rc = wt_world_setup_memory(state);

	set_later(state);
	return rc;
}

/* Of the data records that come after an M2, so many of each end are lost. */
static struct {
	unsigned lose_proofs, lose_answers;
	bool armed;
} loss;

static enum wt_fate fate(void *arg, struct wt_datagram *datagram)
{
	const struct wt_world *w = arg;
	unsigned *left = datagram->from == w->port ? &loss.lose_answers : &loss.lose_proofs;

	if (datagram->bytes[0] == WT_TYPE_HANDSHAKE) {
		loss.armed |= datagram->bytes[3] == 2;
		return WT_FATE_ARRIVES;
	}
	if (!loss.armed || *left == 0)
		return WT_FATE_ARRIVES;
	--*left;
	return WT_FATE_LOST;
}

static int setup_datagram(void **state)
{
	int rc = wt_world_setup_packets(state);

	set_later(state);
	memset(&loss, 0, sizeof loss);
	wt_packet_net.fate = fate;
	wt_packet_net.arg = *state;
	return rc;
}

static void carries_both_ways(struct wt_world *w)
{
	wt_world_carries(w, &w->alice, &w->server, "10.8.0.2", "10.8.0.1", 100);
	wt_world_carries(w, &w->server, &w->alice, "10.8.0.1", "10.8.0.2", 100);
}

static void rekeys(struct wt_world *w)
{
	const uint64_t before = wt_world_peer(&w->server, 0)->counters.handshakes;

	wt_initiation_start(wt_world_peer(&w->alice, 0)->active);
	wt_world_settle(w);
	assert_int_equal(wt_world_peer(&w->server, 0)->counters.handshakes, before + 1);
	assert_int_equal(wt_world_peer(&w->alice, 0)->counters.handshakes, before + 1);
	carries_both_ways(w);
}

static void the_first_record_is_the_proof(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	wt_world_settle(w);
	assert_int_equal(wt_world_peer(&w->server, 0)->counters.handshakes, 1);
	carries_both_ways(w);
	rekeys(w);
	rekeys(w);
	assert_int_equal(wt_later.asked[WT_LATER_M3], 0);
	assert_int_equal(wt_later.handshakes, 3);
}

/* Behind the proof come records under the old keys, until the dialler hears that it
 * arrived. */
static void old_keys_carry_traffic_behind_the_proof(void **state)
{
	struct wt_world *w = *state;
	struct wt_memory_link *link;
	uint8_t sent[100], got[100];

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	carries_both_ways(w);
	link = wt_memory_net.links;
	wt_memory_net.hold = true;
	wt_initiation_start(wt_world_peer(&w->alice, 0)->active);
	for (int to = 1; to >= 0; to--) { /* M1, M2 */
		wt_world_settle(w);
		wt_memory_deliver(link, to, SIZE_MAX);
	}
	wt_world_settle(w);
	wt_packet_make(sent, sizeof sent, "10.8.0.2", "10.8.0.1", 1);
	wt_end_inject(&w->alice, sent, sizeof sent);
	wt_world_settle(w);
	wt_memory_deliver(link, 1, SIZE_MAX);
	wt_world_settle(w);
	assert_int_equal(wt_world_peer(&w->server, 0)->counters.handshakes, 2);
	assert_int_equal(wt_world_peer(&w->alice, 0)->counters.handshakes, 1);
	assert_int_equal(wt_end_take(&w->server, got, sizeof got), sizeof got);
	wt_memory_net.hold = false;
	wt_memory_deliver(link, 0, SIZE_MAX);
	wt_world_settle(w);
	carries_both_ways(w);
	assert_int_equal(wt_memory_net.connected, 1);
	/* They have ended. */
	assert_null(wt_world_peer(&w->server, 0)->active->keys.previous);
	assert_null(wt_world_peer(&w->alice, 0)->active->keys.previous);
}

/* The proof is lost, or its answer, or some of both: it is said again each
 * second, and the handshake is the same one. */
static void a_lost_proof_is_said_again(void **state)
{
	static const struct {
		unsigned proofs, answers;
	} cases[] = { { 1, 0 }, { 0, 1 }, { 1, 1 }, { 3, 0 }, { 0, 3 }, { 2, 3 }, { 5, 0 } };
	struct wt_world *w = *state;

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	wt_world_settle(w);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const unsigned handshakes = wt_later.handshakes;

		loss.lose_proofs = cases[i].proofs;
		loss.lose_answers = cases[i].answers;
		loss.armed = false;
		wt_initiation_start(wt_world_peer(&w->alice, 0)->active);
		wt_world_pass(w, 1000 * (cases[i].proofs + cases[i].answers) + 100);
		if (loss.lose_proofs + loss.lose_answers > 0)
			fail_msg("case %zu: %u proofs and %u answers were never said", i,
				 loss.lose_proofs, loss.lose_answers);
		assert_int_equal(wt_later.handshakes, handshakes + 1);
		assert_int_equal(wt_world_peer(&w->server, 0)->counters.handshakes, i + 2);
		assert_int_equal(wt_world_peer(&w->alice, 0)->counters.handshakes, i + 2);
		carries_both_ways(w);
	}
}

/* None of five is heard: a new handshake begins, over the same association. */
static void a_proof_that_nobody_hears_ends_in_a_new_handshake(void **state)
{
	struct wt_world *w = *state;

	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_until(w, wt_world_alice_up);
	wt_world_settle(w);
	loss.lose_proofs = 6;
	wt_initiation_start(wt_world_peer(&w->alice, 0)->active);
	wt_world_pass(w, 8000);
	assert_int_equal(loss.lose_proofs, 0);
	assert_int_equal(wt_later.handshakes, 3);
	assert_int_equal(wt_world_peer(&w->server, 0)->counters.handshakes, 2);
	carries_both_ways(w);
}

static void a_first_session_survives_the_loss_of_its_proof(void **state)
{
	struct wt_world *w = *state;

	loss.lose_proofs = 2;
	loss.lose_answers = 2;
	wt_world_server(w, "");
	wt_world_alice(w);
	wt_world_pass(w, 6000);
	assert_true(wt_world_alice_up(w));
	assert_int_equal(wt_later.handshakes, 1);
	carries_both_ways(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_first_record_is_the_proof, setup_stream,
						wt_world_teardown),
		cmocka_unit_test_setup_teardown(old_keys_carry_traffic_behind_the_proof,
						setup_stream, wt_world_teardown),
		cmocka_unit_test_setup_teardown(the_first_record_is_the_proof, setup_datagram,
						wt_world_teardown),
		cmocka_unit_test_setup_teardown(a_lost_proof_is_said_again, setup_datagram,
						wt_world_teardown),
		cmocka_unit_test_setup_teardown(a_proof_that_nobody_hears_ends_in_a_new_handshake,
						setup_datagram, wt_world_teardown),
		cmocka_unit_test_setup_teardown(a_first_session_survives_the_loss_of_its_proof,
						setup_datagram, wt_world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
