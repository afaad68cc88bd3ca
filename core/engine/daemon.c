/* SPDX-License-Identifier: MIT */
#include "engine/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/error.h"
#include "base/secret.h"
#include "control/report.h"
#include "engine/engine.h"
#include "engine/mtu.h"
#include "plugin/registry.h"
#include "record/limits.h"
#include "session/node.h"
#include "tun/offload.h"
#include "tun/surroundings.h"
#include "tun/tun.h"
#include "worker/worker.h"

/* The loop has timers for all it must do; this only bounds the wait. */
#define WAIT_MS 60000u

/* The wire's names for the same. */
_Static_assert(WT_OFFLOAD_CSUM == WT_FEATURE_PARTIAL &&
		       WT_OFFLOAD_TSO4 == WT_FEATURE_SEGMENTS_TCP4 &&
		       WT_OFFLOAD_TSO6 == WT_FEATURE_SEGMENTS_TCP6 &&
		       WT_OFFLOAD_USO4 == WT_FEATURE_SEGMENTS_UDP4 &&
		       WT_OFFLOAD_USO6 == WT_FEATURE_SEGMENTS_UDP6,
	       "offloads are features");

struct daemon {
	struct wt_engine *engine;
	struct wt_tun tun;
	struct wt_watch signals;
	int signal_fd, network_fd;
	bool no_device; /* the start failed at the TUN device */
	bool stop;
};

static int exit_code(enum wt_status status)
{
	switch (status) {
	case WT_ERR_CONFIG:
		return WT_EXIT_CONFIG;
	case WT_ERR_PERMISSION:
	case WT_ERR_UNAVAILABLE:
		return WT_EXIT_RIGHTS;
	default:
		return WT_EXIT_RUNTIME;
	}
}

static void on_signal(void *arg, struct wt_worker *worker, int fd, unsigned events)
{
	struct daemon *daemon = arg;
	struct signalfd_siginfo info;

	(void)events;
	while (read(fd, &info, sizeof info) == sizeof info) {
		switch (info.ssi_signo) {
		case SIGTERM:
		case SIGINT:
			daemon->stop = true;
			break;
		case SIGUSR1:
			wt_report(worker);
			break;
		case SIGHUP:
			wt_log(WT_LOG_WARN, "SIGHUP: reloading the configuration is not there yet; "
					    "restart to apply changes");
			break;
		}
	}
}

/* Before any thread is made, so that all of them leave these to the loop. */
static enum wt_status take_signals(struct daemon *daemon, struct wt_error *err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGHUP);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
		daemon->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (daemon->signal_fd < 0)
		return wt_fail(err, WT_ERR_IO, "cannot receive signals: %s", strerror(errno));
	return WT_OK;
}

/* Keys and other people's packets leave this process only on the wire. */
static void keep_memory_private(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
}

static enum wt_status configure(struct wt_tun *tun, const struct wt_settings *settings,
				uint32_t mtu, struct wt_error *err)
{
	const struct wt_tunnel_settings *tunnel = &settings->tunnel;
	struct wt_prefix *routes = NULL;
	size_t count = 0;
	enum wt_status status;

	for (size_t i = 0; i < settings->peer_count && tunnel->routes; i++)
		count += settings->peers[i].allowed_ip_count;
	if (count) {
		routes = calloc(count, sizeof(*routes));
		if (!routes)
			return wt_fail(err, WT_ERR_NOMEM, "out of memory");
		count = 0;
		for (size_t i = 0; i < settings->peer_count; i++)
			for (size_t k = 0; k < settings->peers[i].allowed_ip_count; k++)
				routes[count++] = settings->peers[i].allowed_ips[k];
	}
	const struct wt_tun_network network = {
		.addresses = tunnel->addresses,
		.address_count = tunnel->address_count,
		.routes = routes,
		.route_count = count,
		.mtu = mtu,
		.txqueuelen = tunnel->txqueuelen,
	};

	status = wt_tun_configure(tun, &network, err);
	free(routes);
	return status;
}

/* What may be left to the kernel, by the settings. */
static uint32_t offloads_wanted(enum wt_offload_choice choice)
{
	static const uint32_t wanted[] = {
		[WT_OFFLOAD_AUTO] = WT_OFFLOAD_ALL,
		[WT_OFFLOAD_OFF] = 0,
		[WT_OFFLOAD_ONLY_CSUM] = WT_OFFLOAD_CSUM,
		[WT_OFFLOAD_ONLY_TSO] = WT_OFFLOAD_CSUM | WT_OFFLOAD_TSO4 | WT_OFFLOAD_TSO6,
		[WT_OFFLOAD_ONLY_USO] = WT_OFFLOAD_CSUM | WT_OFFLOAD_USO4 | WT_OFFLOAD_USO6,
	};

	return wanted[choice];
}

static uint32_t try_offloads(const struct wt_settings *settings)
{
	struct wt_error err = WT_ERROR_INIT;
	uint32_t taken = wt_offload_probe(offloads_wanted(settings->tunnel.offload), &err);

	if (err.text[0])
		wt_log(WT_LOG_WARN, "offload: %s", err.text);
	return taken;
}

/* Two queues for each worker, so that sparse flows do not wait behind transfers.
 * A persistent device that was made for fewer is taken as it is. */
static enum wt_status open_device(struct daemon *daemon, const struct wt_settings *settings,
				  struct wt_error *err)
{
	const struct wt_tunnel_settings *tunnel = &settings->tunnel;
	enum wt_status status = wt_tun_open_queues(&daemon->tun, tunnel->interface,
						   (unsigned)WT_TUN_INPUTS * tunnel->workers, err);

	if (status != WT_ERR_CONFIG)
		return status;
	status = wt_tun_open_queues(&daemon->tun, tunnel->interface, tunnel->workers, err);
	if (status == WT_OK)
		wt_log(WT_LOG_INFO,
		       "%s was made for one queue: small packets wait behind transfers in it; "
		       "ip tuntap add ... multi_queue makes one that has more",
		       daemon->tun.name);
	return status;
}

/* Without it retries come when they come. */
static void watch_network(struct daemon *daemon)
{
	struct wt_error err = WT_ERROR_INIT;

	if (wt_surroundings_open(&daemon->network_fd, &err) != WT_OK ||
	    wt_engine_watch_network(daemon->engine, daemon->network_fd, &err) != WT_OK)
		wt_log(WT_LOG_WARN, "changes of the network will be noticed late: %s", err.text);
}

static enum wt_status start(struct daemon *daemon, const struct wt_settings *settings,
			    struct wt_error *err)
{
	char sum[128] = "as configured", given[64], taken[64];
	uint32_t mtu = settings->tunnel.mtu;
	enum wt_status status;

	if (mtu == 0)
		mtu = wt_mtu_of(settings, sum, sizeof sum);
	const struct wt_engine_options options = {
		.settings = settings,
		.mtu = mtu,
		.features = try_offloads(settings),
		.lookout = true,
	};
	uint32_t offloads;

	status = take_signals(daemon, err);
	if (status != WT_OK)
		return status;
	daemon->engine = wt_engine_new(&options, &status, err);
	if (!daemon->engine)
		return status;
	status = open_device(daemon, settings, err);
	daemon->no_device = status != WT_OK && status != WT_ERR_NOMEM;
	if (status == WT_OK)
		status = configure(&daemon->tun, settings, mtu, err);
	/* Whatever keeps the device from us, it is the machine's matter. */
	if (status != WT_OK)
		return WT_ERR_PERMISSION;
	offloads = wt_offload_set(&daemon->tun, options.features);
	status = wt_watch_start(&wt_engine_worker(daemon->engine)->loop, &daemon->signals,
				daemon->signal_fd, WT_EVENT_READ, on_signal, daemon);
	if (status != WT_OK)
		return wt_fail(err, status, "cannot watch for signals: %s", wt_status_text(status));
	status = wt_engine_start(daemon->engine, daemon->tun.queues,
				 daemon->tun.queue_count / settings->tunnel.workers, err);
	if (status != WT_OK)
		return status;
	watch_network(daemon);
	if (wt_secret_unlocked() > 0)
		wt_log(WT_LOG_WARN,
		       "%zu pages with keys could not be locked and may be swapped out: "
		       "raise RLIMIT_MEMLOCK (ulimit -l)",
		       wt_secret_unlocked());
	wt_log(WT_LOG_INFO, "mtu %u: %s", mtu, sum);
	wt_log(WT_LOG_INFO, "offload: the kernel gives %s; it takes %s",
	       wt_offload_text(offloads, given, sizeof given),
	       wt_offload_text(options.features, taken, sizeof taken));
	if (settings->tunnel.workers > 1)
		wt_log(WT_LOG_INFO, "workers: %u", settings->tunnel.workers);
	wt_log(WT_LOG_INFO, "ready: interface %s, mtu %u, %zu peer%s, crypto %s", daemon->tun.name,
	       mtu, settings->peer_count, settings->peer_count == 1 ? "" : "s",
	       settings->crypto.plugin->name);
	return WT_OK;
}

int wt_daemon_run(const struct wt_settings *settings)
{
	struct daemon daemon = {
		.tun.fd = -1, .signals.fd = -1, .signal_fd = -1, .network_fd = -1
	};
	struct wt_error err = WT_ERROR_INIT;
	enum wt_status status;

	keep_memory_private();
	status = start(&daemon, settings, &err);
	if (status != WT_OK)
		wt_log(WT_LOG_ERROR, "%s", err.text);
	while (status == WT_OK && !daemon.stop) {
		wt_engine_turn(daemon.engine, WAIT_MS);
		if (wt_engine_worker(daemon.engine)->tun.gone) {
			daemon.no_device = true;
			status = WT_ERR_UNAVAILABLE;
		}
	}
	if (daemon.engine)
		wt_engine_stop(daemon.engine);
	wt_watch_stop(&daemon.signals);
	wt_engine_free(daemon.engine);
	wt_tun_close(&daemon.tun);
	if (daemon.signal_fd >= 0)
		close(daemon.signal_fd);
	if (daemon.network_fd >= 0)
		close(daemon.network_fd);
	wt_log_flush();
	if (status == WT_OK)
		wt_log(WT_LOG_INFO, "stopped");
	if (daemon.no_device)
		return WT_EXIT_RIGHTS;
	return status == WT_OK ? WT_EXIT_OK : exit_code(status);
}

int wt_daemon_check(const struct wt_settings *settings, struct wt_error *err)
{
	const struct wt_engine_options options = { .settings = settings,
						   .mtu = WT_INNER_MTU_MIN,
						   .lookout = true };
	enum wt_status status = WT_OK;
	struct wt_engine *engine = wt_engine_new(&options, &status, err);

	wt_engine_free(engine);
	return status == WT_OK ? WT_EXIT_OK : exit_code(status);
}
