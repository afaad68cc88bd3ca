/* SPDX-License-Identifier: MIT */
#include "conform/auth/check.h"

#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "conform/heap.h"

static bool check_agreement(const struct wt_exchange_setup *setup, struct wt_finding *note)
{
	struct wt_exchange p;
	struct wt_keypair_keys before = { .send_key = { 0 } };
	bool good = wt_exchange_open_friends(&p, setup, note);

	for (int i = 0; good && i < 20; i++) {
		good = wt_exchange_run(&p, NULL, note);
		if (good && i > 0 &&
		    wt_equal(before.send_key, p.dialler.keys.send_key, WT_KEY_SIZE))
			good = wt_find(note, WT_FAULT_KEYS_MIX, "two handshakes give one key");
		before = p.dialler.keys;
		wt_exchange_forget(&p);
	}
	wt_wipe(&before, sizeof before);
	wt_exchange_close(&p);
	return good;
}

/* Back to whoever made it, so that something is dropped. */
static bool return_each(struct wt_exchange *p, const struct wt_exchange_message *m,
			struct wt_finding *note)
{
	struct wt_exchange_message back = *m;

	back.to_acceptor = !m->to_acceptor;
	return wt_exchange_refuses(p, &back, false, WT_FAULT_FORGERY, "reflected, length", m->len,
				   note);
}

/* Nothing is allocated for a message, and nothing stays of a handshake. */
static bool check_memory(const struct wt_exchange_setup *setup, struct wt_finding *note)
{
	const size_t rounds = 100, warm_up = 4;
	struct wt_usage before = wt_usage_now();
	struct wt_exchange p;
	bool good = wt_exchange_open_friends(&p, setup, note);

	for (size_t i = 0; good && i < warm_up + rounds; i++) {
		if (i == warm_up)
			before = wt_usage_now();
		good = wt_exchange_run(&p, i & 1 ? return_each : NULL, note);
		wt_exchange_forget(&p);
	}
	good = good && wt_usage_kept(&before, rounds, "handshakes", note);
	wt_exchange_close(&p);
	return good;
}

const struct wt_auth_check wt_auth_checks[] = {
	{ "agreement", "two ends that know each other get equal, fresh keys", 1, check_agreement },
	{ "strangers", "nobody with other credentials is believed", 1, wt_check_auth_strangers },
	{ "blocking", "no call waits for anything", 1, wt_check_auth_blocking },
	{ "both-dial", "a peer that this end dials is not accepted", 1, wt_check_auth_both_dial },
	{ "flips", "no message with a flipped bit is believed", 2, wt_check_auth_flips },
	{ "lengths", "no message of another length is believed", 2, wt_check_auth_lengths },
	{ "reflection", "no message is believed by who made it", 2, wt_check_auth_reflection },
	{ "replays", "no message is believed twice or in another place", 2, wt_check_auth_replays },
	{ "order", "no message out of its turn has an effect", 2, wt_check_auth_order },
	{ "abandon", "a handshake that was given up is over, and no other", 2,
	  wt_check_auth_abandon },
	{ "put-off", "a handshake that was given up while its verdict is put off is over", 2,
	  wt_check_auth_put_off },
	{ "removal", "a peer that was removed is a stranger", 2, wt_check_auth_removal },
	{ "clocks", "a wrong clock shuts nobody out later, and lets nothing old in", 2,
	  wt_check_auth_clocks },
	{ "tokens", "a token is good for one address and a short time", 2, wt_check_auth_tokens },
	{ "flood", "many first messages get no more than they bring, and cost no memory", 2,
	  wt_check_auth_flood },
	{ "workers", "several workers may call at once about one peer", 2, wt_check_auth_workers },
	{ "memory", "nothing is kept of a handshake that is over", 2, check_memory },
};
const size_t wt_auth_check_count = sizeof wt_auth_checks / sizeof wt_auth_checks[0];

const struct wt_auth_check *wt_auth_check_named(const char *name)
{
	for (size_t i = 0; i < wt_auth_check_count; i++)
		if (strcmp(wt_auth_checks[i].name, name) == 0)
			return &wt_auth_checks[i];
	return NULL;
}

enum wt_verdict wt_auth_check_run(const struct wt_auth_check *check,
				  const struct wt_check_options *options, const char *path,
				  const char *aead, struct wt_finding *note)
{
	struct wt_exchange_setup setup = { .level = options->level };
	struct wt_error err = WT_ERROR_INIT;
	struct wt_loaded *loaded;
	enum wt_status status;
	bool good = true;

	if (wt_loaded_here(path, &loaded, &err) != WT_OK) {
		wt_find(note, WT_FAULT_NOT_LOADED, "%s", err.text);
		return WT_FOUND;
	}
	setup.loaded = loaded;
	setup.table = wt_conformance_of(loaded, note);
	if (!setup.table)
		return WT_NOT_RUN;
	if (!setup.table->stranger) {
		wt_find(note, WT_FAULT_NONE,
			"its conformance table has no stranger, whom both ends must refuse; fill "
			".stranger");
		return WT_NOT_RUN;
	}
	setup.aead = wt_backend_open_file(aead, &status, &err);
	if (!setup.aead) {
		wt_find(note, WT_FAULT_NONE, "no crypto plugin for the host: %s", err.text);
		return WT_NOT_RUN;
	}
	for (uint32_t channel = WT_CHANNEL_STREAM; good && channel <= WT_CHANNEL_DATAGRAM;
	     channel++) {
		struct wt_finding why = { .fault = WT_FAULT_NONE };

		setup.channel = channel;
		good = check->run(&setup, &why);
		if (why.text[0])
			wt_find(note, why.fault, "%s: %s",
				channel == WT_CHANNEL_STREAM ? "stream" : "datagrams", why.text);
	}
	return good ? WT_SOUND : WT_FOUND;
}
