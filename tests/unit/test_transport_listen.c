/* SPDX-License-Identifier: MIT
 *
 * What listening is like with any transport that has sockets.
 */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/child.h"
#include "support/tcp_rig.h"
#include "support/udp_rig.h"
#include "transport-common/listen.h"

struct transport {
	const char *name;
	/* A socket of the test's own that has the address. */
	int (*holder)(struct sockaddr_storage *address);
	const char *who; /* what tells the operator who else has it */
	int per_address; /* timers and watches for each */
};

static const struct transport tcp = { "tcp", wt_tcp_rig_listen_raw, "ss -ltnp", 2 };
static const struct transport udp = { "udp", wt_udp_rig_socket, "ss -lunp", 3 };

static struct wt_loop_config one_address(struct sockaddr_storage address)
{
	return (struct wt_loop_config){ .listen = { address }, .listen_count = 1 };
}

static enum wt_status so_many(const struct wt_host *host, const struct wt_config *cfg,
			      const char *key, size_t i, struct sockaddr_storage *out)
{
	(void)out;
	assert_string_equal(key, "listen");
	assert_null(cfg);
	return i < *(const size_t *)host->self ? WT_OK : WT_ERR_INVALID;
}

static void more_than_64_addresses_are_refused(void **state)
{
	static const size_t counts[] = { 0, 1, 64, 65, 1000 };

	(void)state;
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		size_t count = counts[i], n;
		struct wt_error err = { .struct_size = sizeof err };
		const struct wt_host host = { .struct_size = sizeof host,
					      .self = &count,
					      .config_sockaddr = so_many };
		enum wt_status status = wt_listen_count(&host, NULL, &n, &err);

		assert_int_equal(n, count);
		assert_int_equal(status, count <= 64 ? WT_OK : WT_ERR_CONFIG);
		if (status != WT_OK)
			WT_RIG_HAS(err.text, "at most 64 are allowed");
	}
}

static enum wt_status listen_once(struct wt_rig *rig, struct wt_error *err)
{
	return rig->ops->listen(rig->self, wt_loop_host_worker(rig->host), err);
}

/* The port is at the same place in both families. */
static uint16_t port_of(const struct sockaddr_storage *address)
{
	return ntohs(((const struct sockaddr_in *)address)->sin_port);
}

static void any_ipv4_and_any_ipv6_share_a_port(void **state)
{
	const struct transport *t = *state;
	struct sockaddr_storage any = wt_rig_ipv4("0.0.0.0", 0);
	struct wt_rig rig;
	int probe;

	if (!wt_rig_has_ipv6()) {
		print_message("no ::1 here\n");
		skip();
	}
	/* A port that is free now. */
	probe = t->holder(&any);
	assert_true(probe >= 0);
	close(probe);

	struct wt_loop_config config = {
		.listen = { any, wt_rig_ipv6("::", port_of(&any)) },
		.listen_count = 2,
	};

	wt_rig_open(&rig, t->name, &config);
	wt_rig_close(&rig);
}

/* SO_REUSEPORT must not let a second daemon in, whichever of the two shares. */
static void a_second_daemon_is_told_that_the_port_is_taken(void **state)
{
	const struct transport *t = *state;

	for (uint32_t workers = 1; workers <= 2; workers++) {
		struct sockaddr_storage free_now = wt_rig_ipv4("127.0.0.1", 0);
		struct wt_error err = { .struct_size = sizeof err };
		struct wt_rig first, second;
		int probe = t->holder(&free_now);

		assert_true(probe >= 0);
		close(probe);
		struct wt_loop_config config = one_address(free_now);

		config.workers = workers;
		wt_rig_open(&first, t->name, &config);
		for (config.workers = 1; config.workers <= 2; config.workers++) {
			assert_int_equal(wt_rig_create(&second, t->name, &config, &err), WT_OK);
			assert_int_equal(listen_once(&second, &err), WT_ERR_IO);
			WT_RIG_HAS(err.text, "in use");
			wt_rig_close(&second);
		}
		wt_rig_close(&first);
	}
}

static void listening_is_all_or_nothing(void **state)
{
	const struct transport *t = *state;
	struct sockaddr_storage taken = wt_rig_ipv4("127.0.0.1", 0);
	struct sockaddr_storage first = wt_rig_ipv4("127.0.0.2", 0);
	int holder = t->holder(&taken), probe = t->holder(&first);
	struct wt_error err = { .struct_size = sizeof err };
	struct wt_rig rig;
	char where[32];

	assert_true(holder >= 0 && probe >= 0);
	close(probe);

	struct wt_loop_config config = { .listen = { first, taken }, .listen_count = 2 };

	assert_int_equal(wt_rig_create(&rig, t->name, &config, &err), WT_OK);
	assert_int_equal(listen_once(&rig, &err), WT_ERR_IO);
	snprintf(where, sizeof where, "127.0.0.1:%u", port_of(&taken));
	WT_RIG_HAS(err.text, where);
	WT_RIG_HAS(err.text, "in use");
	WT_RIG_HAS(err.text, t->who);
	WT_RIG_HAS(err.text, "choose another port");
	assert_int_equal(rig.host->accepted, 0);
	/* The first one is free again. */
	probe = t->holder(&first);
	assert_true(probe >= 0);
	close(probe);
	close(holder);
	/* And it can be tried once more. */
	assert_int_equal(listen_once(&rig, &err), WT_OK);
	assert_int_equal(listen_once(&rig, &err), WT_ERR_INVALID);
	wt_rig_close(&rig);
}

static void an_address_that_is_not_ours_is_named(void **state)
{
	const struct transport *t = *state;
	struct wt_loop_config config = one_address(wt_rig_ipv4("192.0.2.1", 4433));
	struct wt_error err = { .struct_size = sizeof err };
	struct wt_rig rig;

	assert_int_equal(wt_rig_create(&rig, t->name, &config, &err), WT_OK);
	assert_int_equal(listen_once(&rig, &err), WT_ERR_IO);
	WT_RIG_HAS(err.text, "192.0.2.1:4433");
	WT_RIG_HAS(err.text, "no interface");
	wt_rig_close(&rig);
}

static int listen_without_rights(const struct transport *t)
{
	struct wt_loop_config config = one_address(wt_rig_ipv4("127.0.0.1", 1));
	struct wt_error err = { .struct_size = sizeof err };
	struct wt_rig rig;

	if (wt_rig_create(&rig, t->name, &config, &err) != WT_OK)
		return __LINE__;
	if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
		return __LINE__;

	enum wt_status status = listen_once(&rig, &err);

	if (status == WT_OK) {
		fprintf(stderr, "everybody may bind port 1 here\n");
		return -1;
	}
	if (status != WT_ERR_PERMISSION || !strstr(err.text, "127.0.0.1:1") ||
	    !strstr(err.text, "CAP_NET_BIND_SERVICE"))
		return __LINE__;
	wt_rig_close(&rig);
	return 0;
}

static int tcp_without_rights(void)
{
	return listen_without_rights(&tcp);
}

static int udp_without_rights(void)
{
	return listen_without_rights(&udp);
}

static void a_privileged_port_is_named(void **state)
{
	wt_in_child(*state == &tcp ? tcp_without_rights : udp_without_rights);
}

static void an_event_loop_that_is_full_stops_listening(void **state)
{
	const struct transport *t = *state;
	struct wt_loop_config config = {
		.listen = { wt_rig_ipv4("127.0.0.1", 0), wt_rig_ipv4("127.0.0.2", 0) },
		.listen_count = 2,
	};

	for (int allowance = 0; allowance < 2 * t->per_address; allowance++) {
		struct wt_error err = { .struct_size = sizeof err };
		struct wt_rig rig;

		assert_int_equal(wt_rig_create(&rig, t->name, &config, &err), WT_OK);
		rig.host->allowance = allowance;
		assert_int_equal(listen_once(&rig, &err), WT_ERR_NOMEM);
		WT_RIG_HAS(err.text, allowance < t->per_address ? "127.0.0.1" : "127.0.0.2");
		wt_rig_close(&rig);
	}
}

#define TESTS_OF(transport_)                                                                       \
	cmocka_unit_test_prestate(any_ipv4_and_any_ipv6_share_a_port, (void *)&transport_),        \
		cmocka_unit_test_prestate(a_second_daemon_is_told_that_the_port_is_taken,          \
					  (void *)&transport_),                                    \
		cmocka_unit_test_prestate(listening_is_all_or_nothing, (void *)&transport_),       \
		cmocka_unit_test_prestate(an_address_that_is_not_ours_is_named,                    \
					  (void *)&transport_),                                    \
		cmocka_unit_test_prestate(a_privileged_port_is_named, (void *)&transport_),        \
		cmocka_unit_test_prestate(an_event_loop_that_is_full_stops_listening,              \
					  (void *)&transport_)

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(more_than_64_addresses_are_refused),
					    TESTS_OF(tcp), TESTS_OF(udp) };

	return cmocka_run_group_tests_name("transport_listen", tests, NULL, NULL);
}
