/* SPDX-License-Identifier: MIT
 *
 * A stream transport as somebody might have built it for a recorded ABI: TCP over
 * IPv4, one record a call.
 */
#include <stdbool.h>

#include "address.h"

#define PREFIX 4u
#define LISTEN_MAX 4u

struct elder;

struct listener {
	struct elder *elder;
	struct wt_watch *watch;
	int fd;
};

struct elder {
	const struct wt_host *host;
	const struct wt_config *cfg;
	struct listener listeners[LISTEN_MAX];
	size_t listener_count;
};

struct conn {
	struct elder *elder;
	struct wt_worker *worker;
	struct wt_link *core;
	struct wt_watch *watch;
	struct wt_timer *timer; /* reports the end, later than the call that saw it */
	struct sockaddr_in remote;
	int fd;
	bool connecting, owes_writable;
	enum wt_status why; /* WT_OK: not ended */
	const char *text;
	/* A record of which a part was written. */
	struct wt_slot *slot;
	const uint8_t *rest;
	size_t rest_len;
	/* The record that comes in: its length, then its bytes. */
	uint32_t max, len, have;
	uint8_t in[PREFIX + WT_RECORD_MAX];
};

/* ---- events --------------------------------------------------------------- */

static void end(struct conn *conn, enum wt_status why, const char *text)
{
	const struct wt_host *host = conn->elder->host;

	if (conn->why != WT_OK)
		return;
	conn->why = why;
	conn->text = text;
	host->watch_free(host, conn->watch);
	conn->watch = NULL;
	host->timer_set(host, conn->timer, 0);
}

static void on_timer(void *arg, struct wt_worker *worker)
{
	struct conn *conn = arg;

	conn->elder->host->link_ended(conn->elder->host, worker, conn->core, conn->why, conn->text);
}

static void watch(struct conn *conn, unsigned events)
{
	if (conn->elder->host->watch_set(conn->elder->host, conn->watch, events) != WT_OK)
		end(conn, WT_ERR_NOMEM, "out of memory");
}

/* True: nothing is left of the record that was begun. */
static bool write_rest(struct conn *conn)
{
	const struct wt_host *host = conn->elder->host;

	if (!conn->slot)
		return true;
	ssize_t n = send(conn->fd, conn->rest, conn->rest_len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		end(conn, WT_ERR_IO, "sending failed");
	if (n > 0) {
		conn->rest += n;
		conn->rest_len -= (size_t)n;
	}
	if (conn->rest_len > 0)
		return false;
	host->slot_done(host, conn->worker, conn->slot);
	conn->slot = NULL;
	return true;
}

/* Each report is the last thing done: the core may close inside it. */
static void on_event(void *arg, struct wt_worker *worker, int fd, unsigned events)
{
	struct conn *conn = arg;
	const struct wt_host *host = conn->elder->host;

	if (conn->connecting) {
		int error = 0;
		socklen_t len = sizeof error;

		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
		conn->connecting = false;
		if (error)
			end(conn, WT_ERR_IO, "cannot connect");
		else
			watch(conn, WT_EVENT_READ);
		if (conn->why == WT_OK)
			host->link_connected(host, worker, conn->core);
		return;
	}
	if ((events & WT_EVENT_WRITE) && conn->slot && write_rest(conn)) {
		watch(conn, WT_EVENT_READ);
		if (conn->owes_writable) {
			conn->owes_writable = false;
			host->link_writable(host, worker, conn->core);
			return;
		}
	}
	if ((events & WT_EVENT_READ) && conn->why == WT_OK)
		host->link_readable(host, worker, conn->core);
}

static void conn_free(struct conn *conn)
{
	const struct wt_host *host = conn->elder->host;

	if (conn->slot)
		host->slot_done(host, conn->worker, conn->slot);
	if (conn->watch)
		host->watch_free(host, conn->watch);
	if (conn->timer)
		host->timer_free(host, conn->timer);
	close(conn->fd);
	free(conn);
}

/* Takes `fd` over, on failure too. */
static struct conn *conn_new(struct elder *elder, struct wt_worker *worker, int fd, unsigned events)
{
	const struct wt_host *host = elder->host;
	struct conn *conn = calloc(1, sizeof *conn);

	if (!conn) {
		close(fd);
		return NULL;
	}
	conn->elder = elder;
	conn->worker = worker;
	conn->fd = fd;
	conn->max = WT_UNAUTHENTICATED_MAX;
	conn->timer = host->timer_new(host, worker, on_timer, conn);
	conn->watch = host->watch_new(host, worker, fd, events, on_event, conn);
	if (conn->timer && conn->watch)
		return conn;
	conn_free(conn);
	return NULL;
}

static void on_accept(void *arg, struct wt_worker *worker, int fd, unsigned events)
{
	struct listener *listener = arg;
	const struct wt_host *host = listener->elder->host;
	struct sockaddr_in remote;
	socklen_t len = sizeof remote;
	int got = accept4(fd, (struct sockaddr *)&remote, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (got < 0)
		return;
	struct conn *conn = conn_new(listener->elder, worker, got, WT_EVENT_READ);

	if (!conn)
		return;
	conn->remote = remote;
	if (host->link_accepted(host, worker, conn, &conn->core) != WT_OK)
		conn_free(conn);
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
	*self = elder;
	return WT_OK;
}

static void elder_destroy(void *self)
{
	struct elder *elder = self;

	for (size_t i = 0; i < elder->listener_count; i++) {
		elder->host->watch_free(elder->host, elder->listeners[i].watch);
		close(elder->listeners[i].fd);
	}
	free(elder);
}

static enum wt_status elder_listen(void *self, struct wt_worker *worker, struct wt_error *err)
{
	struct elder *elder = self;
	const struct wt_host *host = elder->host;
	struct sockaddr_storage at;
	int one = 1;

	for (size_t i = 0;
	     i < LISTEN_MAX && host->config_sockaddr(host, elder->cfg, "listen", i, &at) == WT_OK;
	     i++) {
		struct listener *listener = &elder->listeners[elder->listener_count];
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		if (fd < 0)
			return elder_fail(err, "socket");
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
		if (bind(fd, (struct sockaddr *)&at, sizeof(struct sockaddr_in)) < 0 ||
		    listen(fd, 16) < 0) {
			enum wt_status status = elder_fail(err, "listen");

			close(fd);
			return status;
		}
		*listener = (struct listener){ .elder = elder, .fd = fd };
		listener->watch =
			host->watch_new(host, worker, fd, WT_EVENT_READ, on_accept, listener);
		if (!listener->watch) {
			close(fd);
			return WT_ERR_NOMEM;
		}
		elder->listener_count++;
	}
	return WT_OK;
}

static enum wt_status elder_dial(void *self, struct wt_worker *worker,
				 const struct sockaddr *remote, socklen_t remote_len,
				 const struct wt_config *cfg, struct wt_link *core, void **tconn,
				 struct wt_error *err)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)cfg;
	if (fd < 0)
		return elder_fail(err, "socket");
	if (connect(fd, remote, remote_len) < 0 && errno != EINPROGRESS) {
		enum wt_status status = elder_fail(err, "connect");

		close(fd);
		return status;
	}
	struct conn *conn = conn_new(self, worker, fd, WT_EVENT_WRITE);

	if (!conn)
		return WT_ERR_NOMEM;
	memcpy(&conn->remote, remote, sizeof conn->remote);
	conn->core = core;
	conn->connecting = true;
	*tconn = conn;
	return WT_OK;
}

static void elder_close(void *self, struct wt_worker *worker, void *tconn, uint32_t flags)
{
	(void)self, (void)worker, (void)flags;
	conn_free(tconn);
}

static enum wt_status elder_send(void *self, struct wt_worker *worker, void *tconn,
				 const struct wt_record *records, size_t n, size_t *taken)
{
	struct conn *conn = tconn;
	uint32_t stride = n > 0 ? records->struct_size : 0;

	(void)self, (void)worker;
	*taken = 0;
	if (conn->why != WT_OK)
		return conn->why;
	while (*taken < n && !conn->slot) {
		const struct wt_record *record =
			(const void *)((const uint8_t *)records + *taken * stride);
		uint8_t *start = record->data - PREFIX;

		for (unsigned i = 0; i < PREFIX; i++)
			start[i] = (uint8_t)(record->len >> (24 - 8 * i));
		conn->slot = record->slot;
		conn->rest = start;
		conn->rest_len = PREFIX + record->len;
		++*taken;
		if (!write_rest(conn) && conn->why == WT_OK)
			watch(conn, WT_EVENT_READ | WT_EVENT_WRITE);
	}
	conn->owes_writable = *taken < n;
	return conn->why;
}

static enum wt_status elder_recv(void *self, struct wt_worker *worker, void *tconn,
				 struct wt_record *records, size_t n, size_t *got)
{
	struct conn *conn = tconn;
	uint32_t wanted = conn->have < PREFIX ? PREFIX : PREFIX + conn->len;

	(void)self, (void)worker, (void)n;
	*got = 0;
	if (conn->why != WT_OK)
		return conn->why;
	ssize_t r = recv(conn->fd, conn->in + conn->have, wanted - conn->have, 0);

	if (r < 0 && (errno == EAGAIN || errno == EINTR))
		return WT_AGAIN;
	if (r <= 0) {
		end(conn, r < 0 ? WT_ERR_IO : WT_ERR_CLOSED, "the other end closed");
		return conn->why;
	}
	conn->have += (uint32_t)r;
	if (conn->have < wanted)
		return WT_AGAIN;
	if (wanted == PREFIX) {
		conn->len = (uint32_t)conn->in[0] << 24 | (uint32_t)conn->in[1] << 16 |
			    (uint32_t)conn->in[2] << 8 | conn->in[3];
		/* The rest is still in the socket, so the loop comes back. */
		return conn->len < WT_MESSAGE_HEADER || conn->len > conn->max ? WT_ERR_LIMIT
									      : WT_AGAIN;
	}
	records->data = conn->in + PREFIX;
	records->len = conn->len;
	records->slot = NULL;
	conn->have = 0;
	*got = 1;
	return WT_OK;
}

static void elder_set_max_record(void *self, struct wt_worker *worker, void *tconn, uint32_t max)
{
	(void)self, (void)worker;
	((struct conn *)tconn)->max = max;
}

static uint32_t elder_max_record(void *self, struct wt_worker *worker, void *tconn,
				 const struct wt_path *path)
{
	(void)self, (void)worker, (void)tconn, (void)path;
	return WT_RECORD_MAX;
}

static void elder_who(void *self, struct wt_worker *worker, void *tconn, const struct wt_path *path,
		      struct wt_source *out)
{
	(void)self, (void)worker, (void)path;
	elder_source(&((const struct conn *)tconn)->remote, NULL, out);
}

static const struct wt_transport_ops ops = {
	.struct_size = sizeof ops,
	.mode = WT_CHANNEL_STREAM,
	.headroom = PREFIX,
	.overhead_ipv4 = 20 + 32 + PREFIX,
	.overhead_ipv6 = 40 + 32 + PREFIX,
	.create = elder_create,
	.destroy = elder_destroy,
	.listen = elder_listen,
	.dial = elder_dial,
	.close = elder_close,
	.send = elder_send,
	.recv = elder_recv,
	.set_max_record = elder_set_max_record,
	.max_record = elder_max_record,
	.source = elder_who,
};

WT_PLUGIN(WT_KIND_TRANSPORT, "elder-stream", "1.0", .license = "MIT", .summary = "TCP over IPv4",
	  .ops = &ops, .config_keys = elder_keys, .config_key_count = 1);
