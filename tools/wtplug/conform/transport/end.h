/* SPDX-License-Identifier: MIT
 *
 * end.h: one end of a transport under test: an instance made with
 * settings of the plugin's conformance table, on a loop host, and the calls that
 * the core makes, each watched over. What a transport does wrong becomes a finding
 * of the host.
 */
#ifndef WT_CONFORM_TRANSPORT_END_H
#define WT_CONFORM_TRANSPORT_END_H

#include "conform/auth/end.h"
#include "conform/transport/loop_host.h"

#define WT_END_ADDRESSES 4u

/* An element of an array of records, longer than the transport knows it. */
struct wt_long_record {
	struct wt_record record;
	uint8_t later[16];
};

/* Where an acceptor is told to listen. */
struct wt_end_addresses {
	struct sockaddr_storage at[WT_END_ADDRESSES];
	size_t count;
};

struct wt_transport_end {
	const struct wt_plugin *plugin;
	const struct wt_transport_ops *ops;
	struct wt_loop_host *host;
	struct wt_config *section, *endpoint;
	struct wt_instance *instance;
	struct wt_end_addresses addresses; /* of its settings with port 0 */
};

/* Free ports for the addresses with port 0 in SOCKADDR settings of the section:
 * what an acceptor with these settings listens on. False: the note says why. */
bool wt_end_addresses_find(struct wt_end_addresses *addresses, const struct wt_plugin *plugin,
			   const struct wt_conformance_end *settings,
			   struct wt_finding *note) WT_MUST_CHECK;

/* Makes the instance; `addresses` take the place of those with port 0 (NULL: as
 * they are written). `loop` is borrowed. False: the note says why. Close it in
 * either case. */
bool wt_transport_end_open(struct wt_transport_end *end, const struct wt_loaded *loaded,
			   const struct wt_conformance_end *settings,
			   const struct wt_end_addresses *addresses, struct wt_loop *loop,
			   uint32_t workers, struct wt_finding *note) WT_MUST_CHECK;
/* Aborts what is open, destroys the instance and looks whether everything came
 * back: afterwards the finding of the host, which stays until _free, is whole. */
void wt_transport_end_close(struct wt_transport_end *end);
void wt_transport_end_free(struct wt_transport_end *end); /* also of a zeroed one */

/* listen() for each worker. */
enum wt_status wt_transport_end_listen(struct wt_transport_end *end,
				       struct wt_error *err) WT_MUST_CHECK;
/* NULL: the dial was not taken; *status and err say why. */
struct wt_loop_conn *wt_transport_end_dial(struct wt_transport_end *end, uint32_t worker,
					   const struct sockaddr_storage *to,
					   enum wt_status *status, struct wt_error *err);
void wt_transport_end_close_conn(struct wt_transport_end *end, struct wt_loop_conn *conn,
				 bool abort);
enum wt_status wt_transport_end_send(struct wt_transport_end *end, struct wt_loop_conn *conn,
				     const struct wt_long_record *records, size_t n, size_t *taken);
enum wt_status wt_transport_end_recv(struct wt_transport_end *end, struct wt_loop_conn *conn,
				     struct wt_long_record *records, size_t n, size_t *got);
void wt_transport_end_set_max(struct wt_transport_end *end, struct wt_loop_conn *conn,
			      uint32_t max);
uint32_t wt_transport_end_max(struct wt_transport_end *end, struct wt_loop_conn *conn,
			      const struct wt_path *path);
/* Its lengths and text are looked at. */
void wt_transport_end_source(struct wt_transport_end *end, struct wt_loop_conn *conn,
			     const struct wt_path *path, struct wt_source *out);
enum wt_status wt_transport_end_local(struct wt_transport_end *end, struct wt_loop_conn *conn,
				      const struct wt_path *path, struct sockaddr_storage *out);

/* WT_ERR_UNSUPPORTED: it has none. */
enum wt_status wt_transport_end_answer(struct wt_transport_end *end, struct wt_loop_conn *conn,
				       const struct wt_path *path, const uint8_t *message,
				       size_t len);

/* Whose connection is it? */
static inline struct wt_transport_end *wt_transport_end_of(const struct wt_loop_conn *conn)
{
	return conn->host->base.owner;
}

static inline bool wt_transport_end_is_stream(const struct wt_transport_end *end)
{
	return end->ops->mode == WT_CHANNEL_STREAM;
}

#endif
