/* SPDX-License-Identifier: MIT
 *
 * plugin.c: what transport-tcp offers, and the way from the contract of
 * transport.h to the files that keep it.
 */
#include <stdlib.h>

#include "connection.h"
#include "listener.h"
#include "transport-common/conformance.h"
#include "transport-common/failure.h"

static enum wt_status tcp_create(const struct wt_host *host, const struct wt_config *cfg,
				 void **self, struct wt_error *err)
{
	struct wt_tcp *tcp = calloc(1, sizeof *tcp);

	if (!tcp)
		return wt_socket_fail(err, WT_ERR_NOMEM, "out of memory");
	tcp->host = host;
	tcp->cfg = cfg;
	tcp->send_buffer = (uint32_t)(host->config_uint(host, cfg, "send_buffer") * 1024u);
	tcp->shared_ports = host->worker_count(host) > 1;

	enum wt_status status =
		wt_tcp_socket_choose(tcp, host->config_string(host, cfg, "congestion"), err);

	if (status != WT_OK) {
		free(tcp);
		return status;
	}
	tcp->counters = (struct wt_tcp_counters){
		.rx_calls = host->counter(host, "tcp_rx_calls"),
		.tx_calls = host->counter(host, "tcp_tx_calls"),
		.copied_bytes = host->counter(host, "tcp_copied_bytes"),
		.bad_length = host->counter(host, "tcp_bad_length"),
		.slot_waits = host->counter(host, "tcp_slot_waits"),
		.accept_pauses = host->counter(host, "tcp_accept_pauses"),
		.accept_refused = host->counter(host, "tcp_accept_refused"),
	};
	*self = tcp;
	return WT_OK;
}

static void tcp_destroy(void *self)
{
	wt_tcp_listener_close(self);
	free(self);
}

static enum wt_status tcp_listen(void *self, struct wt_worker *worker, struct wt_error *err)
{
	return wt_tcp_listener_open(self, worker, err);
}

static enum wt_status tcp_dial(void *self, struct wt_worker *worker, const struct sockaddr *remote,
			       socklen_t remote_len, const struct wt_config *cfg,
			       struct wt_link *conn, void **tconn, struct wt_error *err)
{
	struct sockaddr_storage address;
	struct wt_tcp_conn *made = NULL;

	(void)cfg; /* no keys for endpoints */
	if (!wt_address_take(remote, remote_len, &address))
		return wt_socket_fail(err, WT_ERR_INVALID, "not an IPv4 or IPv6 address");

	enum wt_status status = wt_tcp_conn_dial(self, worker, &address, conn, &made, err);

	if (status == WT_OK)
		*tconn = made;
	return status;
}

static void tcp_close(void *self, struct wt_worker *worker, void *tconn, uint32_t flags)
{
	(void)self;
	(void)worker;
	wt_tcp_conn_close(tconn, flags & WT_CLOSE_ABORT);
}

static enum wt_status tcp_send(void *self, struct wt_worker *worker, void *tconn,
			       const struct wt_record *records, size_t n, size_t *taken)
{
	(void)self;
	(void)worker;
	return wt_tcp_conn_send(tconn, records, n, taken);
}

static enum wt_status tcp_recv(void *self, struct wt_worker *worker, void *tconn,
			       struct wt_record *records, size_t n, size_t *got)
{
	(void)self;
	(void)worker;
	return wt_tcp_conn_recv(tconn, records, n, got);
}

static void tcp_set_max_record(void *self, struct wt_worker *worker, void *tconn, uint32_t max)
{
	struct wt_tcp_conn *conn = tconn;

	(void)self;
	(void)worker;
	conn->in.deframer.max = max < WT_RECORD_MAX ? max : WT_RECORD_MAX;
}

static uint32_t tcp_max_record(void *self, struct wt_worker *worker, void *tconn,
			       const struct wt_path *path)
{
	(void)self;
	(void)worker;
	(void)tconn;
	(void)path;
	return WT_RECORD_MAX;
}

static void tcp_source(void *self, struct wt_worker *worker, void *tconn,
		       const struct wt_path *path, struct wt_source *out)
{
	const struct wt_host *host = ((struct wt_tcp *)self)->host;
	const struct wt_tcp_conn *conn = tconn;

	(void)worker;
	(void)path;
	host->source_of_address(host, (const struct sockaddr *)&conn->remote, out);
}

static enum wt_status tcp_local_address(void *self, struct wt_worker *worker, void *tconn,
					const struct wt_path *path, struct sockaddr_storage *out)
{
	socklen_t len = sizeof *out;

	(void)self;
	(void)worker;
	(void)path;
	if (getsockname(((struct wt_tcp_conn *)tconn)->fd, (struct sockaddr *)out, &len) < 0)
		return WT_ERR_IO;
	return WT_OK;
}

static const struct wt_config_key keys[] = {
	{
		.struct_size = sizeof(struct wt_config_key),
		.type = WT_CONFIG_SOCKADDR,
		.scope = WT_SCOPE_SECTION,
		.name = "listen",
		.help = "Addresses to accept connections on; none when unset.",
	},
	{
		.struct_size = sizeof(struct wt_config_key),
		.type = WT_CONFIG_STRING,
		.scope = WT_SCOPE_SECTION,
		.name = "congestion",
		.default_value = "auto",
		.help = "TCP congestion control, such as bbr or cubic; `system` is the system's, "
			"`auto` cubic where it may be used, else the system's.",
	},
	{
		.struct_size = sizeof(struct wt_config_key),
		.type = WT_CONFIG_UINT,
		.scope = WT_SCOPE_SECTION,
		.name = "send_buffer",
		.default_value = "0",
		.help = "KiB that may be on their way to one peer: its speed is at most this per "
			"round trip; 0 begins with 512 and follows speed and distance.",
		.max = WT_TCP_SEND_BUFFER_KIB_MAX,
	},
};

static const struct wt_transport_ops ops = {
	.struct_size = sizeof ops,
	.mode = WT_CHANNEL_STREAM,
	.headroom = WT_TCP_PREFIX,
	.overhead_ipv4 = WT_TCP_OVERHEAD_IPV4,
	.overhead_ipv6 = WT_TCP_OVERHEAD_IPV6,
	.create = tcp_create,
	.destroy = tcp_destroy,
	.listen = tcp_listen,
	.dial = tcp_dial,
	.close = tcp_close,
	.send = tcp_send,
	.recv = tcp_recv,
	.set_max_record = tcp_set_max_record,
	.max_record = tcp_max_record,
	.source = tcp_source,
	.local_address = tcp_local_address,
};

WT_PLUGIN(WT_KIND_TRANSPORT, "tcp", "1.0", .license = "MIT",
	  .summary = "Records over TCP, each behind its length", .ops = &ops, .config_keys = keys,
	  .config_key_count = sizeof keys / sizeof keys[0],
	  .conformance = &wt_loopback_conformance);
