/* SPDX-License-Identifier: MIT
 *
 * packet_relay: a cable between two network devices that loses, repeats, holds back, alters, delays
 * and readdresses packets, as told. tests/e2e/harness/packet_relay.py is its other half and says
 * what it may be told.
 *
 *   packet_relay [--seed N] [--packets N] DEVICE DEVICE
 *
 * One thread: receive what is there, send what is due, sleep until one of both is to be done again.
 */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S UINT64_C(1000000000)
#define PACKETS_DEFAULT 32768u /* 20 ms at 20 Gbit/s of 1500 bytes */
#define PACKETS_MAX (1u << 20)
#define LOOK_NS                                                                                    \
	UINT64_C(100000000) /* how often an open "wait" is looked at when nothing happens          \
			     */

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* What standard input brought; false at its end. */
static bool read_commands(struct relay *relay)
{
	static char buffer[1024];
	static size_t used;
	ssize_t got = read(STDIN_FILENO, buffer + used, sizeof(buffer) - used);
	if (got <= 0)
		return got < 0 && (errno == EAGAIN || errno == EINTR);
	used += (size_t)got;
	for (char *end; (end = memchr(buffer, '\n', used));) {
		size_t line = (size_t)(end - buffer) + 1;
		*end = '\0';
		command_run(relay, buffer, now());
		used -= line;
		memmove(buffer, buffer + line, used);
	}
	return used < sizeof(buffer);
}

/* One turn of all that can be done now. Returns what was done, -1 when a device is gone. */
static int turn(struct relay *relay)
{
	int done = 0;
	for (int i = 0; i < WAYS; i++) {
		int got = way_receive(&relay->ways[i], &relay->translation, now());
		if (got < 0 && errno != ENETDOWN)
			return -1;
		done += got > 0 ? got : 0;
	}
	for (int i = 0; i < WAYS; i++)
		done += (int)way_send(&relay->ways[i], now());
	return done;
}

/* Until a frame or a command comes or a packet is due. */
static int sleep_until_due(struct relay *relay, bool *command)
{
	struct pollfd fds[] = {
		{ .fd = relay->ways[WAY_UP].from->fd, .events = POLLIN },
		{ .fd = relay->ways[WAY_DOWN].from->fd, .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
	};
	uint64_t start = now(), next = relay->awaited ? start + LOOK_NS : UINT64_MAX;
	for (int i = 0; i < WAYS; i++) {
		uint64_t due = way_next_ns(&relay->ways[i]);
		next = due < next ? due : next;
	}
	uint64_t left = next > start ? next - start : 0;
	struct timespec timeout = { .tv_sec = (time_t)(left / NS_PER_S),
				    .tv_nsec = (long)(left % NS_PER_S) };
	int ready = ppoll(fds, 3, next == UINT64_MAX ? NULL : &timeout, NULL);
	*command = ready > 0 && fds[2].revents;
	return ready < 0 && errno != EINTR ? -1 : 0;
}

static int run(struct relay *relay)
{
	unsigned turns = 0;
	puts("ready");
	for (;;) {
		bool command = false;
		int done = turn(relay);
		if (done < 0)
			return -1;
		/* Commands are looked at under load, too. */
		if (done > 0 && ++turns % 64)
			continue;
		command_poll(relay, now());
		if (done > 0)
			command = true;
		else if (sleep_until_due(relay, &command))
			return -1;
		if (command && !read_commands(relay))
			return 0;
	}
}

static bool option(const char *text, uint64_t max, uint64_t *value)
{
	char *end;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return !errno && *text && !*end && *value <= max;
}

int main(int argc, char **argv)
{
	static struct relay relay;
	static struct leg legs[WAYS];
	uint64_t seed = 1, packets = PACKETS_DEFAULT;
	uint32_t capacity = 1;
	int at = 1;
	for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2) {
		bool is_seed = strcmp(argv[at], "--seed") == 0;
		if (!is_seed && strcmp(argv[at], "--packets"))
			break;
		if (!option(argv[at + 1], is_seed ? UINT64_MAX : PACKETS_MAX,
			    is_seed ? &seed : &packets))
			break;
	}
	if (argc - at != WAYS || packets == 0) {
		fprintf(stderr, "usage: packet_relay [--seed N] [--packets N] DEVICE DEVICE\n");
		return 2;
	}
	while (capacity < packets)
		capacity *= 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	prctl(PR_SET_TIMERSLACK, 1);
	for (int i = 0; i < WAYS; i++) {
		if (leg_open(&legs[i], argv[at + i]))
			return 1;
	}
	for (int i = 0; i < WAYS; i++) {
		struct way *way = &relay.ways[i];
		if (way_init(way, &legs[i], &legs[WAYS - 1 - i], capacity,
			     seed * WAYS + (uint64_t)i)) {
			fprintf(stderr, "packet_relay: no memory for %u packets\n", capacity);
			return 1;
		}
		way->inbound = i == WAY_DOWN;
	}
	fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	if (run(&relay)) {
		fprintf(stderr, "packet_relay: %s\n", strerror(errno));
		return 1;
	}
	return 0;
}
