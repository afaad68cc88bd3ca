/* SPDX-License-Identifier: MIT */

/* The table of operations that a plugin brings: each required slot is missed by
 * its name, and no other is. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "plugin/descriptor.h"

/* Where a slot is, and whether the SDK's headers say that it is required. */
struct slot {
	enum wt_plugin_kind kind;
	size_t offset;
	bool required;
	const char *name;
};

/* clang-format off */
#define CRYPTO(name, required) { WT_KIND_CRYPTO, offsetof(struct wt_crypto_ops, name), required, #name }
#define TRANSPORT(name, required) { WT_KIND_TRANSPORT, offsetof(struct wt_transport_ops, name), required, #name }
#define AUTH(name, required) { WT_KIND_AUTH, offsetof(struct wt_auth_ops, name), required, #name }

static const struct slot slots[] = {
	CRYPTO(available, true), CRYPTO(create, true), CRYPTO(destroy, true), CRYPTO(key_init, true),
	CRYPTO(key_wipe, true), CRYPTO(seal, true), CRYPTO(open, true), CRYPTO(seal_batch, false),
	CRYPTO(open_batch, false),
	TRANSPORT(create, true), TRANSPORT(destroy, true), TRANSPORT(listen, true),
	TRANSPORT(dial, true), TRANSPORT(close, true), TRANSPORT(send, true), TRANSPORT(recv, true),
	TRANSPORT(set_max_record, true), TRANSPORT(max_record, true), TRANSPORT(source, true),
	TRANSPORT(local_address, false), TRANSPORT(answer, false),
	AUTH(create, true), AUTH(destroy, true), AUTH(peer_add, true), AUTH(peer_remove, true),
	AUTH(start, true), AUTH(accept, true), AUTH(receive, true), AUTH(abandon, true),
	AUTH(keygen, false), AUTH(pubkey, false),
};
/* clang-format on */

union table {
	struct wt_crypto_ops crypto;
	struct wt_transport_ops transport;
	struct wt_auth_ops auth;
};

static void never(void)
{
	fail_msg("an operation was called");
}

/* A table in which all slots are filled and all sizes are right. */
static void fill(enum wt_plugin_kind kind, union table *table)
{
	void (*const fn)(void) = never;

	memset(table, 0, sizeof *table);
	for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++)
		if (slots[i].kind == kind)
			memcpy((uint8_t *)table + slots[i].offset, &fn, sizeof fn);
	switch (kind) {
	case WT_KIND_CRYPTO:
		table->crypto.struct_size = sizeof table->crypto;
		table->crypto.key_size = WT_KEY_SIZE;
		table->crypto.nonce_size = WT_NONCE_SIZE;
		table->crypto.tag_size = WT_TAG_SIZE;
		table->crypto.ctx_size = 64;
		table->crypto.ctx_align = 16;
		break;
	case WT_KIND_TRANSPORT:
		table->transport.struct_size = sizeof table->transport;
		table->transport.mode = WT_CHANNEL_STREAM;
		break;
	case WT_KIND_AUTH:
		table->auth.struct_size = sizeof table->auth;
		table->auth.method = WT_METHOD_PRIVATE;
		table->auth.peer_size = 64;
		table->auth.peer_align = 16;
		break;
	}
}

static enum wt_status take(enum wt_plugin_kind kind, const union table *table, struct wt_error *err)
{
	struct wt_loaded loaded = { .plugin.kind = kind, .descriptor.ops = table };

	*err = (struct wt_error)WT_ERROR_INIT;
	return wt_ops_take(&loaded, err);
}

static void each_required_slot_is_missed_by_its_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
		const struct slot *slot = &slots[i];
		struct wt_error err;
		union table table;
		char text[96];

		fill(slot->kind, &table);
		assert_int_equal(take(slot->kind, &table, &err), WT_OK);
		memset((uint8_t *)&table + slot->offset, 0, sizeof(void (*)(void)));
		snprintf(text, sizeof text, "has no %s, which is required; ", slot->name);
		assert_int_equal(take(slot->kind, &table, &err),
				 slot->required ? WT_ERR_INVALID : WT_OK);
		if (slot->required && strncmp(err.text, text, strlen(text)) != 0)
			fail_msg("\"%s\" is not what begins: %s", text, err.text);
	}
}

/* A table that ends before a slot does has none, whatever lies there. */
static void a_slot_that_the_table_does_not_reach_is_missing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
		const struct slot *slot = &slots[i];
		const uint32_t size = (uint32_t)slot->offset;
		struct wt_error err;
		union table table;
		enum wt_status status;

		fill(slot->kind, &table);
		/* The first field of each. */
		memcpy(&table, &size, sizeof size);
		status = take(slot->kind, &table, &err);
		assert_int_equal(status, slot->required ? WT_ERR_INVALID : WT_OK);
		if (slot->required)
			assert_non_null(strstr(err.text, "which is required"));
	}
}

/* Longer ones are of a newer kind of plugin. */
static void a_longer_table_is_taken(void **state)
{
	static const enum wt_plugin_kind kinds[] = { WT_KIND_CRYPTO, WT_KIND_TRANSPORT,
						     WT_KIND_AUTH };

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		const uint32_t size = sizeof(union table) + 64;
		struct wt_error err;
		struct {
			union table table;
			uint8_t later[64];
		} longer;

		fill(kinds[i], &longer.table);
		memset(longer.later, 0xff, sizeof longer.later);
		memcpy(&longer.table, &size, sizeof size);
		assert_int_equal(take(kinds[i], &longer.table, &err), WT_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_required_slot_is_missed_by_its_name),
		cmocka_unit_test(a_slot_that_the_table_does_not_reach_is_missing),
		cmocka_unit_test(a_longer_table_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
