/* SPDX-License-Identifier: MIT
 *
 * What workers hand each other: packets, buffers that go back, notes, and the
 * bell that wakes who sleeps.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "worker/worker.h"

#define CREW 3u
#define SLOTS 128u

struct bench {
	struct wt_worker crew[CREW];
};

static int setup(void **state)
{
	struct bench *b = aligned_alloc(_Alignof(struct bench), sizeof *b);

	if (!b)
		return -1;
	memset(b, 0, sizeof *b);
	for (unsigned i = 0; i < CREW; i++) {
		b->crew[i].index = i;
		b->crew[i].crew = b->crew;
		if (wt_loop_init(&b->crew[i].loop, &wt_clock_system, &b->crew[i]) != WT_OK ||
		    wt_slot_pool_init(&b->crew[i].slots, SLOTS) != WT_OK)
			return -1;
	}
	*state = b;
	return wt_desks_init(b->crew, CREW) == WT_OK ? 0 : -1;
}

/* Every buffer is back where it belongs. */
static int teardown(void **state)
{
	struct bench *b = *state;

	wt_desks_clear(b->crew, CREW);
	for (unsigned i = 0; i < CREW; i++) {
		assert_int_equal(b->crew[i].slots.free_count, SLOTS);
		assert_int_equal(b->crew[i].desk->guests, 0);
	}
	wt_desks_fini(b->crew, CREW);
	for (unsigned i = 0; i < CREW; i++) {
		wt_slot_pool_fini(&b->crew[i].slots);
		wt_loop_fini(&b->crew[i].loop);
	}
	free(b);
	return 0;
}

/* ---- packets and their buffers ----------------------------------------------------- */

static void a_packet_goes_over_and_its_buffer_comes_back(void **state)
{
	struct bench *b = *state;
	struct wt_worker *from = &b->crew[0], *to = &b->crew[2];
	struct wt_buffer *buffer = wt_slot_get(&from->slots);

	assert_true(wt_desk_hand(from, 2, buffer));
	assert_null(wt_desk_next(&b->crew[1]));
	assert_true(wt_desk_waits(to));
	assert_ptr_equal(wt_desk_next(to), buffer);
	assert_false(wt_desk_waits(to));
	assert_null(wt_desk_next(to));
	assert_true(wt_worker_slot_put(to, &buffer->slot));
	/* Not before its owner looks: the pool is touched by nobody else. */
	assert_int_equal(from->slots.free_count, SLOTS - 1);
	wt_desk_look(from);
	assert_int_equal(from->slots.free_count, SLOTS);
}

static void a_buffer_can_go_on_to_a_third(void **state)
{
	struct bench *b = *state;
	struct wt_buffer *buffer = wt_slot_get(&b->crew[0].slots);

	assert_true(wt_desk_hand(&b->crew[0], 1, buffer));
	assert_ptr_equal(wt_desk_next(&b->crew[1]), buffer);
	assert_true(wt_desk_hand(&b->crew[1], 2, buffer));
	assert_ptr_equal(wt_desk_next(&b->crew[2]), buffer);
	assert_false(wt_worker_slot_put(&b->crew[1], &buffer->slot));
	assert_true(wt_worker_slot_put(&b->crew[2], &buffer->slot));
	wt_desk_look(&b->crew[0]);
	assert_int_equal(b->crew[0].slots.free_count, SLOTS);
}

static void a_worker_counts_the_guests_it_has(void **state)
{
	struct bench *b = *state;
	struct wt_buffer *buffer = wt_slot_get(&b->crew[0].slots);

	assert_true(wt_desk_hand(&b->crew[0], 1, buffer));
	assert_int_equal(b->crew[1].desk->guests, 0); /* on its way */
	assert_ptr_equal(wt_desk_next(&b->crew[1]), buffer);
	assert_int_equal(b->crew[1].desk->guests, 1);
	assert_true(wt_desk_hand(&b->crew[1], 2, buffer));
	assert_int_equal(b->crew[1].desk->guests, 0);
	assert_ptr_equal(wt_desk_next(&b->crew[2]), buffer);
	assert_int_equal(b->crew[2].desk->guests, 1);
	/* At home it is none. */
	assert_true(wt_desk_hand(&b->crew[2], 0, buffer));
	assert_ptr_equal(wt_desk_next(&b->crew[0]), buffer);
	assert_int_equal(b->crew[0].desk->guests, 0);
	assert_true(wt_desk_hand(&b->crew[0], 2, buffer));
	assert_int_equal(b->crew[0].desk->guests, 0);
	assert_ptr_equal(wt_desk_next(&b->crew[2]), buffer);
	assert_true(wt_worker_slot_put(&b->crew[2], &buffer->slot));
	assert_int_equal(b->crew[2].desk->guests, 0);
}

static void what_a_worker_does_not_have_is_refused(void **state)
{
	struct bench *b = *state;
	struct wt_buffer *buffer = wt_slot_get(&b->crew[0].slots);
	struct wt_slot other = { .struct_size = sizeof other };

	assert_false(wt_worker_slot_put(&b->crew[1], &other));
	assert_false(wt_worker_slot_put(&b->crew[1], NULL));
	assert_true(wt_desk_hand(&b->crew[0], 1, buffer));
	assert_ptr_equal(wt_desk_next(&b->crew[1]), buffer);
	assert_false(wt_worker_slot_put(&b->crew[2], &buffer->slot));
	assert_false(wt_worker_slot_put(&b->crew[1],
					(struct wt_slot *)(void *)((uint8_t *)&buffer->slot + 8)));
	assert_true(wt_worker_slot_put(&b->crew[1], &buffer->slot));
	assert_false(wt_worker_slot_put(&b->crew[1], &buffer->slot)); /* twice */
	wt_desk_look(&b->crew[0]);
	assert_int_equal(b->crew[0].slots.free_count, SLOTS);
}

static void a_full_ring_refuses(void **state)
{
	struct bench *b = *state;
	struct wt_buffer *spare;

	for (unsigned i = 0; i < WT_RING_BUFFERS; i++)
		assert_true(wt_desk_hand(&b->crew[0], 1, wt_slot_get(&b->crew[0].slots)));
	spare = wt_slot_get(&b->crew[0].slots);
	assert_false(wt_desk_hand(&b->crew[0], 1, spare));
	/* The way to another worker is another ring. */
	assert_true(wt_desk_hand(&b->crew[0], 2, wt_slot_get(&b->crew[0].slots)));
	assert_true(wt_worker_slot_put(&b->crew[1], &wt_desk_next(&b->crew[1])->slot));
	assert_true(wt_desk_hand(&b->crew[0], 1, spare));
}

static void each_sender_has_its_turn(void **state)
{
	struct bench *b = *state;
	unsigned before = CREW;

	for (int i = 0; i < 10; i++) {
		assert_true(wt_desk_hand(&b->crew[0], 2, wt_slot_get(&b->crew[0].slots)));
		assert_true(wt_desk_hand(&b->crew[1], 2, wt_slot_get(&b->crew[1].slots)));
	}
	for (int i = 0; i < 20; i++) {
		struct wt_buffer *buffer = wt_desk_next(&b->crew[2]);
		unsigned whose = wt_slot_pool_has(&b->crew[1].slots, &buffer->slot);

		assert_int_not_equal(whose, before);
		before = whose;
		assert_true(wt_worker_slot_put(&b->crew[2], &buffer->slot));
	}
}

/* ---- notes --------------------------------------------------------------------------- */

struct counted {
	struct wt_note note;
	int read;
	struct wt_note *post; /* from within */
};

static void count(struct wt_note *note, struct wt_worker *worker)
{
	struct counted *counted = (struct counted *)(void *)note;

	counted->read++;
	if (counted->post)
		wt_note_post(counted->post, worker);
	counted->post = NULL;
}

static void a_note_is_read_once_however_often_it_was_posted(void **state)
{
	struct bench *b = *state;
	struct counted a = { .note.read = count }, c = { .note.read = count };

	for (int i = 0; i < 5; i++)
		wt_note_post(&a.note, &b->crew[1]);
	wt_note_post(&c.note, &b->crew[1]);
	assert_false(wt_desk_sleep(&b->crew[1]));
	wt_desk_look(&b->crew[0]);
	assert_int_equal(a.read, 0);
	wt_desk_look(&b->crew[1]);
	assert_int_equal(a.read, 1);
	assert_int_equal(c.read, 1);
	wt_desk_look(&b->crew[1]);
	assert_int_equal(a.read, 1);
	wt_note_post(&a.note, &b->crew[1]);
	wt_desk_look(&b->crew[1]);
	assert_int_equal(a.read, 2);
	assert_true(wt_desk_sleep(&b->crew[1]));
}

static void a_note_may_be_posted_while_one_is_read(void **state)
{
	struct bench *b = *state;
	struct counted a = { .note.read = count };

	a.post = &a.note;
	wt_note_post(&a.note, &b->crew[1]);
	wt_desk_look(&b->crew[1]);
	assert_int_equal(a.read, 2);
}

/* ---- the bell -------------------------------------------------------------------------- */

static void only_who_sleeps_is_rung_for(void **state)
{
	struct bench *b = *state;
	struct wt_worker *to = &b->crew[1];
	struct epoll_event event;

	/* Awake. */
	assert_true(wt_desk_hand(&b->crew[0], 1, wt_slot_get(&b->crew[0].slots)));
	wt_desk_ring(&b->crew[0]);
	assert_int_equal(epoll_wait(to->loop.epoll_fd, &event, 1, 0), 0);
	/* About to sleep: finds it. */
	assert_false(wt_desk_sleep(to));
	assert_true(wt_worker_slot_put(to, &wt_desk_next(to)->slot));
	/* Asleep: rung for once. */
	assert_true(wt_desk_sleep(to));
	assert_true(wt_desk_hand(&b->crew[0], 1, wt_slot_get(&b->crew[0].slots)));
	assert_int_equal(epoll_wait(to->loop.epoll_fd, &event, 1, 0), 0);
	wt_desk_ring(&b->crew[0]);
	assert_int_equal(epoll_wait(to->loop.epoll_fd, &event, 1, 0), 1);
	wt_loop_turn(&to->loop, 0);
	assert_false(atomic_load(&to->desk->asleep));
	assert_int_equal(epoll_wait(to->loop.epoll_fd, &event, 1, 0), 0);
}

/* ---- two threads ------------------------------------------------------------------------- */

#define HANDED 1000000u
#define STALL_MS 20000u

struct taker {
	struct wt_worker *worker;
	unsigned seen, out_of_order, refused, stalls;
};

static void *take(void *arg)
{
	struct taker *t = arg;
	struct wt_worker *worker = t->worker;
	struct wt_buffer *buffer;

	while (t->seen < HANDED && t->stalls == 0) {
		uint64_t before = worker->loop.now_ms;

		if (wt_desk_sleep(worker)) {
			wt_loop_turn(&worker->loop, STALL_MS);
			t->stalls += worker->loop.now_ms - before >= STALL_MS;
		}
		wt_desk_look(worker);
		while ((buffer = wt_desk_next(worker)) != NULL) {
			t->out_of_order += buffer->len != t->seen;
			t->seen++;
			t->refused += !wt_worker_slot_put(worker, &buffer->slot);
		}
	}
	return NULL;
}

/* With buffers that run out, a ring that is full and a taker that falls asleep
 * again and again. A bell that is not rung shows as a stall. */
static void a_million_go_over_in_order_and_all_come_back(void **state)
{
	struct bench *b = *state;
	struct wt_worker *from = &b->crew[0];
	struct taker t = { .worker = &b->crew[1] };
	uint64_t no_buffer = 0, full = 0;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, take, &t), 0);
	for (unsigned i = 0; i < HANDED;) {
		struct wt_buffer *buffer = wt_slot_get(&from->slots);

		if (buffer)
			buffer->len = i;
		if (buffer && wt_desk_hand(from, 1, buffer)) {
			i++;
			if (i % 7 == 0)
				wt_desk_ring(from);
			continue;
		}
		if (buffer)
			assert_true(wt_worker_slot_put(from, &buffer->slot));
		full += buffer != NULL;
		no_buffer += buffer == NULL;
		wt_desk_ring(from);
		wt_desk_look(from);
		sched_yield();
	}
	wt_desk_ring(from);
	pthread_join(thread, NULL);
	assert_int_equal(t.seen, HANDED);
	assert_int_equal(t.out_of_order, 0);
	assert_int_equal(t.refused, 0);
	assert_int_equal(t.stalls, 0);
	print_message("full %u times, no buffer %u times\n", (unsigned)full, (unsigned)no_buffer);
}

int main(void)
{
#define DESK_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		DESK_TEST(a_packet_goes_over_and_its_buffer_comes_back),
		DESK_TEST(a_buffer_can_go_on_to_a_third),
		DESK_TEST(a_worker_counts_the_guests_it_has),
		DESK_TEST(what_a_worker_does_not_have_is_refused),
		DESK_TEST(a_full_ring_refuses),
		DESK_TEST(each_sender_has_its_turn),
		DESK_TEST(a_note_is_read_once_however_often_it_was_posted),
		DESK_TEST(a_note_may_be_posted_while_one_is_read),
		DESK_TEST(only_who_sleeps_is_rung_for),
		DESK_TEST(a_million_go_over_in_order_and_all_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
