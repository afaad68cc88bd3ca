/* SPDX-License-Identifier: MIT
 *
 * check.h: the contract of whispertunnel/auth.h, as checks on two ends of a
 * plugin that know each other, and on a stranger, made from its conformance
 * table. They know no method: messages are what the ends give.
 */
#ifndef WT_CONFORM_AUTH_CHECK_H
#define WT_CONFORM_AUTH_CHECK_H

#include "conform/auth/exchange.h"
#include "conform/crypto/aead_check.h"

struct wt_auth_check {
	const char *name;
	const char *promise;
	int level;
	/* False: the note says what is wrong. A sound one may leave a note, too. */
	bool (*run)(const struct wt_exchange_setup *setup, struct wt_finding *note);
};

extern const struct wt_auth_check wt_auth_checks[];
extern const size_t wt_auth_check_count;
/* NULL: there is none of that name. */
const struct wt_auth_check *wt_auth_check_named(const char *name);

/* On a stream and over datagrams. `aead` is a path of a crypto plugin, which the
 * handshake may ask the host for. */
enum wt_verdict wt_auth_check_run(const struct wt_auth_check *check,
				  const struct wt_check_options *options, const char *path,
				  const char *aead, struct wt_finding *note) WT_MUST_CHECK;

/* ---- the checks, by file ------------------------------------------------- */

bool wt_check_auth_flips(const struct wt_exchange_setup *setup, struct wt_finding *note);
bool wt_check_auth_lengths(const struct wt_exchange_setup *setup, struct wt_finding *note);
bool wt_check_auth_reflection(const struct wt_exchange_setup *setup, struct wt_finding *note);
bool wt_check_auth_replays(const struct wt_exchange_setup *setup, struct wt_finding *note);
bool wt_check_auth_strangers(const struct wt_exchange_setup *setup, struct wt_finding *note);

bool wt_check_auth_order(const struct wt_exchange_setup *setup, struct wt_finding *note);
bool wt_check_auth_abandon(const struct wt_exchange_setup *setup, struct wt_finding *note);
bool wt_check_auth_put_off(const struct wt_exchange_setup *setup, struct wt_finding *note);
bool wt_check_auth_removal(const struct wt_exchange_setup *setup, struct wt_finding *note);
bool wt_check_auth_both_dial(const struct wt_exchange_setup *setup, struct wt_finding *note);

bool wt_check_auth_clocks(const struct wt_exchange_setup *setup, struct wt_finding *note);

bool wt_check_auth_tokens(const struct wt_exchange_setup *setup, struct wt_finding *note);
bool wt_check_auth_flood(const struct wt_exchange_setup *setup, struct wt_finding *note);

bool wt_check_auth_workers(const struct wt_exchange_setup *setup, struct wt_finding *note);
bool wt_check_auth_blocking(const struct wt_exchange_setup *setup, struct wt_finding *note);

#endif
