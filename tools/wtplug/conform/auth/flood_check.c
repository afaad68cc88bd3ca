/* SPDX-License-Identifier: MIT
 *
 * Many first messages, and the tokens or cookies that are asked for then, or of a
 * clock that is off.
 */
#include <string.h>

#include "conform/auth/check.h"
#include "conform/heap.h"

/* More than the plugins of this project take without asking back. */
#define MESSAGES 600u

/* ---- tokens -------------------------------------------------------------- */

/* Until the dialler shows a token: sent[count - 1] is that message. False with
 * no fault: the method asks for none here. */
static bool get_token(struct wt_exchange *p, struct wt_finding *note)
{
	struct wt_auth_out out;

	/* Ten minutes fast: its time says nothing about its messages. */
	p->ends[0].clock.unix_ms += 600000u;
	if (!wt_exchange_start(p, note) ||
	    wt_exchange_deliver(p, &p->sent[0], &out) != WT_AUTH_ANSWER || out.reply_len == 0 ||
	    !wt_exchange_record(p, &out, false, note))
		return false;
	const struct wt_exchange_message answer = p->sent[1];

	return wt_exchange_deliver(p, &answer, &out) == WT_AUTH_MORE && out.reply_len > 0 &&
	       wt_exchange_record(p, &out, true, note);
}

enum token_case { TOKEN_RIGHT, TOKEN_ADDRESS, TOKEN_PORT, TOKEN_LATE, TOKEN_CHANGED, TOKEN_CASES };

/* A token where it was not given. */
static bool try_token(const struct wt_exchange_setup *setup, enum token_case which,
		      struct wt_finding *note)
{
	static const char *const text[] = { "", "from another address", "from another port",
					    "an hour later", "of a newer message" };
	struct wt_exchange p;
	bool good = wt_exchange_open_friends(&p, setup, note);

	if (!good || !get_token(&p, note)) {
		wt_exchange_close(&p);
		if (good && note->fault == WT_FAULT_NONE)
			wt_find(note, WT_FAULT_NONE, "it asks for no token");
		return good && note->fault == WT_FAULT_NONE;
	}
	struct wt_exchange_message shown = p.sent[p.count - 1];

	if (which == TOKEN_ADDRESS)
		p.ends[1].source[3] ^= 1;
	if (which == TOKEN_PORT)
		p.ends[1].source[5] ^= 1;
	if (which == TOKEN_LATE)
		wt_exchange_advance(&p, 3600000u);
	if (which == TOKEN_CHANGED) {
		/* What the token changed of the first message, in a later one: the
		 * same bytes at the same place. */
		const struct wt_exchange_message first = p.sent[0];

		good = wt_exchange_start(&p, note);
		for (size_t i = 0; good && i < first.len && i < p.sent[0].len; i++)
			if (shown.bytes[i] == first.bytes[i])
				shown.bytes[i] = p.sent[0].bytes[i];
	}
	if (good && which != TOKEN_RIGHT)
		good = wt_exchange_refuses(&p, &shown, false, WT_FAULT_TOKEN, text[which], 1, note);
	else if (good)
		good = wt_exchange_step(&p, p.count - 1, note);
	wt_exchange_close(&p);
	return good;
}

bool wt_check_auth_tokens(const struct wt_exchange_setup *setup, struct wt_finding *note)
{
	for (unsigned which = 0; which < TOKEN_CASES; which++)
		if (!try_token(setup, (enum token_case)which, note))
			return false;
	return true;
}

/* ---- load ---------------------------------------------------------------- */

/* One first message after another, which nobody goes on with, all in one second
 * and from many addresses. */
static bool flood(struct wt_exchange *p, size_t messages, struct wt_finding *note)
{
	uint64_t asked = 0, given = 0;
	bool good = true;

	for (size_t i = 0; good && i < messages; i++) {
		struct wt_auth_out out;

		good = wt_exchange_start(p, note);
		if (!good)
			break;
		memcpy(p->ends[1].source, &i, 4);
		p->ends[1].association += p->setup->channel == WT_CHANNEL_STREAM ? 1u : 0u;
		/* Each twice. */
		for (int copy = 0; good && copy < 2; copy++) {
			enum wt_auth_verdict verdict = wt_exchange_deliver(p, &p->sent[0], &out);
			size_t reply = verdict == WT_AUTH_IGNORE || verdict == WT_AUTH_PENDING
					       ? 0
					       : out.reply_len;

			asked += p->sent[0].len;
			given += reply;
			if (reply > p->sent[0].len)
				good = wt_find(note, WT_FAULT_AMPLIFIES,
					       "message %zu of a flood: %zu bytes are the answer "
					       "to %zu, reason %u",
					       i + 1, reply, p->sent[0].len, out.reason);
		}
	}
	if (good && given > asked)
		good = wt_find(note, WT_FAULT_AMPLIFIES,
			       "%llu bytes are the answer to a flood of %llu",
			       (unsigned long long)given, (unsigned long long)asked);
	return good;
}

bool wt_check_auth_flood(const struct wt_exchange_setup *setup, struct wt_finding *note)
{
	const size_t messages = setup->level < 3 ? MESSAGES : 20 * MESSAGES;
	struct wt_usage before;
	struct wt_exchange p;
	bool good = wt_exchange_open_friends(&p, setup, note) && wt_exchange_run(&p, NULL, note);

	wt_exchange_forget(&p);
	before = wt_usage_now();
	good = good && flood(&p, messages, note) &&
	       wt_usage_kept(&before, messages, "messages of a flood", note);
	/* Whoever can receive what it is answered comes through meanwhile. */
	good = good && wt_exchange_run(&p, NULL, note);
	wt_exchange_close(&p);
	return good;
}
