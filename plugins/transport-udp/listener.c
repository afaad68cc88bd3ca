/* SPDX-License-Identifier: MIT */
#include "listener.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "answer.h"
#include "transport-common/address.h"
#include "transport-common/failure.h"
#include "transport-common/listen.h"

/* Memory for what is noted; once. */
static enum wt_status prepare(struct wt_udp *udp, size_t n, struct wt_error *err)
{
	if (!udp->places) {
		udp->places = calloc(n, sizeof *udp->places);
		udp->place_count = udp->places ? n : 0;
		for (size_t i = 0; i < udp->place_count; i++)
			udp->places[i].answers = -1;
	}
	if (!udp->places)
		return wt_socket_fail(err, WT_ERR_NOMEM, "listen: out of memory");
	return WT_OK;
}

static void close_answers(struct wt_udp *udp)
{
	for (size_t i = 0; i < udp->place_count; i++) {
		if (udp->places[i].answers >= 0)
			close(udp->places[i].answers);
		udp->places[i].answers = -1;
	}
}

/* The way for answers to strangers, beside the first socket of a place. */
static void open_answers(struct wt_udp *udp, struct wt_udp_place *place, int fd)
{
	const struct wt_host *host = udp->host;
	char where[WT_ADDRESS_TEXT], text[64];

	place->answers = wt_udp_answer_socket(fd);
	if (place->answers >= 0)
		return;
	wt_address_text(&place->address, where);
	host->log(host, WT_LOG_WARN,
		  "listen = %s: no second socket for answers to strangers (%s): they are sent "
		  "by the first one, and a flood of first messages from addresses at which nobody "
		  "is can hold up the peers there",
		  where, wt_socket_error_text(errno, text, sizeof text));
}

/* Address `i`, on the socket of worker number `index`. */
static enum wt_status start(struct wt_udp *udp, struct wt_worker *worker, size_t i, uint32_t index,
			    struct wt_udp_link **out, struct wt_error *err)
{
	struct wt_udp_place *place = &udp->places[i];
	struct sockaddr_storage bound;
	socklen_t len = sizeof bound;
	char where[WT_ADDRESS_TEXT];
	int fd;
	enum wt_status status;

	if (index == 0 &&
	    udp->host->config_sockaddr(udp->host, udp->cfg, "listen", i, &place->address) != WT_OK)
		return wt_socket_fail(err, WT_ERR_CONFIG, "listen: address %zu is gone", i + 1);
	status = wt_udp_socket_listen(udp, &place->address, index, &fd, err);
	if (status != WT_OK)
		return status;
	/* The port, where any was asked for. */
	if (getsockname(fd, (struct sockaddr *)&bound, &len) == 0)
		place->address = bound;
	if (index == 0)
		open_answers(udp, place, fd);
	*out = wt_udp_link_new(udp, worker, fd, &place->address, false);
	if (*out) {
		(*out)->answers = place->answers;
		return WT_OK;
	}
	wt_address_text(&place->address, where);
	return wt_socket_fail(err, WT_ERR_NOMEM,
			      "listen = %s: out of memory or descriptors for the event loop",
			      where);
}

/* Show them to the core. Those that it takes are its own from then on. */
static enum wt_status offer(struct wt_udp *udp, struct wt_udp_link **links, size_t n,
			    struct wt_error *err)
{
	const struct wt_host *host = udp->host;
	enum wt_status status = WT_OK;

	for (size_t i = 0; i < n; i++) {
		if (status == WT_OK)
			status = host->link_accepted(host, links[i]->worker, links[i],
						     &links[i]->core);
		if (status != WT_OK)
			wt_udp_link_close(links[i], true);
	}
	return status == WT_OK ? WT_OK
			       : wt_socket_fail(err, status, "listen: the core takes no socket");
}

enum wt_status wt_udp_listener_open(struct wt_udp *udp, struct wt_worker *worker,
				    struct wt_error *err)
{
	const struct wt_host *host = udp->host;
	struct wt_udp_link *links[WT_LISTEN_MAX];
	size_t n, opened = 0;
	uint32_t index = host->worker_index(host, worker);
	enum wt_status status = wt_listen_count(host, udp->cfg, &n, err);

	if (status != WT_OK || n == 0)
		return status;
	/* The kernel numbers the sockets of a port as they come. */
	if (index != udp->listening)
		return wt_socket_fail(err, WT_ERR_INVALID, "listen: worker %u is not the next one",
				      index);
	status = prepare(udp, n, err);
	while (status == WT_OK && opened < n) {
		status = start(udp, worker, opened, index, &links[opened], err);
		opened += status == WT_OK;
	}
	if (status == WT_OK)
		status = offer(udp, links, n, err);
	else
		while (opened > 0)
			wt_udp_link_close(links[--opened], true);
	if (status != WT_OK && index == 0)
		close_answers(udp);
	if (status != WT_OK)
		return status;
	udp->listening++;
	for (size_t i = 0; i < n && index == 0; i++) {
		char where[WT_ADDRESS_TEXT];

		wt_address_text(&udp->places[i].address, where);
		host->log(host, WT_LOG_INFO, "listening on udp %s", where);
	}
	return WT_OK;
}

void wt_udp_listener_forget(struct wt_udp *udp)
{
	close_answers(udp);
	free(udp->places);
}
