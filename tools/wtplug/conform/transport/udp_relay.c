/* SPDX-License-Identifier: MIT */
#include "conform/transport/udp_relay.h"

#include <string.h>
#include <unistd.h>

#include "conform/transport/netspace.h"

/* Steps after which what was held back goes in any case. */
#define QUIET_STEPS 3u

bool wt_udp_relay_open(struct wt_udp_relay *relay, const struct sockaddr_storage *target)
{
	socklen_t len = wt_netspace_len(target);

	memset(relay, 0, sizeof *relay);
	relay->target = relay->at = *target;
	*wt_netspace_port_of(&relay->at) = 0;
	relay->near = socket(target->ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	relay->far = socket(target->ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (relay->near >= 0 && relay->far >= 0 &&
	    bind(relay->near, (struct sockaddr *)&relay->at, len) == 0 &&
	    getsockname(relay->near, (struct sockaddr *)&relay->at, &len) == 0 &&
	    connect(relay->far, (const struct sockaddr *)target, len) == 0)
		return true;
	wt_udp_relay_close(relay);
	return false;
}

void wt_udp_relay_close(struct wt_udp_relay *relay)
{
	/* Descriptor 0 is never one of these. */
	if (relay->near > 0)
		close(relay->near);
	if (relay->far > 0)
		close(relay->far);
	relay->near = relay->far = -1;
}

static uint32_t dice(struct wt_udp_relay *relay, uint32_t below)
{
	/* Marsaglia's xorshift64, "Xorshift RNGs" (2003), triple 13, 7, 17. */
	relay->state ^= relay->state << 13;
	relay->state ^= relay->state >> 7;
	relay->state ^= relay->state << 17;
	return (uint32_t)((relay->state >> 32) % below);
}

static void hand_on(struct wt_udp_relay *relay, const uint8_t *bytes, size_t len, bool forth)
{
	ssize_t n = forth ? send(relay->far, bytes, len, MSG_DONTWAIT)
			  : sendto(relay->near, bytes, len, MSG_DONTWAIT,
				   (const struct sockaddr *)&relay->dialler,
				   wt_netspace_len(&relay->dialler));

	if (n >= 0)
		(*(forth ? &relay->forth : &relay->back))++;
}

static void release(struct wt_udp_relay *relay)
{
	const struct wt_udp_late *late = &relay->late[--relay->late_count];

	hand_on(relay, late->bytes, late->len, late->forth);
}

static void pass(struct wt_udp_relay *relay, const uint8_t *bytes, size_t len, bool forth)
{
	uint32_t fate = relay->state ? dice(relay, 10) : 9;

	if (fate < 2)
		return;
	if (fate < 4 && relay->late_count < WT_UDP_RELAY_LATE) {
		struct wt_udp_late *late = &relay->late[relay->late_count++];

		memcpy(late->bytes, bytes, len);
		late->len = len;
		late->forth = forth;
		return;
	}
	hand_on(relay, bytes, len, forth);
	if (fate < 6)
		hand_on(relay, bytes, len, forth);
	if (fate == 6 && relay->late_count > 0)
		release(relay);
}

bool wt_udp_relay_step(void *arg)
{
	struct wt_udp_relay *relay = arg;
	uint8_t bytes[WT_UDP_RELAY_BYTES];
	socklen_t size = sizeof relay->dialler;
	bool moved = false;
	ssize_t n;

	while ((n = recvfrom(relay->near, bytes, sizeof bytes, MSG_DONTWAIT,
			     (struct sockaddr *)&relay->dialler, &size)) >= 0) {
		relay->came++;
		pass(relay, bytes, (size_t)n, true);
		moved = true;
	}
	while ((n = recv(relay->far, bytes, sizeof bytes, MSG_DONTWAIT)) >= 0) {
		pass(relay, bytes, (size_t)n, false);
		moved = true;
	}
	relay->quiet = moved ? 0 : relay->quiet + 1;
	if (relay->quiet < QUIET_STEPS || relay->late_count == 0)
		return moved;
	while (relay->late_count > 0)
		release(relay);
	return true;
}
