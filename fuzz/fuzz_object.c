/* SPDX-License-Identifier: MIT
 *
 * fuzz_object.c: a plugin's file, which may be anybody's, as it is read before
 * any code of it runs: its note, and the names that it exports.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "fuzz.h"
#include "plugin/exports.h"
#include "plugin/note.h"

static void check_note(int fd, size_t size)
{
	struct wt_plugin_note_desc note;
	struct wt_error err = WT_ERROR_INIT;

	memset(&note, 'x', sizeof note);
	if (wt_note_read(fd, size, &note, &err) != WT_OK) {
		FUZZ_CHECK(err.text[0] != '\0');
		return;
	}
	FUZZ_CHECK(memchr(note.name, '\0', sizeof note.name) != NULL);
	FUZZ_CHECK(memchr(note.version, '\0', sizeof note.version) != NULL);
	FUZZ_CHECK(wt_abi_check(note.abi_major, note.abi_minor, NULL) == WT_OK);
}

static void check_exports(int fd)
{
	struct wt_exports exports;
	char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	FUZZ_CHECK(wt_exports_read(path, &exports) == WT_OK);
	for (size_t i = 0; i < exports.count; i++)
		FUZZ_CHECK(exports.names[i][0] != '\0' && strlen(exports.names[i]) < 1024);
	wt_exports_clear(&exports);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("object", MFD_CLOEXEC);

	FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	check_note(fd, size);
	check_exports(fd);
	close(fd);
	return 0;
}
