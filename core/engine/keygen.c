/* SPDX-License-Identifier: MIT */
#include "engine/keygen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/secret.h"
#include "config/keyfile.h"
#include "plugin/call.h"

/* More than a key and its newline, to see that there is more. */
#define READ_MAX (WT_KEYFILE_TEXT + 3u)

/* What one command works on, in locked memory. */
struct keys {
	uint8_t key[WT_KEYFILE_BYTES], other[WT_KEYFILE_BYTES];
	char text[READ_MAX];
};

static int fail(const char *command, const char *what, const char *why)
{
	fprintf(stderr, "wtcore: %s: %s%s\n", command, what, why);
	return WT_EXIT_RUNTIME;
}

/* ---- reading and writing --------------------------------------------------- */

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

static int write_key(const char *command, int fd, struct keys *keys, const uint8_t *key)
{
	int error;

	wt_keyfile_encode(key, keys->text);
	keys->text[WT_KEYFILE_TEXT] = '\n';
	error = write_all(fd, keys->text, WT_KEYFILE_TEXT + 1);
	if (error)
		return fail(command, "the key cannot be written: ", strerror(error));
	return WT_EXIT_OK;
}

/* WT_EXIT_OK: `fd` may get a secret. */
static int check_private(const char *command, int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return fail(command, "there is no standard output: ", strerror(errno));
	if (!S_ISREG(st.st_mode) || !(st.st_mode & (S_IRWXG | S_IRWXO)))
		return WT_EXIT_OK;
	fprintf(stderr,
		"wtcore: %s: standard output is a file of mode %04o, but a key is for its owner "
		"alone; remove the file and run: (umask 077; wtcore %s > FILE)\n",
		command, st.st_mode & 07777u, command);
	return WT_EXIT_CONFIG;
}

static int read_key(const char *command, int fd, struct keys *keys)
{
	struct wt_error err = WT_ERROR_INIT;
	size_t len = 0;

	while (len < READ_MAX) {
		ssize_t n = read(fd, keys->text + len, READ_MAX - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(command, "the private key cannot be read: ", strerror(errno));
		if (n == 0)
			break;
		len += (size_t)n;
	}
	if (wt_keyfile_decode(keys->text, len, keys->key, &err) == WT_OK)
		return WT_EXIT_OK;
	fail(command, "what standard input has is no private key: it ", err.text);
	return WT_EXIT_CONFIG;
}

/* ---- the commands ---------------------------------------------------------- */

static int genpsk(const char *command, int fd, struct keys *keys)
{
	if (wt_random(keys->key, sizeof keys->key) != WT_OK)
		return fail(command, "the kernel has no random numbers", "");
	return write_key(command, fd, keys, keys->key);
}

int wt_genpsk(int fd)
{
	struct keys *keys;
	int code = check_private("genpsk", fd);

	if (code != WT_EXIT_OK)
		return code;
	keys = wt_secret_alloc(sizeof *keys, 16);
	code = keys ? genpsk("genpsk", fd, keys) : fail("genpsk", "out of memory", "");
	wt_secret_free(keys);
	return code;
}

/* `made`: what the plugin said. The operator chose a method that has no key
 * pairs, or the plugin failed. */
static int plugin_failed(const char *command, const char *auth, enum wt_status made,
			 const struct wt_error *err)
{
	fprintf(stderr, "wtcore: %s: auth plugin \"%s\": %s%s\n", command, auth, err->text,
		made == WT_ERR_UNSUPPORTED ? "; name one that has with --auth" : "");
	return made == WT_ERR_UNSUPPORTED ? WT_EXIT_CONFIG : WT_EXIT_PLUGIN;
}

/* Load the plugin and let it work. `in` is -1 for a new private key. */
static int with_plugin(const char *command, struct keys *keys, int in, int out, const char *auth)
{
	const struct wt_registry_options options = { .plugin_dir = NULL };
	struct wt_registry *registry = wt_registry_new(&options);
	const struct wt_plugin *plugin;
	struct wt_host_instance host;
	struct wt_error err = WT_ERROR_INIT;
	enum wt_status status = WT_ERR_NOMEM;
	int code = WT_EXIT_PLUGIN;

	if (!registry)
		return fail(command, "out of memory", "");
	if (wt_registry_load(registry, WT_KIND_AUTH, auth, &plugin, &err) != WT_OK) {
		fail(command, err.text, "");
		goto out;
	}
	status = wt_host_base_init(&host, WT_KIND_AUTH, auth, NULL, NULL, &err);
	if (status == WT_OK && in < 0)
		status = wt_auth_keygen(plugin, &host.host, keys->other, &err);
	if (status == WT_OK && in >= 0) {
		code = read_key(command, in, keys);
		if (code != WT_EXIT_OK)
			goto out;
		status = wt_auth_pubkey(plugin, &host.host, keys->key, keys->other, &err);
	}
	code = status == WT_OK ? write_key(command, out, keys, keys->other)
			       : plugin_failed(command, auth, status, &err);
out:
	wt_registry_free(registry);
	return code;
}

static int run(const char *command, int in, int out, const char *auth)
{
	struct keys *keys = wt_secret_alloc(sizeof *keys, 16);
	int code = keys ? with_plugin(command, keys, in, out, auth)
			: fail(command, "out of memory", "");

	wt_secret_free(keys);
	return code;
}

int wt_genkey(int fd, const char *auth)
{
	int code = check_private("genkey", fd);

	return code == WT_EXIT_OK ? run("genkey", -1, fd, auth) : code;
}

int wt_pubkey(int in, int out, const char *auth)
{
	return run("pubkey", in, out, auth);
}
