/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/command.h"
#include "new/project.h"
#include "plugin/place.h"

static bool is_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len >= 1 && len <= WT_NAME_MAX && name[len] == '\0';
}

/* Whoever runs this, as the system knows them. */
static const char *own_name(char *out, size_t size)
{
	const struct passwd *user = getpwuid(getuid());
	const char *const names[] = { user ? user->pw_gecos : NULL, user ? user->pw_name : NULL };

	for (size_t i = 0; i < 2; i++) {
		snprintf(out, size, "%s", names[i] ? names[i] : "");
		out[strcspn(out, ",")] = '\0';
		if (wt_project_author_valid(out))
			return out;
	}
	return "the author";
}

/* A path, as a shell reads it. */
static void print_word(const char *word)
{
	if (word[0] == '-')
		fputs("./", stdout);
	if (word[0] && word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					 "0123456789/._-+@%:,=")] == '\0') {
		fputs(word, stdout);
		return;
	}
	putchar('\'');
	for (; *word; word++)
		if (*word == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*word);
	putchar('\'');
}

/* Two files of one name cannot be installed together, and `cmake --install` does not ask. */
static void tell_of_namesake(const struct wt_project *project)
{
	char path[PATH_MAX], *dir = NULL;

	if (wt_place_find(NULL, &dir, NULL) != WT_OK)
		return;
	snprintf(path, sizeof path, "%s/%s-%s.so", dir, project->kind, project->name);
	if (access(path, F_OK) == 0)
		printf("There is a %s already, which installing this one would replace; "
		       "choose another name to have both.\n",
		       path);
	free(dir);
}

static int create(const struct wt_project *project)
{
	struct wt_error err = WT_ERROR_INIT;

	if (wt_project_write(project, &err) != WT_OK) {
		fprintf(stderr, "wtplug new: %s\n", err.text);
		return WT_PLUG_FAILED;
	}
	printf("%s: %s%s%s plugin \"%s\". Now:\n  cd ", project->dir,
	       project->mode ? project->mode : "", project->mode ? " " : "", project->kind,
	       project->name);
	print_word(project->dir);
	puts("\n"
	     "  cmake -S . -B build -DCMAKE_BUILD_TYPE=RelWithDebInfo\n"
	     "  cmake --build build\n"
	     "  ctest --test-dir build --output-on-failure");
	tell_of_namesake(project);
	if (!wt_project_license_known(project->license))
		printf("Put the text of %s into %s/LICENSE.\n", project->license, project->dir);
	return wt_plug_finish(WT_PLUG_OK);
}

/* project->mode becomes one of the kind's. */
static int check_kind(struct wt_project *project)
{
	const struct wt_project_kind *kind = project->kind ? wt_project_kind(project->kind) : NULL;
	char kinds[64];

	if (!kind) {
		wt_project_kinds(kinds, sizeof kinds);
		return wt_plug_usage("new", "--kind is one of ", kinds);
	}
	if (!project->mode) {
		project->mode = kind->modes[0];
		return WT_PLUG_OK;
	}
	if (!kind->modes[0])
		return wt_plug_usage("new", "--mode is for --kind transport, not for ",
				     project->kind);
	for (size_t i = 0; kind->modes[i]; i++)
		if (strcmp(kind->modes[i], project->mode) == 0)
			return WT_PLUG_OK;
	return wt_plug_usage("new", "--mode is stream or datagram, not ", project->mode);
}

int wt_new_command(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "kind", required_argument, NULL, 'k' },
		{ "mode", required_argument, NULL, 'm' },
		{ "dir", required_argument, NULL, 'd' },
		{ "license", required_argument, NULL, 'l' },
		{ "author", required_argument, NULL, 'a' },
		{ NULL, 0, NULL, 0 },
	};
	struct wt_project project = { .license = "MIT" };
	char dir[PATH_MAX], author[WT_PROJECT_AUTHOR_MAX + 1];
	int option;

	optind = 0;
	while ((option = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
		if (option == 'k')
			project.kind = optarg;
		else if (option == 'm')
			project.mode = optarg;
		else if (option == 'd')
			project.dir = optarg;
		else if (option == 'l')
			project.license = optarg;
		else if (option == 'a')
			project.author = optarg;
		else
			return wt_plug_option_error("new", option, argv);
	}
	if (optind == argc)
		return wt_plug_usage("new", "no NAME given", "");
	if (optind + 1 < argc)
		return wt_plug_usage("new", "unexpected argument ", argv[optind + 1]);
	project.name = argv[optind];
	if (!is_name(project.name))
		return wt_plug_usage("new", "a NAME is 1 to 31 of a-z, 0-9 and -, not ",
				     project.name);
	if (check_kind(&project) != WT_PLUG_OK)
		return WT_PLUG_USAGE;
	if (strcmp(project.kind, "crypto") == 0 && strcmp(project.name, "auto") == 0)
		return wt_plug_usage("new", "in [crypto] the fastest plugin is meant by ",
				     "auto, so none can be called that");
	if (!wt_project_license_valid(project.license))
		return wt_plug_usage("new",
				     "--license is an SPDX expression of at most 80 bytes, not ",
				     project.license);
	if (project.author && !wt_project_author_valid(project.author))
		return wt_plug_usage("new", "--author is 1 to 200 bytes of printable UTF-8", "");
	if (!project.dir) {
		snprintf(dir, sizeof dir, "%s-%s", project.kind, project.name);
		project.dir = dir;
	}
	if (!project.author)
		project.author = own_name(author, sizeof author);
	return create(&project);
}
