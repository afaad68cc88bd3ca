/* SPDX-License-Identifier: MIT */
#include "engine/command.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/build.h"
#include "base/error.h"
#include "base/log.h"
#include "config/keys.h"
#include "config/settings.h"
#include "engine/daemon.h"
#include "engine/keygen.h"
#include "plugin/choice.h"
#include "plugin/installed.h"
#include "plugin/place.h"
#include "plugin/registry.h"

static const char help[] =
	"usage: wtcore -c FILE         run the tunnel that FILE describes\n"
	"       wtcore -t -c FILE      check FILE, its plugins and key files; create nothing\n"
	"       wtcore genpsk          print a new pre-shared key\n"
	"       wtcore genkey          print a new private key\n"
	"       wtcore pubkey < KEY    print the public key of a private key\n"
	"\n"
	"  -c, --config FILE          the configuration (docs/config.md)\n"
	"  -t, --test                 only check it; needs no root\n"
	"      --auth NAME            genkey, pubkey: for auth plugin NAME instead of noise\n"
	"      --config-keys          print all keys, of the core and the installed plugins\n"
	"      --version              print version, plugin ABI and plugin directory\n"
	"  -h, --help                 print this\n"
	"\n"
	"Exit codes: 0 clean, 1 run-time failure, 2 configuration or usage, 3 rights or\n"
	"device, 4 plugin.\n";

struct command {
	const char *config;
	bool test;
};

static int usage_error(const char *what, const char *which)
{
	fprintf(stderr, "wtcore: %s%s; run: wtcore --help\n", what, which);
	return WT_EXIT_CONFIG;
}

/* What was printed must have arrived: a full disk is no success. */
static int finish_output(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fprintf(stderr,
		"wtcore: standard output cannot be written: %s; what was printed is not whole, "
		"send it elsewhere\n",
		strerror(errno));
	return code == WT_EXIT_OK ? WT_EXIT_RUNTIME : code;
}

static int print_version(void)
{
	printf("wtcore %s\nplugin ABI %d.%d\n", WT_VERSION, WT_ABI_MAJOR, WT_ABI_MINOR);
	wt_place_print(stdout);
	return finish_output(WT_EXIT_OK);
}

/* Load every plugin there is, so that it shows its keys. */
static int load_installed(struct wt_registry *registry)
{
	struct wt_installed installed;
	const struct wt_plugin *plugin;
	struct wt_error err = WT_ERROR_INIT;
	int code = WT_EXIT_OK;
	char *dir;

	if (wt_place_find(NULL, &dir, &err) != WT_OK) {
		fprintf(stderr, "wtcore: %s\n", err.text);
		return WT_EXIT_PLUGIN;
	}
	if (wt_installed_list(dir, &installed) != WT_OK) {
		fprintf(stderr, "wtcore: plugin directory %s cannot be listed\n", dir);
		free(dir);
		return WT_EXIT_PLUGIN;
	}
	free(dir);
	for (size_t i = 0; i < installed.count; i++) {
		if (wt_registry_load(registry, installed.items[i].kind, installed.items[i].name,
				     &plugin, &err) == WT_OK)
			continue;
		fprintf(stderr, "wtcore: %s\n", err.text);
		code = WT_EXIT_PLUGIN;
	}
	wt_installed_clear(&installed);
	return code;
}

static int print_config_keys(void)
{
	const struct wt_registry_options options = { .plugin_dir = NULL };
	struct wt_registry *registry = wt_registry_new(&options);
	int code;

	if (!registry) {
		fputs("wtcore: out of memory\n", stderr);
		return WT_EXIT_RUNTIME;
	}
	code = load_installed(registry);
	wt_keys_print(registry, stdout);
	wt_registry_free(registry);
	return finish_output(code);
}

static int print_summary(const struct wt_settings *settings)
{
	printf("%s: ok, %zu peer%s, crypto %s, transports", settings->path, settings->peer_count,
	       settings->peer_count == 1 ? "" : "s", settings->crypto.plugin->name);
	for (size_t i = 0; i < settings->transport_count; i++)
		printf(" %s", settings->transports[i].name);
	printf(", auth");
	for (size_t i = 0; i < settings->auth_count; i++)
		printf(" %s", settings->auths[i].name);
	putchar('\n');
	return finish_output(WT_EXIT_OK);
}

static int check(const struct wt_settings *settings)
{
	struct wt_error err = WT_ERROR_INIT;
	int code = wt_daemon_check(settings, &err);

	if (code == WT_EXIT_OK)
		return print_summary(settings);
	fprintf(stderr, "%s: %s\n", settings->path, err.text);
	return code;
}

static int run(const struct command *command)
{
	const struct wt_registry_options options = { .plugin_dir = NULL };
	struct wt_registry *registry;
	struct wt_settings *settings;
	int code = wt_settings_load(command->config, &options, stderr, &settings, &registry);

	if (code != WT_EXIT_OK)
		return code;
	wt_log_setup(settings->tunnel.log_level, settings->tunnel.log_format);
	if (settings->crypto.choice)
		wt_choice_log(settings->crypto.choice);
	wt_registry_log_place(registry);
	wt_registry_log_doubles(registry);
	if (!settings->crypto.plugin->standard)
		wt_log(WT_LOG_WARN,
		       "crypto plugin %s uses %s instead of AES-256-GCM, as allow_insecure = yes "
		       "permits",
		       settings->crypto.plugin->name, settings->crypto.plugin->algorithm);
	code = command->test ? check(settings) : wt_daemon_run(settings);
	wt_settings_free(settings);
	wt_registry_free(registry);
	return code;
}

/* Of a cluster such as -tx the letter is at fault, of the others the word. */
static int unknown_option(const char *word)
{
	const char letter[] = { '-', (char)optopt, '\0' };

	return usage_error("unknown option ", word[0] == '-' && word[1] == '-' ? word : letter);
}

static int parse_options(int argc, char **argv)
{
	enum { OPT_VERSION = 256, OPT_CONFIG_KEYS };
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "test", no_argument, NULL, 't' },
		{ "config-keys", no_argument, NULL, OPT_CONFIG_KEYS },
		{ "version", no_argument, NULL, OPT_VERSION },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct command command = { .config = NULL };
	int option;

	optind = 0; /* so that tests may parse again */
	opterr = 0;
	while ((option = getopt_long(argc, argv, "+:c:th", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			if (command.config)
				return usage_error("two configurations given: ", optarg);
			command.config = optarg;
			break;
		case 't':
			command.test = true;
			break;
		case 'h':
			fputs(help, stdout);
			return finish_output(WT_EXIT_OK);
		case OPT_VERSION:
			return print_version();
		case OPT_CONFIG_KEYS:
			return print_config_keys();
		case ':':
			return usage_error("a FILE is missing after ", argv[optind - 1]);
		default:
			return unknown_option(argv[optind - 1]);
		}
	}
	if (optind < argc)
		return usage_error("unexpected argument ", argv[optind]);
	if (!command.config)
		return usage_error("no configuration given", "");
	return run(&command);
}

/* `wtcore WORD [--auth NAME]`: the method; NULL: a usage error was said. */
static const char *parse_auth(int argc, char **argv)
{
	static const char option[] = "--auth";
	const size_t len = sizeof option - 1;
	const char *auth = WT_KEYGEN_AUTH;
	int at = 2;

	if (at < argc && strcmp(argv[at], option) == 0) {
		if (at + 1 >= argc) {
			usage_error("a NAME is missing after ", option);
			return NULL;
		}
		auth = argv[at + 1];
		at += 2;
	} else if (at < argc && strncmp(argv[at], "--auth=", len + 1) == 0) {
		auth = argv[at++] + len + 1;
	}
	if (at < argc) {
		usage_error("unexpected argument ", argv[at]);
		return NULL;
	}
	return auth;
}

int wt_command(int argc, char **argv)
{
	const char *word = argc >= 2 ? argv[1] : "", *auth;

	if (strcmp(word, "genpsk") == 0) {
		if (argc > 2)
			return usage_error("unexpected argument ", argv[2]);
		return wt_genpsk(STDOUT_FILENO);
	}
	if (strcmp(word, "genkey") == 0 || strcmp(word, "pubkey") == 0) {
		auth = parse_auth(argc, argv);
		if (!auth)
			return WT_EXIT_CONFIG;
		return word[0] == 'g' ? wt_genkey(STDOUT_FILENO, auth)
				      : wt_pubkey(STDIN_FILENO, STDOUT_FILENO, auth);
	}
	return parse_options(argc, argv);
}
