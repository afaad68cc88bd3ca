/* SPDX-License-Identifier: MIT */

/* Who could exchange a plugin: owners and modes of the file and of every
 * directory above it. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/build.h"
#include "base/error.h"
#include "plugin/place.h"
#include "support/child.h"
#include "support/process.h"
#include "support/scratch.h"

#define STRANGER 12345u
#define FILE_NAME "crypto-thing.so"
#define PATH_SIZE 4096

/* scratch/upper/lower/crypto-thing.so */
static char *scratch;
static char upper[PATH_SIZE], lower[PATH_SIZE + 16], file_path[PATH_SIZE + 64];

static int setup(void **state)
{
	(void)state;
	scratch = wt_scratch_new();
	snprintf(upper, sizeof upper, "%s/upper", scratch);
	snprintf(lower, sizeof lower, "%s/lower", upper);
	snprintf(file_path, sizeof file_path, "%s/" FILE_NAME, lower);
	if (mkdir(upper, 0755) != 0 || mkdir(lower, 0755) != 0 || chmod(scratch, 0755) != 0)
		return -1;
	free(wt_scratch_file(lower, FILE_NAME, "text", 4, 0644));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	wt_scratch_free(scratch);
	return 0;
}

static void assert_opened(void)
{
	struct wt_error err = WT_ERROR_INIT;
	struct wt_plugin_file file;

	if (wt_plugin_file_open(lower, WT_KIND_CRYPTO, "thing", &file, &err) != WT_OK)
		fail_msg("%s", err.text);
	assert_string_equal(file.path, file_path);
	assert_int_equal(fcntl(file.fd, F_GETFD), FD_CLOEXEC);
	wt_plugin_file_close(&file);
}

static void assert_refused(enum wt_status status, const char *part, const char *other)
{
	char *before = wt_process_fds();
	struct wt_error err = WT_ERROR_INIT;
	struct wt_plugin_file file;

	assert_int_equal(wt_plugin_file_open(lower, WT_KIND_CRYPTO, "thing", &file, &err), status);
	if (!strstr(err.text, part) || !strstr(err.text, other))
		fail_msg("\"%s\" or \"%s\" is not in: %s", part, other, err.text);
	wt_plugin_file_close(&file);

	char *after = wt_process_fds();

	assert_string_equal(after, before);
	free(after);
	free(before);
}

static void modes_decide(void **state)
{
	static const struct {
		char what; /* 'u'pper, 'l'ower, 'f'ile */
		mode_t mode;
		const char *part, *remedy; /* NULL: accepted */
	} cases[] = {
		{ 'f', 0644, NULL, NULL },
		{ 'f', 0755, NULL, NULL },
		{ 'f', 0600, NULL, NULL },
		{ 'f', 0664, "others can write to the file (mode 0664)", "chmod g-w" },
		{ 'f', 0646, "others can write to the file (mode 0646)", "chmod o-w" },
		{ 'f', 0666, "others can write to the file (mode 0666)", "chmod go-w" },
		{ 'l', 0700, NULL, NULL },
		{ 'l', 0775, "/lower (mode 0775)", "chmod g-w " },
		{ 'l', 0757, "/lower (mode 0757)", "chmod o-w " },
		{ 'l', 0777, "/lower (mode 0777)", "chmod go-w " },
		/* Sticky will do on the way, not where the plugins are. */
		{ 'l', 01777, "/lower (mode 1777)", "chmod go-w " },
		{ 'u', 0775, "/upper (mode 0775)", "chmod g-w " },
		{ 'u', 0777, "/upper (mode 0777)", "chmod go-w " },
		{ 'u', 01777, NULL, NULL },
		{ 'u', 01775, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *path = cases[i].what == 'u'	  ? upper
				   : cases[i].what == 'l' ? lower
							  : file_path;

		assert_int_equal(chmod(path, cases[i].mode), 0);
		if (cases[i].part)
			assert_refused(WT_ERR_PERMISSION, cases[i].part, cases[i].remedy);
		else
			assert_opened();
		assert_int_equal(chmod(path, cases[i].what == 'f' ? 0644 : 0755), 0);
	}
}

static void owners_decide(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: only root can give files away\n");
		skip();
	}
	const char *const paths[] = { file_path, lower, upper, scratch };

	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(chown(paths[i], STRANGER, 0), 0);
		assert_refused(WT_ERR_PERMISSION, i == 0 ? "the file belongs" : paths[i],
			       "belongs to uid 12345");
		/* Others' names are safe in a sticky directory, but its owner
		 * may rename them all. */
		if (i > 0) {
			assert_int_equal(chmod(paths[i], 01777), 0);
			assert_refused(WT_ERR_PERMISSION, paths[i], "belongs to uid 12345");
			assert_int_equal(chmod(paths[i], 0755), 0);
		}
		assert_int_equal(chown(paths[i], 0, 0), 0);
	}
	/* Ours, when we are that user. */
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(chown(paths[i], STRANGER, 0), 0);
	assert_int_equal(seteuid(STRANGER), 0);
	assert_opened();
	assert_int_equal(chmod(file_path, 0), 0);
	assert_refused(WT_ERR_PERMISSION, "cannot be read", "chmod a+r");
	assert_int_equal(seteuid(0), 0);
}

/* In a user namespace without the system's root, all of root's directories
 * belong to the overflow uid. */
static int open_without_root(void)
{
	struct wt_error err = WT_ERROR_INIT;
	struct wt_plugin_file file;
	char map[64];
	int fd, len;

	if (setresuid(STRANGER, STRANGER, STRANGER) != 0)
		return __LINE__;
	prctl(PR_SET_DUMPABLE, 1); /* or /proc/self would be root's */
	if (unshare(CLONE_NEWUSER) != 0) {
		fprintf(stderr, "skipped: no user namespaces here: %s\n", strerror(errno));
		return -1;
	}
	fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	len = snprintf(map, sizeof map, "0 %u 1", STRANGER);
	if (fd < 0 || write(fd, map, (size_t)len) != len || close(fd) != 0 || geteuid() != 0)
		return __LINE__;
	if (wt_plugin_file_open(lower, WT_KIND_CRYPTO, "thing", &file, &err) != WT_OK) {
		fprintf(stderr, "%s\n", err.text);
		return __LINE__;
	}
	wt_plugin_file_close(&file);
	return 0;
}

static void a_namespace_without_root_works(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: only root can become another user\n");
		skip();
	}
	const char *const paths[] = { file_path, lower, upper };

	for (size_t i = 0; i < 3; i++)
		assert_int_equal(chown(paths[i], STRANGER, 0), 0);
	wt_in_child(open_without_root);
	/* Outside of one, the overflow uid is a user like others. */
	assert_int_equal(chown(file_path, 65534, 0), 0);
	assert_int_equal(chown(upper, 0, 0), 0);
	assert_int_equal(chown(lower, 0, 0), 0);
	assert_refused(WT_ERR_PERMISSION, "the file", "uid 65534");
}

static void only_regular_files_are_opened(void **state)
{
	char moved[PATH_SIZE + 64];

	(void)state;
	snprintf(moved, sizeof moved, "%s/moved", lower);
	assert_int_equal(rename(file_path, moved), 0);
	assert_refused(WT_ERR_CONFIG, "there is no such file", "plugin_dir");
	assert_int_equal(symlink("moved", file_path), 0);
	assert_refused(WT_ERR_PERMISSION, "is a symbolic link", "the file itself");
	assert_int_equal(remove(file_path), 0);
	assert_int_equal(mkfifo(file_path, 0600), 0);
	assert_refused(WT_ERR_PERMISSION, "not a regular file", "itself");
	assert_int_equal(remove(file_path), 0);
	assert_int_equal(mkdir(file_path, 0755), 0);
	assert_refused(WT_ERR_PERMISSION, "not a regular file", "itself");
	assert_int_equal(remove(file_path), 0);
	assert_int_equal(rename(moved, file_path), 0);
	assert_opened();
}

/* wt_place_find follows links; after that a link is something new. */
static void links_to_directories_are_resolved_once(void **state)
{
	struct wt_error err = WT_ERROR_INIT;
	char link[PATH_SIZE + 16], *dir = NULL;

	(void)state;
	snprintf(link, sizeof link, "%s/link", scratch);
	assert_int_equal(symlink("upper/lower", link), 0);
	assert_int_equal(wt_place_find(link, &dir, &err), WT_OK);
	assert_string_equal(dir, lower);
	free(dir);

	char moved[PATH_SIZE + 16];

	snprintf(moved, sizeof moved, "%s/moved", scratch);
	assert_int_equal(rename(upper, moved), 0);
	assert_int_equal(symlink("moved", upper), 0);
	assert_refused(WT_ERR_IO, upper, "cannot be opened");
}

static void a_file_that_changed_is_noticed(void **state)
{
	static const char *const changes[] = { "rename", "write", "chmod", "remove" };
	struct wt_error err = WT_ERROR_INIT;
	struct wt_plugin_file file;

	(void)state;
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		free(wt_scratch_file(lower, FILE_NAME, "text", 4, 0644));
		assert_int_equal(wt_plugin_file_open(lower, WT_KIND_CRYPTO, "thing", &file, &err),
				 WT_OK);
		assert_true(wt_plugin_file_unchanged(&file));
		if (i == 0) {
			char *other = wt_scratch_file(lower, "other", "text", 4, 0644);

			assert_int_equal(rename(other, file_path), 0);
			free(other);
		} else if (i == 1) {
			free(wt_scratch_file(lower, FILE_NAME, "texts", 5, 0644));
		} else if (i == 2) {
			assert_int_equal(chmod(file_path, 0600), 0);
		} else {
			assert_int_equal(remove(file_path), 0);
		}
		if (wt_plugin_file_unchanged(&file))
			fail_msg("%s was not noticed", changes[i]);
		wt_plugin_file_close(&file);
	}
}

static void the_directory_is_found_in_order(void **state)
{
	struct wt_error err = WT_ERROR_INIT;
	char missing[PATH_SIZE + 16], *dir = NULL;

	(void)state;
	snprintf(missing, sizeof missing, "%s/missing", scratch);
	assert_int_equal(setenv("WT_PLUGIN_DIR", upper, 1), 0);
	assert_int_equal(wt_place_find(lower, &dir, &err), WT_OK);
	assert_string_equal(dir, lower);
	free(dir);
	assert_int_equal(wt_place_find(NULL, &dir, &err), WT_OK);
	assert_string_equal(dir, upper);
	free(dir);

	assert_int_equal(setenv("WT_PLUGIN_DIR", missing, 1), 0);
	assert_int_equal(wt_place_find(NULL, &dir, &err), WT_ERR_CONFIG);
	assert_non_null(strstr(err.text, missing));
	assert_non_null(strstr(err.text, "(WT_PLUGIN_DIR): No such file"));
	assert_int_equal(setenv("WT_PLUGIN_DIR", file_path, 1), 0);
	assert_int_equal(wt_place_find(NULL, &dir, &err), WT_ERR_CONFIG);
	assert_non_null(strstr(err.text, "(WT_PLUGIN_DIR): Not a directory; set plugin_dir"));
	assert_int_equal(setenv("WT_PLUGIN_DIR", "lib", 1), 0);
	assert_int_equal(wt_place_find(NULL, &dir, &err), WT_ERR_CONFIG);
	assert_non_null(strstr(err.text, "\"lib\" (WT_PLUGIN_DIR) is not absolute"));
	assert_int_equal(wt_place_find("", &dir, &err), WT_ERR_CONFIG);
	assert_non_null(strstr(err.text, "(plugin_dir) is not absolute"));

	assert_int_equal(unsetenv("WT_PLUGIN_DIR"), 0);
	if (wt_place_find(NULL, &dir, &err) == WT_OK)
		free(dir);
	else
		assert_non_null(
			strstr(err.text, WT_PLUGIN_DIR_DEFAULT " (the default of this build)"));
}

/* ---- a process with raised rights ---------------------------------------- */

#define AGAIN "find-the-directory"
#define FOUND_ENVIRONMENT 10
#define FOUND_DEFAULT 11

/* What this program does when it is started with AGAIN: is the environment's
 * directory the one? */
static int find_again(const char *expected)
{
	char *dir = NULL;
	bool same;

	if (wt_place_find(NULL, &dir, NULL) != WT_OK)
		return FOUND_DEFAULT; /* which need not exist */
	same = strcmp(dir, expected) == 0;
	free(dir);
	return same ? FOUND_ENVIRONMENT : FOUND_DEFAULT;
}

static int run_again(const char *program)
{
	char variable[PATH_SIZE + 32];
	char *const argv[] = { (char *)program, (char *)AGAIN, lower, NULL };
	char *const envp[] = { variable, NULL };
	pid_t pid;
	int status;

	snprintf(variable, sizeof variable, "WT_PLUGIN_DIR=%s", lower);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		execve(program, argv, envp);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* A copy of this program that is setuid to somebody else runs with AT_SECURE. */
static void raised_rights_ignore_the_environment(void **state)
{
	struct statvfs fs;
	char program[PATH_SIZE + 16];

	(void)state;
	if (geteuid() != 0 || statvfs(scratch, &fs) != 0 || (fs.f_flag & (ST_NOSUID | ST_NOEXEC))) {
		print_message("skipped: needs root and a file system that allows setuid\n");
		skip();
	}
	snprintf(program, sizeof program, "%s/setuid", scratch);
	wt_scratch_program(program);
	assert_int_equal(run_again(program), FOUND_ENVIRONMENT);
	assert_int_equal(chown(program, STRANGER, 0), 0);
	assert_int_equal(chmod(program, 04755), 0);
	assert_int_equal(run_again(program), FOUND_DEFAULT);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(modes_decide),
		CASE(owners_decide),
		CASE(a_namespace_without_root_works),
		CASE(only_regular_files_are_opened),
		CASE(links_to_directories_are_resolved_once),
		CASE(a_file_that_changed_is_noticed),
		CASE(the_directory_is_found_in_order),
		CASE(raised_rights_ignore_the_environment),
	};

	if (argc == 3 && strcmp(argv[1], AGAIN) == 0)
		/* A leak checker cannot look at a process with raised rights. */
		_exit(find_again(argv[2]));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
