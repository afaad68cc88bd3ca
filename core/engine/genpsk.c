/* SPDX-License-Identifier: MIT */
#include "engine/genpsk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/secret.h"
#include "config/keyfile.h"

/* By write(2): a stream's buffer would keep the key. */
static int write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_key(int fd, uint8_t *key, char *text)
{
	int error;

	if (wt_random(key, WT_KEYFILE_BYTES) != WT_OK) {
		fputs("wtcore: genpsk: the kernel has no random numbers\n", stderr);
		return WT_EXIT_RUNTIME;
	}
	wt_keyfile_encode(key, text);
	text[WT_KEYFILE_TEXT] = '\n';
	error = write_all(fd, text, WT_KEYFILE_TEXT + 1);
	if (error) {
		fprintf(stderr, "wtcore: genpsk: the key cannot be written: %s\n", strerror(error));
		return WT_EXIT_RUNTIME;
	}
	return WT_EXIT_OK;
}

int wt_genpsk(int fd)
{
	uint8_t *key;
	char *text;
	struct stat st;
	int code = WT_EXIT_RUNTIME;

	if (fstat(fd, &st) != 0) {
		fprintf(stderr, "wtcore: genpsk: there is no standard output: %s\n",
			strerror(errno));
		return WT_EXIT_RUNTIME;
	}
	if (S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO))) {
		fprintf(stderr,
			"wtcore: genpsk: standard output is a file of mode %04o, but a key is for "
			"its owner alone; remove the file and run: (umask 077; wtcore genpsk > "
			"FILE)\n",
			st.st_mode & 07777u);
		return WT_EXIT_CONFIG;
	}
	key = wt_secret_alloc(WT_KEYFILE_BYTES, 16);
	text = wt_secret_alloc(WT_KEYFILE_TEXT + 1, 16);
	if (key && text)
		code = write_key(fd, key, text);
	else
		fputs("wtcore: genpsk: out of memory\n", stderr);
	wt_secret_free(key);
	wt_secret_free(text);
	return code;
}
