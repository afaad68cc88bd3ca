/* SPDX-License-Identifier: MIT
 *
 * fuzz_message.c: the clear header of a message from anybody, and the
 * parameters that a handshake carries.
 */
#include <string.h>

#include "base/error.h"
#include "fuzz.h"
#include "record/header.h"
#include "record/limits.h"
#include "record/params.h"

static void check_message(const uint8_t *data, size_t size)
{
	struct wt_message message;
	enum wt_message_kind kind = wt_message_parse(data, size, &message);
	uint8_t header[WT_RECORD_HEADER];

	FUZZ_CHECK(kind == message.kind);
	FUZZ_CHECK((kind == WT_MESSAGE_INVALID) == (message.drop != WT_DROP_NONE));
	switch (kind) {
	case WT_MESSAGE_DATA:
		FUZZ_CHECK(size >= WT_RECORD_MIN && size <= WT_RECORD_MAX);
		/* Nothing in an accepted header is free. */
		wt_record_header_write(header, message.receiver_index, message.counter);
		FUZZ_CHECK(memcmp(header, data, sizeof header) == 0);
		break;
	case WT_MESSAGE_HANDSHAKE:
		FUZZ_CHECK(size >= WT_MESSAGE_HEADER && size <= WT_UNAUTHENTICATED_MAX);
		FUZZ_CHECK(message.method != 0);
		break;
	case WT_MESSAGE_INVALID:
		FUZZ_CHECK(message.receiver_index == 0 && message.counter == 0);
	}
}

static void check_params(const uint8_t *data)
{
	static const struct wt_params ours = { .algorithm = WT_ALGORITHM_BYTE_AES256GCM };
	struct wt_error err = WT_ERROR_INIT;
	struct wt_params params, again;
	uint8_t bytes[WT_PARAMS_SIZE];

	if (wt_params_decode(data, &ours, &params, &err) != WT_OK) {
		FUZZ_CHECK(err.text[0] != '\0');
		return;
	}
	FUZZ_CHECK(params.record_max >= WT_PARAMS_RECORD_MIN);
	FUZZ_CHECK(params.record_max <= WT_PARAMS_RECORD_MAX);
	FUZZ_CHECK(params.inner_mtu >= WT_INNER_MTU_MIN);
	wt_params_encode(&params, bytes);
	FUZZ_CHECK(wt_params_decode(bytes, &ours, &again, NULL) == WT_OK);
	FUZZ_CHECK(again.features == params.features && again.record_max == params.record_max &&
		   again.inner_mtu == params.inner_mtu);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_message(data, size);
	if (size == WT_PARAMS_SIZE)
		check_params(data);
	return 0;
}
