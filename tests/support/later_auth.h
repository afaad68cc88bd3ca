/* SPDX-License-Identifier: MIT
 *
 * later_auth.h: an auth plugin that proves nothing, for tests of what the core
 * does with one that takes its time or breaks its contract. Three messages, as
 * auth-hmac; the first byte of psk_file names the peer; keys follow from the
 * indices. What goes wrong, where and when, is the test's to say.
 */
#ifndef WT_TEST_SUPPORT_LATER_AUTH_H
#define WT_TEST_SUPPORT_LATER_AUTH_H

#include <stddef.h>

#include "plugin/registry.h"

extern const struct wt_plugin wt_later_plugin;

/* Which of its answers is meant: to M1, M2 or M3, which may come later; or to the
 * core that wants to begin. */
enum wt_later_step {
	WT_LATER_M1,
	WT_LATER_M2,
	WT_LATER_M3,
	WT_LATER_STEPS,
	WT_LATER_START = WT_LATER_STEPS
};

enum wt_later_when {
	WT_LATER_AT_ONCE,
	WT_LATER_SOON,	 /* PENDING, then auth_complete after delay_ms */
	WT_LATER_TWICE,	 /* ... and once more */
	WT_LATER_INSIDE, /* auth_complete before the call itself returns PENDING */
	WT_LATER_NEVER
};

enum wt_later_fault {
	WT_LATER_SOUND,
	WT_LATER_VERDICT_99,
	WT_LATER_VERDICT_PENDING, /* from auth_complete */
	WT_LATER_VERDICT_ANSWER,
	WT_LATER_VERDICT_DONE,
	WT_LATER_NO_HANDSHAKE,
	WT_LATER_HANDSHAKE_ELSEWHERE, /* not in the memory of the peer */
	WT_LATER_HANDSHAKE_OTHER,     /* in it, but another than before */
	WT_LATER_SIZE,		      /* writes struct_size */
	WT_LATER_REPLY_OTHER,	      /* a buffer of its own */
	WT_LATER_REPLY_NULL,
	WT_LATER_CAPACITY,     /* writes reply_capacity */
	WT_LATER_NO_PEER,      /* without the flag */
	WT_LATER_PEER_TOO_BIG, /* an id that nobody has */
	WT_LATER_PEER_OTHER,   /* a peer of ours, but not this one */
	WT_LATER_PEER_LANE,    /* of two: where the core keeps a third lane of one */
	WT_LATER_REPLY_TOO_LONG,
	WT_LATER_REPLY_NONE,
	WT_LATER_REPLY_LONGER, /* than what it answers */
	WT_LATER_INDEX_OTHER,
	WT_LATER_INDEX_ZERO,
	WT_LATER_REMOTE_ZERO,
	WT_LATER_REPEATED, /* of what was not said */
	WT_LATER_NO_KEYS,
	WT_LATER_KEYS_EQUAL, /* both directions */
	WT_LATER_PARAMS,     /* that the core never checked */
	WT_LATER_CLOCK,	     /* refused: off by INT64_MIN ms */
	WT_LATER_REASON,     /* refused for a reason that does not exist */
	WT_LATER_OUT_NULL,   /* from auth_complete */
	WT_LATER_OUT_SHORT,  /* likewise: a structure of eight bytes */
};

struct wt_later {
	enum wt_later_when when[WT_LATER_STEPS];
	enum wt_later_fault fault[WT_LATER_STEPS + 1];
	uint64_t delay_ms;
	bool keys_with_done; /* the accepting end gives them at M3 */
	bool unproven;	     /* it is sure of nobody: no WT_AUTH_OUT_AUTHENTIC */
	bool two_messages;   /* no M3: the first record is the proof */
	bool asks_nothing;   /* of the host about parameters: the peer is told its own */
	/* What happened. */
	unsigned asked[WT_LATER_STEPS], completed, abandoned, handshakes;
	unsigned abandoned_nobodys; /* handshakes that are in no peer's memory */
};
extern struct wt_later wt_later;

#endif
