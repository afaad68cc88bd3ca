/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/secret.h"
#include "conform/heap.h"
#include "conform/transport/check.h"
#include "conform/transport/netspace.h"

/* ---- visitors -------------------------------------------------------------- */

/* What the core does with a connection that nobody has proved himself on. */
static void read_visitor(struct wt_loop_conn *conn)
{
	struct wt_transport_end *end = conn->arg;
	enum wt_status status;
	size_t got;

	do {
		struct wt_long_record records[4];

		status = wt_transport_end_recv(end, conn, records, 4, &got);
		for (size_t i = 0; i < got; i++)
			if (records[i].record.len > WT_UNAUTHENTICATED_MAX ||
			    records[i].record.len < WT_LINE_SHORTEST)
				wt_loop_host_found(end->host, WT_FAULT_RECORD_LIMIT,
						   "a stranger's record of %u bytes is delivered",
						   records[i].record.len);
	} while (status == WT_OK);
	if (status == WT_ERR_LIMIT)
		wt_transport_end_close_conn(end, conn, true);
}

static void see_off(struct wt_loop_conn *conn)
{
	wt_transport_end_close_conn(conn->arg, conn, true);
}

static void meet_visitor(struct wt_loop_conn *conn)
{
	conn->arg = wt_transport_end_of(conn);
	conn->on_readable = read_visitor;
	conn->on_ended = see_off;
}

void wt_check_expect_visitors(struct wt_transport_rig *rig)
{
	rig->acceptor.host->on_accepted = meet_visitor;
}

size_t wt_check_open_visitors(const struct wt_transport_rig *rig, size_t from)
{
	const struct wt_loop_host *host = rig->acceptor.host;
	size_t open = 0;

	for (size_t i = from; i < host->conn_count; i++)
		open += !host->conns[i].closed;
	return open;
}

/* ---- sources --------------------------------------------------------------- */

bool wt_check_differ(struct wt_transport_rig *rig, const struct wt_source *a,
		     const struct wt_source *b)
{
	if (wt_transport_rig_found(rig))
		return false;
	if (a->token_len == b->token_len && wt_equal(a->token, b->token, a->token_len))
		return wt_find(rig->note, WT_FAULT_SOURCE, "%.90s and %.90s have one token",
			       a->text, b->text);
	if (a->prefix_len != b->prefix_len || !wt_equal(a->prefix, b->prefix, a->prefix_len))
		return wt_find(rig->note, WT_FAULT_SOURCE,
			       "%.90s and %.90s are one host with two prefixes", a->text, b->text);
	return true;
}

/* ---- a dial that is closed as soon as it is there --------------------------- */

bool wt_check_dial_closes(struct wt_transport_rig *rig)
{
	struct wt_error err = WT_ERROR_INIT;
	enum wt_status status;
	struct wt_loop_conn *conn =
		wt_transport_end_dial(&rig->dialler, 0, &rig->setup->at, &status, &err);

	if (!conn)
		return wt_transport_rig_missed(rig, WT_FAULT_FAILED, "dial: %s", err.text);
	conn->arg = &rig->dialler;
	conn->on_connected = see_off;
	return WT_RIG_UNTIL(rig, conn->closed) ||
	       wt_transport_rig_missed(rig, WT_FAULT_END_NEVER, "of a dial");
}

/* ---- listening ------------------------------------------------------------ */

/* A port that is taken, for TCP and for UDP. */
struct taken {
	int tcp, udp;
};

static bool take(struct taken *taken, const struct sockaddr_storage *at)
{
	const struct sockaddr *address = (const struct sockaddr *)at;
	socklen_t len = wt_netspace_len(at);

	taken->tcp = socket(at->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	taken->udp = socket(at->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return taken->tcp >= 0 && taken->udp >= 0 && bind(taken->tcp, address, len) == 0 &&
	       listen(taken->tcp, 1) == 0 && bind(taken->udp, address, len) == 0;
}

static void let_go(struct taken *taken)
{
	if (taken->tcp >= 0)
		close(taken->tcp);
	if (taken->udp >= 0)
		close(taken->udp);
	taken->tcp = taken->udp = -1;
}

/* The last address of the acceptor is taken: it says so, and listens nowhere. */
static bool fails_whole(struct wt_transport_end *end, const struct wt_transport_setup *setup,
			struct wt_finding *note)
{
	const struct wt_end_addresses *all = &setup->addresses;
	struct wt_error err = WT_ERROR_INIT;
	struct taken other = { -1, -1 };
	char text[WT_NETSPACE_TEXT];
	size_t descriptors = wt_usage_now().descriptors;
	enum wt_status status = wt_transport_end_listen(end, &err);
	bool good = true;

	wt_netspace_text(&all->at[all->count - 1], text);
	if (status == WT_OK)
		return wt_find(note, WT_FAULT_LISTEN, "it says WT_OK where %s is taken", text);
	if (!strstr(err.text, text))
		return wt_find(note, WT_FAULT_LISTEN, "where %s is taken, it says \"%.200s\"", text,
			       err.text);
	/* What the core was given, it closes. */
	for (size_t i = 0; i < end->host->conn_count; i++)
		wt_transport_end_close_conn(end, &end->host->conns[i], true);
	if (wt_loop_host_held(end->host) > 0 || wt_usage_now().descriptors > descriptors)
		return wt_find(note, WT_FAULT_LISTEN,
			       "where one address is taken, %zu watches or timers and %zu "
			       "descriptors stay",
			       wt_loop_host_held(end->host),
			       wt_usage_now().descriptors - descriptors);
	if (all->count > 1 && !take(&other, &all->at[0]))
		good = wt_find(note, WT_FAULT_LISTEN,
			       "where one address is taken, another one stays open");
	let_go(&other);
	return good;
}

WT_TRANSPORT_CHECK(wt_check_listen)
{
	const struct wt_end_addresses *all = &setup->addresses;
	struct wt_transport_end end = { .plugin = NULL };
	struct taken taken = { -1, -1 };
	struct wt_loop loop;
	bool good;

	if (wt_loop_init(&loop, &wt_clock_system, NULL) != WT_OK)
		return wt_found_unless(wt_find(note, WT_FAULT_FAILED, "no event loop"));
	good = wt_transport_end_open(&end, setup->loaded, setup->table->acceptor, all, &loop, 1,
				     note);
	if (good && !take(&taken, &all->at[all->count - 1]))
		good = wt_find(note, WT_FAULT_FAILED, "no sockets for the tester");
	good = good && fails_whole(&end, setup, note);
	let_go(&taken);
	wt_transport_end_close(&end);
	if (good && end.host->finding.fault != WT_FAULT_NONE) {
		*note = end.host->finding;
		good = false;
	}
	wt_transport_end_free(&end);
	wt_loop_fini(&loop);
	return wt_found_unless(good);
}

/* ---- a core that does not want -------------------------------------------- */

static bool stream_is_refused(struct wt_transport_rig *rig)
{
	struct wt_error err = WT_ERROR_INIT;
	const size_t held = wt_loop_host_held(rig->acceptor.host);
	enum wt_status status;
	struct wt_loop_conn *conn =
		wt_transport_end_dial(&rig->dialler, 0, &rig->setup->at, &status, &err);

	if (!conn)
		return wt_transport_rig_missed(rig, WT_FAULT_FAILED, "dial: %s", err.text);
	rig->acceptor.host->accept = WT_ERR_LIMIT;
	if (WT_RIG_UNTIL(rig, conn->connected || conn->ended) && conn->connected) {
		wt_line_free(&rig->out);
		if (!wt_line_init(&rig->out, &rig->dialler, conn, true))
			return wt_find(rig->note, WT_FAULT_FAILED, "no memory");
		wt_line_want(&rig->out, 1);
	}
	if (!WT_RIG_UNTIL(rig, conn->ended))
		return wt_transport_rig_missed(rig, WT_FAULT_END_NEVER,
					       "a core that refuses a connection%s, and the "
					       "dialler is not told",
					       rig->acceptor.host->refused ? "" : " was not asked");
	wt_transport_end_close_conn(&rig->dialler, conn, true);
	if (!wt_transport_rig_rest(rig, 3))
		return false;
	if (wt_loop_host_held(rig->acceptor.host) != held)
		return wt_find(rig->note, WT_FAULT_EVENTS,
			       "a connection that the core refuses keeps watches or timers");
	rig->acceptor.host->accept = WT_OK;
	return true;
}

/* Sockets of listen() that the core does not take. */
static bool sockets_are_refused(const struct wt_transport_setup *setup, struct wt_finding *note)
{
	struct wt_transport_end end = { .plugin = NULL };
	struct wt_error err = WT_ERROR_INIT;
	struct wt_end_addresses fresh;
	struct wt_loop loop;
	bool good;

	if (wt_loop_init(&loop, &wt_clock_system, NULL) != WT_OK)
		return wt_find(note, WT_FAULT_FAILED, "no event loop");
	good = wt_end_addresses_find(&fresh, &setup->loaded->plugin, setup->table->acceptor,
				     note) &&
	       wt_transport_end_open(&end, setup->loaded, setup->table->acceptor, &fresh, &loop, 1,
				     note);
	if (good) {
		end.host->accept = WT_ERR_LIMIT;
		if (wt_transport_end_listen(&end, &err) == WT_OK)
			good = wt_find(note, WT_FAULT_LISTEN,
				       "it says WT_OK although the core took no socket");
		else if (wt_loop_host_held(end.host) > 0)
			good = wt_find(note, WT_FAULT_LISTEN,
				       "sockets that the core did not take stay open");
	}
	wt_transport_end_free(&end);
	wt_loop_fini(&loop);
	return good;
}

WT_TRANSPORT_CHECK(wt_check_refusal)
{
	struct wt_transport_rig rig;
	bool good = wt_transport_rig_open(&rig, setup, note);

	if (good && wt_transport_end_is_stream(&rig.acceptor))
		for (int i = 0; good && i < 3; i++)
			good = stream_is_refused(&rig);
	else if (good)
		good = sockets_are_refused(setup, note);
	/* And the next one is welcome. */
	if (good)
		good = wt_transport_rig_connect(&rig, &setup->at);
	if (good) {
		wt_line_want(&rig.out, 10);
		wt_line_want(&rig.in, 10);
		good = wt_transport_rig_exchange(&rig);
	}
	return wt_found_unless(wt_transport_rig_close(&rig, good));
}

/* ---- two instances -------------------------------------------------------- */

static bool both_carry(struct wt_transport_rig *a, struct wt_transport_rig *b)
{
	struct wt_transport_rig *rigs[] = { a, b };

	for (size_t i = 0; i < 2; i++) {
		wt_line_want(&rigs[i]->out, 20);
		wt_line_want(&rigs[i]->in, 20);
	}
	return wt_transport_rig_exchange(a) && wt_transport_rig_exchange(b);
}

WT_TRANSPORT_CHECK(wt_check_two_instances)
{
	struct wt_transport_setup other = *setup;
	struct wt_transport_rig a, b = { .setup = NULL };
	bool good = wt_transport_rig_open(&a, setup, note);

	if (good)
		good = wt_end_addresses_find(&other.addresses, &setup->loaded->plugin,
					     setup->table->acceptor, note);
	for (size_t i = 0; i < other.addresses.count; i++)
		if (other.addresses.at[i].ss_family == setup->at.ss_family) {
			other.listens = other.addresses.at[i];
			*wt_netspace_port_of(&other.at) = *wt_netspace_port_of(&other.listens);
		}
	bool opened = good && wt_transport_rig_open(&b, &other, note);

	good = opened && wt_transport_rig_connect(&a, &setup->at) &&
	       wt_transport_rig_connect(&b, &other.at) && both_carry(&a, &b);
	good = wt_transport_rig_close(&a, good);
	if (good) {
		wt_line_want(&b.out, 20);
		wt_line_want(&b.in, 20);
		good = wt_transport_rig_exchange(&b);
		if (!good && note->fault >= WT_FAULT_RECORD_CUT) {
			struct wt_finding why = *note;

			wt_find(note, WT_FAULT_LIFE, "when one of two instances has ended: %s",
				why.text);
		}
	}
	if (opened || b.setup)
		good = wt_transport_rig_close(&b, good);
	return wt_found_unless(good);
}

/* ---- nothing stays -------------------------------------------------------- */

static bool come_and_go(struct wt_transport_rig *rig, unsigned round)
{
	if (!wt_transport_rig_connect(rig, &rig->setup->at))
		return false;
	wt_transport_rig_set_max(rig, WT_RECORD_MAX);
	rig->out.len = rig->in.len = wt_line_middling;
	wt_line_want(&rig->out, 6);
	wt_line_want(&rig->in, 6);
	if (round % 3 != 2 && !wt_transport_rig_exchange(rig))
		return false;
	wt_line_close(&rig->out, round % 2);
	if (rig->in.stream && round % 4 < 2 && !WT_RIG_UNTIL(rig, rig->in.conn->ended))
		return wt_transport_rig_missed(rig, WT_FAULT_END_NEVER,
					       "the other end closed its connection");
	if (rig->in.stream)
		wt_line_close(&rig->in, round % 2);
	wt_line_free(&rig->out);
	wt_line_free(&rig->in);
	if (!wt_transport_rig_rest(rig, 1))
		return false;
	wt_loop_host_forget(rig->dialler.host);
	wt_loop_host_forget(rig->acceptor.host);
	return true;
}

WT_TRANSPORT_CHECK(wt_check_churn)
{
	const unsigned warm_up = 12, rounds = setup->level >= 3 ? 1000 : 60;
	struct wt_usage before = wt_usage_now();
	struct wt_transport_rig rig;
	size_t held = 0;
	bool good = wt_transport_rig_open(&rig, setup, note);

	for (unsigned i = 0; good && i < warm_up + rounds; i++) {
		if (i == warm_up) {
			before = wt_usage_now();
			held = wt_loop_host_held(rig.dialler.host) +
			       wt_loop_host_held(rig.acceptor.host);
		}
		good = come_and_go(&rig, i);
	}
	if (good && wt_loop_host_held(rig.dialler.host) + wt_loop_host_held(rig.acceptor.host) >
			    held + rounds / 2)
		good = wt_find(note, WT_FAULT_EVENTS,
			       "watches or timers of connections that are over stay");
	good = good && wt_usage_kept(&before, rounds, "connections", note);
	return wt_found_unless(wt_transport_rig_close(&rig, good));
}

/* ---- no memory ------------------------------------------------------------ */

/* A connection while allocation n fails, or watch and timer n of a host. It may come
 * to nothing; it must not crash, hang or keep anything. *reached: one has failed. */
static bool scarce_connection(struct wt_transport_rig *rig, uint64_t n, struct wt_loop_host *host,
			      bool *reached)
{
	struct wt_error err = WT_ERROR_INIT;
	enum wt_status status;
	struct wt_loop_conn *conn;
	bool good = true;

	if (host)
		host->allowance = (int)n - 1;
	else
		wt_heap_fail(n);
	conn = wt_transport_end_dial(&rig->dialler, 0, &rig->setup->at, &status, &err);
	if (conn && !WT_RIG_UNTIL(rig, conn->connected || conn->ended))
		good = wt_transport_rig_missed(rig, WT_FAULT_END_NEVER,
					       "of a dial when allocation %llu fails",
					       (unsigned long long)n);
	if (!conn && err.text[0] == '\0')
		good = wt_find(rig->note, WT_FAULT_END_SILENT,
			       "dial() fails without words when allocation %llu does",
			       (unsigned long long)n);
	if (good && conn && conn->connected && !conn->ended) {
		wt_line_free(&rig->out);
		good = wt_line_init(&rig->out, &rig->dialler, conn, true) ||
		       !wt_transport_rig_found(rig);
		if (rig->out.seen)
			wt_line_want(&rig->out, 3);
		good = good && wt_transport_rig_rest(rig, 10);
	}
	*reached = host ? host->allowance == 0 : wt_heap_failed();
	wt_heap_fail(0);
	if (host)
		host->allowance = -1;
	if (conn)
		wt_transport_end_close_conn(&rig->dialler, conn, true);
	if (good && wt_transport_end_is_stream(&rig->acceptor) &&
	    !WT_RIG_UNTIL(rig, wt_check_open_visitors(rig, 0) == 0))
		good = wt_transport_rig_missed(rig, WT_FAULT_END_NEVER,
					       "who dialled is gone, when allocation %llu fails",
					       (unsigned long long)n);
	good = good && wt_transport_rig_rest(rig, 2);
	wt_line_free(&rig->out);
	wt_loop_host_forget(rig->dialler.host);
	wt_loop_host_forget(rig->acceptor.host);
	return good;
}

static bool is_well(struct wt_transport_rig *rig)
{
	if (!wt_transport_rig_connect(rig, &rig->setup->at))
		return false;
	wt_line_want(&rig->out, 10);
	wt_line_want(&rig->in, 10);
	if (!wt_transport_rig_exchange(rig))
		return false;
	wt_line_close(&rig->out, true);
	if (rig->in.stream)
		wt_line_close(&rig->in, true);
	return wt_transport_rig_rest(rig, 2);
}

static bool survives(struct wt_transport_rig *rig, struct wt_loop_host *host, const char *what)
{
	const unsigned repeat = 6;
	bool reached = true;

	if (wt_transport_end_is_stream(&rig->acceptor))
		wt_check_expect_visitors(rig);
	for (uint64_t n = 1; reached && n < 200; n++) {
		struct wt_usage before = { 0 };

		for (unsigned i = 0; i < 1 + repeat; i++) {
			if (i == 1)
				before = wt_usage_now();
			if (!scarce_connection(rig, n, host, &reached))
				return false;
			if (!reached)
				break;
		}
		if (!reached || wt_usage_kept(&before, repeat, "times", rig->note))
			continue;
		struct wt_finding why = *rig->note;

		return wt_find(rig->note, why.fault, "%s %llu failed: %s", what,
			       (unsigned long long)n, why.text);
	}
	rig->acceptor.host->on_accepted = NULL;
	if (is_well(rig))
		return true;
	return wt_transport_rig_missed(rig, WT_FAULT_ALLOCATION,
				       "when it is over, nobody comes "
				       "in");
}

WT_TRANSPORT_CHECK(wt_check_memory)
{
	struct wt_transport_rig rig;
	bool good = wt_transport_rig_open(&rig, setup, note) && is_well(&rig) &&
		    survives(&rig, rig.dialler.host, "watch or timer of a dialler") &&
		    survives(&rig, rig.acceptor.host, "watch or timer of an acceptor");

	if (good && wt_heap_can_fail())
		good = survives(&rig, NULL, "allocation");
	return wt_found_unless(wt_transport_rig_close(&rig, good));
}
