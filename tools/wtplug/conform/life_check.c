/* SPDX-License-Identifier: MIT */
#include "conform/life_check.h"

#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "config/key_table.h"
#include "config/values.h"
#include "conform/auth/end.h"
#include "conform/heap.h"
#include "plugin/call.h"

#define WARM_UP 4u

/* A plugin, loaded, with its settings' defaults. */
struct life {
	struct wt_loaded *loaded;
	struct wt_config *cfg;
	enum wt_verdict failure; /* what it means when something fails */
};

static bool life_open(struct life *life, const char *path, struct wt_finding *note)
{
	struct wt_error err = WT_ERROR_INIT;

	*life = (struct life){ .failure = WT_FOUND };
	if (wt_loaded_here(path, &life->loaded, &err) != WT_OK)
		return wt_find(note, WT_FAULT_NOT_LOADED, "%s", err.text);
	const struct wt_plugin *plugin = &life->loaded->plugin;
	const struct wt_key_table keys = { plugin->config_keys, plugin->config_key_count,
					   plugin->config_key_stride };

	/* Without a table the defaults may do, and nothing is to be said. */
	const struct wt_conformance *table = NULL;

	if (life->loaded->descriptor.conformance)
		table = wt_conformance_of(life->loaded, note);
	if (table) {
		life->cfg = wt_conformance_config(plugin, table->dialler, WT_SCOPE_SECTION,
						  plugin->name, note);
		return life->cfg != NULL;
	}
	for (size_t i = 0; i < keys.count; i++) {
		const struct wt_config_key *key = wt_key_table_at(&keys, i);

		if (key->scope != WT_SCOPE_SECTION || !(key->flags & WT_CONFIG_REQUIRED))
			continue;
		life->failure = WT_NOT_RUN;
		return wt_find(note, WT_FAULT_NONE,
			       "it needs the setting %s to be made, and has no "
			       "conformance table that gives one",
			       key->name);
	}
	life->cfg = wt_config_new(plugin->name, &keys, 1, 1u << WT_SCOPE_SECTION);
	return life->cfg || wt_find(note, WT_FAULT_FAILED, "no memory");
}

static void life_close(struct life *life)
{
	wt_config_free(life->cfg);
	wt_loaded_free(life->loaded);
}

/* An instance with a host table of its own, as in the daemon. */
struct member {
	struct wt_host_instance host;
	struct wt_instance *instance;
};

static bool member_make(struct member *m, struct life *life, struct wt_finding *note)
{
	const struct wt_plugin *plugin = &life->loaded->plugin;
	struct wt_error err = WT_ERROR_INIT;

	m->instance = NULL;
	if (wt_host_base_init(&m->host, plugin->kind, plugin->name, NULL, NULL, &err) == WT_OK &&
	    wt_instance_new(plugin, &m->host, life->cfg, &m->instance, &err) == WT_OK)
		return true;
	/* A crypto plugin must work with its defaults; the others may want more
	 * than a host without an event loop has. */
	if (plugin->kind != WT_KIND_CRYPTO)
		life->failure = WT_NOT_RUN;
	return wt_find(note, WT_FAULT_FAILED, "create: %s", err.text);
}

static bool member_works(const struct member *m, const struct life *life, struct wt_finding *note)
{
	static const uint8_t key[WT_KEY_SIZE] = { 7 }, nonce[WT_NONCE_SIZE];
	const struct wt_crypto_ops *ops = &life->loaded->plugin.ops.crypto;
	uint8_t record[64 + WT_TAG_SIZE] = { 1, 2, 3 };
	void *self = m->instance->self;

	if (life->loaded->plugin.kind != WT_KIND_CRYPTO)
		return true;
	void *ctx = wt_secret_alloc(ops->ctx_size, ops->ctx_align);

	if (!ctx || ops->key_init(self, NULL, ctx, key) != WT_OK) {
		wt_secret_free(ctx);
		return wt_find(note, WT_FAULT_LIFE, "key_init failed in one of two instances");
	}
	bool good = ops->seal(self, NULL, ctx, nonce, NULL, 0, record, 64, record) == WT_OK &&
		    ops->open(self, NULL, ctx, nonce, NULL, 0, record, sizeof record, record) ==
			    WT_OK &&
		    record[0] == 1 && record[2] == 3;

	ops->key_wipe(self, ctx);
	wt_secret_free(ctx);
	return good ||
	       wt_find(note, WT_FAULT_LIFE, "one of two instances does not seal and open a record");
}

/* ---- checks -------------------------------------------------------------- */

static bool load_once(const char *path, enum wt_verdict *failure, struct wt_finding *note)
{
	struct life life;
	struct member m = { .instance = NULL };
	bool good = life_open(&life, path, note) && member_make(&m, &life, note) &&
		    member_works(&m, &life, note);

	wt_instance_free(m.instance);
	*failure = life.failure;
	life_close(&life);
	return good;
}

static enum wt_verdict check_loads(const char *path, const struct wt_check_options *options,
				   struct wt_finding *note)
{
	const size_t loads = options->level >= 2 ? 1000 : 12;
	struct wt_usage before = wt_usage_now();
	enum wt_verdict failure;

	for (size_t i = 0; i < loads; i++) {
		if (i == WARM_UP)
			before = wt_usage_now();
		if (!load_once(path, &failure, note))
			return failure;
	}
	return wt_usage_kept(&before, loads - WARM_UP, "loads", note) ? WT_SOUND : WT_FOUND;
}

/* Two at once; the first one, or the second one, ends first. */
static bool two_at_once(struct life *life, bool reverse, struct wt_finding *note)
{
	struct member m[2] = { { .instance = NULL }, { .instance = NULL } };
	bool good = member_make(&m[0], life, note) && member_make(&m[1], life, note) &&
		    member_works(&m[0], life, note) && member_works(&m[1], life, note);

	wt_instance_free(m[reverse].instance);
	good = good && member_works(&m[!reverse], life, note);
	wt_instance_free(m[!reverse].instance);
	return good;
}

static enum wt_verdict check_instances(const char *path, const struct wt_check_options *options,
				       struct wt_finding *note)
{
	struct life life;
	bool good = life_open(&life, path, note);
	struct wt_usage before = wt_usage_now();
	const size_t rounds = 40;

	(void)options;
	for (size_t i = 0; good && i < WARM_UP + rounds; i++) {
		if (i == WARM_UP)
			before = wt_usage_now();
		good = two_at_once(&life, i & 1, note);
	}
	if (good && !wt_usage_kept(&before, rounds, "pairs of instances", note))
		good = false;
	life_close(&life);
	return good ? WT_SOUND : life.failure;
}

const struct wt_life_check wt_life_checks[] = {
	{ "loads", "loads and leaves again and again", 1, check_loads },
	{ "instances", "two instances do not disturb each other", 1, check_instances },
};
const size_t wt_life_check_count = sizeof wt_life_checks / sizeof wt_life_checks[0];
