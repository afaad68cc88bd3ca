/* SPDX-License-Identifier: MIT
 *
 * world.h: a server "server" with the peers alice and bob, and clients for
 * them, with one clock that the test turns and one log that it reads.
 */
#ifndef WT_TEST_SUPPORT_WORLD_H
#define WT_TEST_SUPPORT_WORLD_H

#include <pthread.h>

#include "support/tunnel.h"

struct wt_world {
	char *dir;
	uint16_t port, second_port; /* second_port: the server listens there too; 0: not */
	const char *also;	    /* NAME of a second transport, with the same port; NULL: none */
	const char *transport, *auth; /* NAME: "tcp" and "hmac" unless changed before a start */
	/* NAME of both ends' crypto plugin, and more lines of that section; NULL: openssl at the
	 * server, sodium at the clients */
	const char *crypto;
	struct wt_clock_manual clock;
	struct wt_end server, alice, bob;
	struct wt_end *ends[3];
	size_t secrets_before;
	pthread_mutex_t log_lock; /* every worker's thread logs */
	pthread_cond_t logged;	  /* a line came */
	char log[65536];	  /* every line since the start */
};

/* For cmocka_unit_test_setup_teardown: *state is the world. The tear-down closes
 * all ends, and fails if a packet buffer or a byte of secret memory is left. */
int wt_world_setup(void **state);
/* The same over support/memory_transport.h. */
int wt_world_setup_memory(void **state);
/* The same over support/packet_transport.h; support/memory_transport.h is there for
 * `also`. */
int wt_world_setup_packets(void **state);
int wt_world_teardown(void **state);

/* `more` goes into [tunnel], `peer` into the client's [peer office], `auth` into
 * its [auth hmac]. */
void wt_world_server(struct wt_world *w, const char *more);
struct wt_client {
	unsigned host;	 /* 10.8.0.HOST */
	const char *key; /* of alice, bob or stranger */
	const char *more, *auth, *peer;
};
void wt_world_client(struct wt_world *w, struct wt_end *end, const struct wt_client *client);
void wt_world_alice(struct wt_world *w);
void wt_world_bob(struct wt_world *w);

struct wt_peer *wt_world_peer(struct wt_end *end, size_t i);

/* Conditions for wt_world_until. */
bool wt_world_alice_up(void *w);
bool wt_world_all_up(void *w);

/* Turn until `done`, or fail with the log. */
void wt_world_until(struct wt_world *w, bool (*done)(void *));
void wt_world_settle(struct wt_world *w);
/* Let time go by in steps small enough that every timer fires at its moment. */
void wt_world_pass(struct wt_world *w, uint64_t ms);

bool wt_world_logged(struct wt_world *w, const char *text);
/* Waits for it, at most for `seconds`; another thread has to log it. */
bool wt_world_wait_log(struct wt_world *w, const char *text, unsigned seconds);

/* A packet that is injected at `from` comes out at `to`, whole and alone. */
void wt_world_carries(struct wt_world *w, struct wt_end *from, struct wt_end *to,
		      const char *source, const char *destination, size_t len);
/* It does not. */
void wt_world_loses(struct wt_world *w, struct wt_end *from, struct wt_end *to, const char *source,
		    const char *destination);

#endif
