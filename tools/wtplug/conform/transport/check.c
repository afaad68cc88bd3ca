/* SPDX-License-Identifier: MIT */
#include "conform/transport/check.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "conform/transport/netspace.h"

const struct wt_transport_check wt_transport_checks[] = {
	{ "exchange", "two ends reach each other and know who is there", 1, WT_OF_STREAMS, false,
	  wt_check_stream_exchange },
	{ "sizes", "records of every size arrive whole and in order", 1, WT_OF_STREAMS, false,
	  wt_check_stream_sizes },
	{ "limit", "no record longer than allowed is delivered", 1, WT_OF_STREAMS, false,
	  wt_check_stream_limit },
	{ "split", "records do not depend on how bytes are put together", 2, WT_OF_STREAMS, false,
	  wt_check_stream_split },
	{ "pressure", "nothing is lost where the other end does not read", 2, WT_OF_STREAMS, false,
	  wt_check_stream_pressure },
	{ "endings", "the end is told, once and behind the last record", 2, WT_OF_STREAMS, false,
	  wt_check_stream_endings },
	{ "closing", "close() ends all at once, and loses nothing that was sent", 2, WT_OF_STREAMS,
	  false, wt_check_stream_closing },
	{ "refused", "a dial that nobody takes is told so", 1, WT_OF_STREAMS, false,
	  wt_check_stream_refused },
	{ "unanswered", "a dial that gets no answer stops nobody", 2, WT_OF_STREAMS, true,
	  wt_check_stream_unanswered },
	{ "strangers", "what strangers say harms nobody", 2, WT_OF_STREAMS, false,
	  wt_check_stream_strangers },
	{ "no-buffers", "waits while there are no packet buffers", 2, WT_OF_BOTH, true,
	  wt_check_no_slots },
	{ "exchange", "two ends reach each other and know who is there", 1, WT_OF_DATAGRAMS, false,
	  wt_check_datagram_exchange },
	{ "sizes", "records of every size arrive whole, and too large ones end nothing", 1,
	  WT_OF_DATAGRAMS, false, wt_check_datagram_sizes },
	{ "runs", "runs of records arrive as their records", 2, WT_OF_DATAGRAMS, false,
	  wt_check_datagram_runs },
	{ "closing", "close() ends all at once", 2, WT_OF_DATAGRAMS, false,
	  wt_check_datagram_closing },
	{ "network", "what is lost, said twice or overtaken changes no record", 2, WT_OF_DATAGRAMS,
	  false, wt_check_datagram_network },
	{ "paths", "a path says who sent, and leads back there", 1, WT_OF_DATAGRAMS, false,
	  wt_check_datagram_paths },
	{ "nobody", "goes on where nobody is there", 1, WT_OF_DATAGRAMS, false,
	  wt_check_datagram_nobody },
	{ "strangers", "what strangers say harms nobody", 2, WT_OF_DATAGRAMS, false,
	  wt_check_datagram_strangers },
	{ "listen", "listens at all addresses or at none, and says why", 1, WT_OF_BOTH, true,
	  wt_check_listen },
	{ "refusal", "closes what the core does not want", 1, WT_OF_BOTH, true, wt_check_refusal },
	{ "two", "two instances carry side by side", 1, WT_OF_BOTH, true, wt_check_two_instances },
	{ "workers", "each worker has what is its own", 1, WT_OF_BOTH, false, wt_check_workers },
	{ "churn", "nothing stays of connections that are over", 2, WT_OF_BOTH, true,
	  wt_check_churn },
	{ "memory", "survives a lack of memory", 2, WT_OF_BOTH, true, wt_check_memory },
};
const size_t wt_transport_check_count = sizeof wt_transport_checks / sizeof wt_transport_checks[0];

bool wt_transport_check_is_for(const struct wt_transport_check *check, uint32_t mode)
{
	return check->modes & (mode == WT_CHANNEL_STREAM ? WT_OF_STREAMS : WT_OF_DATAGRAMS);
}

const struct wt_transport_check *wt_transport_check_named(const char *name, uint32_t mode)
{
	for (size_t i = 0; i < wt_transport_check_count; i++)
		if (strcmp(wt_transport_checks[i].name, name) == 0 &&
		    wt_transport_check_is_for(&wt_transport_checks[i], mode))
			return &wt_transport_checks[i];
	return NULL;
}

/* Whoever listens at a wildcard is reached over loopback. */
static struct sockaddr_storage dialled(const struct sockaddr_storage *listens)
{
	struct sockaddr_storage at = *listens;
	struct sockaddr_in *in = (struct sockaddr_in *)&at;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&at;

	if (at.ss_family == AF_INET && in->sin_addr.s_addr == htonl(INADDR_ANY))
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (at.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr))
		in6->sin6_addr = in6addr_loopback;
	return at;
}

/* At one address of each family. */
static enum wt_verdict run_families(const struct wt_transport_check *check,
				    struct wt_transport_setup *setup, struct wt_finding *note)
{
	static const sa_family_t families[] = { AF_INET, AF_INET6 };
	const struct wt_end_addresses all = setup->addresses;
	enum wt_verdict verdict = WT_SKIPPED;
	bool tried = false;

	for (size_t f = 0; f < 2 && !(tried && check->once); f++) {
		struct wt_finding why = { .fault = WT_FAULT_NONE };
		const char *family = families[f] == AF_INET ? "IPv4" : "IPv6";
		enum wt_verdict here;
		size_t i = 0;

		while (i < all.count && all.at[i].ss_family != families[f])
			i++;
		if (i == all.count)
			continue;
		tried = true;
		setup->listens = all.at[i];
		setup->at = dialled(&all.at[i]);
		here = check->run(setup, &why);
		note->cases += why.cases;
		if (here == WT_FOUND) {
			wt_find(note, why.fault, "%s: %s", family, why.text);
			return WT_FOUND;
		}
		if (here == WT_SOUND)
			verdict = WT_SOUND;
		if (why.text[0] && !note->text[0])
			wt_find(note, WT_FAULT_NONE, "%s", why.text);
	}
	return verdict;
}

enum wt_verdict wt_transport_check_run(const struct wt_transport_check *check, const char *path,
				       int level, uint64_t seed, struct wt_finding *note)
{
	struct wt_transport_setup setup = { .level = level, .seed = seed };
	struct wt_error err = WT_ERROR_INIT;
	struct wt_loaded *loaded;

	if (wt_loaded_here(path, &loaded, &err) != WT_OK) {
		wt_find(note, WT_FAULT_NOT_LOADED, "%s", err.text);
		return WT_FOUND;
	}
	setup.loaded = loaded;
	setup.table = wt_conformance_of(loaded, note);
	if (!setup.table)
		return WT_NOT_RUN;
	setup.alone = wt_netspace_enter();
	if (!wt_end_addresses_find(&setup.addresses, &loaded->plugin, setup.table->acceptor, note))
		return WT_FOUND;
	if (setup.addresses.count == 0) {
		wt_find(note, WT_FAULT_NONE,
			"the acceptor of its conformance table has no address with port 0 to "
			"listen on, or none of this machine");
		return WT_NOT_RUN;
	}
	return run_families(check, &setup, note);
}
