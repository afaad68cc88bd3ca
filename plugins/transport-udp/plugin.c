/* SPDX-License-Identifier: MIT
 *
 * plugin.c: what transport-udp offers, and the way from the contract of
 * transport.h to the files that keep it.
 */
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "link.h"
#include "listener.h"
#include "path.h"
#include "route.h"
#include "transport-common/address.h"
#include "transport-common/conformance.h"
#include "transport-common/failure.h"

static enum wt_status udp_create(const struct wt_host *host, const struct wt_config *cfg,
				 void **self, struct wt_error *err)
{
	const char *segmentation;
	struct wt_udp *udp;

	udp = calloc(1, sizeof *udp);
	if (!udp)
		return wt_socket_fail(err, WT_ERR_NOMEM, "out of memory");
	segmentation = host->config_string(host, cfg, "segmentation");
	udp->host = host;
	udp->cfg = cfg;
	udp->runs = !segmentation || strcmp(segmentation, "off") != 0;
	udp->send_buffer = (int)(host->config_uint(host, cfg, "send_buffer") * 1024u);
	udp->recv_buffer = (int)(host->config_uint(host, cfg, "recv_buffer") * 1024u);
	udp->workers = host->worker_count(host);
	udp->counters = (struct wt_udp_counters){
		.rx_calls = host->counter(host, "udp_rx_calls"),
		.tx_calls = host->counter(host, "udp_tx_calls"),
		.gro_receives = host->counter(host, "udp_gro_receives"),
		.gro_segments = host->counter(host, "udp_gro_segments"),
		.gso_sends = host->counter(host, "udp_gso_sends"),
		.gso_segments = host->counter(host, "udp_gso_segments"),
		.fallbacks = host->counter(host, "udp_fallbacks"),
		.buffer_full = host->counter(host, "udp_buffer_full"),
		.slot_waits = host->counter(host, "udp_slot_waits"),
		.hints = host->counter(host, "udp_hints"),
		.too_large = host->counter(host, "udp_too_large"),
		.unreachable = host->counter(host, "udp_unreachable"),
		.too_short = host->counter(host, "udp_too_short"),
		.truncated = host->counter(host, "udp_truncated"),
		.foreign = host->counter(host, "udp_foreign"),
		.answers_full = host->counter(host, "udp_answers_full"),
	};
	*self = udp;
	return WT_OK;
}

static void udp_destroy(void *self)
{
	wt_udp_listener_forget(self);
	free(self);
}

static enum wt_status udp_listen(void *self, struct wt_worker *worker, struct wt_error *err)
{
	return wt_udp_listener_open(self, worker, err);
}

static enum wt_status udp_dial(void *self, struct wt_worker *worker, const struct sockaddr *remote,
			       socklen_t remote_len, const struct wt_config *cfg,
			       struct wt_link *conn, void **tconn, struct wt_error *err)
{
	struct sockaddr_storage address;
	struct wt_udp_link *made = NULL;

	(void)cfg; /* no keys for endpoints */
	if (!wt_address_take(remote, remote_len, &address))
		return wt_socket_fail(err, WT_ERR_INVALID, "not an IPv4 or IPv6 address");

	enum wt_status status = wt_udp_link_dial(self, worker, &address, conn, &made, err);

	if (status == WT_OK)
		*tconn = made;
	return status;
}

static void udp_close(void *self, struct wt_worker *worker, void *tconn, uint32_t flags)
{
	(void)self;
	(void)worker;
	wt_udp_link_close(tconn, flags & WT_CLOSE_ABORT);
}

static enum wt_status udp_send(void *self, struct wt_worker *worker, void *tconn,
			       const struct wt_record *records, size_t n, size_t *taken)
{
	(void)self;
	(void)worker;
	return wt_udp_link_send(tconn, records, n, taken);
}

static enum wt_status udp_recv(void *self, struct wt_worker *worker, void *tconn,
			       struct wt_record *records, size_t n, size_t *got)
{
	(void)self;
	(void)worker;
	return wt_udp_link_recv(tconn, records, n, got);
}

/* Who is meant: the other end of `path`, or of a dialled link. False: nobody. */
static bool remote_of(const struct wt_udp_link *link, const struct wt_path *path,
		      struct wt_udp_path *named, struct sockaddr_storage *out)
{
	if (path && wt_udp_path_read(path, named)) {
		wt_udp_path_remote(named, out);
		return true;
	}
	*named = (struct wt_udp_path){ .family = 0 };
	*out = link->peer;
	return link->dialled;
}

static uint32_t udp_max_record(void *self, struct wt_worker *worker, void *tconn,
			       const struct wt_path *path)
{
	struct sockaddr_storage remote, local;
	struct wt_udp_path named;

	(void)self;
	(void)worker;
	if (!remote_of(tconn, path, &named, &remote))
		return 0;
	if (named.family == 0)
		return wt_udp_route_record(&remote, NULL);
	wt_udp_path_local(&named, 0, &local);
	return wt_udp_route_record(&remote, &local);
}

static void udp_source(void *self, struct wt_worker *worker, void *tconn,
		       const struct wt_path *path, struct wt_source *out)
{
	const struct wt_host *host = ((struct wt_udp *)self)->host;
	struct sockaddr_storage remote;
	struct wt_udp_path named;

	(void)worker;
	if (remote_of(tconn, path, &named, &remote))
		host->source_of_address(host, (const struct sockaddr *)&remote, out);
	else
		wt_address_text(&remote, out->text);
}

static enum wt_status udp_local_address(void *self, struct wt_worker *worker, void *tconn,
					const struct wt_path *path, struct sockaddr_storage *out)
{
	const struct wt_udp_link *link = tconn;
	struct sockaddr_storage remote;
	struct wt_udp_path named;

	(void)self;
	(void)worker;
	if (!remote_of(link, path, &named, &remote)) {
		*out = link->peer;
		return WT_OK;
	}
	if (named.family == 0)
		return wt_udp_route_local(&remote, link->fd, out);
	/* The port is at the same place in both families. */
	wt_udp_path_local(&named, ((const struct sockaddr_in *)&link->peer)->sin_port, out);
	return WT_OK;
}

static enum wt_status udp_answer(void *self, struct wt_worker *worker, void *tconn,
				 const struct wt_path *path, const uint8_t *message, size_t len)
{
	(void)self;
	(void)worker;
	return wt_udp_answer(tconn, path, message, len);
}

static const struct wt_config_key keys[] = {
	{
		.struct_size = sizeof(struct wt_config_key),
		.type = WT_CONFIG_SOCKADDR,
		.scope = WT_SCOPE_SECTION,
		.name = "listen",
		.help = "Addresses to receive datagrams on; none when unset. `[::]` is IPv6 alone.",
	},
	{
		.struct_size = sizeof(struct wt_config_key),
		.type = WT_CONFIG_ENUM,
		.scope = WT_SCOPE_SECTION,
		.name = "segmentation",
		.choices = "auto|off",
		.default_value = "auto",
		.help = "`auto` hands the kernel whole runs of datagrams to cut, and takes them "
			"so, "
			"where it can; `off` is for network drivers that do this wrong.",
	},
	{
		.struct_size = sizeof(struct wt_config_key),
		.type = WT_CONFIG_UINT,
		.scope = WT_SCOPE_SECTION,
		.name = "send_buffer",
		.default_value = WT_UDP_SEND_BUFFER_KIB,
		.help = "KiB that may wait in the kernel to be sent; 0 is the system's default.",
		.max = WT_UDP_BUFFER_KIB_MAX,
	},
	{
		.struct_size = sizeof(struct wt_config_key),
		.type = WT_CONFIG_UINT,
		.scope = WT_SCOPE_SECTION,
		.name = "recv_buffer",
		.default_value = WT_UDP_RECV_BUFFER_KIB,
		.help = "KiB that may wait in the kernel to be read, more is lost; 0 is the "
			"system's "
			"default.",
		.max = WT_UDP_BUFFER_KIB_MAX,
	},
};

static const struct wt_transport_ops ops = {
	.struct_size = sizeof ops,
	.mode = WT_CHANNEL_DATAGRAM,
	.headroom = 0,
	.overhead_ipv4 = WT_UDP_OVERHEAD_IPV4,
	.overhead_ipv6 = WT_UDP_OVERHEAD_IPV6,
	.create = udp_create,
	.destroy = udp_destroy,
	.listen = udp_listen,
	.dial = udp_dial,
	.close = udp_close,
	.send = udp_send,
	.recv = udp_recv,
	/* .set_max_record: a datagram has the size it has. */
	.max_record = udp_max_record,
	.source = udp_source,
	.local_address = udp_local_address,
	.answer = udp_answer,
};

WT_PLUGIN(WT_KIND_TRANSPORT, "udp", "1.0", .license = "MIT",
	  .summary = "Records over UDP, each a datagram", .ops = &ops, .config_keys = keys,
	  .config_key_count = sizeof keys / sizeof keys[0],
	  .conformance = &wt_loopback_conformance);
