/* SPDX-License-Identifier: MIT
 *
 * exchange.h: a dialler, an acceptor, and the messages between them. It knows
 * no method: what one end gives as a reply is handed to the other.
 */
#ifndef WT_CONFORM_AUTH_EXCHANGE_H
#define WT_CONFORM_AUTH_EXCHANGE_H

#include "conform/auth/end.h"

/* With a cookie or a token on the way, and then some. */
#define WT_EXCHANGE_MAX 8u

/* What two ends are made from. */
struct wt_exchange_setup {
	const struct wt_loaded *loaded;
	const struct wt_conformance *table;
	const struct wt_backend *aead;
	uint32_t channel;
	int level; /* 1..3 */
};

struct wt_exchange_message {
	uint8_t bytes[WT_AUTH_MESSAGE_MAX];
	size_t len;
	bool to_acceptor;
};

struct wt_exchange_side {
	struct wt_auth_end *end;
	void *handshake; /* NULL: none yet */
	uint32_t index;	 /* of that handshake */
	struct wt_keypair_keys keys;
	uint8_t peer_params[WT_PARAMS_SIZE];
	bool has_keys, done;
};

struct wt_exchange {
	const struct wt_exchange_setup *setup;
	struct wt_auth_end ends[2]; /* the dialler's and the acceptor's */
	struct wt_exchange_side dialler, acceptor;
	struct wt_exchange_message sent[WT_EXCHANGE_MAX];
	size_t count;
	const struct wt_exchange *old; /* of an each_fn that needs another one */
};

/* Is told each message before it is delivered. False: the note says what is wrong. */
typedef bool wt_exchange_each_fn(struct wt_exchange *p, const struct wt_exchange_message *m,
				 struct wt_finding *note);

/* False: the note says why. Close it in either case. */
bool wt_exchange_open(struct wt_exchange *p, const struct wt_exchange_setup *setup,
		      const struct wt_conformance_end *dialler,
		      const struct wt_conformance_end *acceptor,
		      struct wt_finding *note) WT_MUST_CHECK;
/* The two ends of the conformance table. */
bool wt_exchange_open_friends(struct wt_exchange *p, const struct wt_exchange_setup *setup,
			      struct wt_finding *note) WT_MUST_CHECK;
void wt_exchange_close(struct wt_exchange *p);

/* The first message, which becomes sent[0]. */
bool wt_exchange_start(struct wt_exchange *p, struct wt_finding *note) WT_MUST_CHECK;
/* From there to keys that both ends have. `each` may be NULL. */
bool wt_exchange_go_on(struct wt_exchange *p, wt_exchange_each_fn *each,
		       struct wt_finding *note) WT_MUST_CHECK;
/* Both. */
bool wt_exchange_run(struct wt_exchange *p, wt_exchange_each_fn *each,
		     struct wt_finding *note) WT_MUST_CHECK;

struct wt_exchange_side *wt_exchange_receiver(struct wt_exchange *p,
					      const struct wt_exchange_message *m);
/* As the core does it: by the receiver index of the header. */
enum wt_auth_verdict wt_exchange_deliver(struct wt_exchange *p, const struct wt_exchange_message *m,
					 struct wt_auth_out *out);
/* Deliver sent[i], and record the reply as the next one. */
bool wt_exchange_step(struct wt_exchange *p, size_t i, struct wt_finding *note) WT_MUST_CHECK;
/* The reply becomes the next of `sent`. */
bool wt_exchange_record(struct wt_exchange *p, const struct wt_auth_out *out, bool to_acceptor,
			struct wt_finding *note) WT_MUST_CHECK;

/* The core gives both handshakes up, and a second passes: a first message names
 * its time. */
void wt_exchange_forget(struct wt_exchange *p);
/* Time passes at both ends. */
void wt_exchange_advance(struct wt_exchange *p, uint64_t ms);

#define WT_EXCHANGE_TRUSTED (WT_AUTH_OUT_AUTHENTIC | WT_AUTH_OUT_KEYS)
/* Is that new trust? An end that is done may say so again of a message of the very
 * same handshake (`same`), with the keys that it gave. */
bool wt_exchange_is_trust(const struct wt_exchange_side *side, bool same,
			  enum wt_auth_verdict verdict, const struct wt_auth_out *out);
/* Delivers what nobody may believe, or answer with more than it is long: else the
 * note says `fault`, and `what` and `where` of it. */
bool wt_exchange_refuses(struct wt_exchange *p, const struct wt_exchange_message *m, bool same,
			 enum wt_fault fault, const char *what, size_t where,
			 struct wt_finding *note) WT_MUST_CHECK;

#endif
