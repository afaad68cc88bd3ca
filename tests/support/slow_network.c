/* SPDX-License-Identifier: MIT */
#include "support/slow_network.h"

#include <linux/if_tun.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/device.h"
#include "support/rig.h"

int wt_slow_network_enter(void)
{
	int tap;

	wt_device_enter();
	tap = wt_device_plain("tap0", IFF_TAP | IFF_NO_PI, false);
	/* Asking for a long time, so that a slow machine has it too. */
	assert_int_equal(system("ip link set tap0 up && ip address add 10.9.0.1/24 dev tap0 && "
				"ip ntable change name arp_cache dev tap0 mcast_probes 60 "
				"queue 1000"),
			 0);
	return tap;
}

void wt_slow_network_answer(void)
{
	assert_int_equal(system("ip neighbour replace 10.9.0.2 lladdr 02:00:00:00:00:02 dev tap0"),
			 0);
}

void wt_slow_network_silence(void)
{
	assert_int_equal(system("ip neighbour delete 10.9.0.2 dev tap0"), 0);
}

void wt_slow_network_check(int tap, uint32_t segment, uint32_t count)
{
	for (uint32_t next = 0; next < count;) {
		struct pollfd wait = { .fd = tap, .events = POLLIN };
		uint8_t frame[4096];
		ssize_t n;

		assert_int_equal(poll(&wait, 1, (int)WT_LOOP_PATIENCE_MS), 1);
		n = read(tap, frame, sizeof frame);
		/* Ethernet, IPv4 without options, UDP. */
		if (n < 14 + 28 || frame[12] != 8 || frame[13] != 0 || frame[14] != 0x45 ||
		    frame[14 + 9] != IPPROTO_UDP)
			continue;
		assert_int_equal(n, 14 + 28 + segment);
		wt_rig_check(frame + 14 + 28, segment, next++);
	}
}
