/* SPDX-License-Identifier: MIT */
#include "conform/transport/end.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "config/key_table.h"
#include "config/sockaddr.h"
#include "config/values.h"
#include "conform/transport/netspace.h"

#define SETTINGS_MAX 32u
#define LIST_MAX 400u
#define LATER 0x5e

/* ---- addresses ------------------------------------------------------------ */

static const struct wt_conformance_setting *setting_at(const struct wt_conformance_end *end,
						       uint32_t i)
{
	const uint8_t *at = (const uint8_t *)end->settings;

	return (const void *)(at + (size_t)i * end->settings->struct_size);
}

static bool is_sockaddr(const struct wt_plugin *plugin,
			const struct wt_conformance_setting *setting)
{
	const struct wt_key_table keys = { plugin->config_keys, plugin->config_key_count,
					   plugin->config_key_stride };

	if (setting->scope != WT_SCOPE_SECTION)
		return false;
	for (size_t i = 0; i < keys.count; i++) {
		const struct wt_config_key *key = wt_key_table_at(&keys, i);

		if (key->scope == WT_SCOPE_SECTION && key->type == WT_CONFIG_SOCKADDR &&
		    strcmp(key->name, setting->key) == 0)
			return true;
	}
	return false;
}

/* Goes through a list of addresses, and writes it again with those of `addresses`
 * in place of the ones with port 0, from number *next on; without `addresses` they
 * are added to `found`. False: it is no list of addresses, or too long. */
static bool rewrite(const char *list, const struct wt_end_addresses *addresses, size_t *next,
		    struct wt_end_addresses *found, char out[LIST_MAX])
{
	size_t used = 0;

	out[0] = '\0';
	for (const char *at = list; *at;) {
		struct sockaddr_storage address;
		char text[WT_NETSPACE_TEXT];
		size_t len;

		at += strspn(at, ", \t");
		len = strcspn(at, ", \t");
		if (len == 0)
			break;
		if (wt_sockaddr_parse(at, len, &address) != WT_OK)
			return false;
		at += len;
		if (*wt_netspace_port_of(&address) == 0) {
			if (found && found->count == WT_END_ADDRESSES)
				return false;
			if (found)
				found->at[found->count++] = address;
			if (addresses && *next < addresses->count)
				address = addresses->at[(*next)++];
		}
		wt_netspace_text(&address, text);
		int n = snprintf(out + used, LIST_MAX - used, "%s%s", used ? ", " : "", text);

		if (n < 0 || (size_t)n >= LIST_MAX - used)
			return false;
		used += (size_t)n;
	}
	return true;
}

bool wt_end_addresses_find(struct wt_end_addresses *addresses, const struct wt_plugin *plugin,
			   const struct wt_conformance_end *settings, struct wt_finding *note)
{
	char list[LIST_MAX];
	size_t kept = 0;

	*addresses = (struct wt_end_addresses){ .count = 0 };
	for (uint32_t i = 0; i < settings->setting_count; i++) {
		const struct wt_conformance_setting *setting = setting_at(settings, i);

		if (is_sockaddr(plugin, setting) &&
		    !rewrite(setting->value, NULL, NULL, addresses, list))
			return wt_find(note, WT_FAULT_FAILED,
				       "its conformance table sets %s to \"%s\", which is no "
				       "list of at most %u addresses",
				       setting->key, setting->value, WT_END_ADDRESSES);
	}
	/* Of a family that this machine has not, none. */
	for (size_t i = 0; i < addresses->count; i++) {
		struct sockaddr_storage at = addresses->at[i];
		uint16_t port = wt_netspace_port(&at);

		*wt_netspace_port_of(&at) = port;
		if (port != 0)
			addresses->at[kept++] = at;
	}
	addresses->count = kept;
	return true;
}

/* ---- making --------------------------------------------------------------- */

/* The settings as they are given to the instance. */
struct given {
	struct wt_conformance_setting settings[SETTINGS_MAX];
	char lists[WT_END_ADDRESSES][LIST_MAX];
	struct wt_conformance_end end;
};

static bool give(struct given *given, const struct wt_plugin *plugin,
		 const struct wt_conformance_end *settings,
		 const struct wt_end_addresses *addresses)
{
	size_t lists = 0, next = 0;

	if (settings->setting_count > SETTINGS_MAX)
		return false;
	for (uint32_t i = 0; i < settings->setting_count; i++) {
		struct wt_conformance_setting *copy = &given->settings[i];

		*copy = *setting_at(settings, i);
		copy->struct_size = sizeof *copy;
		if (!addresses || !is_sockaddr(plugin, copy) || lists == WT_END_ADDRESSES)
			continue;
		if (!rewrite(copy->value, addresses, &next, NULL, given->lists[lists]))
			return false;
		copy->value = given->lists[lists++];
	}
	given->end = (struct wt_conformance_end){ sizeof given->end, settings->setting_count,
						  given->settings };
	return true;
}

bool wt_transport_end_open(struct wt_transport_end *end, const struct wt_loaded *loaded,
			   const struct wt_conformance_end *settings,
			   const struct wt_end_addresses *addresses, struct wt_loop *loop,
			   uint32_t workers, struct wt_finding *note)
{
	const struct wt_plugin *plugin = &loaded->plugin;
	struct wt_error err = WT_ERROR_INIT;
	struct given given;

	*end = (struct wt_transport_end){ .plugin = plugin, .ops = &plugin->ops.transport };
	if (addresses)
		end->addresses = *addresses;
	end->host = wt_loop_host_new(plugin->name, loop);
	if (!end->host)
		return wt_find(note, WT_FAULT_FAILED, "no memory for its host");
	end->host->worker_count = workers;
	end->host->defers = true;
	end->host->base.owner = end;
	if (!give(&given, plugin, settings, addresses))
		return wt_find(note, WT_FAULT_FAILED, "its conformance table sets too much");
	end->section =
		wt_conformance_config(plugin, &given.end, WT_SCOPE_SECTION, plugin->name, note);
	end->endpoint = end->section ? wt_conformance_config(plugin, &given.end, WT_SCOPE_ENDPOINT,
							     plugin->name, note)
				     : NULL;
	if (!end->endpoint)
		return false;
	if (wt_instance_new(plugin, &end->host->base, end->section, &end->instance, &err) != WT_OK)
		return wt_find(note, WT_FAULT_FAILED, "create: %s", err.text);
	return true;
}

void wt_transport_end_close(struct wt_transport_end *end)
{
	if (!end->instance)
		return;
	for (size_t i = 0; i < end->host->conn_count; i++)
		if (!end->host->conns[i].closed && end->host->conns[i].tconn)
			wt_transport_end_close_conn(end, &end->host->conns[i], true);
	end->host->inside = "destroy";
	wt_instance_free(end->instance);
	end->host->inside = NULL;
	end->instance = NULL;
	wt_loop_host_check_empty(end->host);
}

void wt_transport_end_free(struct wt_transport_end *end)
{
	wt_transport_end_close(end);
	wt_loop_host_free(end->host);
	wt_config_free(end->endpoint);
	wt_config_free(end->section);
	*end = (struct wt_transport_end){ .plugin = NULL };
}

/* ---- calls ---------------------------------------------------------------- */

/* A call may come inside a report, so inside a turn of its worker. */
struct call {
	const char *inside;
	struct wt_worker *current;
};

static struct call call_begin(struct wt_transport_end *end, const char *name,
			      struct wt_worker *worker)
{
	struct call outer = { end->host->inside, end->host->current };

	end->host->inside = name;
	end->host->current = worker;
	return outer;
}

static void call_end(struct wt_transport_end *end, struct call outer)
{
	end->host->inside = outer.inside;
	end->host->current = outer.current;
}

enum wt_status wt_transport_end_listen(struct wt_transport_end *end, struct wt_error *err)
{
	enum wt_status status = WT_OK;

	for (uint32_t i = 0; status == WT_OK && i < end->host->worker_count; i++) {
		struct wt_worker *worker = wt_loop_host_worker_at(end->host, i);
		struct call outer = call_begin(end, "listen", worker);

		status = wt_transport_listen(end->instance, worker, err);
		call_end(end, outer);
	}
	return status;
}

struct wt_loop_conn *wt_transport_end_dial(struct wt_transport_end *end, uint32_t worker,
					   const struct sockaddr_storage *to,
					   enum wt_status *status, struct wt_error *err)
{
	struct wt_loop_conn *conn = wt_loop_host_conn(end->host);

	*status = WT_ERR_LIMIT;
	if (!conn)
		return NULL;
	conn->worker = wt_loop_host_worker_at(end->host, worker);
	struct call outer = call_begin(end, "dial", conn->worker);

	*status = wt_transport_dial(end->instance, conn->worker, (const struct sockaddr *)to,
				    wt_netspace_len(to), end->endpoint, (struct wt_link *)conn,
				    &conn->tconn, err);
	call_end(end, outer);
	if (*status == WT_OK && conn->tconn)
		return conn;
	if (*status == WT_OK)
		wt_loop_host_found(end->host, WT_FAULT_FAILED,
				   "dial() says WT_OK and sets no "
				   "connection");
	conn->closed = true;
	return NULL;
}

void wt_transport_end_close_conn(struct wt_transport_end *end, struct wt_loop_conn *conn,
				 bool abort)
{
	struct call outer;

	if (conn->closed)
		return;
	conn->closed = true;
	outer = call_begin(end, "close", conn->worker);
	wt_transport_close(end->instance, conn->worker, conn->tconn, abort);
	call_end(end, outer);
}

enum wt_status wt_transport_end_send(struct wt_transport_end *end, struct wt_loop_conn *conn,
				     const struct wt_long_record *records, size_t n, size_t *taken)
{
	struct call outer = call_begin(end, "send", conn->worker);
	enum wt_status status;

	*taken = 0;
	status = end->ops->send(end->instance->self, conn->worker, conn->tconn, &records->record, n,
				taken);
	call_end(end, outer);
	if (*taken > n) {
		wt_loop_host_found(end->host, WT_FAULT_FAILED, "send() of %zu records takes %zu", n,
				   *taken);
		*taken = n;
	}
	if (status != WT_OK && status != WT_ERR_CLOSED && status != WT_ERR_IO)
		wt_loop_host_found(end->host, WT_FAULT_FAILED, "send() says \"%s\"",
				   wt_status_text(status));
	return status;
}

static bool is_later_kept(const struct wt_long_record *record)
{
	if (record->record.struct_size != sizeof *record)
		return false;
	for (size_t i = 0; i < sizeof record->later; i++)
		if (record->later[i] != LATER)
			return false;
	return true;
}

enum wt_status wt_transport_end_recv(struct wt_transport_end *end, struct wt_loop_conn *conn,
				     struct wt_long_record *records, size_t n, size_t *got)
{
	struct call outer = call_begin(end, "recv", conn->worker);
	enum wt_status status;

	for (size_t i = 0; i < n; i++) {
		memset(&records[i], 0, sizeof records[i]);
		memset(records[i].later, LATER, sizeof records[i].later);
		records[i].record.struct_size = sizeof records[i];
	}
	*got = 0;
	status = end->ops->recv(end->instance->self, conn->worker, conn->tconn, &records->record, n,
				got);
	call_end(end, outer);
	if (*got > n || (status == WT_OK) != (*got > 0)) {
		wt_loop_host_found(end->host, WT_FAULT_FAILED,
				   "recv() of up to %zu records says \"%s\" and %zu", n,
				   wt_status_text(status), *got);
		*got = 0;
		return status == WT_OK ? WT_AGAIN : status;
	}
	for (size_t i = 0; i < n; i++)
		if (!is_later_kept(&records[i]))
			wt_loop_host_found(end->host, WT_FAULT_OUTSIDE,
					   "recv() writes beyond what it knows of a record's "
					   "element: struct_size is the stride");
	for (size_t i = 0; i < *got; i++)
		if (!records[i].record.data)
			wt_loop_host_found(end->host, WT_FAULT_FAILED,
					   "recv() gives a record without data");
	return status;
}

void wt_transport_end_set_max(struct wt_transport_end *end, struct wt_loop_conn *conn, uint32_t max)
{
	struct call outer = call_begin(end, "set_max_record", conn->worker);

	if (wt_transport_end_is_stream(end))
		wt_transport_set_max_record(end->instance, conn->worker, conn->tconn, max);
	call_end(end, outer);
}

uint32_t wt_transport_end_max(struct wt_transport_end *end, struct wt_loop_conn *conn,
			      const struct wt_path *path)
{
	struct call outer = call_begin(end, "max_record", conn->worker);
	uint32_t max = wt_transport_max_record(end->instance, conn->worker, conn->tconn, path);

	call_end(end, outer);
	return max;
}

void wt_transport_end_source(struct wt_transport_end *end, struct wt_loop_conn *conn,
			     const struct wt_path *path, struct wt_source *out)
{
	struct call outer = call_begin(end, "source", conn->worker);

	memset(out, 0, sizeof *out);
	out->struct_size = sizeof *out;
	wt_transport_source(end->instance, conn->worker, conn->tconn, path, out);
	call_end(end, outer);
	if (out->token_len > sizeof out->token || out->prefix_len > sizeof out->prefix)
		wt_loop_host_found(end->host, WT_FAULT_SOURCE,
				   "source() says a token of %u and a prefix of %u bytes",
				   out->token_len, out->prefix_len);
	else if (!memchr(out->text, '\0', sizeof out->text) || out->text[0] == '\0')
		wt_loop_host_found(end->host, WT_FAULT_SOURCE, "source() gives no text");
}

enum wt_status wt_transport_end_local(struct wt_transport_end *end, struct wt_loop_conn *conn,
				      const struct wt_path *path, struct sockaddr_storage *out)
{
	struct call outer = call_begin(end, "local_address", conn->worker);
	enum wt_status status =
		wt_transport_local_address(end->instance, conn->worker, conn->tconn, path, out);

	call_end(end, outer);
	return status;
}

enum wt_status wt_transport_end_answer(struct wt_transport_end *end, struct wt_loop_conn *conn,
				       const struct wt_path *path, const uint8_t *message,
				       size_t len)
{
	struct call outer = call_begin(end, "answer", conn->worker);
	enum wt_status status =
		wt_transport_answer(end->instance, conn->worker, conn->tconn, path, message, len);

	call_end(end, outer);
	return status;
}
