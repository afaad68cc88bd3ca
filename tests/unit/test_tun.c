/* SPDX-License-Identifier: MIT
 *
 * The life of the device: made, attached to, refused, left behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netlink/route/link/veth.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/device.h"
#include "support/logged.h"
#include "support/netns.h"
#include "tun/tun.h"

#define DEVICE "/dev/net/tun"
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- names and life ---- */

static void names_are_checked(void **state)
{
	static const struct {
		const char *name;
		enum wt_status status;
		const char *text;
	} cases[] = {
		{ "wt0", WT_OK, "" },
		{ "a", WT_OK, "" },
		{ "office-tunnel_1", WT_OK, "" }, /* 15 */
		{ "wt.0", WT_OK, "" },
		{ "", WT_ERR_CONFIG, "0 characters" },
		{ "office-tunnel_16", WT_ERR_CONFIG, "16 characters, allowed are 1 to 15" },
		{ "w t", WT_ERR_CONFIG, "character 2 is not allowed" },
		{ "wt\n", WT_ERR_CONFIG, "character 3 is not allowed" },
		{ "../wt0", WT_ERR_CONFIG, "character 3 is not allowed" },
		{ "wt0:1", WT_ERR_CONFIG, "character 4 is not allowed" },
		{ "wt%d", WT_ERR_CONFIG, "character 3 is not allowed" },
		{ "\"wt\"", WT_ERR_CONFIG, "character 1 is not allowed" },
		{ "wt\xc3\xa9", WT_ERR_CONFIG, "character 3 is not allowed" },
		{ ".", WT_ERR_CONFIG, "reserved" },
		{ "..", WT_ERR_CONFIG, "reserved" },
		{ "all", WT_ERR_CONFIG, "reserved" },
		{ "default", WT_ERR_CONFIG, "reserved" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct wt_error err = WT_ERROR_INIT;
		struct wt_tun tun;

		assert_int_equal(wt_tun_check_name(cases[i].name, &err), cases[i].status);
		assert_non_null(strstr(err.text, cases[i].text));
		if (cases[i].status == WT_OK)
			continue;
		assert_int_equal(wt_tun_open(&tun, cases[i].name, &err), cases[i].status);
		assert_int_equal(tun.fd, -1);
		wt_tun_close(&tun);
	}
}

static void a_created_device_is_ours_and_vanishes(void **state)
{
	struct wt_tun tun;
	struct ifreq flags = { 0 };
	int header = 0;

	(void)state;
	wt_device_enter();
	wt_device_open(&tun, "wt0");
	assert_string_equal(tun.name, "wt0");
	assert_int_equal(tun.ifindex, if_nametoindex("wt0"));
	assert_false(tun.persistent);
	assert_true(fcntl(tun.fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(tun.fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(ioctl(tun.fd, TUNGETIFF, &flags), 0);
	assert_int_equal(flags.ifr_flags & (IFF_TUN | IFF_TAP | IFF_NO_PI | IFF_VNET_HDR |
					    IFF_MULTI_QUEUE | IFF_PERSIST),
			 IFF_TUN | IFF_NO_PI | IFF_VNET_HDR);
	assert_int_equal(ioctl(tun.fd, TUNGETVNETHDRSZ, &header), 0);
	assert_int_equal(header, WT_TUN_HEADER);
	wt_tun_close(&tun);
	assert_int_equal(tun.fd, -1);
	assert_int_equal(if_nametoindex("wt0"), 0);
	wt_tun_close(&tun);
}

/* Tells the parent that it is ready, and waits for its death. */
static void hold_device(int ready)
{
	struct wt_error err = WT_ERROR_INIT;
	struct wt_tun tun;
	struct wt_wish wish = { .addresses = { "10.8.0.1/24" }, .routes = { "10.9.0.0/16" } };

	if (wt_tun_open(&tun, "wt0", &err) == WT_OK &&
	    wt_device_configure(&tun, &wish, &err) == WT_OK && write(ready, "", 1) == 1)
		pause();
	_exit(1);
}

static void a_killed_process_leaves_nothing(void **state)
{
	int ready[2], status;
	struct wt_tun tun;
	pid_t pid;
	char byte;

	(void)state;
	wt_device_enter();
	for (int run = 0; run < 2; run++) {
		assert_int_equal(pipe(ready), 0);
		pid = fork();
		if (pid == 0)
			hold_device(ready[1]);
		close(ready[1]);
		assert_int_equal(read(ready[0], &byte, 1), 1);
		close(ready[0]);
		assert_true(wt_device_has_address("wt0", "10.8.0.1/24"));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(if_nametoindex("wt0"), 0);
		assert_int_equal(wt_device_route_count("wt0", "10.9.0.0/16"), 0);
	}
	wt_device_open(&tun, "wt0");
	wt_tun_close(&tun);
}

/* ---- a persistent device ---- */

/* Sets up a device like wt_tun_configure and dies without undoing it: what the
 * operator's own commands would leave. */
static int set_up_and_leave(void *arg)
{
	struct wt_error err = WT_ERROR_INIT;
	struct wt_tun tun;

	WT_CHILD_CHECK(wt_tun_open(&tun, "wt0", &err) == WT_OK);
	WT_CHILD_CHECK(tun.persistent);
	WT_CHILD_CHECK(wt_device_configure(&tun, arg, &err) == WT_OK);
	return 0;
}

static void a_persistent_device_is_left_as_it_was(void **state)
{
	static struct wt_wish theirs = { .addresses = { "10.7.0.1/24", "fd00:7::1/64" },
					 .routes = { "10.77.0.0/16", "fd00:77::/48" },
					 .mtu = 1400,
					 .txqueuelen = 99 };
	static const struct wt_wish ours = {
		.addresses = { "10.7.0.1/24", "10.8.0.1/24", "fd00:8::1/64" },
		.routes = { "10.77.0.0/16", "10.88.0.0/16", "fd00:77::/48", "fd00:88::/48" },
		.mtu = 1300,
		.txqueuelen = 11
	};
	struct wt_tun tun;

	(void)state;
	wt_device_enter();
	close(wt_device_plain("wt0", IFF_TUN | IFF_NO_PI, true));
	assert_int_equal(wt_child_run(set_up_and_leave, &theirs), 0);
	wt_device_open(&tun, "wt0");
	assert_true(tun.persistent);
	wt_device_configure_well(&tun, &ours);
	assert_int_equal(wt_device_mtu("wt0"), 1300);
	assert_int_equal(wt_device_queue("wt0"), 11);
	assert_true(wt_device_has_address("wt0", "10.7.0.1/24"));
	assert_true(wt_device_has_address("wt0", "10.8.0.1/24"));
	assert_true(wt_device_has_address("wt0", "fd00:8::1/64"));
	assert_int_equal(wt_device_route_count("wt0", "10.77.0.0/16"), 1);
	assert_int_equal(wt_device_route_count("wt0", "10.88.0.0/16"), 1);
	assert_int_equal(wt_device_route_count("wt0", "fd00:77::/48"), 1);
	assert_int_equal(wt_device_route_count("wt0", "fd00:88::/48"), 1);
	wt_tun_close(&tun);

	assert_true(if_nametoindex("wt0") != 0);
	assert_int_equal(wt_device_mtu("wt0"), 1400);
	assert_int_equal(wt_device_queue("wt0"), 99);
	assert_true(wt_device_is_up("wt0"));
	assert_true(wt_device_has_address("wt0", "10.7.0.1/24"));
	assert_true(wt_device_has_address("wt0", "fd00:7::1/64"));
	assert_false(wt_device_has_address("wt0", "10.8.0.1/24"));
	assert_false(wt_device_has_address("wt0", "fd00:8::1/64"));
	assert_int_equal(wt_device_route_count("wt0", "10.77.0.0/16"), 1);
	assert_int_equal(wt_device_route_count("wt0", "10.88.0.0/16"), 0);
	assert_int_equal(wt_device_route_count("wt0", "fd00:77::/48"), 1);
	assert_int_equal(wt_device_route_count("wt0", "fd00:88::/48"), 0);
}

static void a_persistent_device_that_was_down_goes_down_again(void **state)
{
	struct wt_wish wish = { .addresses = { "10.8.0.1/24" }, .routes = { "10.9.0.0/16" } };
	struct wt_tun tun;

	(void)state;
	wt_device_enter();
	close(wt_device_plain("wt0", IFF_TUN | IFF_NO_PI, true));
	for (int run = 0; run < 2; run++) {
		wt_device_open(&tun, "wt0");
		wt_device_configure_well(&tun, &wish);
		assert_true(wt_device_is_up("wt0"));
		wt_tun_close(&tun);
		assert_false(wt_device_is_up("wt0"));
		assert_int_equal(wt_device_address_count("wt0", AF_INET), 0);
	}
}

/* More than one answer of the kernel holds. */
static void many_routes_are_found_again(void **state)
{
	enum { ROUTES = 3000 };
	struct wt_prefix *routes = calloc(ROUTES, sizeof *routes);
	struct wt_tun_network network = { .routes = routes, .route_count = ROUTES, .mtu = 1500 };
	struct wt_error err = WT_ERROR_INIT;
	struct wt_tun first, second;

	(void)state;
	assert_non_null(routes);
	for (unsigned i = 0; i < ROUTES; i++) {
		routes[i] = wt_device_prefix(i % 2 ? "10.9.0.0/32" : "fd00:9::/128");
		routes[i].bytes[2] = (uint8_t)(i >> 8);
		routes[i].bytes[3] = (uint8_t)i;
	}
	wt_device_enter();
	close(wt_device_plain("wt0", IFF_TUN | IFF_NO_PI, true));
	wt_device_open(&first, "wt0");
	assert_int_equal(wt_tun_configure(&first, &network, &err), WT_OK);
	close(first.fd); /* what it changed is undone further down */
	wt_device_open(&second, "wt0");
	assert_int_equal(wt_tun_configure(&second, &network, &err), WT_OK);
	assert_int_equal(wt_device_route_count("wt0", "10.9.11.183/32"), 1);
	wt_tun_close(&second);
	assert_int_equal(wt_device_route_count("wt0", "10.9.11.183/32"), 1);
	wt_device_open(&second, "wt0");
	first.fd = second.fd;
	wt_tun_close(&first);
	assert_int_equal(wt_device_route_count("wt0", "10.9.11.183/32"), 0);
	free(routes);
}

static void what_others_removed_is_no_trouble(void **state)
{
	struct wt_wish wish = { .addresses = { "10.8.0.1/24" }, .routes = { "10.9.0.0/16" } };
	struct wt_tun tun;

	(void)state;
	wt_device_enter();
	close(wt_device_plain("wt0", IFF_TUN | IFF_NO_PI, true));
	wt_device_open(&tun, "wt0");
	wt_device_configure_well(&tun, &wish);
	/* Without IFF_PERSIST it goes with its descriptor, whoever asks for it. */
	assert_int_equal(ioctl(tun.fd, TUNSETPERSIST, 0ul), 0);
	close(tun.fd);
	assert_int_equal(if_nametoindex("wt0"), 0);
	tun.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	wt_logged_start();
	wt_tun_close(&tun);
	wt_logged_stop();
	assert_int_equal(wt_logged_count(), 0);
}

/* ---- refusals ---- */

static void add_veth(const char *name, const char *peer)
{
	struct nl_sock *sock = nl_socket_alloc();

	assert_non_null(sock);
	assert_int_equal(nl_connect(sock, NETLINK_ROUTE), 0);
	if (rtnl_link_veth_add(sock, name, peer, getpid()) < 0) {
		print_message("skipped: the kernel has no veth\n");
		nl_socket_free(sock);
		skip();
	}
	nl_socket_free(sock);
}

static void devices_of_another_kind_are_refused(void **state)
{
	static const struct {
		const char *name, *text;
	} cases[] = {
		{ "lo", "lo is a loopback device, not a single-queue TUN device" },
		{ "tap0", "tap0 is a TAP device" },
		{ "multi0", "multi0 is a multi-queue TUN device" },
		{ "veth0", "veth0 is a veth device" },
	};

	(void)state;
	wt_device_enter();
	close(wt_device_plain("tap0", IFF_TAP | IFF_NO_PI, true));
	close(wt_device_plain("multi0", IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE, true));
	add_veth("veth0", "veth1");
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct wt_error err = WT_ERROR_INIT;
		struct wt_tun tun;

		assert_int_equal(wt_tun_open(&tun, cases[i].name, &err), WT_ERR_CONFIG);
		assert_int_equal(tun.fd, -1);
		assert_non_null(strstr(err.text, cases[i].text));
		assert_non_null(strstr(err.text, "ip link del dev"));
		assert_true(if_nametoindex(cases[i].name) != 0);
	}
}

/* What is written to one queue is the device's; all queues go with close. */
static void a_device_can_have_several_queues(void **state)
{
	struct wt_error err = WT_ERROR_INIT;
	struct wt_tun tun;

	(void)state;
	wt_device_enter();
	assert_int_equal(wt_tun_open_queues(&tun, "wt0", 4, &err), WT_OK);
	assert_int_equal(tun.queue_count, 4);
	assert_int_equal(tun.fd, tun.queues[0]);
	for (unsigned i = 0; i < 4; i++) {
		struct ifreq request = { 0 };

		assert_int_equal(ioctl(tun.queues[i], TUNGETIFF, &request), 0);
		assert_string_equal(request.ifr_name, "wt0");
		assert_true(request.ifr_flags & IFF_MULTI_QUEUE);
		assert_true(request.ifr_flags & IFF_VNET_HDR);
	}
	wt_tun_close(&tun);
	assert_int_equal(if_nametoindex("wt0"), 0);
	wt_tun_close(&tun);
	/* One queue is a device of the plain kind, as before. */
	assert_int_equal(wt_tun_open_queues(&tun, "wt0", 1, &err), WT_OK);
	struct ifreq request = { 0 };

	assert_int_equal(ioctl(tun.fd, TUNGETIFF, &request), 0);
	assert_false(request.ifr_flags & IFF_MULTI_QUEUE);
	wt_tun_close(&tun);
}

static void a_device_for_one_is_not_for_several(void **state)
{
	struct wt_error err = WT_ERROR_INIT;
	struct wt_tun tun;

	(void)state;
	wt_device_enter();
	close(wt_device_plain("one0", IFF_TUN | IFF_NO_PI, true));
	close(wt_device_plain("multi0", IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE, true));
	assert_int_equal(wt_tun_open_queues(&tun, "one0", 2, &err), WT_ERR_CONFIG);
	assert_int_equal(tun.fd, -1);
	assert_non_null(strstr(err.text, "one0 is a single-queue TUN device"));
	assert_non_null(strstr(err.text, "ip tuntap add dev one0 mode tun multi_queue"));
	assert_int_equal(wt_tun_open_queues(&tun, "multi0", 2, &err), WT_OK);
	assert_true(tun.persistent);
	wt_tun_close(&tun);
	assert_true(if_nametoindex("multi0") != 0);
}

static void a_device_in_use_is_refused(void **state)
{
	struct wt_error err = WT_ERROR_INIT;
	struct wt_tun tun, second;

	(void)state;
	wt_device_enter();
	wt_device_open(&tun, "wt0");
	assert_int_equal(wt_tun_open(&second, "wt0", &err), WT_ERR_IO);
	assert_non_null(strstr(err.text, "wt0 is in use by another process"));
	wt_tun_close(&tun);
	wt_device_open(&tun, "wt0");
	wt_tun_close(&tun);
}

/* The kernel itself would share it out. */
static void a_device_of_several_queues_in_use_is_refused(void **state)
{
	struct wt_error err = WT_ERROR_INIT;
	struct wt_tun tun, second;

	(void)state;
	wt_device_enter();
	close(wt_device_plain("multi0", IFF_TUN | IFF_NO_PI | IFF_MULTI_QUEUE, true));
	for (int i = 0; i < 2; i++) {
		const char *name = i == 0 ? "wt0" : "multi0";

		assert_int_equal(wt_tun_open_queues(&tun, name, 2, &err), WT_OK);
		assert_int_equal(wt_tun_open_queues(&second, name, 2, &err), WT_ERR_IO);
		assert_int_equal(second.fd, -1);
		assert_non_null(strstr(err.text, "is in use by another process"));
		wt_tun_close(&tun);
		assert_int_equal(wt_tun_open_queues(&second, name, 2, &err), WT_OK);
		wt_tun_close(&second);
	}
}

/* What nobody (uid 65534) gets when /dev/net/tun has this mode. */
static int open_as_nobody(void *arg)
{
	mode_t mode = *(const mode_t *)arg;
	struct wt_error err = WT_ERROR_INIT;
	struct wt_tun tun;

	if (wt_child_hide("/dev/net") < 0 || mknod(DEVICE, S_IFCHR, makedev(10, 200)) < 0 ||
	    chmod(DEVICE, mode) < 0) {
		fprintf(stderr, "skipped: cannot make a device node: %s\n", strerror(errno));
		return WT_CHILD_SKIP;
	}
	WT_CHILD_CHECK(wt_child_become_nobody() == 0);
	WT_CHILD_CHECK(wt_tun_open(&tun, "wt0", &err) == WT_ERR_PERMISSION);
	WT_CHILD_CHECK(tun.fd == -1);
	WT_CHILD_CHECK(strstr(err.text, mode == 0600 ? "open " DEVICE " for wt0: permission denied"
						     : "TUN device for wt0: permission denied"));
	WT_CHILD_CHECK(strstr(err.text, "CAP_NET_ADMIN"));
	WT_CHILD_CHECK(strstr(err.text, "ip tuntap add dev wt0 mode tun user"));
	WT_CHILD_CHECK(strstr(err.text, "unshare -Urn"));
	return 0;
}

static void expect_child(int (*fn)(void *arg), void *arg)
{
	int result = wt_child_run(fn, arg);

	if (result == WT_CHILD_SKIP)
		skip();
	assert_int_equal(result, 0);
}

static void missing_rights_say_what_to_do(void **state)
{
	mode_t modes[] = { 0600, 0666 };

	(void)state;
	wt_device_enter();
	wt_netns_need_root();
	for (size_t i = 0; i < COUNT(modes); i++)
		expect_child(open_as_nobody, &modes[i]);
}

static int open_without_device(void *arg)
{
	struct wt_error err = WT_ERROR_INIT;
	struct wt_tun tun;

	(void)arg;
	if (wt_child_hide("/dev/net") < 0) {
		fprintf(stderr, "skipped: cannot mount: %s\n", strerror(errno));
		return WT_CHILD_SKIP;
	}
	WT_CHILD_CHECK(wt_tun_open(&tun, "wt0", &err) == WT_ERR_UNAVAILABLE);
	WT_CHILD_CHECK(strstr(err.text, "there is no " DEVICE));
	WT_CHILD_CHECK(strstr(err.text, "modprobe tun"));
	WT_CHILD_CHECK(strstr(err.text, "mknod -m 0666 " DEVICE " c 10 200"));
	return 0;
}

static void a_missing_device_file_says_what_to_do(void **state)
{
	(void)state;
	wt_device_enter();
	expect_child(open_without_device, NULL);
}

static int open_without_driver(void *arg)
{
	struct wt_error err = WT_ERROR_INIT;
	struct wt_tun tun;

	(void)arg;
	/* 10:254 is the last of the old fixed numbers and belongs to no driver. */
	if (wt_child_hide("/dev/net") < 0 || mknod(DEVICE, S_IFCHR | 0666, makedev(10, 254)) < 0) {
		fprintf(stderr, "skipped: cannot make a device node: %s\n", strerror(errno));
		return WT_CHILD_SKIP;
	}
	WT_CHILD_CHECK(wt_tun_open(&tun, "wt0", &err) == WT_ERR_UNAVAILABLE);
	WT_CHILD_CHECK(strstr(err.text, DEVICE " has no driver behind it: modprobe tun"));
	return 0;
}

static void a_missing_driver_says_what_to_do(void **state)
{
	(void)state;
	wt_device_enter();
	wt_netns_need_root();
	expect_child(open_without_driver, NULL);
}

/* A user who owns a device that root has set up completely needs no rights; for
 * anything else the error names it and the command. */
static int configure_as_owner(void *arg)
{
	static const struct wt_wish more[] = {
		{ .addresses = { "10.8.0.1/24", "10.6.0.1/24" } },
		{ .addresses = { "10.8.0.1/24" }, .routes = { "10.10.0.0/16" } },
		{ .addresses = { "10.8.0.1/24" }, .mtu = 1400 },
	};
	static const char *const texts[] = {
		"cannot add address 10.6.0.1/24 to wt0: permission denied",
		"cannot add route 10.10.0.0/16 by wt0: permission denied",
		"cannot set mtu 1400 on wt0: Operation not permitted",
	};
	struct wt_error err = WT_ERROR_INIT;
	struct wt_tun tun;

	if (wt_child_hide("/dev/net") < 0 || mknod(DEVICE, S_IFCHR, makedev(10, 200)) < 0 ||
	    chmod(DEVICE, 0666) < 0) {
		fprintf(stderr, "skipped: cannot make a device node: %s\n", strerror(errno));
		return WT_CHILD_SKIP;
	}
	WT_CHILD_CHECK(wt_child_become_nobody() == 0);
	WT_CHILD_CHECK(wt_tun_open(&tun, "wt0", &err) == WT_OK);
	WT_CHILD_CHECK(wt_device_configure(&tun, arg, &err) == WT_OK);
	for (size_t i = 0; i < COUNT(more); i++) {
		WT_CHILD_CHECK(wt_device_configure(&tun, &more[i], &err) == WT_ERR_PERMISSION);
		WT_CHILD_CHECK(strstr(err.text, texts[i]));
	}
	wt_logged_start();
	wt_tun_close(&tun);
	WT_CHILD_CHECK(wt_logged_count() == 0);
	return 0;
}

static void the_owner_of_a_ready_device_needs_no_rights(void **state)
{
	static struct wt_wish wish = { .addresses = { "10.8.0.1/24", "fd00:8::1/64" },
				       .routes = { "10.9.0.0/16", "10.9.0.0/32", "fd00:9::/48" } };
	int fd;

	(void)state;
	wt_device_enter();
	wt_netns_need_root();
	fd = wt_device_plain("wt0", IFF_TUN | IFF_NO_PI, true);
	assert_int_equal(ioctl(fd, TUNSETOWNER, 65534ul), 0);
	close(fd);
	assert_int_equal(wt_child_run(set_up_and_leave, &wish), 0);
	expect_child(configure_as_owner, &wish);
	assert_true(wt_device_has_address("wt0", "10.8.0.1/24"));
	assert_int_equal(wt_device_route_count("wt0", "10.9.0.0/16"), 1);
}

/* Rights that were there at the start may be dropped before the end. */
static int close_as_nobody(void *arg)
{
	struct wt_wish wish = { .addresses = { "10.8.0.1/24" }, .routes = { "10.9.0.0/16" } };
	struct wt_error err = WT_ERROR_INIT;
	struct wt_tun tun;

	(void)arg;
	WT_CHILD_CHECK(wt_tun_open(&tun, "wt0", &err) == WT_OK);
	WT_CHILD_CHECK(wt_device_configure(&tun, &wish, &err) == WT_OK);
	WT_CHILD_CHECK(wt_child_become_nobody() == 0);
	wt_logged_start();
	wt_tun_close(&tun);
	WT_CHILD_CHECK(wt_logged_count() == 1);
	WT_CHILD_CHECK(strstr(wt_logged_last(),
			      "wt0: 3 of the settings made here stay on the device "
			      "(Operation not permitted)"));
	return 0;
}

static void rights_lost_before_the_end_are_one_warning(void **state)
{
	(void)state;
	wt_device_enter();
	wt_netns_need_root();
	close(wt_device_plain("wt0", IFF_TUN | IFF_NO_PI, true));
	expect_child(close_as_nobody, NULL);
	assert_true(wt_device_has_address("wt0", "10.8.0.1/24"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_checked),
		cmocka_unit_test(a_created_device_is_ours_and_vanishes),
		cmocka_unit_test(a_killed_process_leaves_nothing),
		cmocka_unit_test(a_persistent_device_is_left_as_it_was),
		cmocka_unit_test(a_persistent_device_that_was_down_goes_down_again),
		cmocka_unit_test(many_routes_are_found_again),
		cmocka_unit_test(what_others_removed_is_no_trouble),
		cmocka_unit_test(devices_of_another_kind_are_refused),
		cmocka_unit_test(a_device_can_have_several_queues),
		cmocka_unit_test(a_device_for_one_is_not_for_several),
		cmocka_unit_test(a_device_in_use_is_refused),
		cmocka_unit_test(a_device_of_several_queues_in_use_is_refused),
		cmocka_unit_test(missing_rights_say_what_to_do),
		cmocka_unit_test(a_missing_device_file_says_what_to_do),
		cmocka_unit_test(a_missing_driver_says_what_to_do),
		cmocka_unit_test(the_owner_of_a_ready_device_needs_no_rights),
		cmocka_unit_test(rights_lost_before_the_end_are_one_warning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
