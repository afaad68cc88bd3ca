/* SPDX-License-Identifier: MIT */
#include "config/trial.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/secret.h"
#include "plugin/call.h"
#include "plugin/vigil.h"

#define LABEL (WT_HOST_LABEL + 8u)

/* The settings are at fault, or the plugin is. */
static void add_problem(struct wt_problems *problems, struct wt_place place, enum wt_status status,
			const struct wt_error *err)
{
	const char *text = err->text[0] ? err->text : wt_status_text(status);

	if (status == WT_ERR_NOMEM)
		problems->out_of_memory = true;
	else if (status == WT_ERR_CONFIG)
		wt_problem_add(problems, place, "%s", text);
	else
		wt_problem_add_plugin(problems, place, "%s", text);
}

/* NULL: a problem was added. */
static struct wt_instance *create(struct wt_problems *problems, struct wt_place place,
				  const struct wt_plugin *plugin, const struct wt_config *cfg,
				  struct wt_host_instance *host)
{
	struct wt_error err = WT_ERROR_INIT;
	struct wt_instance *instance = NULL;
	enum wt_status status =
		wt_host_base_init(host, plugin->kind, plugin->name, NULL, NULL, &err);

	if (status == WT_OK)
		status = wt_instance_new(plugin, host, cfg, &instance, &err);
	if (status != WT_OK)
		add_problem(problems, place, status, &err);
	return instance;
}

/* One section without peers: made and destroyed. */
static void try_section(struct wt_problems *problems, const struct wt_plugin_settings *section)
{
	struct wt_host_instance host;
	char label[LABEL];

	snprintf(label, sizeof label, "%s %s", wt_kind_text(section->plugin->kind), section->name);
	wt_instance_free(create(problems, (struct wt_place){ section->line, label, NULL },
				section->plugin, section->config, &host));
}

static void try_crypto(struct wt_problems *problems, const struct wt_crypto_settings *crypto)
{
	struct wt_host_instance host;

	wt_instance_free(create(problems, (struct wt_place){ crypto->line, "crypto", NULL },
				crypto->plugin, crypto->config, &host));
}

/* Add the peer; the memory it now lives in, or NULL. */
static void *add_peer(struct wt_problems *problems, const struct wt_instance *auth,
		      const struct wt_peer_settings *peer, uint32_t id)
{
	const struct wt_auth_ops *ops = &auth->plugin->ops.auth;
	void *memory = wt_secret_alloc(ops->peer_size, ops->peer_align);
	struct wt_error err = WT_ERROR_INIT;
	enum wt_status status = WT_ERR_NOMEM;
	char label[LABEL];

	if (memory)
		status = wt_auth_peer_add(auth, peer->config, id,
					  peer->endpoint_count ? WT_PEER_DIALS : WT_PEER_ACCEPTS,
					  memory, &err);
	if (status == WT_OK)
		return memory;
	snprintf(label, sizeof label, "peer %s", peer->name);
	add_problem(problems, (struct wt_place){ peer->line, label, NULL }, status, &err);
	wt_secret_free(memory);
	return NULL;
}

static void try_auth(struct wt_problems *problems, const struct wt_settings *settings, size_t index)
{
	const struct wt_plugin_settings *section = &settings->auths[index];
	void **peers = calloc(settings->peer_count, sizeof *peers);
	struct wt_instance *auth = NULL;
	struct wt_host_instance host;
	char label[LABEL];

	snprintf(label, sizeof label, "auth %s", section->name);
	if (peers)
		auth = create(problems, (struct wt_place){ section->line, label, NULL },
			      section->plugin, section->config, &host);
	else
		problems->out_of_memory = true;
	for (size_t i = 0; auth && i < settings->peer_count; i++)
		if (settings->peers[i].auth == index)
			peers[i] = add_peer(problems, auth, &settings->peers[i], (uint32_t)i);
	for (size_t i = settings->peer_count; auth && i-- > 0;) {
		if (peers[i])
			wt_auth_peer_remove(auth, peers[i]);
		wt_secret_free(peers[i]);
	}
	wt_instance_free(auth);
	free(peers);
}

void wt_trial_run(const struct wt_settings *settings, struct wt_problems *problems)
{
	struct wt_vigil *vigil = wt_vigil_begin(WT_VIGIL_MS);

	try_crypto(problems, &settings->crypto);
	for (size_t i = 0; i < settings->transport_count; i++)
		try_section(problems, &settings->transports[i]);
	for (size_t i = 0; i < settings->auth_count; i++)
		try_auth(problems, settings, i);
	wt_vigil_end(vigil);
}
