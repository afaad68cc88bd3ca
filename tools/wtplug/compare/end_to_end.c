/* SPDX-License-Identifier: MIT
 *
 * Each backend, and a pair of two, in tunnels between two network namespaces. All
 * tunnels are up at once and are measured in turns.
 *
 * Whatever ends this, nothing is left: the namespaces have no names, the daemons
 * die with the child that started them, and their files lie on a file system that
 * only they see.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/build.h"
#include "base/error.h"
#include "cli/answer.h"
#include "cli/facts.h"
#include "compare/figures.h"
#include "compare/report.h"
#include "compare/traffic.h"
#include "compare/tunnel.h"
#include "engine/keygen.h"
#include "plugin/home.h"
#include "plugin/place.h"
#include "plugin/probe.h"

/* Where there is a directory on every machine; an empty one of our own is laid
 * over it, which only our children see. */
#define PLACE "/dev/shm"
#define UP_MS 30000u
#define TIMEOUT_MS 1800000u
#define WARM_UP_MS 50u
/* To print its version. */
#define START_MS 60000u

static const char *const transports[] = { "tcp", "udp" };
#define TRANSPORTS (sizeof transports / sizeof transports[0])

/* One tunnel, and what was measured through it. */
struct subject {
	struct wt_tunnel_spec spec;
	struct wt_tunnel tunnel;
	double *rate, *processor, *echo; /* one a round */
	uint64_t bytes;
	struct wt_error err; /* not "": what went wrong */
};

struct run {
	const struct wt_compare_options *options;
	const json_t *plugins;
	const char *wtcore;
	int fd;
	struct wt_netpair net;
	struct subject *subjects;
	size_t n;
	json_t *rows;
};

/* ---- a place for files --------------------------------------------------- */

static enum wt_status copy(int from, const char *kind, const char *name, struct wt_error *err)
{
	char path[PATH_MAX];
	struct stat st;
	ssize_t n = -1;

	snprintf(path, sizeof path, PLACE "/plugins/%s-%s.so", kind, name);
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (to >= 0 && fstat(from, &st) == 0 && lseek(from, 0, SEEK_SET) == 0)
		for (off_t left = st.st_size; left > 0; left -= n)
			if ((n = sendfile(to, from, NULL, (size_t)left)) <= 0)
				break;
	enum wt_status status =
		n > 0 ? WT_OK
		      : wt_fail(err, WT_ERR_IO, "%s: %s; free memory, or use --no-tunnel", path,
				strerror(errno));

	if (to >= 0)
		close(to);
	return status;
}

static enum wt_status new_place(struct wt_error *err)
{
	int fd;
	bool good;

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", PLACE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700") != 0)
		return wt_fail(err, WT_ERR_PERMISSION,
			       "no file system of its own on " PLACE
			       ": %s; run it where that is allowed, or with --no-tunnel",
			       strerror(errno));
	if (mkdir(PLACE "/plugins", 0700) != 0)
		return wt_fail(err, WT_ERR_IO,
			       PLACE "/plugins: %s; free memory, or use --no-tunnel",
			       strerror(errno));
	fd = open(PLACE "/psk", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	good = fd >= 0 && wt_genpsk(fd) == 0;
	if (fd >= 0)
		close(fd);
	return good ? WT_OK
		    : wt_fail(err, WT_ERR_IO,
			      PLACE "/psk: no key can be written; free memory, or use --no-tunnel");
}

/* A plugin that the daemons need, from the plugin directory. */
static bool fetch(const struct run *run, enum wt_plugin_kind kind, const char *kind_text,
		  const char *name, struct wt_error *err)
{
	struct wt_plugin_file file = { .fd = -1 };
	char *dir;
	bool good = false;

	if (wt_place_find(run->options->plugin_dir, &dir, err) != WT_OK)
		return false;
	struct wt_error why = WT_ERROR_INIT;

	if (wt_plugin_file_open(dir, kind, name, &file, &why) == WT_OK)
		good = copy(file.fd, kind_text, name, err) == WT_OK;
	else
		wt_fail(err, WT_OK, "%s: %s", file.path ? file.path : name, why.text);
	wt_plugin_file_close(&file);
	free(dir);
	return good;
}

/* ---- which --------------------------------------------------------------- */

static json_t *new_row(struct run *run, const char *a, const char *b, const char *transport)
{
	json_t *row = json_object();

	json_object_set_new(row, "a", json_string(a));
	json_object_set_new(row, "b", json_string(b));
	json_object_set_new(row, "transport", json_string(transport));
	json_array_append_new(run->rows, row);
	return row;
}

void wt_end_to_end_name(const json_t *row, char *name, size_t size)
{
	const char *a = wt_report_text(row, "a"), *b = wt_report_text(row, "b");
	const char *transport = wt_report_text(row, "transport");

	if (!a[0])
		snprintf(name, size, "tunnels over %s", transport);
	else if (strcmp(a, b) == 0)
		snprintf(name, size, "%s, %s", a, transport);
	else
		snprintf(name, size, "%s - %s, %s", a, b, transport);
}

static void refuse_row(json_t *row, const char *key, const char *why)
{
	json_object_set_new(row, "available", json_false());
	json_object_set_new(row, key, wt_facts_text(why));
}

static void add_subject(struct run *run, const json_t *a, const json_t *b, const char *transport)
{
	struct subject *s = &run->subjects[run->n];

	if (run->n == WT_TUNNEL_MAX)
		return;
	s->spec = (struct wt_tunnel_spec){
		.crypto = { wt_report_text(a, "name"), wt_report_text(b, "name") },
		.transport = transport,
		.insecure = strcmp(wt_report_text(a, "algorithm"), "AES-256-GCM") != 0,
		.number = (unsigned)++run->n,
	};
	s->tunnel.probe = -1;
	s->err = (struct wt_error)WT_ERROR_INIT;
}

/* Each backend with itself, and the first two that seal alike with each other. */
static void add_subjects(struct run *run, const char *transport)
{
	const json_t *a = NULL, *b = NULL;
	json_t *plugin;
	size_t i;

	json_array_foreach(run->plugins, i, plugin)
	{
		if (!wt_report_available(plugin))
			continue;
		add_subject(run, plugin, plugin, transport);
		if (!a)
			a = plugin;
		else if (!b && strcmp(wt_report_text(a, "algorithm"),
				      wt_report_text(plugin, "algorithm")) == 0)
			b = plugin;
	}
	if (b)
		add_subject(run, a, b, transport);
}

/* ---- measuring ----------------------------------------------------------- */

static enum wt_status measure_once(const struct run *run, struct subject *s, unsigned round,
				   struct wt_error *err)
{
	const struct wt_compare_options *options = run->options;
	struct wt_traffic traffic;
	uint64_t bytes = 0, ns = 1, processor = 0;
	enum wt_status status =
		wt_traffic_open(&traffic, &run->net, s->tunnel.address, s->tunnel.port, err);

	if (status == WT_OK)
		status = wt_traffic_echo(&traffic, options->echoes, &s->echo[round], err);
	if (status == WT_OK)
		status = wt_traffic_stream(&traffic, WARM_UP_MS, &bytes, &ns, err);
	if (status == WT_OK) {
		processor = wt_tunnel_processor_ns(&s->tunnel);
		status = wt_traffic_stream(&traffic, options->stream_ms, &bytes, &ns, err);
	}
	if (status == WT_OK) {
		processor = wt_tunnel_processor_ns(&s->tunnel) - processor;
		s->rate[round] = (double)bytes * 1000.0 / (double)ns;
		s->processor[round] = (double)processor / (double)bytes;
		s->bytes += bytes;
	}
	wt_traffic_close(&traffic);
	return status;
}

static void start_all(struct run *run)
{
	const struct wt_tunnel_place place = { .wtcore = run->wtcore,
					       .dir = PLACE,
					       .net = &run->net };
	struct wt_tunnel tunnels[WT_TUNNEL_MAX];

	for (size_t i = 0; i < run->n; i++) {
		struct subject *s = &run->subjects[i];

		if (wt_tunnel_start(&tunnels[i], &s->spec, &place, &s->err) != WT_OK)
			wt_tunnel_stop(&tunnels[i]);
	}
	wt_tunnels_wait(tunnels, run->n, &run->net, UP_MS);
	for (size_t i = 0; i < run->n; i++) {
		run->subjects[i].tunnel = tunnels[i];
		if (!tunnels[i].up && !run->subjects[i].err.text[0])
			wt_tunnel_complain(&tunnels[i], &run->subjects[i].err);
	}
}

static void measure_all(struct run *run)
{
	const unsigned rounds = run->options->tunnel_rounds;
	double *samples = calloc(run->n * rounds * 3 + 1, sizeof *samples);

	for (size_t i = 0; i < run->n; i++) {
		run->subjects[i].rate = samples + i * rounds * 3;
		run->subjects[i].processor = run->subjects[i].rate + rounds;
		run->subjects[i].echo = run->subjects[i].processor + rounds;
	}
	for (unsigned round = 0; samples && round < rounds; round++)
		for (size_t i = 0; i < run->n; i++) {
			struct subject *s = &run->subjects[i];

			if (!s->err.text[0])
				(void)measure_once(run, s, round, &s->err);
		}
	for (size_t i = 0; i < run->n; i++) {
		const struct subject *s = &run->subjects[i];
		json_t *row = new_row(run, s->spec.crypto[0], s->spec.crypto[1], s->spec.transport);

		if (!samples || s->err.text[0]) {
			refuse_row(row, "failure", samples ? s->err.text : "out of memory");
			continue;
		}
		json_object_set_new(row, "available", json_true());
		json_object_set_new(row, "bytes", json_integer((json_int_t)s->bytes));
		json_object_set_new(row, "mb_s", wt_figures_json(s->rate, rounds, true));
		json_object_set_new(row, "cpu_s_gb", wt_figures_json(s->processor, rounds, false));
		json_object_set_new(row, "rtt_us", wt_figures_json(s->echo, rounds, false));
	}
	free(samples);
}

/* ---- the child and its parent -------------------------------------------- */

static enum wt_status furnish(struct run *run, struct wt_error *err)
{
	enum wt_status status = wt_netpair_open(&run->net, err);
	json_t *plugin;
	size_t i;

	if (status == WT_OK)
		status = new_place(err);
	json_array_foreach(run->plugins, i, plugin)
	{
		struct wt_plugin_file file = { .fd = -1 };

		if (status != WT_OK || !wt_report_available(plugin))
			continue;
		status = wt_plugin_file_take(wt_report_text(plugin, "file"), &file, err);
		if (status == WT_OK)
			status = copy(file.fd, "crypto", wt_report_text(plugin, "name"), err);
		wt_plugin_file_close(&file);
	}
	if (status == WT_OK && !fetch(run, WT_KIND_AUTH, "auth", "hmac", err))
		status = WT_ERR_UNAVAILABLE;
	return status;
}

static enum wt_status run_tunnels(struct wt_probe *probe, void *arg, struct wt_error *err)
{
	struct run *run = arg;
	json_t *said = json_object();
	enum wt_status status;

	(void)probe;
	run->rows = json_array();
	run->subjects = calloc(WT_TUNNEL_MAX + 1, sizeof *run->subjects);
	status = run->subjects ? furnish(run, err) : wt_fail(err, WT_ERR_NOMEM, "out of memory");
	if (status != WT_OK)
		return status;
	for (size_t i = 0; i < TRANSPORTS; i++) {
		struct wt_error why = WT_ERROR_INIT;

		if (fetch(run, WT_KIND_TRANSPORT, "transport", transports[i], &why))
			add_subjects(run, transports[i]);
		else
			refuse_row(new_row(run, "", "", transports[i]), "reason", why.text);
	}
	start_all(run);
	measure_all(run);
	for (size_t i = 0; i < run->n; i++)
		wt_tunnel_stop(&run->subjects[i].tunnel);
	json_object_set_new(said, "rows", run->rows);
	wt_answer_write(run->fd, said);
	return WT_OK;
}

/* Beside this program, or where its installation has daemons, else in PATH. */
static bool find_wtcore(const char *wanted, char path[PATH_MAX])
{
	static const char *const ways[] = { "wtcore", WT_SBIN_FROM_BIN "/wtcore" };
	const char *dirs = getenv("PATH");

	if (wanted)
		return realpath(wanted, path) && access(path, X_OK) == 0;
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
		if (wt_home_path(ways[i], path, NULL) == WT_OK && access(path, X_OK) == 0)
			return true;
	while (dirs && *dirs) {
		const size_t n = strcspn(dirs, ":");

		/* What is relative would be another one elsewhere. */
		if (dirs[0] == '/' && n < PATH_MAX - 16) {
			snprintf(path, PATH_MAX, "%.*s/wtcore", (int)n, dirs);
			if (access(path, X_OK) == 0)
				return true;
		}
		dirs += n + (dirs[n] == ':');
	}
	return false;
}

static enum wt_status print_version(struct wt_probe *probe, void *arg, struct wt_error *err)
{
	const char *wtcore = arg;

	(void)probe;
	execl(wtcore, wtcore, "--version", (char *)NULL);
	return wt_fail(err, WT_ERR_UNAVAILABLE, "cannot be run: %s; name a wtcore of this machine",
		       strerror(errno));
}

enum wt_status wt_end_to_end_try(const char *wtcore, struct wt_error *err)
{
	struct wt_probe_result result;
	char path[PATH_MAX];

	if (!realpath(wtcore, path))
		return wt_fail(err, WT_ERR_UNAVAILABLE, "%s; name the daemon's file",
			       strerror(errno));
	enum wt_status status = wt_probe_run(print_version, path, START_MS, &result, err);

	if (status != WT_OK)
		return status;
	if (result.end == WT_PROBE_RETURNED)
		return wt_fail(err, result.status, "%s", result.err.text);
	if (result.end == WT_PROBE_EXITED && result.exit_status == 0)
		return WT_OK;
	return wt_fail(
		err, WT_ERR_UNAVAILABLE,
		"does not print its version when asked with --version%s%s; name a wtcore that "
		"works here",
		result.said[0] ? ", but says: " : "", result.said);
}

static bool is_possible(const struct wt_compare_options *options, char wtcore[PATH_MAX],
			struct wt_error *err)
{
	if (options->tunnel_rounds == 0)
		wt_fail(err, WT_OK, "--no-tunnel was given");
	else if (geteuid() != 0)
		wt_fail(err, WT_OK,
			"network namespaces and TUN devices need root; run it as root, or with "
			"--no-tunnel");
	else if (access("/dev/net/tun", R_OK | W_OK) != 0)
		wt_fail(err, WT_OK, "/dev/net/tun: %s; modprobe tun loads the driver",
			strerror(errno));
	else if (!find_wtcore(options->wtcore, wtcore))
		wt_fail(err, WT_OK,
			"there is no wtcore beside wtplug or in PATH; name it with --wtcore");
	else
		return true;
	return false;
}

void wt_end_to_end_measure(const struct wt_compare_options *options, json_t *report)
{
	struct run run = { .options = options,
			   .plugins = json_object_get(report, "plugins"),
			   .net = { { -1, -1 } },
			   .fd = wt_answer_new() };
	json_t *tunnel = json_object(), *said = NULL;
	struct wt_error err = WT_ERROR_INIT;
	struct wt_probe_result result = { .end = WT_PROBE_RETURNED };
	char wtcore[PATH_MAX];

	run.wtcore = wtcore;
	json_object_set_new(report, "tunnel", tunnel);
	if (is_possible(options, wtcore, &err) &&
	    (run.fd < 0 || wt_probe_run(run_tunnels, &run, TIMEOUT_MS, &result, &err) != WT_OK) &&
	    !err.text[0])
		wt_fail(&err, WT_OK, WT_ANSWER_NONE);
	if (result.end != WT_PROBE_RETURNED)
		wt_fail(&err, WT_OK,
			"the process that measures ended%s%s; try again, or with --no-tunnel",
			result.said[0] ? ", saying: " : "", result.said);
	else if (!err.text[0] && result.status != WT_OK)
		err = result.err;
	if (!err.text[0])
		said = wt_answer_read(run.fd);
	if (said) {
		json_object_update(tunnel, said);
		json_object_set_new(tunnel, "wtcore", wt_facts_text(wtcore));
		json_object_set_new(tunnel, "rounds", json_integer(options->tunnel_rounds));
		json_object_set_new(tunnel, "stream_ms", json_integer(options->stream_ms));
		json_object_set_new(tunnel, "echoes", json_integer(options->echoes));
	}
	json_object_set_new(tunnel, "available", json_boolean(said != NULL));
	if (!said)
		json_object_set_new(tunnel, "reason",
				    wt_facts_text(err.text[0] ? err.text : "nothing was measured"));
	json_decref(said);
	if (run.fd >= 0)
		close(run.fd);
}
