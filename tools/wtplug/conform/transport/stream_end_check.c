/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "config/sockaddr.h"
#include "conform/transport/check.h"
#include "conform/transport/netspace.h"
#include "conform/transport/tcp_relay.h"

/* ---- how an end is told --------------------------------------------------- */

/* The connection of `line` ends, and not because all is well. */
static bool is_told(struct wt_transport_rig *rig, const struct wt_line *line, const char *what)
{
	if (!WT_RIG_UNTIL(rig, line->conn->ended))
		return wt_transport_rig_missed(rig, WT_FAULT_END_NEVER, "%s", what);
	if (line->conn->why == WT_OK || line->conn->why == WT_AGAIN)
		return wt_find(rig->note, WT_FAULT_END_SILENT, "%s: status %d", what,
			       (int)line->conn->why);
	return true;
}

/* Whatever a connection held has come back, and nobody asks for it any more. */
static bool is_gone(struct wt_transport_rig *rig, const char *what)
{
	struct wt_loop_host *hosts[] = { rig->dialler.host, rig->acceptor.host };

	for (size_t i = 0; i < 2; i++)
		if (hosts[i]->slots_out > 0)
			return wt_find(rig->note, WT_FAULT_SLOT_KEPT,
				       "%s: %zu are out after close()", what, hosts[i]->slots_out);
	return wt_transport_rig_rest(rig, 3);
}

static bool close_both(struct wt_transport_rig *rig, const char *what)
{
	wt_line_close(&rig->out, true);
	wt_line_close(&rig->in, true);
	return is_gone(rig, what);
}

/* ---- endings that the network makes --------------------------------------- */

enum ending { RESET_IDLE, RESET_UNREAD, HALF_CLOSE, CUT_RECORD, RESET_BLOCKED, ENDINGS };

static const char *const ending_text[ENDINGS] = {
	[RESET_IDLE] = "a reset",
	[RESET_UNREAD] = "a reset behind records that nobody read yet",
	[HALF_CLOSE] = "one direction is closed behind some records",
	[CUT_RECORD] = "the end comes in the middle of a record",
	[RESET_BLOCKED] = "a reset while send() takes nothing",
};

static uint32_t always_long(uint32_t number)
{
	return 50000u + number % 100u;
}

static bool make_ending(struct wt_transport_rig *rig, struct wt_tcp_relay *relay,
			enum ending ending)
{
	const char *what = ending_text[ending];

	switch (ending) {
	case RESET_IDLE:
		wt_tcp_relay_drop(relay, true);
		break;
	case RESET_UNREAD:
		rig->in.reading = false;
		wt_line_want(&rig->out, 30);
		if (!wt_transport_rig_rest(rig, 10))
			return false;
		wt_tcp_relay_drop(relay, true);
		if (!wt_transport_rig_rest(rig, 5))
			return false;
		rig->in.reading = true;
		break;
	case HALF_CLOSE:
		rig->in.reading = false;
		wt_line_want(&rig->out, 30);
		if (!wt_transport_rig_rest(rig, 10))
			return false;
		wt_tcp_relay_half_close(relay);
		if (!wt_transport_rig_rest(rig, 5))
			return false;
		rig->in.reading = true;
		if (!WT_RIG_UNTIL(rig, rig->in.got == rig->out.wanted))
			return wt_transport_rig_missed(rig, WT_FAULT_TAIL,
						       "%s: %u of %u records are delivered", what,
						       rig->in.got, rig->out.wanted);
		if (!is_told(rig, &rig->in, what))
			return false;
		wt_line_close(&rig->in, false);
		return is_told(rig, &rig->out, what);
	case CUT_RECORD:
		wt_transport_rig_set_max(rig, WT_RECORD_MAX);
		rig->out.len = rig->in.len = always_long;
		relay->stop_after = relay->forth.carried + 3u * 50000u + 777u;
		wt_line_want(&rig->out, 4);
		if (!WT_RIG_UNTIL(rig, rig->in.got == rig->out.wanted - 1))
			return wt_transport_rig_missed(rig, WT_FAULT_RECORD_LOST,
						       "%s: %u records arrive before it", what,
						       rig->in.got);
		wt_tcp_relay_drop(relay, false);
		break;
	case RESET_BLOCKED:
		wt_transport_rig_set_max(rig, WT_RECORD_MAX);
		rig->out.len = rig->in.len = always_long;
		rig->in.reading = false;
		relay->held = true;
		wt_line_want(&rig->out, 600);
		if (!wt_transport_rig_rest(rig, 30))
			return false;
		wt_tcp_relay_drop(relay, true);
		return is_told(rig, &rig->out, what);
	case ENDINGS:
		break;
	}
	return is_told(rig, &rig->out, what) && is_told(rig, &rig->in, what);
}

WT_TRANSPORT_CHECK(wt_check_stream_endings)
{
	struct wt_tcp_relay relay = { .listener = -1 };
	struct wt_transport_rig rig;
	bool good = wt_transport_rig_open(&rig, setup, note) && wt_check_relay_open(&rig, &relay);

	for (int i = 0; good && i < ENDINGS; i++) {
		relay.held = false;
		relay.stop_after = 0;
		good = wt_transport_rig_connect(&rig, &relay.at) &&
		       make_ending(&rig, &relay, (enum ending)i) &&
		       close_both(&rig, ending_text[i]);
		wt_tcp_relay_drop(&relay, true);
	}
	good = wt_transport_rig_close(&rig, good);
	wt_tcp_relay_close(&relay);
	return wt_check_relay_verdict(&relay, good, note);
}

/* ---- endings that the core makes ------------------------------------------ */

/* What was sent before an orderly close() arrives, whether or not there is
 * something to be read at the closing end. */
static bool tail_arrives(struct wt_transport_rig *rig, bool unread)
{
	if (!wt_transport_rig_connect(rig, &rig->setup->at))
		return false;
	rig->out.reading = false;
	if (unread) {
		wt_line_want(&rig->in, 20);
		if (!wt_transport_rig_rest(rig, 5))
			return false;
	}
	rig->in.reading = false;
	wt_line_want(&rig->out, 60);
	if (!WT_RIG_UNTIL(rig, wt_line_is_sent(&rig->out)))
		return wt_transport_rig_missed(rig, WT_FAULT_WRITABLE_NEVER,
					       "60 short records cannot be sent");
	wt_line_close(&rig->out, false);
	rig->in.reading = true;
	if (!WT_RIG_UNTIL(rig, rig->in.got == rig->out.wanted || rig->in.conn->ended) ||
	    rig->in.got != rig->out.wanted)
		return wt_transport_rig_missed(
			rig, WT_FAULT_TAIL, "%u of %u records arrive%s", rig->in.got,
			rig->out.wanted, unread ? ", with unread ones at the closing end" : "");
	return is_told(rig, &rig->in, "the other end closed") && close_both(rig, "the tail");
}

/* close() while send() takes no more. */
static bool blocked_is_closed(struct wt_transport_rig *rig, bool abort)
{
	const char *what = abort ? "an abort with unsent records" : "close() with unsent records";

	if (!wt_transport_rig_connect(rig, &rig->setup->at))
		return false;
	wt_transport_rig_set_max(rig, WT_RECORD_MAX);
	rig->out.len = rig->in.len = always_long;
	rig->in.reading = false;
	wt_line_want(&rig->out, 1600);
	if (!wt_transport_rig_rest(rig, 30))
		return false;
	/* What the transport has not handed to the kernel may be lost. */
	const size_t unsent = rig->dialler.host->slots_out - rig->out.waiting;

	wt_line_close(&rig->out, abort);
	if (rig->dialler.host->slots_out > 0)
		return wt_find(rig->note, WT_FAULT_SLOT_KEPT, "%s: %zu are out after it", what,
			       rig->dialler.host->slots_out);
	rig->in.reading = true;
	if (!is_told(rig, &rig->in, what))
		return false;
	if (!abort && rig->in.got + unsent < rig->out.taken)
		return wt_find(rig->note, WT_FAULT_TAIL,
			       "%s: of %u records that it took, %zu are not sent, and %u arrive",
			       what, rig->out.taken, unsent, rig->in.got);
	return close_both(rig, what);
}

static void close_at_once(struct wt_loop_conn *conn)
{
	struct wt_line *line = conn->arg;

	wt_line_close(line, false);
}

/* close() inside the report that it answers. */
static bool closes_inside(struct wt_transport_rig *rig, bool at_end)
{
	const char *what = at_end ? "close() inside link_ended" : "close() inside link_writable";
	struct wt_line *line = at_end ? &rig->in : &rig->out;

	if (!wt_transport_rig_connect(rig, &rig->setup->at))
		return false;
	if (at_end) {
		rig->in.conn->on_ended = close_at_once;
		wt_line_close(&rig->out, false);
	} else {
		rig->out.conn->on_writable = close_at_once;
		rig->in.reading = false;
		wt_transport_rig_set_max(rig, WT_RECORD_MAX);
		rig->out.len = rig->in.len = always_long;
		wt_line_want(&rig->out, 1600);
		if (!wt_transport_rig_rest(rig, 30))
			return false;
		if (!rig->out.blocked)
			return close_both(rig, what);
		rig->in.reading = true;
	}
	if (!WT_RIG_UNTIL(rig, line->conn->closed))
		return wt_transport_rig_missed(
			rig, at_end ? WT_FAULT_END_NEVER : WT_FAULT_WRITABLE_NEVER,
			"%s never comes to it", what);
	return close_both(rig, what);
}

/* close() of a dial that has not come to anything. */
static bool dial_is_closed(struct wt_transport_rig *rig, bool abort)
{
	struct wt_error err = WT_ERROR_INIT;
	enum wt_status status;
	struct wt_loop_conn *conn =
		wt_transport_end_dial(&rig->dialler, 0, &rig->setup->at, &status, &err);

	if (!conn)
		return wt_transport_rig_missed(rig, WT_FAULT_FAILED, "dial: %s", err.text);
	wt_transport_end_close_conn(&rig->dialler, conn, abort);
	return is_gone(rig, "close() right behind dial()");
}

WT_TRANSPORT_CHECK(wt_check_stream_closing)
{
	struct wt_transport_rig rig;
	bool good = wt_transport_rig_open(&rig, setup, note);

	for (int i = 0; good && i < 2; i++)
		good = tail_arrives(&rig, i == 1) && blocked_is_closed(&rig, i == 1) &&
		       dial_is_closed(&rig, i == 1);
	good = good && wt_check_dial_closes(&rig) && closes_inside(&rig, false) &&
	       closes_inside(&rig, true);
	return wt_found_unless(wt_transport_rig_close(&rig, good));
}

/* ---- dials that come to nothing ------------------------------------------- */

static void close_inside(struct wt_loop_conn *conn)
{
	wt_transport_end_close_conn(conn->arg, conn, true);
}

/* A dial that cannot come to anything: its end is told later than the call, in words;
 * `inside`: and closed in that report. */
static bool comes_to_nothing(struct wt_transport_rig *rig, const struct sockaddr_storage *to,
			     bool inside)
{
	struct wt_error err = WT_ERROR_INIT;
	char text[WT_NETSPACE_TEXT];
	enum wt_status status;
	struct wt_loop_conn *conn = wt_transport_end_dial(&rig->dialler, 0, to, &status, &err);
	bool good = true;

	wt_netspace_text(to, text);
	if (!conn)
		return (err.text[0] != '\0' && !wt_transport_rig_found(rig)) ||
		       wt_transport_rig_missed(rig, WT_FAULT_END_SILENT,
					       "dial() of %s fails without words", text);
	conn->arg = &rig->dialler;
	if (inside)
		conn->on_ended = close_inside;
	if (!WT_RIG_UNTIL(rig, conn->ended))
		good = wt_transport_rig_missed(
			rig, conn->connected ? WT_FAULT_FAILED : WT_FAULT_END_NEVER,
			"of a dial to %s, where nobody is%s", text,
			conn->connected ? ": it is connected" : "");
	else if (conn->why == WT_OK || conn->why == WT_AGAIN)
		good = wt_find(rig->note, WT_FAULT_END_SILENT,
			       "link_ended says that all is well when nobody is at %s", text);
	wt_transport_end_close_conn(&rig->dialler, conn, false);
	return good && is_gone(rig, "a dial to nobody");
}

/* Addresses for examples (RFC 5737, RFC 3849): a network with nothing but lo has no
 * way there. */
static struct sockaddr_storage nowhere(const struct sockaddr_storage *at)
{
	struct sockaddr_storage out = *at;

	if (wt_sockaddr_parse_host(at->ss_family == AF_INET6 ? "2001:db8::1" : "192.0.2.1", &out) !=
	    WT_OK)
		return out;
	*wt_netspace_port_of(&out) = 1;
	return out;
}

WT_TRANSPORT_CHECK(wt_check_stream_refused)
{
	struct sockaddr_storage nobody = setup->at;
	const struct sockaddr_storage far = nowhere(&setup->at);
	struct wt_transport_rig rig;
	bool good = wt_transport_rig_open(&rig, setup, note);

	for (int i = 0; good && i < 2; i++) {
		*wt_netspace_port_of(&nobody) = wt_netspace_port(&nobody);
		good = comes_to_nothing(&rig, &nobody, i == 1) &&
		       (!setup->alone || comes_to_nothing(&rig, &far, i == 1));
	}
	return wt_found_unless(wt_transport_rig_close(&rig, good));
}

/* A socket that listens, and whose queue of connections is full: who dials it gets
 * no answer. */
struct busy {
	int listener, callers[8];
	size_t count;
	struct sockaddr_storage at;
};

static bool busy_open(struct busy *busy, const struct sockaddr_storage *at)
{
	socklen_t len = wt_netspace_len(at);

	*busy = (struct busy){ .at = *at };
	*wt_netspace_port_of(&busy->at) = 0;
	busy->listener = socket(at->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (busy->listener < 0 || bind(busy->listener, (struct sockaddr *)&busy->at, len) < 0 ||
	    listen(busy->listener, 0) < 0 ||
	    getsockname(busy->listener, (struct sockaddr *)&busy->at, &len) < 0)
		return false;
	for (; busy->count < sizeof busy->callers / sizeof busy->callers[0]; busy->count++) {
		int fd = socket(at->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		busy->callers[busy->count] = fd;
		if (fd < 0)
			return false;
		(void)!connect(fd, (struct sockaddr *)&busy->at, len);
	}
	return true;
}

static void busy_close(struct busy *busy)
{
	while (busy->count > 0)
		close(busy->callers[--busy->count]);
	if (busy->listener >= 0)
		close(busy->listener);
}

WT_TRANSPORT_CHECK(wt_check_stream_unanswered)
{
	struct wt_error err = WT_ERROR_INIT;
	struct wt_transport_rig rig;
	struct busy busy = { .listener = -1 };
	bool good = wt_transport_rig_open(&rig, setup, note);

	if (good && !busy_open(&busy, &setup->at))
		good = wt_find(note, WT_FAULT_FAILED, "no sockets for the tester");
	for (int i = 0; good && i < 2; i++) {
		enum wt_status status;
		struct wt_loop_conn *conn =
			wt_transport_end_dial(&rig.dialler, 0, &busy.at, &status, &err);

		/* The others go on meanwhile. */
		good = wt_transport_rig_connect(&rig, &setup->at);
		if (good)
			wt_line_want(&rig.out, 10);
		good = good && wt_transport_rig_exchange(&rig) &&
		       close_both(&rig, "a dial without an answer");
		if (conn)
			wt_transport_end_close_conn(&rig.dialler, conn, i == 1);
		good = good && is_gone(&rig, "a dial without an answer");
	}
	busy_close(&busy);
	return wt_found_unless(wt_transport_rig_close(&rig, good));
}

/* ---- strangers ------------------------------------------------------------ */

static const struct greeting {
	const char *what;
	const char *bytes;
	size_t len, times;
} greetings[] = {
	{ "nothing", "", 0, 0 },
	{ "one byte", "\x01", 1, 1 },
	{ "zeros", "\0\0\0\0\0\0\0\0", 8, 40 },
	{ "ones", "\xff\xff\xff\xff\xff\xff\xff\xff", 8, 400 },
	{ "a length of 513", "\0\0\x02\x01", 4, 1 },
	{ "a length of 64 KB, and it", "\0\0\xff\xff ABCDEFGHIJK", 16, 4096 },
	{ "a negative length", "\x80\0\0\x01", 4, 50 },
	{ "a little-endian length", "\x20\0\0\0", 4, 20 },
	{ "a request of a browser", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 35, 1 },
	{ "noise", "\x13\x37\xba\xad\xf0\x0d\x00\x99\x01\x00\x00\x42\xde\xad\xbe\xef\x7f", 17,
	  300 },
};

static bool greet(struct wt_transport_rig *rig, const struct greeting *greeting, bool reset)
{
	const size_t from = rig->acceptor.host->conn_count;
	int fd = socket(rig->setup->at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&rig->setup->at,
			      wt_netspace_len(&rig->setup->at)) < 0) {
		if (fd >= 0)
			close(fd);
		return wt_find(rig->note, WT_FAULT_NONE, "nobody listens for TCP there");
	}
	for (size_t i = 0; i < greeting->times; i++)
		if (send(fd, greeting->bytes, greeting->len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
	bool good = wt_transport_rig_rest(rig, 3);

	if (reset)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 },
			   sizeof(struct linger));
	close(fd);
	wt_line_want(&rig->out, 5);
	wt_line_want(&rig->in, 5);
	good = good && wt_transport_rig_exchange(rig);
	if (good && !WT_RIG_UNTIL(rig, wt_check_open_visitors(rig, from) == 0))
		good = wt_transport_rig_missed(rig, WT_FAULT_END_NEVER,
					       "a stranger who says %s is gone", greeting->what);
	return good;
}

WT_TRANSPORT_CHECK(wt_check_stream_strangers)
{
	struct wt_transport_rig rig;
	bool good = wt_transport_rig_open(&rig, setup, note) &&
		    wt_transport_rig_connect(&rig, &setup->at);

	if (good)
		wt_check_expect_visitors(&rig);
	for (size_t i = 0; good && i < sizeof greetings / sizeof greetings[0]; i++)
		good = greet(&rig, &greetings[i], false) && greet(&rig, &greetings[i], true);
	good = wt_transport_rig_close(&rig, good);
	return !good && note->fault == WT_FAULT_NONE ? WT_SKIPPED : wt_found_unless(good);
}
