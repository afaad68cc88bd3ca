/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "config/sockaddr.h"
#include "conform/transport/check.h"
#include "conform/transport/netspace.h"
#include "conform/transport/udp_relay.h"

/* ---- a network that loses ------------------------------------------------- */

/* Whatever the relay handed on arrives, whole and as often as that. */
static bool arrives_as_handed_on(struct wt_transport_rig *rig, struct wt_udp_relay *relay)
{
	for (int i = 0; i < 20; i++) {
		rig->in.path = rig->in.from;
		wt_line_want(&rig->out, 20);
		wt_line_want(&rig->in, 20);
		if (!WT_RIG_UNTIL(rig, wt_line_is_sent(&rig->out) && wt_line_is_sent(&rig->in)) ||
		    !wt_transport_rig_rest(rig, 6))
			return wt_transport_rig_missed(rig, WT_FAULT_RECORD_LOST,
						       "records cannot be sent");
		if (!WT_RIG_UNTIL(rig, relay->late_count == 0 && rig->in.got == relay->forth &&
					       rig->out.got == relay->back))
			return wt_transport_rig_missed(
				rig,
				rig->in.got > relay->forth || rig->out.got > relay->back
					? WT_FAULT_RECORD_TWICE
					: WT_FAULT_RECORD_LOST,
				"of %u and %u datagrams that a network delivers, %u and %u come to "
				"the ends",
				relay->forth, relay->back, rig->in.got, rig->out.got);
	}
	return true;
}

WT_TRANSPORT_CHECK(wt_check_datagram_network)
{
	struct wt_udp_relay relay = { .near = -1, .far = -1 };
	struct wt_transport_rig rig;
	bool good = wt_transport_rig_open(&rig, setup, note);

	if (good && !wt_udp_relay_open(&relay, &setup->at))
		good = wt_find(note, WT_FAULT_FAILED, "no sockets for the tester's relay");
	if (good) {
		rig.steps[rig.step_count++] = (struct wt_rig_step){ wt_udp_relay_step, &relay };
		good = wt_transport_rig_connect(&rig, &relay.at);
	}
	if (good) {
		relay.state = setup->seed * 2u + UINT64_C(0x9e3779b97f4a7c15);
		rig.out.len = rig.in.len = wt_line_middling;
		good = arrives_as_handed_on(&rig, &relay);
	}
	good = wt_transport_rig_close(&rig, good);
	wt_udp_relay_close(&relay);
	if (good || relay.came > 0)
		return wt_found_unless(good);
	*note = (struct wt_finding){ .fault = WT_FAULT_NONE };
	wt_find(note, WT_FAULT_NONE, "its carrier is not UDP: the tester's relay got nothing");
	return WT_SKIPPED;
}

/* ---- paths ---------------------------------------------------------------- */

#define SOURCES 24u
#define EACH 100u /* numbers of one of them */

/* Many diallers at one socket. */
struct crowd {
	struct wt_transport_rig *rig;
	struct wt_line lines[SOURCES];
	struct wt_path paths[SOURCES];
	bool known[SOURCES];
	uint32_t answers;
};

static bool same_path(const struct wt_path *a, const struct wt_path *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

/* At the acceptor: whose number it is, and by which path it came. */
static void note_path(struct wt_line *line, uint32_t number, const struct wt_path *path)
{
	struct crowd *crowd = line->arg;
	const uint32_t k = (number - line->in_from) / EACH;

	if (k >= SOURCES)
		return;
	if (crowd->known[k] && !same_path(&crowd->paths[k], path))
		wt_loop_host_found(line->end->host, WT_FAULT_PATHS,
				   "two records of one source have two paths");
	for (uint32_t other = 0; other < SOURCES; other++)
		if (other != k && crowd->known[other] && same_path(&crowd->paths[other], path))
			wt_loop_host_found(line->end->host, WT_FAULT_PATHS,
					   "records of two sources have one path");
	crowd->known[k] = true;
	crowd->paths[k] = *path;
}

/* At a dialler: is it for this one? */
static void note_answer(struct wt_line *line, uint32_t number, const struct wt_path *path)
{
	const uint32_t k = (line->out_from / EACH) % SOURCES;

	(void)path;
	if ((number - line->in_from) / EACH % SOURCES != k)
		wt_loop_host_found(line->end->host, WT_FAULT_PATHS,
				   "an answer comes to another than it was sent to by its path");
}

/* Answers go round: the paths of one send() differ. */
static void route(struct wt_line *line, uint32_t *number, struct wt_path *path)
{
	const struct crowd *crowd = line->arg;
	const uint32_t k = line->made % SOURCES;

	*number = line->out_from + k * EACH + line->made / SOURCES % EACH;
	*path = crowd->paths[k];
}

static bool crowd_gather(struct crowd *crowd)
{
	struct wt_transport_rig *rig = crowd->rig;
	struct wt_error err = WT_ERROR_INIT;

	for (uint32_t k = 0; k < SOURCES; k++) {
		enum wt_status status;
		struct wt_loop_conn *conn =
			wt_transport_end_dial(&rig->dialler, 0, &rig->setup->at, &status, &err);

		if (!conn)
			return wt_transport_rig_missed(rig, WT_FAULT_FAILED, "dial: %s", err.text);
		if (!WT_RIG_UNTIL(rig, conn->connected))
			return wt_transport_rig_missed(rig, WT_FAULT_END_NEVER, "of a dial");
		if (!wt_line_init(&crowd->lines[k], &rig->dialler, conn, true))
			return wt_find(rig->note, WT_FAULT_FAILED, "no memory");
		crowd->lines[k].out_from = k * EACH;
		crowd->lines[k].on_record = note_answer;
		crowd->lines[k].arg = crowd;
	}
	return true;
}

static bool crowd_speaks(struct crowd *crowd, uint32_t rounds)
{
	struct wt_transport_rig *rig = crowd->rig;
	const uint32_t before = rig->in.got;

	for (uint32_t round = 0; round < rounds; round++)
		for (uint32_t k = 0; k < SOURCES; k++) {
			wt_line_want(&crowd->lines[k], 1);
			wt_line_push(&crowd->lines[k]);
		}
	return WT_RIG_UNTIL(rig, rig->in.got - before >= rounds * SOURCES) ||
	       wt_transport_rig_missed(rig, WT_FAULT_RECORD_LOST,
				       "%u of %u records of %u sources arrive",
				       rig->in.got - before, rounds * SOURCES, SOURCES);
}

static uint32_t answers_of(const struct crowd *crowd)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < SOURCES; k++)
		n += crowd->lines[k].got;
	return n;
}

/* source() and the path belong to the same one. */
static bool sources_are_told(struct crowd *crowd)
{
	struct wt_transport_rig *rig = crowd->rig;
	struct wt_source before;

	for (uint32_t k = 0; k < SOURCES; k++) {
		struct wt_source source;
		struct sockaddr_storage local;
		char text[WT_NETSPACE_TEXT];

		wt_transport_end_source(&rig->acceptor, rig->in.conn, &crowd->paths[k], &source);
		if (k > 0 && !wt_check_differ(rig, &before, &source))
			return false;
		before = source;
		if (wt_transport_end_local(&rig->dialler, crowd->lines[k].conn, NULL, &local) !=
		    WT_OK)
			return true;
		wt_netspace_text(&local, text);
		if (strcmp(text, source.text) != 0)
			return wt_transport_rig_missed(
				rig, WT_FAULT_SOURCE,
				"a record of %s came by a path whose source() is \"%.80s\"", text,
				source.text);
	}
	return true;
}

/* answer() goes where send() would, one message at a time. */
static bool answers_lead_back(struct crowd *crowd)
{
	struct wt_transport_rig *rig = crowd->rig;
	uint8_t message[WT_UNAUTHENTICATED_MAX];

	for (uint32_t k = 0; k < SOURCES; k++) {
		const uint32_t number = rig->in.out_from + k * EACH + EACH - 1u;
		const uint32_t len = rig->in.len(number), before = answers_of(crowd);
		enum wt_status status;

		wt_line_fill(message, len, number);
		status = wt_transport_end_answer(&rig->acceptor, rig->in.conn, &crowd->paths[k],
						 message, len);
		if (status == WT_ERR_UNSUPPORTED)
			return true; /* it is optional */
		if (status != WT_OK)
			return wt_transport_rig_missed(rig, WT_FAULT_FAILED, "answer() says \"%s\"",
						       wt_status_text(status));
		if (!WT_RIG_UNTIL(rig, answers_of(crowd) > before))
			return wt_transport_rig_missed(rig, WT_FAULT_PATHS,
						       "an answer() of %u bytes does not arrive",
						       len);
	}
	return true;
}

static bool paths_lead_back(struct crowd *crowd)
{
	struct wt_transport_rig *rig = crowd->rig;

	if (!wt_transport_rig_connect(rig, &rig->setup->at) || !crowd_gather(crowd))
		return false;
	rig->in.arg = crowd;
	rig->in.on_record = note_path;
	/* The number of the record that connected is the first one's. */
	crowd->lines[0].made = crowd->lines[0].wanted = 1;
	if (!crowd_speaks(crowd, 4) || !sources_are_told(crowd))
		return false;
	rig->in.route = route;
	rig->in.batch = WT_LINE_BATCH;
	for (int round = 0; round < 4; round++) {
		const uint32_t before = answers_of(crowd);

		wt_line_want(&rig->in, SOURCES);
		if (!WT_RIG_UNTIL(rig, answers_of(crowd) - before >= SOURCES))
			return wt_transport_rig_missed(rig, WT_FAULT_PATHS,
						       "%u of %u answers by path arrive",
						       answers_of(crowd) - before, SOURCES);
	}
	return answers_lead_back(crowd);
}

WT_TRANSPORT_CHECK(wt_check_datagram_paths)
{
	static struct crowd crowd;
	struct wt_transport_rig rig;
	bool good = wt_transport_rig_open(&rig, setup, note);

	memset(&crowd, 0, sizeof crowd);
	crowd.rig = &rig;
	good = good && paths_lead_back(&crowd);
	for (size_t k = 0; k < SOURCES; k++) {
		wt_line_close(&crowd.lines[k], false);
		wt_line_free(&crowd.lines[k]);
	}
	return wt_found_unless(wt_transport_rig_close(&rig, good));
}

/* ---- nobody there --------------------------------------------------------- */

WT_TRANSPORT_CHECK(wt_check_datagram_nobody)
{
	struct sockaddr_storage nobody = setup->at;
	struct wt_error err = WT_ERROR_INIT;
	struct wt_loop_conn *conn = NULL;
	struct wt_transport_rig rig;
	enum wt_status status;
	struct wt_line line = { .end = NULL };
	bool good = wt_transport_rig_open(&rig, setup, note);

	*wt_netspace_port_of(&nobody) = wt_netspace_port(&nobody);
	if (good)
		conn = wt_transport_end_dial(&rig.dialler, 0, &nobody, &status, &err);
	if (good && !conn)
		good = wt_transport_rig_missed(&rig, WT_FAULT_FAILED, "dial: %s", err.text);
	if (good && !WT_RIG_UNTIL(&rig, conn->connected || conn->ended))
		good = wt_transport_rig_missed(&rig, WT_FAULT_END_NEVER, "of a dial");
	if (good && !wt_line_init(&line, &rig.dialler, conn, true))
		good = wt_find(note, WT_FAULT_FAILED, "no memory");
	for (int i = 0; good && i < 12; i++) {
		wt_line_want(&line, 4);
		wt_line_push(&line);
		good = wt_transport_rig_rest(&rig, 3);
		if (good && (conn->ended || line.broken ||
			     (line.status != WT_OK && line.status != WT_AGAIN)))
			good = wt_find(note, WT_FAULT_NETWORK_ENDS, "where nobody listens: %s",
				       conn->ended   ? conn->text
				       : line.broken ? "send() says that it is over"
						     : "recv() says that it is over");
	}
	if (good && !wt_line_is_sent(&line))
		good = wt_find(note, WT_FAULT_WRITABLE_NEVER,
			       "where nobody listens, send() takes no more");
	wt_line_close(&line, false);
	wt_line_free(&line);
	/* Another way is none the worse for it. */
	if (good && wt_transport_rig_connect(&rig, &setup->at)) {
		wt_line_want(&rig.out, 10);
		wt_line_want(&rig.in, 10);
		good = wt_transport_rig_exchange(&rig);
	}
	return wt_found_unless(wt_transport_rig_close(&rig, good));
}

/* ---- strangers ------------------------------------------------------------ */

/* Numbers that only a stranger uses, and how long his records are. */
#define STRANGE 8000u
#define STRANGE_SIZE 65507u

static uint32_t stranger_is_long(uint32_t number)
{
	return number % 0x40000000u >= STRANGE ? STRANGE_SIZE : wt_line_small(number);
}

static void note_stranger(struct wt_line *line, uint32_t number, const struct wt_path *path)
{
	(void)path;
	if (number - line->in_from >= STRANGE)
		wt_loop_host_found(line->end->host, WT_FAULT_PATHS,
				   "a dialled connection delivers what another than its remote "
				   "sent");
}

static bool speak(int fd, const struct sockaddr_storage *to, const void *bytes, size_t len)
{
	return sendto(fd, bytes, len, MSG_DONTWAIT, (const struct sockaddr *)to,
		      wt_netspace_len(to)) >= 0;
}

static bool strangers_harm_nobody(struct wt_transport_rig *rig, int fd)
{
	static uint8_t bytes[STRANGE_SIZE];
	static const size_t lengths[] = { 0, 1, 7, 8, 9, 32, 33, 600, 1500, 9000 };
	struct sockaddr_storage dialler;
	struct wt_source source;

	wt_transport_end_source(&rig->acceptor, rig->in.conn, &rig->in.from, &source);
	const bool known = wt_sockaddr_parse(source.text, strnlen(source.text, sizeof source.text),
					     &dialler) == WT_OK;

	rig->in.tolerant = rig->out.tolerant = true;
	rig->in.len = rig->out.len = stranger_is_long;
	rig->out.on_record = note_stranger;
	for (size_t i = 0; i < 3 * (sizeof lengths / sizeof lengths[0]); i++) {
		const uint32_t before = rig->in.got;

		memset(bytes, i % 3 == 0 ? 0x00 : i % 3 == 1 ? 0xff : 0x5a, 10000);
		if (!speak(fd, &rig->setup->at, bytes, lengths[i / 3]))
			continue;
		if (known && i % 3 == 2) {
			wt_line_fill(bytes, STRANGE_SIZE, rig->out.in_from + STRANGE);
			(void)!speak(fd, &dialler, bytes, STRANGE_SIZE);
			(void)!speak(fd, &dialler, bytes, 0);
		}
		wt_line_fill(bytes, STRANGE_SIZE, rig->in.in_from + STRANGE + (uint32_t)i);
		if (!speak(fd, &rig->setup->at, bytes, STRANGE_SIZE))
			continue;
		wt_line_want(&rig->out, 3);
		if (!WT_RIG_UNTIL(rig, rig->in.got >= before + 4))
			return wt_transport_rig_missed(rig, WT_FAULT_RECORD_LOST,
						       "beside a stranger's datagrams of %zu and "
						       "%u bytes, %u of 4 records "
						       "arrive",
						       lengths[i / 3], STRANGE_SIZE,
						       rig->in.got - before);
	}
	if (rig->in.conn->ended || rig->out.conn->ended)
		return wt_find(rig->note, WT_FAULT_NETWORK_ENDS, "behind a stranger's datagrams");
	return true;
}

WT_TRANSPORT_CHECK(wt_check_datagram_strangers)
{
	struct wt_transport_rig rig;
	int fd = socket(setup->at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool good = wt_transport_rig_open(&rig, setup, note) &&
		    wt_transport_rig_connect(&rig, &setup->at);

	if (good && fd < 0)
		good = wt_find(note, WT_FAULT_FAILED, "no socket for the tester");
	good = good && strangers_harm_nobody(&rig, fd);
	if (fd >= 0)
		close(fd);
	return wt_found_unless(wt_transport_rig_close(&rig, good));
}
