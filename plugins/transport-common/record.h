/* SPDX-License-Identifier: MIT
 *
 * record.h: arrays of struct wt_record, whose elements are as long as the
 * caller's struct_size says.
 */
#ifndef WT_TRANSPORT_COMMON_RECORD_H
#define WT_TRANSPORT_COMMON_RECORD_H

#include <whispertunnel/transport.h>

static inline const struct wt_record *wt_record_at(const struct wt_record *records, size_t i)
{
	return (const struct wt_record *)((const uint8_t *)records + i * records->struct_size);
}

#endif
