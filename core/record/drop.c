/* SPDX-License-Identifier: MIT */
#include "record/drop.h"

const char *wt_drop_name(enum wt_drop drop)
{
	static const char *const names[WT_DROP_COUNT] = {
		[WT_DROP_NONE] = "none",
		[WT_DROP_LENGTH] = "length",
		[WT_DROP_TYPE] = "type",
		[WT_DROP_VERSION] = "version",
		[WT_DROP_INDEX] = "index",
		[WT_DROP_OLD] = "old",
		[WT_DROP_REPLAY] = "replay",
		[WT_DROP_SEQUENCE] = "sequence",
		[WT_DROP_KEY_LIMIT] = "key_limit",
		[WT_DROP_TAG] = "tag",
		[WT_DROP_CRYPTO] = "crypto",
		[WT_DROP_KIND] = "kind",
		[WT_DROP_CONTROL] = "control",
		[WT_DROP_IP_VERSION] = "ip_version",
		[WT_DROP_IP_HEADER] = "ip_header",
		[WT_DROP_IP_LENGTH] = "ip_length",
		[WT_DROP_FRAGMENT] = "fragment",
		[WT_DROP_PROTOCOL] = "protocol",
		[WT_DROP_LAYER4] = "layer4",
		[WT_DROP_TCP_FLAGS] = "tcp_flags",
		[WT_DROP_SEGMENTS] = "segments",
		[WT_DROP_SOURCE] = "source",
		[WT_DROP_OFFLOAD] = "offload",
		[WT_DROP_NO_ROUTE] = "no_route",
		[WT_DROP_NO_SESSION] = "no_session",
		[WT_DROP_SEND_LIMIT] = "send_limit",
		[WT_DROP_TOO_LARGE] = "too_large",
		[WT_DROP_SMALL_PATH] = "small_path",
		[WT_DROP_QUEUE_FULL] = "queue_full",
		[WT_DROP_TUN_REFUSED] = "tun_refused",
	};

	if ((unsigned)drop >= WT_DROP_COUNT)
		return "unknown";
	return names[drop];
}
