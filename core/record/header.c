/* SPDX-License-Identifier: MIT */
#include "record/header.h"

#include "base/bytes.h"

static enum wt_drop parse_handshake(const uint8_t *data, size_t len, struct wt_message *out)
{
	/* Method 0 is how data records fill the byte; which of the others exist
	 * is a question of the plugins that are loaded. */
	if (data[2] == 0)
		return WT_DROP_TYPE;
	if (len > WT_UNAUTHENTICATED_MAX)
		return WT_DROP_LENGTH;
	out->method = data[2];
	out->step = data[3];
	out->receiver_index = wt_load_be32(data + 4);
	out->kind = WT_MESSAGE_HANDSHAKE;
	return WT_DROP_NONE;
}

static enum wt_drop parse_data(const uint8_t *data, size_t len, struct wt_message *out)
{
	if (data[2] != 0 || data[3] != 0)
		return WT_DROP_TYPE;
	if (len < WT_RECORD_MIN || len > WT_RECORD_MAX)
		return WT_DROP_LENGTH;
	uint32_t receiver_index = wt_load_be32(data + 4);

	if (receiver_index == 0)
		return WT_DROP_INDEX;
	out->receiver_index = receiver_index;
	out->counter = wt_load_be64(data + 8);
	out->kind = WT_MESSAGE_DATA;
	return WT_DROP_NONE;
}

static enum wt_drop parse(const uint8_t *data, size_t len, struct wt_message *out)
{
	if (len < WT_MESSAGE_HEADER)
		return WT_DROP_LENGTH;
	if (data[0] != WT_TYPE_HANDSHAKE && data[0] != WT_TYPE_DATA)
		return WT_DROP_TYPE;
	if (data[1] != WT_WIRE_VERSION)
		return WT_DROP_VERSION;
	return data[0] == WT_TYPE_DATA ? parse_data(data, len, out)
				       : parse_handshake(data, len, out);
}

enum wt_message_kind wt_message_parse(const uint8_t *data, size_t len, struct wt_message *out)
{
	*out = (struct wt_message){ .kind = WT_MESSAGE_INVALID };
	out->drop = parse(data, len, out);
	return out->kind;
}

void wt_record_header_write(uint8_t out[WT_RECORD_HEADER], uint32_t receiver_index,
			    uint64_t counter)
{
	out[0] = WT_TYPE_DATA;
	out[1] = WT_WIRE_VERSION;
	out[2] = 0;
	out[3] = 0;
	wt_store_be32(out + 4, receiver_index);
	wt_store_be64(out + 8, counter);
}
