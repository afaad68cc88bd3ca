/* SPDX-License-Identifier: MIT
 *
 * A datagram transport as somebody might have built it for a recorded ABI: UDP
 * over IPv4, one record a call. What the socket does not take is lost.
 */
#include <stdbool.h>

#include "address.h"

#define RECORD_MAX 1472u /* of an Ethernet, behind the headers of IPv4 and UDP */

struct elder {
	const struct wt_host *host;
	const struct wt_config *cfg;
	uint32_t lost; /* a counter */
};

struct conn {
	struct elder *elder;
	struct wt_worker *worker;
	struct wt_link *core;
	struct wt_watch *watch;
	struct wt_timer *timer; /* reports a dial, later than the call */
	struct sockaddr_in address;
	bool dialled; /* `address` is the other end's; else this one's */
	int fd;
	uint8_t in[65536];
};

/* ---- paths ---------------------------------------------------------------- */

static bool path_address(const struct wt_path *path, struct sockaddr_in *out)
{
	if (path)
		memcpy(out, path->bytes, sizeof *out);
	return path && out->sin_family == AF_INET;
}

static void set_path(const struct sockaddr_in *from, struct wt_path *out)
{
	memset(out, 0, sizeof *out);
	memcpy(out->bytes, from, sizeof *from);
}

/* ---- events --------------------------------------------------------------- */

static void on_event(void *arg, struct wt_worker *worker, int fd, unsigned events)
{
	struct conn *conn = arg;

	(void)fd, (void)events;
	conn->elder->host->link_readable(conn->elder->host, worker, conn->core);
}

static void on_timer(void *arg, struct wt_worker *worker)
{
	struct conn *conn = arg;

	conn->elder->host->link_connected(conn->elder->host, worker, conn->core);
}

static void conn_free(struct conn *conn)
{
	const struct wt_host *host = conn->elder->host;

	if (conn->watch)
		host->watch_free(host, conn->watch);
	if (conn->timer)
		host->timer_free(host, conn->timer);
	close(conn->fd);
	free(conn);
}

static struct conn *conn_new(struct elder *elder, struct wt_worker *worker, bool dialled,
			     const struct sockaddr_in *address, struct wt_error *err)
{
	const struct wt_host *host = elder->host;
	struct conn *conn = calloc(1, sizeof *conn);

	if (!conn)
		return NULL;
	conn->elder = elder;
	conn->worker = worker;
	conn->dialled = dialled;
	conn->address = *address;
	conn->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (conn->fd < 0) {
		elder_fail(err, "socket");
		free(conn);
		return NULL;
	}
	int failed = dialled ? connect(conn->fd, (const struct sockaddr *)address, sizeof *address)
			     : bind(conn->fd, (const struct sockaddr *)address, sizeof *address);

	if (failed)
		elder_fail(err, dialled ? "connect" : "bind");
	conn->timer = host->timer_new(host, worker, on_timer, conn);
	conn->watch = host->watch_new(host, worker, conn->fd, WT_EVENT_READ, on_event, conn);
	if (!failed && conn->timer && conn->watch)
		return conn;
	conn_free(conn);
	return NULL;
}

/* ---- the contract --------------------------------------------------------- */

static enum wt_status elder_create(const struct wt_host *host, const struct wt_config *cfg,
				   void **self, struct wt_error *err)
{
	struct elder *elder = calloc(1, sizeof *elder);

	(void)err;
	if (!elder)
		return WT_ERR_NOMEM;
	elder->host = host;
	elder->cfg = cfg;
	elder->lost = host->counter(host, "elder_lost");
	*self = elder;
	return WT_OK;
}

static void elder_destroy(void *self)
{
	free(self);
}

static enum wt_status elder_listen(void *self, struct wt_worker *worker, struct wt_error *err)
{
	struct elder *elder = self;
	const struct wt_host *host = elder->host;
	struct sockaddr_storage at;

	for (size_t i = 0; host->config_sockaddr(host, elder->cfg, "listen", i, &at) == WT_OK;
	     i++) {
		struct conn *conn = conn_new(elder, worker, false,
					     (const struct sockaddr_in *)(void *)&at, err);

		if (!conn)
			return WT_ERR_IO;
		enum wt_status status = host->link_accepted(host, worker, conn, &conn->core);

		if (status != WT_OK) {
			conn_free(conn);
			return status;
		}
	}
	return WT_OK;
}

static enum wt_status elder_dial(void *self, struct wt_worker *worker,
				 const struct sockaddr *remote, socklen_t remote_len,
				 const struct wt_config *cfg, struct wt_link *core, void **tconn,
				 struct wt_error *err)
{
	struct elder *elder = self;

	(void)cfg, (void)remote_len;
	struct conn *conn = conn_new(elder, worker, true,
				     (const struct sockaddr_in *)(const void *)remote, err);

	if (!conn)
		return WT_ERR_IO;
	conn->core = core;
	elder->host->timer_set(elder->host, conn->timer, 0);
	*tconn = conn;
	return WT_OK;
}

static void elder_close(void *self, struct wt_worker *worker, void *tconn, uint32_t flags)
{
	(void)self, (void)worker, (void)flags;
	conn_free(tconn);
}

static void send_one(const struct conn *conn, const struct wt_path *path, const uint8_t *data,
		     size_t len)
{
	const struct wt_host *host = conn->elder->host;
	struct sockaddr_in to;
	bool named = path_address(path, &to);
	ssize_t n = sendto(conn->fd, data, len, MSG_NOSIGNAL,
			   named ? (const struct sockaddr *)&to : NULL, named ? sizeof to : 0);

	if (n < 0)
		host->count(host, conn->worker, conn->elder->lost, 1);
}

static enum wt_status elder_send(void *self, struct wt_worker *worker, void *tconn,
				 const struct wt_record *records, size_t n, size_t *taken)
{
	struct conn *conn = tconn;
	uint32_t stride = n > 0 ? records->struct_size : 0;

	(void)self;
	for (*taken = 0; *taken < n; ++*taken) {
		const struct wt_record *record =
			(const void *)((const uint8_t *)records + *taken * stride);
		uint32_t step = record->segment ? record->segment : record->len;

		for (uint32_t at = 0; at < record->len; at += step) {
			uint32_t left = record->len - at;

			send_one(conn, &record->path, record->data + at, left < step ? left : step);
		}
		conn->elder->host->slot_done(conn->elder->host, worker, record->slot);
	}
	return WT_OK;
}

static enum wt_status elder_recv(void *self, struct wt_worker *worker, void *tconn,
				 struct wt_record *records, size_t n, size_t *got)
{
	struct conn *conn = tconn;
	struct sockaddr_in from;
	socklen_t len = sizeof from;

	(void)self, (void)worker, (void)n;
	memset(&from, 0, sizeof from);
	*got = 0;
	ssize_t r =
		recvfrom(conn->fd, conn->in, sizeof conn->in, 0, (struct sockaddr *)&from, &len);

	/* An error of the path ends nothing. */
	if (r < 0)
		return WT_AGAIN;
	records->data = conn->in;
	records->len = (uint32_t)r;
	records->slot = NULL;
	records->segment = 0;
	if (conn->dialled)
		memset(&records->path, 0, sizeof records->path);
	else
		set_path(&from, &records->path);
	*got = 1;
	return WT_OK;
}

static uint32_t elder_max_record(void *self, struct wt_worker *worker, void *tconn,
				 const struct wt_path *path)
{
	(void)self, (void)worker, (void)tconn, (void)path;
	return RECORD_MAX;
}

static void elder_who(void *self, struct wt_worker *worker, void *tconn, const struct wt_path *path,
		      struct wt_source *out)
{
	const struct conn *conn = tconn;
	struct sockaddr_in named;

	(void)self, (void)worker;
	if (path_address(path, &named))
		elder_source(&named, NULL, out);
	else
		elder_source(conn->dialled ? &conn->address : NULL, &conn->address, out);
}

static const struct wt_transport_ops ops = {
	.struct_size = sizeof ops,
	.mode = WT_CHANNEL_DATAGRAM,
	.overhead_ipv4 = 20 + 8,
	.overhead_ipv6 = 40 + 8,
	.create = elder_create,
	.destroy = elder_destroy,
	.listen = elder_listen,
	.dial = elder_dial,
	.close = elder_close,
	.send = elder_send,
	.recv = elder_recv,
	.max_record = elder_max_record,
	.source = elder_who,
};

WT_PLUGIN(WT_KIND_TRANSPORT, "elder-datagram", "1.0", .license = "MIT", .summary = "UDP over IPv4",
	  .ops = &ops, .config_keys = elder_keys, .config_key_count = 1);
