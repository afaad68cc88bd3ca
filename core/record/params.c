/* SPDX-License-Identifier: MIT */
#include "record/params.h"

#include <string.h>
#include <whispertunnel/plugin.h>

#include "base/bytes.h"
#include "base/error.h"
#include "record/limits.h"

#define AT_FEATURES 0u
#define AT_RECORD_MAX 4u
#define AT_INNER_MTU 8u
#define AT_ALGORITHM 10u
#define AT_LANE 11u
#define AT_INSTANCE 12u
#define AT_LANES 20u

uint8_t wt_params_algorithm(const char *name)
{
	if (strcmp(name, WT_ALGORITHM_AES256GCM) == 0)
		return WT_ALGORITHM_BYTE_AES256GCM;
	/* FNV-1a, 32 bits, folded to 7. */
	uint32_t hash = 2166136261u;

	for (const char *c = name; *c != '\0'; c++)
		hash = (hash ^ (uint8_t)*c) * 16777619u;
	hash ^= hash >> 16;
	hash ^= hash >> 8;
	return (uint8_t)(WT_ALGORITHM_BYTE_PRIVATE | (hash & 0x7fu));
}

void wt_params_encode(const struct wt_params *params, uint8_t out[WT_PARAMS_SIZE])
{
	memset(out, 0, WT_PARAMS_SIZE);
	wt_store_be32(out + AT_FEATURES, params->features);
	wt_store_be32(out + AT_RECORD_MAX, params->record_max);
	wt_store_be16(out + AT_INNER_MTU, params->inner_mtu);
	out[AT_ALGORITHM] = params->algorithm;
	out[AT_LANE] = params->lane;
	memcpy(out + AT_INSTANCE, params->instance, WT_INSTANCE_SIZE);
	out[AT_LANES] = params->lanes;
}

void wt_params_tell(uint8_t params[WT_PARAMS_SIZE], unsigned lane, unsigned lanes)
{
	params[AT_LANE] = (uint8_t)lane;
	params[AT_LANES] = (uint8_t)lanes;
}

enum wt_status wt_params_decode(const uint8_t in[WT_PARAMS_SIZE], const struct wt_params *ours,
				struct wt_params *out, struct wt_error *err)
{
	struct wt_params p = {
		.features = wt_load_be32(in + AT_FEATURES),
		.record_max = wt_load_be32(in + AT_RECORD_MAX),
		.inner_mtu = wt_load_be16(in + AT_INNER_MTU),
		.algorithm = in[AT_ALGORITHM],
		.lane = in[AT_LANE],
		.lanes = in[AT_LANES],
	};

	memcpy(p.instance, in + AT_INSTANCE, WT_INSTANCE_SIZE);
	if (p.record_max < WT_PARAMS_RECORD_MIN || p.record_max > WT_PARAMS_RECORD_MAX)
		return wt_fail(err, WT_ERR_INVALID,
			       "the peer takes records up to %u bytes, allowed are %u to %u: "
			       "its program is faulty or of another version",
			       p.record_max, WT_PARAMS_RECORD_MIN, WT_PARAMS_RECORD_MAX);
	if (p.inner_mtu < WT_INNER_MTU_MIN)
		return wt_fail(err, WT_ERR_INVALID,
			       "the peer's tunnel MTU is %u, allowed are %u to %u: "
			       "correct `mtu` at its end",
			       p.inner_mtu, WT_INNER_MTU_MIN, WT_INNER_MTU_MAX);
	if (p.algorithm != ours->algorithm)
		return wt_fail(err, WT_ERR_INVALID,
			       "the peer seals with algorithm %u, this end with %u: name crypto "
			       "plugins of one algorithm in [crypto] at both ends",
			       p.algorithm, ours->algorithm);
	*out = p;
	return WT_OK;
}
