/* SPDX-License-Identifier: MIT */
#include "session/dial.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/log.h"
#include "base/secret.h"
#include "plugin/call.h"
#include "privileged/resolver.h"
#include "session/lanes.h"
#include "session/repeat.h"

/* Between addresses and endpoints of one round: as the first retry. */
#define NEXT_ADDRESS_MS 200u
/* First messages in silence before the causes are listed. */
#define SILENCE_TOLD 3u

static void try_now(void *arg, struct wt_worker *worker);

enum wt_status wt_dial_init(struct wt_peer *peer)
{
	struct wt_dial *dial = &peer->dial;
	enum wt_status status = wt_endpoints_init(&dial->endpoints, peer->settings);

	dial->seek_ms = WT_SEEK_MS;
	if (status == WT_OK)
		status = wt_timer_init(&peer->worker->loop, &dial->timer, try_now, peer);
	if (status != WT_OK)
		wt_endpoints_fini(&dial->endpoints);
	return status;
}

static void forget_addresses(struct wt_dial *dial)
{
	free(dial->addresses);
	dial->addresses = NULL;
	dial->address_count = dial->address = 0;
}

void wt_dial_fini(struct wt_peer *peer)
{
	if (peer->dial.resolve)
		wt_resolver_cancel(peer->dial.resolve);
	peer->dial.resolve = NULL;
	forget_addresses(&peer->dial);
	wt_timer_fini(&peer->dial.timer);
	wt_endpoints_fini(&peer->dial.endpoints);
}

const char *wt_dial_endpoint_text(const struct wt_peer *peer, size_t i, char *out, size_t size)
{
	const struct wt_endpoint *endpoint = &peer->settings->endpoints[i];
	bool v6 = strchr(endpoint->host, ':') != NULL;

	snprintf(out, size, "%s://%s%s%s:%u",
		 peer->node->settings->transports[endpoint->transport].name, v6 ? "[" : "",
		 endpoint->host, v6 ? "]" : "", endpoint->port);
	return out;
}

/* Lanes beyond the first are dialled as far as the other end takes them. */
static bool wanted(const struct wt_peer *peer)
{
	return peer->lane == 0 || peer->lane < wt_lanes_agreed(peer->lanes);
}

void wt_dial_schedule(struct wt_peer *peer, uint64_t after_ms)
{
	if (!wt_peer_dials(peer) || !wt_peer_is_home(peer) || peer->worker->stopping ||
	    !wanted(peer) || wt_peer_is_up(peer) || peer->attempt || peer->dial.resolve ||
	    wt_timer_armed(&peer->dial.timer))
		return;
	wt_timer_arm(&peer->dial.timer, after_ms);
}

void wt_dial_nudge(struct wt_peer *peer)
{
	struct wt_dial *dial = &peer->dial;

	if (wt_timer_armed(&dial->timer) && !dial->held)
		wt_timer_arm(&dial->timer, 0);
}

void wt_dial_hold(struct wt_peer *peer, uint64_t ms)
{
	peer->dial.held = true;
	wt_timer_arm(&peer->dial.timer, ms);
}

static uint64_t spread(uint64_t wait)
{
	uint64_t part = wait * WT_RETRY_SPREAD_PERCENT / 100, r = 0;

	if (wt_random(&r, sizeof r) != WT_OK)
		return wait;
	return wait - part + r % (2 * part + 1);
}

uint64_t wt_dial_wait(unsigned n)
{
	static const uint32_t waits[WT_RETRY_COUNT] = WT_RETRY_MS;

	return spread(waits[n < WT_RETRY_COUNT ? n : WT_RETRY_COUNT - 1]);
}

void wt_dial_silent(const struct wt_conn *conn)
{
	uint32_t *unanswered = &conn->peer->dial.unanswered;

	/* Beside a session silence is no reason to say who we are more plainly. */
	if (conn->sought)
		return;
	if (conn->link->datagram && *unanswered < WT_M1_SILENT)
		*unanswered = WT_M1_SILENT;
	else
		++*unanswered;
}

void wt_dial_answered(struct wt_peer *peer)
{
	peer->dial.unanswered = 0;
}

/* Look for something better than what is in use, in a while. */
static void seek_later(struct wt_peer *peer)
{
	struct wt_dial *dial = &peer->dial;

	dial->seeking = dial->elsewhere = false;
	forget_addresses(dial);
	wt_timer_disarm(&dial->timer);
	if (peer->active && peer->active->dialled &&
	    wt_endpoints_better(&dial->endpoints, peer->active->endpoint))
		wt_timer_arm(&dial->timer, spread(dial->seek_ms));
}

/* What was found by searching is over: was it worth the search? */
static void judge(struct wt_peer *peer, const struct wt_conn *conn, bool silent)
{
	struct wt_dial *dial = &peer->dial;

	if (!conn->sought)
		return;
	if (peer->worker->loop.now_ms - conn->up_ms >= WT_SEEK_LASTS_MS)
		dial->seek_ms = WT_SEEK_MS;
	else if (silent && dial->seek_ms < WT_SEEK_MOST_MS)
		dial->seek_ms *= 2;
}

void wt_dial_succeeded(struct wt_peer *peer, const struct wt_conn *before)
{
	struct wt_dial *dial = &peer->dial;

	if (before)
		judge(peer, before, dial->elsewhere);
	dial->held = false;
	dial->rounds = 0;
	dial->unanswered = 0;
	dial->connected = false;
	dial->told = false;
	seek_later(peer);
}

void wt_dial_again(struct wt_peer *peer, const struct wt_conn *conn)
{
	struct wt_dial *dial = &peer->dial;
	uint64_t lived_ms = peer->worker->loop.now_ms - conn->up_ms;

	if (lived_ms >= WT_SHORT_LIFE_MS)
		dial->short_lives = 0;
	judge(peer, conn, conn->silent);
	/* What was tried beside it goes on, and is no longer beside anything. */
	if (conn->dialled && !peer->attempt && !dial->resolve) {
		wt_timer_disarm(&dial->timer);
		forget_addresses(dial);
		wt_endpoints_ended(&dial->endpoints, conn->endpoint, conn->silent);
	}
	dial->seeking = dial->elsewhere = false;
	wt_dial_schedule(peer, wt_dial_wait(dial->short_lives));
	if (dial->short_lives < WT_RETRY_COUNT)
		dial->short_lives++;
}

void wt_dial_elsewhere(struct wt_peer *peer)
{
	struct wt_dial *dial = &peer->dial;

	if (dial->endpoints.count < 2 || dial->elsewhere || peer->attempt || dial->resolve)
		return;
	dial->seeking = false;
	dial->elsewhere = true;
	forget_addresses(dial);
	wt_endpoints_ended(&dial->endpoints, peer->active->endpoint, true);
	wt_timer_arm(&dial->timer, 0);
}

bool wt_dial_is_better(const struct wt_peer *peer, const struct wt_conn *conn)
{
	const struct wt_conn *active = peer->active;

	return !conn->sought || !active || peer->settings->policy != WT_POLICY_LATENCY ||
	       peer->dial.elsewhere || conn->rtt_ns < active->rtt_ns / 100 * WT_SEEK_FASTER_PERCENT;
}

uint64_t wt_dial_patience(const struct wt_conn *conn)
{
	const struct wt_dial *dial = &conn->peer->dial;
	bool others = dial->endpoints.count > 1 || dial->address < dial->address_count;

	return conn->link->datagram && others ? WT_ELSEWHERE_MS : WT_HANDSHAKE_MS;
}

static const struct wt_endpoint *current(const struct wt_peer *peer)
{
	return &peer->settings->endpoints[wt_endpoints_current(&peer->dial.endpoints)];
}

static const char *reachable(const struct wt_peer *peer)
{
	const struct wt_endpoint *endpoint = current(peer);
	const struct wt_instance *transport = peer->node->transports[endpoint->transport];

	if (wt_transport_ops(transport)->mode == WT_CHANNEL_DATAGRAM)
		return "datagrams do not tell: address, port, firewall, server running";
	return peer->dial.connected
		       ? "yes, something accepts connections there"
		       : "no connection was made: address, port, firewall, server running";
}

/* Once an outage. Silence looks the same whatever is wrong, so the causes are
 * named in the order in which to look. */
static void tell_causes(struct wt_peer *peer)
{
	struct wt_dial *dial = &peer->dial;
	char endpoint[320], now[32] = "unknown";
	time_t unix_s = (time_t)(peer->node->clock->unix_ms(peer->node->clock) / 1000);
	struct tm tm;

	dial->told = true;
	wt_dial_endpoint_text(peer, wt_endpoints_current(&dial->endpoints), endpoint,
			      sizeof endpoint);
	if (gmtime_r(&unix_s, &tm))
		strftime(now, sizeof now, "%Y-%m-%d %H:%M:%S UTC", &tm);
	wt_log(WT_LOG_WARN,
	       "peer %s: no answer from %s after %u tries (%s). In this order: 1. is it reachable: "
	       "%s; "
	       "2. the key: %s; 3. the "
	       "realm in [auth %s], the same on both ends; 4. the clock here: it says %s",
	       wt_peer_name(peer), endpoint, dial->unanswered + dial->rounds, dial->last_error,
	       reachable(peer), wt_auth_ops(peer->auth)->silence_hint,
	       peer->settings->auth < peer->node->settings->auth_count
		       ? peer->node->settings->auths[peer->settings->auth].name
		       : "",
	       now);
}

/* The peer is up, and nothing better answered there. */
static void seek_next(struct wt_peer *peer)
{
	struct wt_dial *dial = &peer->dial;

	if (dial->address >= dial->address_count) {
		forget_addresses(dial);
		if (!wt_endpoints_seek_next(&dial->endpoints, peer->active->endpoint)) {
			seek_later(peer);
			return;
		}
	}
	wt_timer_arm(&dial->timer, NEXT_ADDRESS_MS);
}

void wt_dial_failed(struct wt_peer *peer, const char *why)
{
	struct wt_dial *dial = &peer->dial;
	uint64_t wait = NEXT_ADDRESS_MS;

	snprintf(dial->last_error, sizeof dial->last_error, "%s", why);
	wt_log(WT_LOG_DEBUG, "peer %s: dial failed: %s", wt_peer_name(peer), why);
	/* Heard of again: there is no need to go elsewhere. */
	if (peer->active && dial->elsewhere && !peer->active->own.auth) {
		seek_later(peer);
		return;
	}
	if (peer->active && dial->seeking) {
		seek_next(peer);
		return;
	}
	if (dial->address >= dial->address_count) {
		forget_addresses(dial);
		if (wt_endpoints_next(&dial->endpoints))
			wait = wt_dial_wait(dial->rounds++);
	}
	if (peer->lane == 0 && !dial->told &&
	    (dial->unanswered >= SILENCE_TOLD || dial->rounds >= SILENCE_TOLD))
		tell_causes(peer);
	if (peer->active)
		wt_timer_arm(&dial->timer, wait);
	else
		wt_dial_schedule(peer, wait);
}

static void dial_next(struct wt_peer *peer)
{
	struct wt_dial *dial = &peer->dial;
	const struct wt_endpoint *endpoint = current(peer);
	struct wt_instance *transport = peer->node->transports[endpoint->transport];
	const struct sockaddr_storage *remote = &dial->addresses[dial->address];
	socklen_t remote_len = remote->ss_family == AF_INET ? sizeof(struct sockaddr_in)
							    : sizeof(struct sockaddr_in6);
	struct wt_error err = WT_ERROR_INIT;
	struct wt_link *link;
	struct wt_conn *conn;

	if (!wt_lanes_begin(peer->lanes, peer->lane, peer->worker->loop.now_ms)) {
		wt_timer_arm(&dial->timer, WT_LANE_WAIT_MS);
		return;
	}
	dial->address++;
	if (wt_peer_settings_loop(peer->settings, (const struct sockaddr *)remote)) {
		wt_log_limited(
			WT_LOG_ERROR, "endpoint inside",
			"peer %s: the address of endpoint %s is inside this peer's own "
			"allowed_ips: the connection would run into the tunnel itself; take it "
			"out of allowed_ips",
			wt_peer_name(peer), endpoint->host);
		wt_dial_failed(peer, "its address is inside its own allowed_ips");
		return;
	}
	link = wt_link_new(peer->worker, transport, true);
	conn = link ? wt_conn_new(link) : NULL;
	if (!conn || (link->datagram && wt_repeat_init(conn) != WT_OK)) {
		if (link)
			wt_link_end(link, true, "out of memory");
		wt_dial_failed(peer, "out of memory");
		return;
	}
	conn->peer = peer;
	conn->endpoint = wt_endpoints_current(&dial->endpoints);
	conn->sought = dial->seeking;
	conn->give_up_ms = peer->worker->loop.now_ms + WT_DIAL_MS;
	wt_conn_schedule(conn);
	peer->attempt = conn;
	if (wt_transport_dial(transport, peer->worker, (const struct sockaddr *)remote, remote_len,
			      endpoint->config, link, &link->tconn, &err) != WT_OK)
		wt_conn_close(conn, true, err.text);
}

static void resolved(void *arg, struct wt_worker *worker, enum wt_status status,
		     const struct sockaddr_storage *addresses, size_t n, const char *error)
{
	struct wt_peer *peer = arg;
	struct wt_dial *dial = &peer->dial;

	(void)worker;
	dial->resolve = NULL;
	if (status == WT_OK) {
		dial->addresses = calloc(n, sizeof(*dial->addresses));
		if (dial->addresses) {
			memcpy(dial->addresses, addresses, n * sizeof(*addresses));
			dial->address_count = n;
			dial->address = 0;
			dial_next(peer);
			return;
		}
		error = "out of memory";
	}
	wt_dial_failed(peer, error); /* the resolver says which name */
}

/* May an attempt begin beside the session that there is? */
static bool may_seek(struct wt_peer *peer)
{
	struct wt_dial *dial = &peer->dial;

	if (!peer->active || dial->elsewhere)
		return peer->active != NULL;
	/* An auth plugin has one handshake for each peer: a rekey goes first. */
	if (peer->active->own.auth) {
		wt_timer_arm(&dial->timer, WT_REPEAT_MS);
		return false;
	}
	if (!dial->seeking)
		dial->seeking = wt_endpoints_seek(&dial->endpoints, peer->active->endpoint);
	return dial->seeking;
}

static void try_now(void *arg, struct wt_worker *worker)
{
	struct wt_peer *peer = arg;
	struct wt_dial *dial = &peer->dial;

	dial->held = false;
	if (peer->worker->stopping || !wanted(peer) || peer->attempt || dial->resolve ||
	    (wt_peer_is_up(peer) && !may_seek(peer)))
		return;
	if (dial->address < dial->address_count) {
		dial_next(peer);
		return;
	}
	const struct wt_endpoint *endpoint = current(peer);

	dial->resolve = wt_resolver_submit(worker->resolver, endpoint->host, endpoint->port,
					   resolved, peer);
	if (!dial->resolve)
		wt_dial_failed(peer, "out of memory");
}
