/* SPDX-License-Identifier: MIT */
#include "support/rig.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <limits.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- addresses */

struct sockaddr_storage wt_rig_ipv4(const char *address, uint16_t port)
{
	struct sockaddr_storage out = { .ss_family = AF_INET };
	struct sockaddr_in *in = (struct sockaddr_in *)&out;

	assert_int_equal(inet_pton(AF_INET, address, &in->sin_addr), 1);
	in->sin_port = htons(port);
	return out;
}

struct sockaddr_storage wt_rig_ipv6(const char *address, uint16_t port)
{
	struct sockaddr_storage out = { .ss_family = AF_INET6 };
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out;

	assert_int_equal(inet_pton(AF_INET6, address, &in6->sin6_addr), 1);
	in6->sin6_port = htons(port);
	return out;
}

socklen_t wt_rig_len(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					      : sizeof(struct sockaddr_in);
}

bool wt_rig_has_ipv6(void)
{
	struct sockaddr_storage address = wt_rig_ipv6("::1", 0);
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool has = fd >= 0 && bind(fd, (struct sockaddr *)&address, wt_rig_len(&address)) == 0;

	if (fd >= 0)
		close(fd);
	return has;
}

/* ---- its section */

static const struct wt_loop_config *config_of(const struct wt_config *cfg)
{
	return (const struct wt_loop_config *)cfg;
}

static const char *config_string(const struct wt_host *host, const struct wt_config *cfg,
				 const char *key)
{
	(void)host;
	if (strcmp(key, "segmentation") == 0)
		return config_of(cfg)->segmentation;
	assert_string_equal(key, "congestion");
	return config_of(cfg)->congestion;
}

static uint64_t config_uint(const struct wt_host *host, const struct wt_config *cfg,
			    const char *key)
{
	(void)host;
	if (strcmp(key, "recv_buffer") == 0)
		return config_of(cfg)->recv_buffer;
	assert_string_equal(key, "send_buffer");
	return config_of(cfg)->send_buffer;
}

static enum wt_status config_sockaddr(const struct wt_host *host, const struct wt_config *cfg,
				      const char *key, size_t i, struct sockaddr_storage *out)
{
	(void)host;
	assert_string_equal(key, "listen");
	if (i >= config_of(cfg)->listen_count)
		return WT_ERR_INVALID;
	*out = config_of(cfg)->listen[i];
	return WT_OK;
}

/* ---- the instance */

static void fail_test(struct wt_loop_host *host, const struct wt_finding *finding)
{
	(void)host;
	fail_msg("%s: %s", wt_fault_text(finding->fault), finding->text);
}

enum wt_status wt_rig_create(struct wt_rig *rig, const char *transport,
			     const struct wt_loop_config *config, struct wt_error *err)
{
	static const char *const folders[] = { WT_TEST_PLUGIN_DIR, WT_TEST_FIXTURE_DIR };
	char path[PATH_MAX];

	for (size_t i = 0; i < 2 && (i == 0 || access(path, R_OK) != 0); i++)
		snprintf(path, sizeof path, "%s/transport-%s.so", folders[i], transport);
	*rig = (struct wt_rig){ .library = dlopen(path, RTLD_NOW | RTLD_LOCAL) };
	if (!rig->library)
		fail_msg("%s", dlerror());
	snprintf(rig->rx_calls, sizeof rig->rx_calls, "%s_rx_calls", transport);
	rig->plugin = dlsym(rig->library, WT_PLUGIN_SYMBOL);
	assert_non_null(rig->plugin);
	rig->ops = rig->plugin->ops;
	rig->host = wt_loop_host_new(transport, NULL);
	assert_non_null(rig->host);
	rig->host->on_finding = fail_test;
	rig->host->worker_count = config->workers > 0 ? config->workers : 1;
	rig->host->base.host.config_string = config_string;
	rig->host->base.host.config_uint = config_uint;
	rig->host->base.host.config_sockaddr = config_sockaddr;
	rig->config = malloc(sizeof *rig->config);
	assert_non_null(rig->config);
	*rig->config = *config;
	return rig->ops->create(wt_loop_host_table(rig->host),
				(const struct wt_config *)rig->config, &rig->self, err);
}

void wt_rig_open(struct wt_rig *rig, const char *transport, const struct wt_loop_config *config)
{
	struct wt_loop_config local = {
		.listen = { wt_rig_ipv4("127.0.0.1", 0) },
		.listen_count = 1,
		.send_buffer = 512,
	};
	struct wt_error err = { .struct_size = sizeof err };

	if (wt_rig_create(rig, transport, config ? config : &local, &err) != WT_OK)
		fail_msg("create: %s", err.text);
	for (uint32_t i = 0; i < rig->host->worker_count; i++)
		if (rig->ops->listen(rig->self, wt_loop_host_worker_at(rig->host, i), &err) !=
		    WT_OK)
			fail_msg("listen: %s", err.text);
}

void wt_rig_close(struct wt_rig *rig)
{
	for (size_t i = 0; i < rig->host->conn_count; i++)
		if (!rig->host->conns[i].closed && rig->host->conns[i].tconn)
			wt_rig_close_conn(rig, &rig->host->conns[i], true);
	if (rig->self)
		rig->ops->destroy(rig->self);
	wt_loop_host_check_empty(rig->host);
	wt_loop_host_free(rig->host);
	free(rig->config);
	dlclose(rig->library);
}

struct sockaddr_storage wt_rig_address(const struct wt_rig *rig, size_t i)
{
	struct sockaddr_storage out = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof out;

	assert_int_equal(getsockname(wt_loop_host_fd(rig->host, i), (struct sockaddr *)&out, &len),
			 0);
	return out;
}

/* ---- connections */

struct wt_loop_conn *wt_rig_dial(struct wt_rig *rig, const struct sockaddr_storage *to)
{
	struct wt_loop_conn *conn = wt_loop_host_conn(rig->host);

	assert_non_null(conn);

	struct wt_error err = { .struct_size = sizeof err };

	if (rig->ops->dial(rig->self, wt_loop_host_worker(rig->host), (const struct sockaddr *)to,
			   wt_rig_len(to), NULL, (struct wt_link *)conn, &conn->tconn,
			   &err) != WT_OK)
		fail_msg("dial: %s", err.text);
	/* Reports come later than the call. */
	assert_int_equal(conn->connected + conn->ended, 0);
	return conn;
}

void wt_rig_close_conn(struct wt_rig *rig, struct wt_loop_conn *conn, bool abort)
{
	assert_false(conn->closed);
	conn->closed = true;
	rig->ops->close(rig->self, conn->worker, conn->tconn, abort ? WT_CLOSE_ABORT : 0);
}

enum wt_status wt_rig_recv(struct wt_rig *rig, struct wt_loop_conn *conn, struct wt_record *records,
			   size_t n, size_t *got)
{
	uint64_t before = wt_loop_host_counter(rig->host, rig->rx_calls);

	for (size_t i = 0; i < n; i++)
		records[i].struct_size = sizeof records[i];
	*got = SIZE_MAX;

	/* Nothing may be reported inside. */
	rig->host->inside = "recv";
	enum wt_status status =
		rig->ops->recv(rig->self, conn->worker, conn->tconn, records, n, got);

	rig->host->inside = NULL;
	assert_true(wt_loop_host_counter(rig->host, rig->rx_calls) - before <= 1);
	if (status == WT_OK)
		assert_in_range(*got, 1, n);
	else
		assert_int_equal(*got, 0);
	return status;
}

enum wt_status wt_rig_send(struct wt_rig *rig, struct wt_loop_conn *conn,
			   const struct wt_record *records, size_t n, size_t *taken)
{
	*taken = SIZE_MAX;

	rig->host->inside = "send";
	enum wt_status status =
		rig->ops->send(rig->self, conn->worker, conn->tconn, records, n, taken);

	rig->host->inside = NULL;
	assert_in_range(*taken, 0, n);
	return status;
}

/* ---- records */

void wt_rig_fill(uint8_t *data, uint32_t len, uint32_t number)
{
	for (uint32_t i = 0; i < len; i++)
		data[i] = (uint8_t)(number * 151u + i + (i >> 8) * 3u);
}

void wt_rig_check(const uint8_t *data, uint32_t len, uint32_t number)
{
	static uint8_t expected[WT_RECORD_MAX];

	assert_true(len <= sizeof expected);
	wt_rig_fill(expected, len, number);
	if (memcmp(data, expected, len) != 0)
		fail_msg("record %u of %u bytes came damaged", number, len);
}

struct wt_record wt_rig_record(struct wt_rig *rig, uint32_t len, uint32_t number)
{
	struct wt_slot *slot = wt_loop_host_slot(rig->host);

	assert_non_null(slot);

	struct wt_record record = {
		.struct_size = sizeof record,
		.len = len,
		.data = slot->base + rig->ops->headroom,
		.slot = slot,
	};

	wt_rig_fill(record.data, len, number);
	return record;
}

uint32_t wt_rig_random(uint64_t *state, uint32_t below)
{
	/* Marsaglia's xorshift64, "Xorshift RNGs" (2003), triple 13, 7, 17. */
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)((*state >> 32) % below);
}
