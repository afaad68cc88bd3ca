/* SPDX-License-Identifier: MIT
 *
 * output.h: what an association sends: sealing, and handing to the transport.
 *
 * Records are sealed in the order in which they will leave. What the transport
 * did not take stays in link->out, in order; nothing more is sealed then.
 *
 * Over datagrams, packets of one size to one place are sealed one behind the
 * other into the buffer of the first: a run, which leaves with one call.
 */
#ifndef WT_SESSION_OUTPUT_H
#define WT_SESSION_OUTPUT_H

#include "session/conn.h"

/* Can one more packet be sealed now? */
bool wt_output_ready(const struct wt_conn *conn);

/* Seal the packet in `buffer` (buffer->len bytes at WT_SLOT_PACKET) behind the
 * `prefix_len` bytes of its inner header, under the current key. The buffer is
 * the link's from here, also on failure: the drop's reason then, counted
 * by the caller. It leaves with the next wt_output_flush. */
enum wt_drop wt_output_packet(struct wt_conn *conn, struct wt_buffer *buffer, const uint8_t *prefix,
			      size_t prefix_len) WT_MUST_CHECK;

/* Over datagrams: seal `text` (kind and packet, in nobody's slot for long:
 * record/carve.h) as one more record of a run. WT_DROP_QUEUE_FULL: no room for
 * it before a flush, or no buffer; nothing happened. */
enum wt_drop wt_output_piece(struct wt_conn *conn, const uint8_t *text, size_t len) WT_MUST_CHECK;

/* Seal a text of a few bytes (padding, control) under `pair`. False: no buffer, no
 * room or no key; nothing was sent. */
bool wt_output_text(struct wt_conn *conn, struct wt_keypair *pair, const uint8_t *text, size_t len);

/* The same to another path than the association's. */
bool wt_output_text_to(struct wt_conn *conn, struct wt_keypair *pair, const struct wt_path *to,
		       const uint8_t *text, size_t len);

/* Seal a PROBE of `id` that makes a record of exactly `record_len` bytes. False:
 * as above, or there is no PROBE of that length. */
bool wt_output_probe(struct wt_conn *conn, size_t record_len, uint16_t id);

/* Queue a handshake message before all records not yet taken by the transport; at
 * a shared link that takes nothing now, wt_output_answer. False: no buffer or no
 * room. */
bool wt_output_handshake(const struct wt_origin *to, const uint8_t *message, size_t len);

/* Say something to a stranger at a shared link, at once or not at all: where the
 * transport can, apart from all that peers are sent, so that neither waits for
 * the other. False: it was not sent. */
bool wt_output_answer(const struct wt_origin *to, const uint8_t *message, size_t len);

/* Hand to the transport what is there. */
void wt_output_flush(struct wt_link *link);
/* The same in the middle of a turn, to go on sealing: a run that is not full stays,
 * if it is not alone. */
void wt_output_make_room(struct wt_link *link);
/* The same for all links that got something in this turn. */
void wt_output_flush_all(struct wt_worker *worker);

#endif
