/* SPDX-License-Identifier: MIT
 *
 * end.h: one end of a handshake: an instance of an auth plugin made with the
 * settings of its conformance table, one peer, a clock of its own, and what the
 * calls read and write at the end of memory.
 */
#ifndef WT_CONFORM_AUTH_END_H
#define WT_CONFORM_AUTH_END_H

#include "conform/auth/host.h"
#include "conform/finding.h"
#include "conform/guarded.h"
#include "record/keypair.h"

struct wt_auth_end {
	struct wt_auth_host host;
	struct wt_clock_manual clock;
	const struct wt_plugin *plugin;
	const struct wt_auth_ops *ops;
	struct wt_instance *instance;
	struct wt_config *section, *peer_cfg;
	void *peer; /* secret memory; NULL: not added */
	uint32_t peer_id;
	uint32_t channel;
	uint32_t next_index;
	uint32_t unanswered; /* what start() is told */
	uint64_t next_ticket;
	uint64_t association;
	uint8_t source[6]; /* where what comes in comes from */
	uint8_t params[WT_PARAMS_SIZE];
	/* Of a call: what comes in, what the plugin says of it, and the reply; each
	 * ends at the end of its memory. */
	struct wt_guarded message, output, reply;
};

/* The conformance table of a plugin, or NULL: it has none, or one that is too
 * short, which the note says then. */
const struct wt_conformance *wt_conformance_of(const struct wt_loaded *loaded,
					       struct wt_finding *note);
/* The values of `scope` (WT_SCOPE_*) that the end sets, over the defaults. NULL:
 * the note says which setting cannot be. The caller frees it. */
struct wt_config *wt_conformance_config(const struct wt_plugin *plugin,
					const struct wt_conformance_end *end, uint32_t scope,
					const char *name, struct wt_finding *note);

/* False: the note says why. Close it in either case. */
bool wt_auth_end_open(struct wt_auth_end *end, const struct wt_loaded *loaded,
		      const struct wt_conformance_end *settings, uint32_t roles, uint32_t peer_id,
		      uint32_t channel, const struct wt_backend *aead,
		      struct wt_finding *note) WT_MUST_CHECK;
void wt_auth_end_close(struct wt_auth_end *end); /* also of a zeroed one */

/* The daemon was started anew: another instance, with the same peer. The clocks went
 * on. */
bool wt_auth_end_restart(struct wt_auth_end *end, uint32_t roles,
			 struct wt_finding *note) WT_MUST_CHECK;
/* peer_add() again, after wt_auth_end_remove. */
bool wt_auth_end_add(struct wt_auth_end *end, uint32_t roles,
		     struct wt_finding *note) WT_MUST_CHECK;
/* peer_remove(), and the memory is wiped and given back. */
void wt_auth_end_remove(struct wt_auth_end *end);
/* peer_remove() alone: the memory, as the plugin left it, is the caller's to free
 * with wt_secret_free. */
void *wt_auth_end_take(struct wt_auth_end *end) WT_MUST_CHECK;

/* Of all calls: a verdict that the plugin puts off is waited for. WT_AUTH_PENDING:
 * it never comes, or must not be put off. `out` is a copy of what the call said; its
 * reply is the end's, until the next call. */
enum wt_auth_verdict wt_auth_end_start(struct wt_auth_end *end, struct wt_auth_out *out);
/* A message from nobody known, and one for a handshake. */
enum wt_auth_verdict wt_auth_end_accept(struct wt_auth_end *end, const uint8_t *message, size_t len,
					struct wt_auth_out *out);
enum wt_auth_verdict wt_auth_end_receive(struct wt_auth_end *end, void *handshake,
					 const uint8_t *message, size_t len,
					 struct wt_auth_out *out);

/* The same, of a message for `handshake`, or if that is NULL from nobody known, without
 * waiting: *ticket is that of a verdict which is put off, or 0. */
enum wt_auth_verdict wt_auth_end_ask(struct wt_auth_end *end, void *handshake,
				     const uint8_t *message, size_t len, uint64_t *ticket,
				     struct wt_auth_out *out);

/* Did the call leave the caller's part of its output alone, and is the handshake in
 * the peer's memory? False: the note says what is wrong. */
bool wt_auth_end_kept(const struct wt_auth_end *end, enum wt_auth_verdict verdict,
		      const struct wt_auth_out *out, struct wt_finding *note) WT_MUST_CHECK;
struct wt_keypair_keys wt_auth_end_keys(const struct wt_auth_out *out);

/* What such a call would be given, for one of another thread: the message is
 * borrowed. Not from two threads at once. */
struct wt_auth_in wt_auth_end_input(struct wt_auth_end *end, const uint8_t *message, size_t len);

#endif
