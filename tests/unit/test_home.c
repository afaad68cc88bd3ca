/* SPDX-License-Identifier: MIT */

/* Plugins beside the program: a copy of this one, in a tree like that of an
 * installation, says which plugin directory it finds. */

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
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/build.h"
#include "base/error.h"
#include "plugin/home.h"
#include "plugin/place.h"
#include "support/scratch.h"

#define STRANGER 12345
#define WAY "../lib/plugins"
#define PATH_SIZE 4096
#define DEFAULT "plugin directory " WT_PLUGIN_DIR_DEFAULT " (the default of this build"

/* ---- what the copy does -------------------------------------------------- */

#define TELL "tell-the-directory" /* argv: this, the way, what to do before */
#define CANNOT 77

static void prepare(const char *what)
{
	if (strcmp(what, "remove") == 0) {
		char self[PATH_SIZE] = "";

		if (readlink("/proc/self/exe", self, sizeof self - 1) < 0 || unlink(self) != 0)
			_exit(1);
	}
	if (strcmp(what, "no-proc") == 0 &&
	    (unshare(CLONE_NEWNS) != 0 ||
	     mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	     mount("none", "/proc", "tmpfs", 0, NULL) != 0))
		_exit(CANNOT);
}

static void tell(const char *way, const char *what)
{
	struct wt_error err = WT_ERROR_INIT;
	char *dir = NULL;

	prepare(what);
	wt_home_find(way);
	wt_place_print(stdout);
	if (wt_place_find(NULL, &dir, &err) == WT_OK)
		printf("found %s\n", dir);
	else
		printf("%s\n", err.text);
	fflush(stdout);
	_exit(0); /* a leak checker cannot look at a process with raised rights */
}

/* ---- and what is made of it ---------------------------------------------- */

/* scratch/there/sbin/program, scratch/there/lib/plugins */
static char *scratch;
static char there[PATH_SIZE], program[PATH_SIZE + 64], plugins[PATH_SIZE + 64];
static char told[4 * PATH_SIZE];

static void name_all(const char *name)
{
	snprintf(there, sizeof there, "%s/%s", scratch, name);
	snprintf(program, sizeof program, "%s/sbin/program", there);
	snprintf(plugins, sizeof plugins, "%s/lib/plugins", there);
}

static char *in_there(const char *name)
{
	static char path[PATH_SIZE + 64];

	snprintf(path, sizeof path, "%s/%s", there, name);
	return path;
}

static int setup(void **state)
{
	(void)state;
	scratch = wt_scratch_new();
	name_all("there");
	if (chmod(scratch, 0755) != 0 || mkdir(there, 0755) != 0 ||
	    mkdir(in_there("sbin"), 0755) != 0 || mkdir(in_there("lib"), 0755) != 0 ||
	    mkdir(plugins, 0755) != 0)
		return -1;
	wt_scratch_program(program);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	wt_scratch_free(scratch);
	return 0;
}

/* Run `path`; what it says is in `told`. Its exit code. */
static int run(const char *path, const char *way, const char *what, const char *variable)
{
	char *const argv[] = { (char *)path, (char *)TELL, (char *)way, (char *)what, NULL };
	char *const envp[] = { (char *)variable, NULL };
	size_t used = 0;
	int ends[2], status;
	ssize_t n;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		execve(path, argv, envp);
		_exit(127);
	}
	close(ends[1]);
	while ((n = read(ends[0], told + used, sizeof told - 1 - used)) > 0)
		used += (size_t)n;
	told[used] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void assert_told(const char *part)
{
	if (!strstr(told, part))
		fail_msg("\"%s\" is not in: %s", part, told);
}

static void assert_found(const char *from, const char *dir)
{
	char line[2 * PATH_SIZE];

	assert_int_equal(run(from, WAY, "", NULL), 0);
	snprintf(line, sizeof line, "plugin directory %s (of this program's installation)\n",
		 plugins);
	assert_told(line);
	snprintf(line, sizeof line, "\nfound %s\n", dir);
	assert_told(line);
}

static void an_installation_may_be_moved(void **state)
{
	char from[PATH_SIZE], link[PATH_SIZE];

	(void)state;
	assert_found(program, plugins);
	snprintf(from, sizeof from, "%s", there);
	name_all("elsewhere");
	assert_int_equal(rename(from, there), 0);
	assert_found(program, plugins);
	/* A link to a program is not where it is installed. */
	snprintf(link, sizeof link, "%s/link", scratch);
	assert_int_equal(symlink(program, link), 0);
	assert_found(link, plugins);
	assert_int_equal(run(program, WAY, "remove", NULL), 0);
	assert_told("(of this program's installation)\n");
	assert_int_equal(access(program, F_OK), -1);
}

static void what_was_named_comes_first(void **state)
{
	char variable[PATH_SIZE], line[PATH_SIZE];

	(void)state;
	snprintf(variable, sizeof variable, "WT_PLUGIN_DIR=%s", scratch);
	assert_int_equal(run(program, WAY, "", variable), 0);
	assert_told("(WT_PLUGIN_DIR)\n");
	snprintf(line, sizeof line, "\nfound %s\n", scratch);
	assert_told(line);
}

static void the_build_s_is_the_last(void **state)
{
	char far[] = "../../../../../../../../../../../../../../../../../../lib";
	char part[2 * PATH_SIZE];

	(void)state;
	assert_int_equal(run(program, "", "", NULL), 0);
	assert_told(DEFAULT ")\n");
	assert_int_equal(run(program, far, "", NULL), 0);
	assert_told(DEFAULT "; from /proc/self/exe no ../");
	assert_int_equal(rmdir(plugins), 0);
	assert_int_equal(run(program, WAY, "", NULL), 0);
	snprintf(part, sizeof part, DEFAULT "; there is no %s)", plugins);
	assert_told(part);
	/* The same is in the message, if that is not there either. */
	if (access(WT_PLUGIN_DIR_DEFAULT, F_OK) != 0) {
		snprintf(part, sizeof part, "\n%s; there is no %s): No such file", DEFAULT,
			 plugins);
		assert_told(part);
	}
}

static void without_proc_the_build_s_is_taken(void **state)
{
	(void)state;
	if (run(program, WAY, "no-proc", NULL) == CANNOT) {
		print_message("skipped: /proc can be hidden only by root with mounts of its own\n");
		skip();
	}
	assert_told(DEFAULT "; /proc/self/exe: No such file or directory)\n");
}

/* Somebody could have linked a program with raised rights to a place beside
 * plugins of his. */
static void raised_rights_do_not_look_there(void **state)
{
	struct statvfs fs;

	(void)state;
	if (geteuid() != 0 || statvfs(scratch, &fs) != 0 || (fs.f_flag & (ST_NOSUID | ST_NOEXEC))) {
		print_message("skipped: needs root and a file system that allows setuid\n");
		skip();
	}
	assert_int_equal(chown(program, STRANGER, 0), 0);
	assert_int_equal(chmod(program, 0755), 0);
	assert_found(program, plugins);
	assert_int_equal(chmod(program, 04755), 0);
	assert_int_equal(run(program, WAY, "", NULL), 0);
	assert_told(DEFAULT "; a process with raised rights does not look beside its program)\n");
	assert_null(strstr(told, "there/lib"));
	/* Nor is the environment, which would not count, a remedy. */
	assert_null(strstr(told, "WT_PLUGIN_DIR"));
	if (access(WT_PLUGIN_DIR_DEFAULT, F_OK) != 0)
		assert_told("; set plugin_dir to where the plugins are\n");
}

static void links_on_the_way_must_be_ours(void **state)
{
	char *lib64;

	(void)state;
	assert_int_equal(mkdir(in_there("lib64"), 0755), 0);
	assert_int_equal(rmdir(plugins), 0);
	assert_int_equal(rmdir(in_there("lib")), 0);
	assert_int_equal(symlink("lib64", in_there("lib")), 0);
	assert_int_equal(symlink("nowhere", in_there("lib64/plugins")), 0);
	assert_int_equal(run(program, WAY, "", NULL), 0);
	assert_told("(of this program's installation): No such file or directory; set plugin_dir");
	assert_int_equal(unlink(in_there("lib64/plugins")), 0);
	assert_int_equal(mkdir(in_there("lib64/plugins"), 0755), 0);
	lib64 = strdup(in_there("lib64/plugins"));
	assert_non_null(lib64);
	assert_found(program, lib64);

	/* Where others can write, they can make such a link. */
	assert_int_equal(chmod(there, 01777), 0);
	assert_found(program, lib64);
	free(lib64);
	assert_int_equal(chmod(there, 0777), 0);
	assert_int_equal(run(program, WAY, "", NULL), 0);
	assert_told("/there (mode 0777) and exchange the plugin; run: chmod go-w ");
	assert_int_equal(chmod(there, 01777), 0);
	if (geteuid() != 0) {
		print_message("not tried, as only root can give files away: a stranger's link\n");
		return;
	}
	assert_int_equal(lchown(in_there("lib"), STRANGER, 0), 0);
	assert_int_equal(run(program, WAY, "", NULL), 0);
	assert_told("symbolic link ");
	assert_told("/there/lib belongs to uid 12345, who could exchange the plugin");
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(an_installation_may_be_moved),    CASE(what_was_named_comes_first),
		CASE(the_build_s_is_the_last),	       CASE(without_proc_the_build_s_is_taken),
		CASE(raised_rights_do_not_look_there), CASE(links_on_the_way_must_be_ours),
	};

	if (argc == 4 && strcmp(argv[1], TELL) == 0)
		tell(argv[2], argv[3]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
