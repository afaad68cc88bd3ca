/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "plugin/defaults.h"
#include "plugin/descriptor.h"

#define CTX_SIZE_MAX 65536u
#define CTX_ALIGN_MAX 4096u /* what wt_secret_alloc gives */
#define PEER_SIZE_MAX 65536u
#define HEADROOM_MAX 16u
#define OVERHEAD_MAX 1024u /* more would leave no room for a packet */
/* A key is cut from the 32 bytes that a handshake yields. */
#define KEY_SIZE_MIN 16u

typedef void slot_fn(void);

struct slot {
	const char *name;
	size_t offset;
};

#define CRYPTO(field)                                                                              \
	{                                                                                          \
#field, offsetof(struct wt_crypto_ops, field)                                      \
	}
#define TRANSPORT(field)                                                                           \
	{                                                                                          \
#field, offsetof(struct wt_transport_ops, field)                                   \
	}
#define AUTH(field)                                                                                \
	{                                                                                          \
#field, offsetof(struct wt_auth_ops, field)                                        \
	}

/* The slots marked "Required" in crypto.h, transport.h and auth.h. */
static const struct slot crypto_slots[] = {
	CRYPTO(available), CRYPTO(create), CRYPTO(destroy), CRYPTO(key_init),
	CRYPTO(key_wipe),  CRYPTO(seal),   CRYPTO(open),
};
static const struct slot transport_slots[] = {
	TRANSPORT(create), TRANSPORT(destroy), TRANSPORT(listen),
	TRANSPORT(dial),   TRANSPORT(close),   TRANSPORT(send),
	TRANSPORT(recv),   TRANSPORT(source),  TRANSPORT(max_record),
};
/* And of transport_slots, when the mode is a stream. */
static const struct slot stream_slots[] = { TRANSPORT(set_max_record) };
static const struct slot auth_slots[] = {
	AUTH(create), AUTH(destroy), AUTH(peer_add), AUTH(peer_remove),
	AUTH(start),  AUTH(accept),  AUTH(receive),  AUTH(abandon),
};

/* The others that are called while a tunnel runs. */
static const struct slot crypto_options[] = { CRYPTO(seal_batch), CRYPTO(open_batch) };
static const struct slot transport_options[] = { TRANSPORT(set_max_record),
						 TRANSPORT(local_address), TRANSPORT(answer) };

struct table {
	const struct slot *slots;
	size_t slot_count;
	const struct slot *options;
	size_t option_count;
	size_t data_size; /* what comes before the first slot */
	size_t size;	  /* of the whole table, as we know it */
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct table tables[] = {
	[WT_KIND_CRYPTO] = { crypto_slots, COUNT(crypto_slots), crypto_options,
			     COUNT(crypto_options), offsetof(struct wt_crypto_ops, available),
			     sizeof(struct wt_crypto_ops) },
	[WT_KIND_TRANSPORT] = { transport_slots, COUNT(transport_slots), transport_options,
				COUNT(transport_options), offsetof(struct wt_transport_ops, create),
				sizeof(struct wt_transport_ops) },
	[WT_KIND_AUTH] = { auth_slots, COUNT(auth_slots), NULL, 0,
			   offsetof(struct wt_auth_ops, create), sizeof(struct wt_auth_ops) },
};

static enum wt_status check_slots(const struct slot *slots, size_t n, const void *ops,
				  struct wt_error *err)
{
	char missing[256] = "";
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		slot_fn *fn;

		memcpy(&fn, (const uint8_t *)ops + slots[i].offset, sizeof fn);
		if (fn)
			continue;
		used += (size_t)snprintf(missing + used, sizeof missing - used, "%s%s",
					 used ? ", " : "", slots[i].name);
	}
	if (used == 0)
		return WT_OK;
	return wt_fail(err, WT_ERR_INVALID,
		       "has no %s, which is required; set it in the table of operations", missing);
}

/* One line of the limits that the SDK headers state. */
static enum wt_status check_range(const char *name, uint32_t value, uint32_t min, uint32_t max,
				  struct wt_error *err)
{
	if (value >= min && value <= max)
		return WT_OK;
	if (min == max)
		return wt_fail(err, WT_ERR_INVALID, "has %s = %u, this program needs %u", name,
			       value, min);
	return wt_fail(err, WT_ERR_INVALID, "has %s = %u, allowed is %u..%u", name, value, min,
		       max);
}

static enum wt_status check_align(const char *name, uint32_t value, struct wt_error *err)
{
	if (value >= 1 && value <= CTX_ALIGN_MAX && (value & (value - 1)) == 0)
		return WT_OK;
	return wt_fail(err, WT_ERR_INVALID, "has %s = %u, allowed is a power of two up to %u", name,
		       value, CTX_ALIGN_MAX);
}

static enum wt_status check_crypto(const struct wt_plugin *plugin, struct wt_error *err)
{
	const struct wt_crypto_ops *ops = &plugin->ops.crypto;
	uint32_t key_min = plugin->standard ? WT_KEY_SIZE : KEY_SIZE_MIN;
	enum wt_status status = check_range("key_size", ops->key_size, key_min, WT_KEY_SIZE, err);

	if (status == WT_OK)
		status = check_range("nonce_size", ops->nonce_size, WT_NONCE_SIZE, WT_NONCE_SIZE,
				     err);
	if (status == WT_OK)
		status = check_range("tag_size", ops->tag_size, WT_TAG_SIZE, WT_TAG_SIZE, err);
	if (status == WT_OK)
		status = check_range("ctx_size", ops->ctx_size, 1, CTX_SIZE_MAX, err);
	if (status == WT_OK)
		status = check_align("ctx_align", ops->ctx_align, err);
	return status;
}

static enum wt_status check_transport(const struct wt_plugin *plugin, struct wt_error *err)
{
	const struct wt_transport_ops *ops = &plugin->ops.transport;
	enum wt_status status =
		check_range("mode", ops->mode, WT_CHANNEL_STREAM, WT_CHANNEL_DATAGRAM, err);

	if (status == WT_OK)
		status = check_range("headroom", ops->headroom, 0, HEADROOM_MAX, err);
	if (status == WT_OK)
		status = check_range("overhead_ipv4", ops->overhead_ipv4, 0, OVERHEAD_MAX, err);
	if (status == WT_OK)
		status = check_range("overhead_ipv6", ops->overhead_ipv6, 0, OVERHEAD_MAX, err);
	if (status == WT_OK && ops->mode == WT_CHANNEL_STREAM)
		status = check_slots(stream_slots, COUNT(stream_slots), ops, err);
	return status;
}

static enum wt_status check_auth(const struct wt_plugin *plugin, struct wt_error *err)
{
	const struct wt_auth_ops *ops = &plugin->ops.auth;
	enum wt_status status = check_range("method", ops->method, 1, 255, err);

	if (status == WT_OK)
		status = check_range("peer_size", ops->peer_size, 1, PEER_SIZE_MAX, err);
	if (status == WT_OK)
		status = check_align("peer_align", ops->peer_align, err);
	return status;
}

enum wt_status wt_ops_take(struct wt_loaded *loaded, struct wt_error *err)
{
	struct wt_plugin *plugin = &loaded->plugin;
	const struct table *table = &tables[plugin->kind];
	const void *raw = loaded->descriptor.ops;
	enum wt_status status;
	uint32_t size;

	if (!raw)
		return wt_fail(err, WT_ERR_INVALID, "has no table of operations; set .ops");
	memcpy(&size, raw, sizeof size);
	if (size < table->data_size)
		return wt_fail(err, WT_ERR_INVALID,
			       "has a table of operations of %u bytes, at least %zu are needed; "
			       "set its .struct_size",
			       size, table->data_size);
	memset(&plugin->ops, 0, sizeof plugin->ops);
	memcpy(&plugin->ops, raw, wt_size_known(size, table->size));
	/* The first field of each table of the union. */
	plugin->ops.crypto.struct_size = (uint32_t)table->size;

	status = check_slots(table->slots, table->slot_count, &plugin->ops, err);
	if (status != WT_OK)
		return status;
	switch (plugin->kind) {
	case WT_KIND_CRYPTO:
		status = check_crypto(plugin, err);
		break;
	case WT_KIND_TRANSPORT:
		status = check_transport(plugin, err);
		break;
	case WT_KIND_AUTH:
		status = check_auth(plugin, err);
		break;
	}
	if (status == WT_OK)
		wt_defaults_fill(plugin);
	return status;
}

static const char *name_in(const struct slot *slots, size_t n, size_t offset)
{
	for (size_t i = 0; i < n; i++)
		if (slots[i].offset == offset)
			return slots[i].name;
	return NULL;
}

const char *wt_ops_name(const struct wt_plugin *plugin, const void *slot)
{
	uintptr_t at = (uintptr_t)slot, begin = (uintptr_t)&plugin->ops;
	const struct table *table;
	const char *name;

	if (at < begin || at >= begin + sizeof plugin->ops)
		return NULL;
	table = &tables[plugin->kind];
	name = name_in(table->slots, table->slot_count, at - begin);
	return name ? name : name_in(table->options, table->option_count, at - begin);
}
