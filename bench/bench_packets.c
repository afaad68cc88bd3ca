/* SPDX-License-Identifier: MIT
 *
 * bench_packets: how many small UDP packets per second a path between two
 * network namespaces carries.
 *
 *	bench_packets FROM_NETNS TO_NETNS TO_ADDRESS SECONDS
 *
 * Each packet has PAYLOAD bytes. Only so many of them are on their way at a
 * time: a sender without a limit would spend the processors on packets that a
 * full queue drops, and what was left over would be measured instead of the
 * path. Which number suits a path best depends on its queues, so several share
 * the time and the best counts. Both ends move BATCH packets a system call, so
 * that they are not the bottleneck. Prints one JSON object.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define PAYLOAD 64
#define BATCH 64
#define WARM_UP_S 0.1
/* Nothing arrived for this long although packets are on their way: lost. */
#define STALL_MS 20

/* How many packets may be on their way; each of these is tried. */
static const uint64_t windows[] = { 16, 48, 128, 384 };
#define WINDOWS (sizeof windows / sizeof windows[0])

struct packet {
	uint64_t sequence;
	uint8_t rest[PAYLOAD - sizeof(uint64_t)];
};

struct path {
	int from, to; /* sockets */
	int room;     /* eventfd: the receiver made room in the window */
	uint64_t window;
	_Atomic uint64_t next;	   /* one more than the highest sequence that arrived */
	_Atomic uint64_t received; /* packets */
	_Atomic bool waiting;	   /* the sender is, for room */
	_Atomic bool over;
};

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* A UDP socket in the namespace `netns`, where the caller stays; -1 and a
 * message on failure. */
static int open_socket(const char *netns)
{
	int ns = open(netns, O_RDONLY | O_CLOEXEC);
	int fd = -1;

	if (ns >= 0 && setns(ns, CLONE_NEWNET) == 0)
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		fprintf(stderr,
			"bench_packets: %s: %s; give the path of a network namespace, as "
			"root\n",
			netns, strerror(errno));
	if (ns >= 0)
		close(ns);
	return fd;
}

/* Everything that waits is taken in one call. */
static void *receive(void *arg)
{
	struct path *path = arg;
	static struct packet packets[BATCH];
	static struct iovec parts[BATCH];
	static struct mmsghdr messages[BATCH];

	for (int i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){ &packets[i], sizeof packets[i] };
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
	}
	while (!path->over) {
		int n = recvmmsg(path->to, messages, BATCH, MSG_WAITFORONE, NULL);
		uint64_t next = path->next;

		for (int i = 0; i < n; i++)
			if (packets[i].sequence >= next)
				next = packets[i].sequence + 1;
		if (n <= 0)
			continue; /* the receive timeout, to see whether it is over */
		path->received += (uint64_t)n;
		path->next = next;
		if (path->waiting && eventfd_write(path->room, 1) < 0)
			break;
	}
	return NULL;
}

/* Wait until half of the window is free; false when all that was on its way
 * has to be given up. */
static bool wait_for_room(struct path *path, uint64_t sent)
{
	struct pollfd wait = { .fd = path->room, .events = POLLIN };
	eventfd_t count;
	bool arrived = true;

	path->waiting = true;
	while (arrived && sent - path->next > path->window / 2) {
		uint64_t before = path->next;

		if (poll(&wait, 1, STALL_MS) > 0)
			(void)eventfd_read(path->room, &count);
		else
			arrived = path->next != before;
	}
	path->waiting = false;
	return arrived;
}

/* Send until `end` (a time of now_s()); returns how many were sent. */
static uint64_t transmit(struct path *path, double end, uint64_t sent)
{
	static struct packet packets[BATCH];
	static struct iovec parts[BATCH];
	static struct mmsghdr messages[BATCH];

	for (int i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){ &packets[i], sizeof packets[i] };
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
	}
	while (now_s() < end) {
		uint64_t under_way = sent - path->next;
		unsigned n = BATCH;

		if (under_way >= path->window) {
			if (!wait_for_room(path, sent))
				path->next = sent;
			continue;
		}
		if (n > path->window - under_way)
			n = (unsigned)(path->window - under_way);
		for (unsigned i = 0; i < n; i++)
			packets[i].sequence = sent + i;
		int done = sendmmsg(path->from, messages, n, 0);

		if (done > 0)
			sent += (unsigned)done;
		else
			poll(NULL, 0, 1); /* a full queue; there is no event for its end */
	}
	return sent;
}

/* Packets per second with `window` of them on their way. Begins and ends with
 * none; *sent goes on. */
static double measure(struct path *path, uint64_t window, double seconds, uint64_t *sent)
{
	path->window = window;
	*sent = transmit(path, now_s() + WARM_UP_S, *sent);
	uint64_t before = path->received;
	double start = now_s();

	*sent = transmit(path, start + seconds, *sent);
	double rate = (double)(path->received - before) / (now_s() - start);

	path->window = 0;
	if (!wait_for_room(path, *sent))
		path->next = *sent;
	return rate;
}

static int measure_all(struct path *path, double seconds)
{
	pthread_t receiver;
	uint64_t sent = 0;
	double best = 0;

	if (pthread_create(&receiver, NULL, receive, path) != 0) {
		fprintf(stderr, "bench_packets: no thread could be made\n");
		return 1;
	}
	printf("{\"by_window\": {");
	for (size_t i = 0; i < WINDOWS; i++) {
		double rate = measure(path, windows[i], seconds / WINDOWS, &sent);

		printf("%s\"%" PRIu64 "\": %.0f", i ? ", " : "", windows[i], rate);
		if (rate > best)
			best = rate;
	}
	path->over = true;
	pthread_join(receiver, NULL);
	printf("}, \"packets_per_s\": %.0f, \"sent\": %" PRIu64 ", \"received\": %" PRIu64 "}\n",
	       best, sent, path->received);
	return 0;
}

static bool prepare(struct path *path, const char *from, const char *to, const char *address)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	struct timeval patience = { .tv_usec = 100000 };
	int buffer = 4 << 20;
	socklen_t len = sizeof at;

	if (inet_pton(AF_INET, address, &at.sin_addr) != 1) {
		fprintf(stderr, "bench_packets: \"%s\" is no IPv4 address\n", address);
		return false;
	}
	path->from = open_socket(from);
	path->to = open_socket(to);
	path->room = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (path->from < 0 || path->to < 0 || path->room < 0)
		return false;
	if (setsockopt(path->to, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0 ||
	    setsockopt(path->to, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) < 0 ||
	    bind(path->to, (struct sockaddr *)&at, sizeof at) < 0 ||
	    getsockname(path->to, (struct sockaddr *)&at, &len) < 0 ||
	    connect(path->from, (struct sockaddr *)&at, sizeof at) < 0) {
		fprintf(stderr, "bench_packets: %s: %s; it must be an address of %s\n", address,
			strerror(errno), to);
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	static struct path path = { .from = -1, .to = -1, .room = -1 };
	double seconds = argc == 5 ? strtod(argv[4], NULL) : 0;

	if (seconds <= 0) {
		fprintf(stderr, "usage: bench_packets FROM_NETNS TO_NETNS TO_ADDRESS SECONDS\n");
		return 2;
	}
	return prepare(&path, argv[1], argv[2], argv[3]) ? measure_all(&path, seconds) : 1;
}
