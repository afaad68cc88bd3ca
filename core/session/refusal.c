/* SPDX-License-Identifier: MIT */
#include "session/refusal.h"

#include <inttypes.h>

#include "base/log.h"
#include "session/peer.h"

static const char *const reason_text[WT_REASON_COUNT] = {
	[WT_REASON_NONE] = "dropped",
	[WT_REASON_LENGTH] = "wrong length",
	[WT_REASON_STEP] = "not expected now",
	[WT_REASON_UNKNOWN_PEER] =
		"it names no peer here: an unknown key, another realm, or a clock hours "
		"off",
	[WT_REASON_BAD_MAC] =
		"its MAC is wrong: altered on the way, or not made with this end's or this "
		"peer's key",
	[WT_REASON_BAD_SEAL] = "a sealed field does not open: altered on the way, or not made with "
			       "this peer's key and realm",
	[WT_REASON_REPLAY] = "seen before: a replay",
	[WT_REASON_CLOCK] = "its clock is off",
	[WT_REASON_TOKEN] = "its token is not valid now",
	[WT_REASON_RATE] = "too many handshakes of this peer from this source",
	[WT_REASON_PARAMS] = "its parameters were refused",
	[WT_REASON_BOTH_DIAL] =
		"both ends dial, or our own message came back: remove `endpoint` on "
		"one side",
	[WT_REASON_WEAK_POINT] = "its public key is weak",
	[WT_REASON_LOAD] = "many handshakes now",
	[WT_REASON_INTERNAL] = "the auth plugin failed",
};

/* The topics of the log's limit are string constants, one a reason. */
static const char *const reason_topic[WT_REASON_COUNT] = {
	"handshake dropped",	  "handshake length",	  "handshake step",
	"handshake unknown peer", "handshake bad MAC",	  "handshake bad seal",
	"handshake replay",	  "handshake clock",	  "handshake token",
	"handshake rate",	  "handshake parameters", "handshake both dial",
	"handshake weak key",	  "handshake load",	  "handshake internal",
};

const char *wt_refusal_report(struct wt_worker *worker, const char *source,
			      const struct wt_peer *peer, const struct wt_auth_out *out,
			      const char *done)
{
	uint32_t reason = out->reason < WT_REASON_COUNT ? out->reason : WT_REASON_INTERNAL;
	uint64_t off_ms = out->clock_off_ms < 0 ? 0 - (uint64_t)out->clock_off_ms
						: (uint64_t)out->clock_off_ms;

	if (out->flags & WT_AUTH_OUT_PEER && out->peer_id < worker->node->peer_count &&
	    !(peer && peer->id == out->peer_id))
		peer = &worker->peers[out->peer_id];
	const char *name = peer ? wt_peer_name(peer) : "unknown peer";

	worker->refusals[reason]++;
	if (reason == WT_REASON_CLOCK)
		wt_log_limited(WT_LOG_WARN, reason_topic[reason],
			       "%s: handshake of %s %s: its clock is %" PRIu64 " s %s ours", source,
			       name, done, off_ms / 1000,
			       out->clock_off_ms < 0 ? "behind" : "ahead of");
	else
		wt_log_limited(WT_LOG_WARN, reason_topic[reason], "%s: handshake of %s %s: %s",
			       source, name, done, reason_text[reason]);
	return reason_text[reason];
}
