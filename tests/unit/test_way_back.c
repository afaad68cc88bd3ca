/* SPDX-License-Identifier: MIT
 *
 * What the way to a host takes, asked of the kernel for a packet's source.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/device.h"
#include "tun/way_back.h"

static void the_way_to_a_source_has_an_mtu(void **state)
{
	static const struct {
		const char *to;
		uint32_t mtu; /* 0: not known */
	} cases[] = {
		{ "10.8.0.2", 1400 },	  { "fd00:8::2", 1400 },
		{ "10.9.1.1", 1400 },			    /* behind a route */
		{ "203.0.113.1", 0 },			    /* no way */
		{ "2001:db8::1", 0 },	  { "fe80::1", 0 }, /* which link, it does not say */
		{ "10.8.0.255", 0 },			    /* nobody's own address */
		{ "255.255.255.255", 0 },
	};
	struct wt_tun tun;

	(void)state;
	wt_device_enter();
	wt_device_open(&tun, "wt0");
	wt_device_configure_well(&tun,
				 &(struct wt_wish){ .addresses = { "10.8.0.1/24", "fd00:8::1/64" },
						    .routes = { "10.9.0.0/16" },
						    .mtu = 1400 });
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint8_t family = strchr(cases[i].to, ':') ? AF_INET6 : AF_INET, address[16];
		uint32_t mtu;

		assert_int_equal(inet_pton(family, cases[i].to, address), 1);
		mtu = wt_way_back_mtu(family, address);
		if (mtu != cases[i].mtu)
			fail_msg("%s: %u, not %u", cases[i].to, mtu, cases[i].mtu);
	}
	wt_tun_close(&tun);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_way_to_a_source_has_an_mtu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
