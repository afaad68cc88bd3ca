/* SPDX-License-Identifier: MIT
 *
 * Messages out of their turn; handshakes that are given up, replaced, or lose their
 * peer; and peers that dial each other.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "conform/auth/check.h"

#define PAINT 0x5a

/* ---- out of turn --------------------------------------------------------- */

/* To a handshake that is under way, a message for it: as if its author had known
 * the index. */
static void readdress(struct wt_exchange *p, struct wt_exchange_message *m)
{
	const struct wt_exchange_side *to = wt_exchange_receiver(p, m);

	if (to->handshake)
		wt_store_be32(m->bytes + 4, to->index);
}

/* Before each message: those of another handshake with the addresses of this one,
 * and all of this one that were delivered. */
static bool disorder_each(struct wt_exchange *p, const struct wt_exchange_message *next,
			  struct wt_finding *note)
{
	const char *where = next->to_acceptor ? "while the acceptor waits, message"
					      : "while the dialler waits, message";

	for (size_t i = 0; i < p->old->count; i++)
		for (int turned = 0; turned < 2; turned++) {
			struct wt_exchange_message m = p->old->sent[i];

			m.to_acceptor ^= turned == 1;
			readdress(p, &m);
			if (!wt_exchange_refuses(p, &m, false, WT_FAULT_STATE,
						 "another handshake's message", i + 1, note))
				return false;
		}
	for (size_t i = 0; i < p->count && memcmp(&p->sent[i], next, sizeof *next) != 0; i++)
		for (int turned = 0; turned < 2; turned++) {
			struct wt_exchange_message m = p->sent[i];

			m.to_acceptor ^= turned == 1;
			if (turned == 1)
				readdress(p, &m);
			if (!wt_exchange_refuses(p, &m, true, WT_FAULT_STATE, where, i + 1, note))
				return false;
		}
	return true;
}

bool wt_check_auth_order(const struct wt_exchange_setup *setup, struct wt_finding *note)
{
	struct wt_exchange p, old;
	bool good = wt_exchange_open_friends(&p, setup, note) && wt_exchange_run(&p, NULL, note);

	if (good) {
		old = p;
		wt_exchange_forget(&p);
		p.old = &old;
		good = wt_exchange_run(&p, disorder_each, note) &&
		       disorder_each(&p, &p.sent[p.count - 1], note);
	}
	wt_exchange_close(&p);
	return good;
}

/* ---- given up ------------------------------------------------------------ */

static void abandon(const struct wt_exchange_side *side, uint32_t index)
{
	wt_auth_abandon(side->end->instance, NULL, side->handshake, index);
}

/* Go on until a message waits for a side that has a handshake: its number, or
 * `count` when none does. False: the note says what is wrong. */
static bool walk_to(struct wt_exchange *p, const struct wt_exchange_side *side, size_t *i,
		    struct wt_finding *note)
{
	if (!wt_exchange_start(p, note))
		return false;
	for (*i = 0; *i < p->count; ++*i) {
		if (wt_exchange_receiver(p, &p->sent[*i]) == side && side->handshake)
			return true;
		if (!wt_exchange_step(p, *i, note))
			return false;
	}
	return true;
}

/* What comes for a handshake that was given up is nothing. */
static bool try_given_up(struct wt_exchange *p, struct wt_exchange_side *side,
			 struct wt_finding *note)
{
	size_t i;

	if (!walk_to(p, side, &i, note))
		return false;
	/* A method of two messages has none that comes to its acceptor. */
	if (i < p->count) {
		abandon(side, side->index);
		if (!wt_exchange_refuses(p, &p->sent[i], false, WT_FAULT_STATE,
					 "after abandon(), message", i + 1, note))
			return false;
	}
	wt_exchange_forget(p);
	return true;
}

/* The index of the handshake before must not end the one that took its place. */
static bool try_old_index(struct wt_exchange *p, struct wt_finding *note)
{
	uint32_t dialler, acceptor;

	if (!wt_exchange_start(p, note) || !wt_exchange_step(p, 0, note))
		return false;
	dialler = p->dialler.index;
	acceptor = p->acceptor.index;
	wt_exchange_advance(p, 1000);
	/* Not given up: a new start does that. */
	if (!wt_exchange_start(p, note))
		return false;
	abandon(&p->dialler, dialler);
	if (!wt_exchange_step(p, 0, note))
		return false;
	if (p->acceptor.handshake)
		abandon(&p->acceptor, acceptor);
	for (size_t i = 1; i < p->count; i++)
		if (!wt_exchange_step(p, i, note))
			return wt_find(note, WT_FAULT_STATE,
				       "abandon() with the index of an earlier handshake ended "
				       "the one under way");
	wt_exchange_forget(p);
	return true;
}

bool wt_check_auth_abandon(const struct wt_exchange_setup *setup, struct wt_finding *note)
{
	struct wt_exchange p;
	bool good = wt_exchange_open_friends(&p, setup, note) &&
		    try_given_up(&p, &p.dialler, note) && try_given_up(&p, &p.acceptor, note) &&
		    try_old_index(&p, note) && wt_exchange_run(&p, NULL, note);

	wt_exchange_close(&p);
	return good;
}

/* ---- given up while a verdict is put off --------------------------------- */

static bool is_painted(const uint8_t *memory, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (memory[i] != PAINT)
			return false;
	return true;
}

/* What is still to come for a handshake before comes while the next is under way. */
static bool settle_each(struct wt_exchange *p, const struct wt_exchange_message *m,
			struct wt_finding *note)
{
	const struct wt_exchange_side *to = wt_exchange_receiver(p, m);

	(void)note;
	if (to->handshake)
		wt_auth_host_settle(&to->end->host);
	return true;
}

/* The verdict of the first message for `side`, of a handshake or (`first`) the very
 * first, is put off, and the core needs it no more. *was: it was put off. */
static bool give_up_put_off(struct wt_exchange *p, struct wt_exchange_side *side, bool first,
			    bool *was, struct wt_finding *note)
{
	struct wt_auth_out out;
	uint64_t ticket = 0;
	size_t i = 0;

	if (!(first ? wt_exchange_start(p, note) : walk_to(p, side, &i, note)))
		return false;
	if (i < p->count)
		(void)wt_auth_end_ask(side->end, side->handshake, p->sent[i].bytes, p->sent[i].len,
				      &ticket, &out);
	*was = ticket != 0;
	if (*was)
		wt_auth_host_ignore(&side->end->host, ticket);
	/* Of one that was to be accepted nothing is known. */
	if (*was && side->handshake)
		abandon(side, side->index);
	if (*was)
		side->handshake = NULL;
	wt_exchange_forget(p);
	return true;
}

/* The next handshake in the same memory knows nothing of it. */
static bool try_next(struct wt_exchange *p, struct wt_exchange_side *side, bool first, bool *ever,
		     struct wt_finding *note)
{
	struct wt_finding why = { .fault = WT_FAULT_NONE };
	bool was;

	if (!give_up_put_off(p, side, first, &was, note))
		return false;
	*ever |= was;
	if (was && !wt_exchange_run(p, settle_each, &why))
		return wt_find(note, WT_FAULT_STATE,
			       "what %s put off for a handshake that was given up ends the next: "
			       "%s",
			       side == &p->dialler ? "the dialler" : "the acceptor", why.text);
	wt_exchange_forget(p);
	return true;
}

/* Nor is anything of a peer touched that has gone since. */
static bool try_gone(struct wt_exchange *p, struct wt_exchange_side *side, uint32_t roles,
		     struct wt_finding *note)
{
	struct wt_auth_end *end = &p->ends[side == &p->acceptor];
	void *memory;
	bool was;

	if (!give_up_put_off(p, side, false, &was, note))
		return false;
	if (!was)
		return true;
	memory = wt_auth_end_take(end);
	memset(memory, PAINT, end->ops->peer_size);
	wt_auth_host_settle(&end->host);
	/* If not, the memory stays: it is in use. */
	if (!is_painted(memory, end->ops->peer_size))
		return wt_find(note, WT_FAULT_STATE,
			       "what was put off for a handshake that was given up is written to "
			       "the memory of its peer after peer_remove()");
	wt_secret_free(memory);
	return wt_auth_end_add(end, roles, note);
}

bool wt_check_auth_put_off(const struct wt_exchange_setup *setup, struct wt_finding *note)
{
	struct wt_exchange p;
	bool ever = false;
	bool good = wt_exchange_open_friends(&p, setup, note) &&
		    try_next(&p, &p.acceptor, true, &ever, note) &&
		    try_next(&p, &p.dialler, false, &ever, note) &&
		    try_next(&p, &p.acceptor, false, &ever, note);

	if (good && !ever)
		wt_find(note, WT_FAULT_NONE, "not needed: no verdict is put off");
	good = good && (!ever || (try_gone(&p, &p.dialler, WT_PEER_DIALS, note) &&
				  try_gone(&p, &p.acceptor, WT_PEER_ACCEPTS, note) &&
				  wt_exchange_run(&p, NULL, note)));
	wt_exchange_close(&p);
	return good;
}

/* ---- a peer that goes ---------------------------------------------------- */

/* The acceptor forgets its peer: a first message of it is a stranger's, and the
 * memory is nobody's. If not, the memory stays: it is in use. */
static bool is_forgotten(struct wt_exchange *p, size_t under_way, struct wt_finding *note)
{
	struct wt_auth_end *end = &p->ends[1];
	void *memory = wt_auth_end_take(end);

	p->acceptor.handshake = NULL;
	if (!wt_exchange_refuses(p, &p->sent[0], false, WT_FAULT_STATE,
				 "after peer_remove(), with handshakes:", under_way, note))
		return false;
	memset(memory, PAINT, end->ops->peer_size);
	if (!wt_exchange_refuses(p, &p->sent[0], false, WT_FAULT_STATE,
				 "after peer_remove(), with handshakes:", under_way, note))
		return false;
	if (!is_painted(memory, end->ops->peer_size))
		return wt_find(note, WT_FAULT_STATE,
			       "the memory of a peer is written to after peer_remove()");
	wt_secret_free(memory);
	return true;
}

/* Under way at both ends, then the acceptor forgets the peer: no message names
 * somebody any more. A reload may bring the peer back. */
bool wt_check_auth_removal(const struct wt_exchange_setup *setup, struct wt_finding *note)
{
	struct wt_exchange p;
	bool good = wt_exchange_open_friends(&p, setup, note) && wt_exchange_start(&p, note);

	for (size_t under_way = 0; good && under_way < 2; under_way++) {
		/* The second time the acceptor has one as well; what comes late is
		 * newer. */
		good = under_way == 0 ||
		       (wt_exchange_step(&p, 0, note) && wt_exchange_start(&p, note));
		if (!good)
			break;
		if (!is_forgotten(&p, under_way, note))
			return false; /* and the process ends */
		good = wt_auth_end_add(&p.ends[1], WT_PEER_ACCEPTS, note);
		wt_exchange_forget(&p);
		good = good && wt_exchange_start(&p, note);
	}
	/* A dialler that goes, with a handshake of its own under way. */
	good = good && wt_exchange_start(&p, note);
	if (good) {
		wt_auth_end_remove(&p.ends[0]);
		p.dialler.handshake = NULL;
		good = wt_auth_end_add(&p.ends[0], WT_PEER_DIALS, note);
		wt_exchange_forget(&p);
	}
	good = good && wt_exchange_run(&p, NULL, note);
	wt_exchange_close(&p);
	return good;
}

/* ---- both dial ----------------------------------------------------------- */

/* Exactly one end dials: else each would end the other's session. */
bool wt_check_auth_both_dial(const struct wt_exchange_setup *setup, struct wt_finding *note)
{
	struct wt_exchange p;
	bool good = wt_exchange_open_friends(&p, setup, note);

	if (good) {
		wt_auth_end_remove(&p.ends[1]);
		good = wt_auth_end_add(&p.ends[1], WT_PEER_DIALS, note);
	}
	good = good && wt_exchange_start(&p, note);
	if (good) {
		struct wt_auth_out out;

		/* Its own attempt is under way, too. */
		if (wt_auth_end_start(&p.ends[1], &out) != WT_AUTH_MORE)
			good = wt_find(note, WT_FAULT_NO_AGREEMENT,
				       "start() of the acceptor as a dialler gives no message");
	}
	good = good &&
	       wt_exchange_refuses(&p, &p.sent[0], false, WT_FAULT_BOTH_DIAL, "peer", 1, note);
	wt_exchange_close(&p);
	return good;
}
