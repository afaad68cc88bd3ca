/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/secret.h"
#include "config/keyfile.h"
#include "support/scratch.h"

#define GOOD "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static const uint8_t zero[WT_KEYFILE_BYTES];

/* `want` with each %P replaced by the path. */
static void assert_message(const struct wt_error *err, const char *want, const char *path)
{
	char text[1024] = "";
	size_t at = 0;

	for (const char *p = want; *p; p++) {
		if (p[0] == '%' && p[1] == 'P') {
			at += (size_t)snprintf(text + at, sizeof text - at, "%s", path);
			p++;
		} else {
			text[at++] = *p;
			text[at] = '\0';
		}
	}
	assert_string_equal(err->text, text);
}

static void assert_refused(const char *path, const char *want)
{
	struct wt_error err = WT_ERROR_INIT;
	uint8_t key[WT_KEYFILE_BYTES];

	memset(key, 0x55, sizeof key);
	assert_int_not_equal(wt_keyfile_read(path, "wtcore genpsk", key, &err), WT_OK);
	assert_message(&err, want, path);
	assert_memory_equal(key, zero, sizeof key);
}

static int make_dir(void **state)
{
	*state = wt_scratch_new();
	return 0;
}

static int drop_dir(void **state)
{
	wt_scratch_free(*state);
	return 0;
}

static void contents_are_decoded_strictly(void **state)
{
#define AGAIN "; copy it again, or make a new one with: wtcore genpsk > %P"
#define LENGTH ", allowed are 44: a key of 32 bytes in base64, as wtcore prints it" AGAIN
#define CRLF                                                                                       \
	"key file %P ends its line with CR LF, as Windows editors do; allowed is LF or nothing; "  \
	"run: sed -i 's/\\r$//' %P"
#define NOT_BASE64                                                                                 \
	"key file %P is not base64 of 32 bytes: a character or the last bits are wrong" AGAIN
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ GOOD, NULL },
		{ GOOD "\n", NULL },
		{ "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=\n", NULL },
		{ "", "key file %P has 0 characters" LENGTH },
		{ "\n", "key file %P has 0 characters" LENGTH },
		{ GOOD "\n\n", "key file %P has 45 characters" LENGTH },
		{ " " GOOD, "key file %P has 45 characters" LENGTH },
		{ GOOD " ", "key file %P has 45 characters" LENGTH },
		{ GOOD "\r\n", CRLF },
		{ GOOD "\r", CRLF },
		{ "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
		  "key file %P has 43 characters" LENGTH },
		{ "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
		  "key file %P holds 31 bytes, allowed are 32" AGAIN },
		{ "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g",
		  "key file %P holds 33 bytes or no base64 at all, allowed are 32 bytes in "
		  "base64" AGAIN },
		{ "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		  "key file %P is all zero, which is no key" AGAIN },
		{ "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", NOT_BASE64 },
		{ "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh-=", NOT_BASE64 },
		{ "AAECAwQFBgcICQoLDA0ODxAR HMUFRYXGBkaGxwdHh8=", NOT_BASE64 },
		{ "=AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", NOT_BASE64 },
		{ "\x80"
		  "AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
		  NOT_BASE64 },
		{ GOOD "\n" GOOD "\n" GOOD "\n",
		  "key file %P has more than 126 characters" LENGTH },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *path =
			wt_scratch_file(*state, "k", cases[i].text, strlen(cases[i].text), 0600);
		struct wt_error err = WT_ERROR_INIT;
		uint8_t key[WT_KEYFILE_BYTES];

		if (cases[i].want)
			assert_refused(path, cases[i].want);
		else if (wt_keyfile_read(path, "wtcore genpsk", key, &err) != WT_OK)
			fail_msg("%s", err.text);
		free(path);
	}
}

static void every_byte_survives_encoding(void **state)
{
	uint8_t key[WT_KEYFILE_BYTES] = { 0 }, back[WT_KEYFILE_BYTES];
	char text[WT_KEYFILE_TEXT + 1];

	(void)state;
	for (unsigned i = 0; i < WT_KEYFILE_BYTES; i++)
		key[i] = (uint8_t)i;
	wt_keyfile_encode(key, text);
	assert_string_equal(text, GOOD);
	for (unsigned round = 0; round < 256; round++) {
		for (unsigned i = 0; i < WT_KEYFILE_BYTES; i++)
			key[i] = (uint8_t)(round + 37 * i);
		wt_keyfile_encode(key, text);
		assert_int_equal(strlen(text), WT_KEYFILE_TEXT);
		assert_int_equal(wt_keyfile_decode(text, WT_KEYFILE_TEXT, back, NULL), WT_OK);
		assert_memory_equal(key, back, sizeof key);
	}
}

/* Each of the 256 bytes is a digit or it is not. */
static void the_alphabet_is_exact(void **state)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char text[] = GOOD;
	uint8_t key[WT_KEYFILE_BYTES];

	(void)state;
	for (int c = 0; c < 256; c++) {
		const char *found = c ? strchr(alphabet, c) : NULL;

		text[0] = (char)c;
		if (!found) {
			assert_int_not_equal(wt_keyfile_decode(text, 44, key, NULL), WT_OK);
			continue;
		}
		assert_int_equal(wt_keyfile_decode(text, 44, key, NULL), WT_OK);
		assert_int_equal(key[0] >> 2, found - alphabet);
	}
}

static void modes_are_checked(void **state)
{
	char *path = wt_scratch_file(*state, "k", GOOD, strlen(GOOD), 0600);

	for (unsigned mode = 0; mode < 010000; mode++) {
		uint8_t key[WT_KEYFILE_BYTES];
		char want[256];

		assert_int_equal(chmod(path, mode), 0);
		if (mode == 0600 || mode == 0400) {
			assert_int_equal(wt_keyfile_read(path, "wtcore genpsk", key, NULL), WT_OK);
			continue;
		}
		if (geteuid() != 0 && !(mode & 0400))
			continue; /* the kernel refuses first */
		snprintf(want, sizeof want,
			 "key file %%P has mode %04o, allowed is 0600 or 0400; run: chmod 600 %%P",
			 mode);
		assert_refused(path, want);
	}
	free(path);
}

static void credentials_may_be_group_readable(void **state)
{
	char *path = wt_scratch_file(*state, "k", GOOD, strlen(GOOD), 0440);
	uint8_t key[WT_KEYFILE_BYTES];

	assert_int_not_equal(wt_keyfile_read(path, "wtcore genpsk", key, NULL), WT_OK);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", *state, 1), 0);
	assert_int_equal(wt_keyfile_read(path, "wtcore genpsk", key, NULL), WT_OK);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_not_equal(wt_keyfile_read(path, "wtcore genpsk", key, NULL), WT_OK);
	assert_int_equal(chmod(path, 0444), 0);
	assert_int_not_equal(wt_keyfile_read(path, "wtcore genpsk", key, NULL), WT_OK);
	/* Another directory is not the one that systemd made. */
	assert_int_equal(chmod(path, 0440), 0);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", "/", 1), 0);
	assert_int_not_equal(wt_keyfile_read(path, "wtcore genpsk", key, NULL), WT_OK);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	free(path);
}

static void only_regular_files_are_read(void **state)
{
	char *path = wt_scratch_file(*state, "k", GOOD, strlen(GOOD), 0600);
	char link[256], fifo[256], none[256], self[300];

	snprintf(link, sizeof link, "%s/link", (char *)*state);
	snprintf(fifo, sizeof fifo, "%s/fifo", (char *)*state);
	snprintf(none, sizeof none, "%s/none", (char *)*state);
	snprintf(self, sizeof self, "%s/", (char *)*state);
	assert_int_equal(symlink("k", link), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_refused(link, "key file %P is a symbolic link, which is not followed here; name the "
			     "file that it points to");
	assert_refused(fifo, "key file %P is a FIFO, allowed is a regular file");
	assert_refused("/dev/null", "key file %P is a character device, allowed is a regular file");
	assert_refused(self, "key file %P is a directory, allowed is a regular file");
	assert_refused(*state, "key file %P is a directory, allowed is a regular file");
	assert_refused(none, "there is no key file %P; make one with: (umask 077; wtcore genpsk > "
			     "%P)");
	free(path);
}

static void others_cannot_own_or_exchange_it(void **state)
{
	char *path = wt_scratch_file(*state, "k", GOOD, strlen(GOOD), 0600);
	uint8_t key[WT_KEYFILE_BYTES];
	struct wt_error err = WT_ERROR_INIT;

	assert_int_equal(chmod(*state, 0770), 0);
	assert_int_equal(wt_keyfile_read(path, "wtcore genpsk", key, &err), WT_ERR_CONFIG);
	assert_non_null(strstr(err.text,
			       " of mode 0770, where others could exchange it; run: chmod go-w "));
	assert_int_equal(chmod(*state, 0702), 0);
	assert_int_equal(wt_keyfile_read(path, "wtcore genpsk", key, &err), WT_ERR_CONFIG);
	assert_int_equal(chmod(*state, 01777), 0);
	assert_int_equal(wt_keyfile_read(path, "wtcore genpsk", key, &err), WT_OK);
	assert_int_equal(chmod(*state, 0755), 0);
	if (geteuid() != 0) {
		print_message("skipped: the owner check, which needs root to make such a file\n");
		free(path);
		return;
	}
	assert_int_equal(chown(path, 65534, 0), 0);
	assert_refused(path, "key file %P belongs to uid 65534, allowed is root or uid 0; run as "
			     "root: chown 0 %P");
	/* The owner itself, and root's files for everyone. */
	assert_int_equal(seteuid(65534), 0);
	assert_int_equal(wt_keyfile_read(path, "wtcore genpsk", key, &err), WT_OK);
	assert_int_equal(seteuid(0), 0);
	free(path);
}

static void nothing_stays_open_or_in_use(void **state)
{
	char *path = wt_scratch_file(*state, "k", "short", 5, 0600);
	size_t in_use = wt_secret_in_use();
	uint8_t key[WT_KEYFILE_BYTES];
	int before = dup(0), after;

	close(before);
	assert_int_not_equal(wt_keyfile_read(path, "wtcore genpsk", key, NULL), WT_OK);
	assert_int_not_equal(wt_keyfile_read("/dev/null", "wtcore genpsk", key, NULL), WT_OK);
	assert_int_not_equal(wt_keyfile_read("/nosuch/dir", "wtcore genpsk", key, NULL), WT_OK);
	after = dup(0);
	close(after);
	assert_int_equal(before, after);
	assert_int_equal(wt_secret_in_use(), in_use);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(contents_are_decoded_strictly, make_dir, drop_dir),
		cmocka_unit_test(every_byte_survives_encoding),
		cmocka_unit_test(the_alphabet_is_exact),
		cmocka_unit_test_setup_teardown(modes_are_checked, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(credentials_may_be_group_readable, make_dir,
						drop_dir),
		cmocka_unit_test_setup_teardown(only_regular_files_are_read, make_dir, drop_dir),
		cmocka_unit_test_setup_teardown(others_cannot_own_or_exchange_it, make_dir,
						drop_dir),
		cmocka_unit_test_setup_teardown(nothing_stays_open_or_in_use, make_dir, drop_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
