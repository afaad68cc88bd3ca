/* SPDX-License-Identifier: MIT
 *
 * fuzz_keyfile.c: the text of a key file: at most one text means each key.
 */
#include <string.h>

#include "config/keyfile.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t zero[WT_KEYFILE_BYTES];
	uint8_t key[WT_KEYFILE_BYTES];
	char text[WT_KEYFILE_TEXT + 1];

	if (wt_keyfile_decode((const char *)data, size, key, NULL) != WT_OK) {
		FUZZ_CHECK(memcmp(key, zero, sizeof key) == 0);
		return 0;
	}
	FUZZ_CHECK(size == WT_KEYFILE_TEXT ||
		   (size == WT_KEYFILE_TEXT + 1 && data[WT_KEYFILE_TEXT] == '\n'));
	wt_keyfile_encode(key, text);
	FUZZ_CHECK(memcmp(text, data, WT_KEYFILE_TEXT) == 0);
	return 0;
}
