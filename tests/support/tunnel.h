/* SPDX-License-Identifier: MIT
 *
 * tunnel.h: whole engines in one process, over loopback TCP, with the real
 * plugins; the TUN device is a socket pair and the clock is the test's.
 */
#ifndef WT_TEST_SUPPORT_TUNNEL_H
#define WT_TEST_SUPPORT_TUNNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "engine/engine.h"
#include "plugin/registry.h"
#include "session/node.h"
#include "session/peer.h"

struct wt_end {
	uint32_t features, mtu; /* set before it is opened: of the device; 0: none, 1500 */
	struct wt_registry *registry;
	struct wt_settings *settings;
	struct wt_engine *engine;
	struct wt_node *node;
	struct wt_worker *worker;
	int tun; /* the application's side of the device */
	int inner;
	bool lookout;	 /* set before it is opened */
	bool two_queues; /* set before it is opened: the device has a bulk queue too */
	int bulk;	 /* the application's side of that; -1: there is none */
	int inner_bulk;
};

/* A TCP port on loopback that is free now. */
uint16_t wt_free_port(void);

/* Writes dir/name.psk: 32 bytes made from `seed`, in base64. */
void wt_end_key(const char *dir, const char *name, uint8_t seed);

/* From now on `plugin`, which is linked into the test, is found by its kind and
 * name before those of the build. */
void wt_end_plugin(const struct wt_plugin *plugin);

/* Makes an engine from the text of an INI file that is written to dir/name.ini,
 * and starts it. Any failure fails the test. */
void wt_end_open(struct wt_end *end, const char *dir, const char *name,
		 const struct wt_clock *clock, const char *ini, ...) WT_PRINTF(5, 6);
/* The same with a text as it is, where it may fail: false, and what was said is in
 * `said`; then the end is as before. */
bool wt_end_try(struct wt_end *end, const char *dir, const char *name, const struct wt_clock *clock,
		const char *text, char *said, size_t size);
void wt_end_close(struct wt_end *end); /* one that is not open is fine */

/* Turn the ends (NULL ones are skipped) until `done` says so, at most for about
 * two seconds; returns what it said last. */
bool wt_ends_turn(struct wt_end *const *ends, size_t n, bool (*done)(void *arg), void *arg);
/* One turn of the end's first worker, and at least one of each other, which looks
 * at the clock in it. */
void wt_end_turn_all(struct wt_end *end);
/* Turn them until nothing has happened for some rounds. */
void wt_ends_settle(struct wt_end *const *ends, size_t n);

/* An IPv4 packet (protocol 253, for experiments) of `len` bytes from and to
 * these addresses, its payload made from `seed`. */
void wt_packet_make(uint8_t *out, size_t len, const char *from, const char *to, uint8_t seed);

/* An application sends it: it is read by the engine as from the TUN. */
void wt_end_inject(struct wt_end *end, const uint8_t *packet, size_t len);
/* The same with an offload header. */
void wt_end_inject_raw(struct wt_end *end, const uint8_t header[10], const uint8_t *packet,
		       size_t len);
/* What arrived for the application: its length, or 0. */
size_t wt_end_take(struct wt_end *end, uint8_t *packet, size_t size);
/* The same, but turn the ends until something arrives, at most for about two
 * seconds. */
size_t wt_ends_take(struct wt_end *const *ends, size_t n, struct wt_end *end, uint8_t *packet,
		    size_t size);
/* wt_end_take with the packet's offload header. */
size_t wt_end_take_raw(struct wt_end *end, uint8_t header[10], uint8_t *packet, size_t size);

#endif
