/* SPDX-License-Identifier: MIT
 *
 * Several workers at once, about one peer: each call is one critical section.
 */
#include <pthread.h>
#include <string.h>

#include "base/secret.h"
#include "conform/auth/check.h"

#define WORKERS 4u
#define ROUNDS 50u

enum call { CALL_ACCEPT, CALL_RECEIVE, CALL_START, CALL_ABANDON };

struct team;

/* One call of one thread. */
struct work {
	struct team *team;
	enum call call;
	struct wt_auth_end *end;
	struct wt_auth_in in;
	struct wt_auth_start start;
	void *handshake;
	uint32_t index; /* of a handshake that is given up */
	enum wt_auth_verdict verdict;
	struct wt_auth_out out;
	uint8_t reply[WT_AUTH_MESSAGE_MAX];
	pthread_t thread;
};

struct team {
	pthread_barrier_t start;
	struct work work[WORKERS];
	struct wt_exchange_message message; /* one for all, which only read it */
};

static void *work_main(void *arg)
{
	struct work *w = arg;
	struct wt_instance *instance = w->end->instance;

	pthread_barrier_wait(&w->team->start);
	switch (w->call) {
	case CALL_ACCEPT:
		w->verdict = wt_auth_accept(instance, NULL, &w->in, &w->out);
		break;
	case CALL_RECEIVE:
		w->verdict = wt_auth_receive(instance, NULL, w->handshake, &w->in, &w->out);
		break;
	case CALL_START:
		w->verdict = wt_auth_begin(instance, NULL, w->end->peer, &w->start, &w->out);
		break;
	case CALL_ABANDON:
		wt_auth_abandon(instance, NULL, w->handshake, w->index);
		break;
	}
	return NULL;
}

/* All calls at once. False: a thread is missing, or a verdict was put off. */
static bool together(struct team *team, bool *later, struct wt_finding *note)
{
	size_t started = 0;

	for (size_t i = 0; i < WORKERS; i++) {
		struct work *w = &team->work[i];

		w->team = team;
		w->verdict = WT_AUTH_IGNORE;
		w->out = (struct wt_auth_out){ .struct_size = sizeof w->out,
					       .reply = w->reply,
					       .reply_capacity = sizeof w->reply };
		started += pthread_create(&w->thread, NULL, work_main, w) == 0;
		if (started != i + 1)
			return wt_find(note, WT_FAULT_FAILED, "no thread"); /* the process ends */
	}
	for (size_t i = 0; i < WORKERS; i++) {
		pthread_join(team->work[i].thread, NULL);
		*later |= team->work[i].verdict == WT_AUTH_PENDING;
	}
	return !*later;
}

static void set_message(struct team *team, struct wt_exchange *p, size_t i, struct work *w)
{
	struct wt_exchange_side *to = wt_exchange_receiver(p, &p->sent[i]);

	team->message = p->sent[i];
	w->end = to->end;
	w->handshake = to->handshake;
	w->call = to->handshake ? CALL_RECEIVE : CALL_ACCEPT;
	w->in = wt_auth_end_input(to->end, team->message.bytes, team->message.len);
	/* Each copy came by a connection of its own, or by none. */
	if (w->call == CALL_ACCEPT && p->setup->channel == WT_CHANNEL_STREAM)
		w->in.association = ++to->end->association;
}

/* Exactly one thread got the new handshake, and under the index that it brought. */
static struct work *find_winner(struct team *team, struct wt_finding *note)
{
	struct work *winner = NULL;

	for (size_t i = 0; i < WORKERS; i++) {
		struct work *w = &team->work[i];

		if (w->verdict == WT_AUTH_IGNORE || w->verdict == WT_AUTH_ANSWER ||
		    (w->out.flags & WT_AUTH_OUT_REPEATED))
			continue;
		if (winner) {
			wt_find(note, WT_FAULT_THREADS,
				"one first message, given to several workers at once, makes two "
				"handshakes");
			return NULL;
		}
		winner = w;
		if (w->verdict == WT_AUTH_MORE && w->out.local_index != w->in.local_index) {
			wt_find(note, WT_FAULT_THREADS,
				"a worker that accepts at the same time as others is told of "
				"another one's handshake");
			return NULL;
		}
	}
	if (!winner)
		wt_find(note, WT_FAULT_THREADS,
			"a first message, given to several workers at once, is dropped by all");
	return winner;
}

static void take_winner(struct wt_exchange *p, const struct work *w)
{
	p->acceptor.handshake = w->out.handshake;
	p->acceptor.index = w->out.local_index;
	p->acceptor.done = w->verdict == WT_AUTH_DONE;
	p->acceptor.has_keys = w->out.flags & WT_AUTH_OUT_KEYS;
	if (p->acceptor.has_keys) {
		p->acceptor.keys = wt_auth_end_keys(&w->out);
		memcpy(p->acceptor.peer_params, w->out.peer_params, WT_PARAMS_SIZE);
	}
	/* What follows comes by the same connection. */
	p->ends[1].association = w->in.association;
}

/* The same first message to all. */
static bool race_accept(struct team *team, struct wt_exchange *p, bool *later,
			struct wt_finding *note)
{
	struct work *winner;

	for (size_t i = 0; i < WORKERS; i++)
		set_message(team, p, 0, &team->work[i]);
	if (!together(team, later, note))
		return *later;
	winner = find_winner(team, note);
	if (!winner)
		return false;
	take_winner(p, winner);
	return wt_exchange_record(p, &winner->out, false, note);
}

/* The answer twice, while the handshake before is given up, twice. */
static bool race_receive(struct team *team, struct wt_exchange *p, bool *later,
			 struct wt_finding *note)
{
	const struct work *first = NULL;

	for (size_t i = 0; i < WORKERS; i++) {
		set_message(team, p, 1, &team->work[i]);
		if (i >= 2) {
			team->work[i].call = CALL_ABANDON;
			team->work[i].index = p->dialler.index - 1;
		}
	}
	if (!together(team, later, note))
		return *later;
	for (size_t i = 0; i < 2; i++) {
		const struct work *w = &team->work[i];

		if (w->verdict != WT_AUTH_DONE)
			continue;
		if (first && !wt_equal(first->out.send_key, w->out.send_key, WT_KEY_SIZE))
			return wt_find(note, WT_FAULT_THREADS,
				       "one answer, given to two workers at once, gives two keys");
		first = w;
	}
	if (!first)
		return wt_find(note, WT_FAULT_THREADS,
			       "an answer, given to two workers at once, is dropped by both");
	if (!wt_equal(first->out.send_key, p->acceptor.keys.recv_key, WT_KEY_SIZE))
		return !p->acceptor.has_keys ||
		       wt_find(note, WT_FAULT_THREADS, "the ends have different keys");
	return true;
}

/* Handshakes begin and are given up while the acceptor gets an old message. */
static bool race_start(struct team *team, struct wt_exchange *p, bool *later,
		       struct wt_finding *note)
{
	for (size_t i = 0; i < WORKERS; i++) {
		struct work *w = &team->work[i];

		set_message(team, p, 0, w);
		if (i < 2) {
			w->end = &p->ends[0];
			w->call = CALL_START;
			w->start = (struct wt_auth_start){ .struct_size = sizeof w->start,
							   .channel = p->setup->channel,
							   .local_index = ++p->ends[0].next_index,
							   .params = p->ends[0].params };
		} else if (i == 2 && p->dialler.handshake) {
			w->end = &p->ends[0];
			w->call = CALL_ABANDON;
			w->handshake = p->dialler.handshake;
			w->index = p->dialler.index;
		}
	}
	if (!together(team, later, note))
		return *later;
	for (size_t i = 0; i < 2; i++)
		if (team->work[i].verdict != WT_AUTH_MORE)
			return wt_find(note, WT_FAULT_THREADS,
				       "start(), called by two workers at once, gives no message");
	return true;
}

bool wt_check_auth_workers(const struct wt_exchange_setup *setup, struct wt_finding *note)
{
	const unsigned rounds = setup->level < 3 ? ROUNDS : 20 * ROUNDS;
	static struct team team; /* large */
	struct wt_exchange p;
	bool later = false;
	bool good = wt_exchange_open_friends(&p, setup, note) && wt_exchange_run(&p, NULL, note);

	wt_exchange_forget(&p);
	pthread_barrier_init(&team.start, NULL, WORKERS);
	for (unsigned round = 0; good && !later && round < rounds; round++) {
		good = wt_exchange_start(&p, note) && race_accept(&team, &p, &later, note) &&
		       (later || race_receive(&team, &p, &later, note)) &&
		       (later || race_start(&team, &p, &later, note));
		wt_exchange_forget(&p);
		/* Nothing of it is in the way of one that is alone. */
		good = good && (later || round % 8 > 0 || wt_exchange_run(&p, NULL, note));
		wt_exchange_forget(&p);
	}
	pthread_barrier_destroy(&team.start);
	if (good && later)
		wt_find(note, WT_FAULT_NONE,
			"not tried, since verdicts are put off: each worker would have to wait for "
			"its own");
	wt_exchange_close(&p);
	return good;
}
