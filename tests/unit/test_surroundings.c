/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/netns.h"
#include "tun/surroundings.h"

static int watch_fd;

static int enter(void **state)
{
	struct wt_error err = WT_ERROR_INIT;

	(void)state;
	wt_netns_enter();
	assert_int_equal(wt_surroundings_open(&watch_fd, &err), WT_OK);
	return 0;
}

static int leave(void **state)
{
	(void)state;
	return close(watch_fd);
}

static bool is_readable(void)
{
	struct pollfd p = { .fd = watch_fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* Reads until nothing is left; did anything come? */
static bool changed(void)
{
	bool any = wt_surroundings_read(watch_fd);

	while (is_readable())
		(void)wt_surroundings_read(watch_fd);
	return any;
}

static void nothing_is_nothing(void **state)
{
	(void)state;
	assert_false(is_readable());
	assert_false(wt_surroundings_read(watch_fd));
}

static void links_and_addresses_are_noticed_once(void **state)
{
	(void)state;
	wt_netns_loopback(true); /* link, addresses and routes */
	assert_true(is_readable());
	assert_true(changed());
	assert_false(changed());
	wt_netns_address("lo:1", "192.0.2.1");
	assert_true(changed());
	assert_false(changed());
	wt_netns_loopback(false);
	assert_true(changed());
}

static void news_that_were_too_many_are_news(void **state)
{
	int least = 1;

	(void)state;
	assert_int_equal(setsockopt(watch_fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof least), 0);
	for (int i = 0; i < 100; i++)
		wt_netns_loopback(i % 2 == 0);
	assert_true(changed());
	assert_false(changed());
	wt_netns_loopback(true);
	assert_true(changed());
}

static bool have4(const char *text)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(4433) };

	assert_int_equal(inet_pton(AF_INET, text, &in.sin_addr), 1);
	return wt_surroundings_have((const struct sockaddr *)&in);
}

static bool have6(const char *text)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(4433) };

	assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
	return wt_surroundings_have((const struct sockaddr *)&in6);
}

static void an_address_is_here_while_it_is(void **state)
{
	static const struct sockaddr_storage other = { .ss_family = AF_UNIX };

	(void)state;
	wt_netns_loopback(true);
	assert_true(have4("127.0.0.1"));
	assert_true(have6("::1"));
	assert_false(have4("192.0.2.1"));
	assert_false(have6("2001:db8::1"));
	wt_netns_address("lo:1", "192.0.2.1");
	assert_true(have4("192.0.2.1"));
	/* On lo the whole network of an address is here. */
	wt_netns_address("lo:1", "198.51.100.1");
	assert_false(have4("192.0.2.1"));
	assert_true(have4("198.51.100.1"));
	assert_true(wt_surroundings_have((const struct sockaddr *)&other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_nothing, enter, leave),
		cmocka_unit_test_setup_teardown(links_and_addresses_are_noticed_once, enter, leave),
		cmocka_unit_test_setup_teardown(news_that_were_too_many_are_news, enter, leave),
		cmocka_unit_test_setup_teardown(an_address_is_here_while_it_is, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
