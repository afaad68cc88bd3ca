/* SPDX-License-Identifier: MIT */
#include "config/prefix.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static unsigned bits_of(uint8_t family)
{
	return family == AF_INET ? 32 : 128;
}

/* Decimal without sign, blanks or leading zeros: "08" is more likely a slip
 * than a length. */
static bool parse_length(const char *text, unsigned max, uint8_t *out)
{
	unsigned value = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (unsigned)(*text - '0');
		if (value > max)
			return false;
	}
	*out = (uint8_t)value;
	return true;
}

enum wt_status wt_prefix_parse(const char *text, struct wt_prefix *out)
{
	char address[INET6_ADDRSTRLEN];
	struct wt_prefix prefix = { .family = AF_INET };
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);

	if (len >= sizeof address)
		return WT_ERR_INVALID;
	memcpy(address, text, len);
	address[len] = '\0';
	if (strchr(address, ':'))
		prefix.family = AF_INET6;
	if (inet_pton(prefix.family, address, prefix.bytes) != 1)
		return WT_ERR_INVALID;
	prefix.length = (uint8_t)bits_of(prefix.family);
	if (slash && !parse_length(slash + 1, prefix.length, &prefix.length))
		return WT_ERR_INVALID;
	*out = prefix;
	return WT_OK;
}

const char *wt_prefix_format(const struct wt_prefix *prefix, char out[WT_PREFIX_TEXT])
{
	char address[INET6_ADDRSTRLEN] = "?";

	inet_ntop(prefix->family, prefix->bytes, address, sizeof address);
	snprintf(out, WT_PREFIX_TEXT, "%s/%u", address, prefix->length);
	return out;
}

struct wt_prefix wt_prefix_network(const struct wt_prefix *prefix)
{
	struct wt_prefix network = *prefix;

	for (unsigned i = 0; i < sizeof network.bytes; i++) {
		unsigned first = i * 8;

		if (prefix->length <= first)
			network.bytes[i] = 0;
		else if (prefix->length < first + 8)
			network.bytes[i] &= (uint8_t)(0xff00u >> (prefix->length - first));
	}
	return network;
}

bool wt_prefix_is_network(const struct wt_prefix *prefix)
{
	struct wt_prefix network = wt_prefix_network(prefix);

	return memcmp(network.bytes, prefix->bytes, bits_of(prefix->family) / 8) == 0;
}

bool wt_prefix_contains(const struct wt_prefix *prefix, uint8_t family, const uint8_t *address)
{
	unsigned whole = prefix->length / 8, rest = prefix->length % 8;

	if (prefix->family != family || memcmp(prefix->bytes, address, whole) != 0)
		return false;
	return rest == 0 ||
	       ((prefix->bytes[whole] ^ address[whole]) & (0xff00u >> rest) & 0xff) == 0;
}

bool wt_prefix_overlaps(const struct wt_prefix *a, const struct wt_prefix *b)
{
	const struct wt_prefix *wide = a->length <= b->length ? a : b;
	const struct wt_prefix *narrow = wide == a ? b : a;

	return wt_prefix_contains(wide, narrow->family, narrow->bytes);
}

int wt_prefix_compare(const struct wt_prefix *a, const struct wt_prefix *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	int order = memcmp(a->bytes, b->bytes, bits_of(a->family) / 8);

	return order ? order : (int)a->length - (int)b->length;
}
