/* SPDX-License-Identifier: MIT */
#include "cli/facts.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/utf8.h"
#include "cli/answer.h"
#include "cli/company.h"
#include "config/key_table.h"
#include "plugin/loader.h"
#include "plugin/note.h"

#define TEXT_MAX 1024u

/* ---- texts --------------------------------------------------------------- */

json_t *wt_facts_text(const char *text)
{
	char clean[TEXT_MAX];
	size_t n = 0;

	for (; text && text[n] && n + 1 < sizeof clean; n++)
		clean[n] = text[n];
	clean[n] = '\0';
	wt_utf8_clean(clean);
	return json_string(clean);
}

const char *wt_facts_get(const json_t *facts, const char *key, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(facts, key));

	return text ? text : otherwise;
}

bool wt_facts_usable(const json_t *facts)
{
	return json_is_true(json_object_get(facts, "usable"));
}

void wt_facts_refuse(json_t *facts, const char *step, const char *reason)
{
	json_object_set_new(facts, "usable", json_false());
	json_object_set_new(facts, "step", json_string(step));
	json_object_set_new(facts, "reason", wt_facts_text(reason));
}

/* ---- in the child -------------------------------------------------------- */

static json_t *describe_key(const struct wt_config_key *key)
{
	static const char *const types[] = {
		[WT_CONFIG_STRING] = "string",	   [WT_CONFIG_BOOL] = "bool",
		[WT_CONFIG_UINT] = "uint",	   [WT_CONFIG_ENUM] = "enum",
		[WT_CONFIG_SOCKADDR] = "sockaddr", [WT_CONFIG_KEYFILE32] = "keyfile32",
		[WT_CONFIG_KEY32] = "key32",
	};
	static const char *const scopes[] = { [WT_SCOPE_SECTION] = "section",
					      [WT_SCOPE_PEER] = "peer",
					      [WT_SCOPE_ENDPOINT] = "endpoint" };
	json_t *json = json_object();

	/* Both were found in range by wt_keys_take. */
	json_object_set_new(json, "name", wt_facts_text(key->name));
	json_object_set_new(json, "type", json_string(types[key->type]));
	json_object_set_new(json, "scope", json_string(scopes[key->scope]));
	json_object_set_new(json, "required", json_boolean(key->flags & WT_CONFIG_REQUIRED));
	json_object_set_new(json, "secret", json_boolean(key->flags & WT_CONFIG_SECRET));
	if (key->default_value)
		json_object_set_new(json, "default", wt_facts_text(key->default_value));
	if (key->choices)
		json_object_set_new(json, "choices", wt_facts_text(key->choices));
	if (key->type == WT_CONFIG_UINT) {
		json_object_set_new(json, "min", json_integer((json_int_t)key->min));
		json_object_set_new(json, "max", json_integer((json_int_t)key->max));
	}
	json_object_set_new(json, "help", wt_facts_text(key->help));
	return json;
}

static json_t *describe_keys(const struct wt_plugin *plugin)
{
	const struct wt_key_table table = { plugin->config_keys, plugin->config_key_count,
					    plugin->config_key_stride };
	json_t *keys = json_array();

	for (size_t i = 0; i < table.count; i++)
		json_array_append_new(keys, describe_key(wt_key_table_at(&table, i)));
	return keys;
}

static void set_size(json_t *sizes, const char *name, uint32_t value)
{
	json_object_set_new(sizes, name, json_integer(value));
}

static json_t *describe_sizes(const struct wt_plugin *plugin)
{
	json_t *sizes = json_object();

	switch (plugin->kind) {
	case WT_KIND_CRYPTO:
		set_size(sizes, "key_size", plugin->ops.crypto.key_size);
		set_size(sizes, "nonce_size", plugin->ops.crypto.nonce_size);
		set_size(sizes, "tag_size", plugin->ops.crypto.tag_size);
		set_size(sizes, "ctx_size", plugin->ops.crypto.ctx_size);
		set_size(sizes, "ctx_align", plugin->ops.crypto.ctx_align);
		break;
	case WT_KIND_TRANSPORT:
		json_object_set_new(sizes, "mode",
				    json_string(plugin->ops.transport.mode == WT_CHANNEL_STREAM
							? "stream"
							: "datagram"));
		set_size(sizes, "headroom", plugin->ops.transport.headroom);
		set_size(sizes, "overhead_ipv4", plugin->ops.transport.overhead_ipv4);
		set_size(sizes, "overhead_ipv6", plugin->ops.transport.overhead_ipv6);
		break;
	case WT_KIND_AUTH:
		set_size(sizes, "method", plugin->ops.auth.method);
		set_size(sizes, "peer_size", plugin->ops.auth.peer_size);
		set_size(sizes, "peer_align", plugin->ops.auth.peer_align);
		break;
	}
	return sizes;
}

static void note_answer(void *arg, const char *step, const struct wt_loaded *loaded)
{
	json_t *facts = arg;
	const struct wt_plugin *plugin = &loaded->plugin;

	json_array_append_new(json_object_get(facts, "passed"), json_string(step));
	if (strcmp(step, "descriptor") == 0) {
		json_object_set_new(facts, "license", wt_facts_text(loaded->descriptor.license));
		json_object_set_new(facts, "summary", wt_facts_text(loaded->descriptor.summary));
		if (plugin->kind == WT_KIND_CRYPTO) {
			json_object_set_new(facts, "algorithm", wt_facts_text(plugin->algorithm));
			json_object_set_new(
				facts, "vectors",
				json_integer((json_int_t)loaded->descriptor.vector_count));
		}
	} else if (strcmp(step, "operations") == 0) {
		json_object_set_new(facts, "sizes", describe_sizes(plugin));
		if (plugin->kind == WT_KIND_CRYPTO)
			json_object_set_new(facts, "batch",
					    json_boolean(plugin->ops.crypto.seal_batch &&
							 plugin->ops.crypto.open_batch));
	} else if (strcmp(step, "keys") == 0) {
		json_object_set_new(facts, "keys", describe_keys(plugin));
	}
}

/* Written anew after each step, so that a later crash costs nothing that was
 * known. */
struct answer {
	json_t *facts;		       /* the child's copy of what the parent began */
	struct wt_libraries libraries; /* before it was loaded */
	int fd;
};

static void visit(void *arg, const char *step, const struct wt_loaded *loaded)
{
	struct answer *answer = arg;

	if (strcmp(step, "load") == 0)
		wt_company_add_libraries(answer->facts, &answer->libraries);
	note_answer(answer->facts, step, loaded);
	wt_answer_write(answer->fd, answer->facts);
}

/* ---- in the parent ------------------------------------------------------- */

static void merge_answer(json_t *facts, int fd)
{
	json_t *said = wt_answer_read(fd);

	if (json_is_object(said))
		json_object_update(facts, said);
	json_decref(said);
}

/* What the daemon of this version takes: whoever is at the old end has a plugin to build again. */
static json_t *spoken(void)
{
	unsigned oldest = WT_ABI_MAJOR == 0 ? WT_ABI_MINOR_OLDEST : 0;
	json_t *json = json_object();

	json_object_set_new(json, "oldest", json_sprintf("%u.%u", WT_ABI_MAJOR, oldest));
	json_object_set_new(json, "newest", json_sprintf("%u.%u", WT_ABI_MAJOR, WT_ABI_MINOR));
	return json;
}

static void add_note(json_t *facts, const struct wt_plugin_note_desc *note)
{
	char abi[32];

	if (note->struct_size == 0)
		return;
	snprintf(abi, sizeof abi, "%u.%u", note->abi_major, note->abi_minor);
	json_object_set_new(facts, "kind",
			    json_string(wt_kind_text((enum wt_plugin_kind)note->kind)));
	json_object_set_new(facts, "name", wt_facts_text(note->name));
	json_object_set_new(facts, "version", wt_facts_text(note->version));
	json_object_set_new(facts, "abi", json_string(abi));
	json_object_set_new(facts, "spoken", spoken());
}

/* "PATH: STEP: reason" of the loader, cut at the step's end. */
static void add_reason(json_t *facts, const char *text)
{
	const char *path = wt_facts_get(facts, "file", "");
	size_t skip = strncmp(text, path, strlen(path)) == 0 ? strlen(path) : 0;
	const char *step = strstr(text + skip, ": ");
	const char *reason = step ? strstr(step + 2, ": ") : NULL;
	char name[32];

	if (!reason) {
		wt_facts_refuse(facts, "load", text);
		return;
	}
	snprintf(name, sizeof name, "%.*s", (int)(reason - (step + 2)), step + 2);
	wt_facts_refuse(facts, name, reason + 2);
}

static json_t *begin(const char *path)
{
	json_t *facts = json_object();

	json_object_set_new(facts, "file", wt_facts_text(path));
	json_object_set_new(facts, "passed", json_array());
	return facts;
}

json_t *wt_facts_of_note(const struct wt_plugin_file *file)
{
	struct wt_plugin_note_desc note;
	json_t *facts = begin(file->path);

	if (facts && file->fd >= 0 &&
	    wt_note_read(file->fd, (uint64_t)file->st.st_size, &note, NULL) == WT_OK)
		add_note(facts, &note);
	return facts;
}

json_t *wt_facts_read(const char *path)
{
	struct answer answer = { .facts = begin(path), .fd = -1 };
	const struct wt_load_request request = { .visit = visit, .visit_arg = &answer };
	struct wt_plugin_note_desc note;
	struct wt_error err = WT_ERROR_INIT;

	answer.fd = wt_answer_new();
	if (!answer.facts || answer.fd < 0) {
		json_decref(answer.facts);
		return NULL;
	}
	wt_libraries_look(&answer.libraries, WT_COMPANY_OURS);
	enum wt_status status = wt_loaded_try(path, &request, &note, &err);

	wt_libraries_clear(&answer.libraries);
	merge_answer(answer.facts, answer.fd);
	close(answer.fd);
	add_note(answer.facts, &note);
	if (note.struct_size)
		wt_company_add_exports(answer.facts, path);
	if (status == WT_OK)
		json_object_set_new(answer.facts, "usable", json_true());
	else
		add_reason(answer.facts, err.text);
	return answer.facts;
}
