/* SPDX-License-Identifier: MIT
 *
 * host.h: the host table of one plugin instance, as far as no event loop is
 * needed: log, clocks, secrets, settings and counters.
 *
 * The other slots are filled too, with functions that refuse: no timer, watch,
 * resolver or slot is to be had (NULL), connections and the AEAD are
 * WT_ERR_UNSUPPORTED, reports are dropped. The engine puts its own in their
 * place before it creates an instance; a plugin that is only tested at load
 * meets a refusal and never a NULL slot.
 */
#ifndef WT_PLUGIN_HOST_H
#define WT_PLUGIN_HOST_H

#include <whispertunnel/whispertunnel.h>

#include "base/clock.h"
#include "control/counters.h"

/* "transport " and a name */
#define WT_HOST_LABEL (10u + WT_NAME_MAX + 1u)

/* What is behind a table: host.self points to this struct, so it is neither
 * copied nor moved after wt_host_base_init. */
struct wt_host_instance {
	struct wt_host host;
	const struct wt_plugin *plugin; /* whose; NULL until wt_instance_new */
	char label[WT_HOST_LABEL];	/* "crypto aesgcm-openssl": in front of log lines */
	const struct wt_clock *clock;
	struct wt_counters *counters; /* NULL: nothing is counted */
	void *owner;		      /* the engine's, for the slots that it fills */
};

/* Fill all of *instance. `clock` (NULL: the machine's) and `counters` (may be
 * NULL) are borrowed until the plugin instance is destroyed; owner is NULL. WT_ERR_UNAVAILABLE when
 * the kernel has no random numbers: from here on the table's random() cannot fail. */
enum wt_status wt_host_base_init(struct wt_host_instance *instance, enum wt_plugin_kind kind,
				 const char *name, const struct wt_clock *clock,
				 struct wt_counters *counters, struct wt_error *err) WT_MUST_CHECK;

/* Register KIND-NAME.`name`, as the table's counter() does. */
uint32_t wt_host_counter(const struct wt_host_instance *instance, const char *name) WT_MUST_CHECK;

/* Count on the column of `worker`; NULL: outside of any. */
static inline void wt_host_count(const struct wt_host_instance *instance,
				 const struct wt_worker *worker, uint32_t counter, uint64_t n)
{
	if (!instance->counters)
		return;
	wt_counter_add(instance->counters,
		       worker ? instance->host.worker_index(&instance->host, worker)
			      : WT_COUNTER_OUTSIDE,
		       counter, n);
}

#endif
