/* SPDX-License-Identifier: MIT */
#include "tun/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_arp.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <netlink/route/link.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tun/link.h"
#include "tun/netlink.h"
#include "tun/network.h"

#define DEVICE "/dev/net/tun"

_Static_assert(sizeof(struct virtio_net_hdr) == WT_TUN_HEADER, "offload header");

enum wt_status wt_tun_check_name(const char *name, struct wt_error *err)
{
	static const char *const reserved[] = { ".", "..", "all", "default" };
	size_t len = strlen(name);

	if (len == 0 || len >= IFNAMSIZ)
		return wt_fail(err, WT_ERR_CONFIG,
			       "interface name \"%.32s\": %zu characters, allowed are 1 to %d",
			       name, len, IFNAMSIZ - 1);
	for (const char *p = name; *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f || strchr("/:%\"", *p))
			return wt_fail(err, WT_ERR_CONFIG,
				       "interface name \"%s\": character %zu is not allowed (no "
				       "spaces, '/', ':', '%%', quotes, only ASCII)",
				       name, (size_t)(p - name) + 1);
	for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
		if (strcmp(name, reserved[i]) == 0)
			return wt_fail(err, WT_ERR_CONFIG,
				       "interface name \"%s\" is reserved by the kernel", name);
	return WT_OK;
}

static enum wt_status fail_rights(struct wt_error *err, const char *step, const char *name)
{
	return wt_fail(err, WT_ERR_PERMISSION,
		       "%s for %s: permission denied. Run as root or with CAP_NET_ADMIN; or let "
		       "root make the device once for you: ip tuntap add dev %s mode tun user "
		       "NAME; or try it without root in a namespace: unshare -Urn",
		       step, name, name);
}

static enum wt_status fail_in_use(struct wt_error *err, const char *name)
{
	return wt_fail(err, WT_ERR_IO,
		       "%s is in use by another process: stop it, or choose another "
		       "interface name",
		       name);
}

static enum wt_status open_driver(const char *name, int *fd, struct wt_error *err)
{
	*fd = open(DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (*fd >= 0)
		return WT_OK;
	switch (errno) {
	case EACCES:
	case EPERM:
		return fail_rights(err, "open " DEVICE, name);
	case ENOENT:
	case ENOTDIR:
		return wt_fail(err, WT_ERR_UNAVAILABLE,
			       "there is no " DEVICE ": load the driver (modprobe tun); in a "
			       "container pass the device in, or make it as root: mkdir -p "
			       "/dev/net && mknod -m 0666 " DEVICE " c 10 200");
	case ENODEV:
	case ENXIO:
		return wt_fail(err, WT_ERR_UNAVAILABLE,
			       DEVICE " has no driver behind it: modprobe tun, or use a kernel "
				      "with CONFIG_TUN");
	default:
		return wt_fail(err, WT_ERR_IO, "open " DEVICE " for %s: %s", name, strerror(errno));
	}
}

/* The kernel says EINVAL for every device that is there but not ours to use;
 * find out which kind it is. */
static enum wt_status fail_kind(struct wt_error *err, const char *name, bool several)
{
	struct wt_netlink nl;
	struct rtnl_link *link = NULL;
	enum wt_status status = wt_netlink_open(&nl, err);
	const char *kind;
	int code;

	if (status)
		return status;
	code = rtnl_link_get_kernel(nl.sock, 0, name, &link);
	if (code < 0) {
		status = wt_netlink_fail(&nl, code, err, "create TUN device %s", name);
		goto out;
	}
	kind = rtnl_link_get_type(link);
	if (!kind)
		kind = rtnl_link_get_arptype(link) == ARPHRD_LOOPBACK ? "loopback" : "network";
	else if (strcmp(kind, "tun") == 0)
		kind = rtnl_link_get_arptype(link) == ARPHRD_ETHER ? "TAP"
		       : several				   ? "single-queue TUN"
								   : "multi-queue TUN";
	if (several)
		status = wt_fail(err, WT_ERR_CONFIG,
				 "%s is a %s device, and several workers need a multi-queue TUN "
				 "device: choose another interface name, remove it (ip link del "
				 "dev %s) or make it with ip tuntap add dev %s mode tun "
				 "multi_queue",
				 name, kind, name, name);
	else
		status = wt_fail(err, WT_ERR_CONFIG,
				 "%s is a %s device, not a single-queue TUN device: choose "
				 "another interface name, or remove it (ip link del dev %s)",
				 name, kind, name);
out:
	if (link)
		rtnl_link_put(link);
	wt_netlink_close(&nl);
	return status;
}

static enum wt_status attach(const struct wt_tun *tun, int fd, bool several, struct wt_error *err)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR };

	if (several)
		request.ifr_flags |= IFF_MULTI_QUEUE;
	memcpy(request.ifr_name, tun->name, sizeof tun->name);
	if (ioctl(fd, TUNSETIFF, &request) == 0)
		return WT_OK;
	switch (errno) {
	case EPERM:
	case EACCES:
		return fail_rights(err, "TUN device", tun->name);
	case EBUSY:
		return fail_in_use(err, tun->name);
	case EINVAL:
		return fail_kind(err, tun->name, several);
	default:
		return wt_fail(err, WT_ERR_IO, "create TUN device %s: %s", tun->name,
			       strerror(errno));
	}
}

/* A persistent device keeps what its last user set: nothing is taken for granted. */
static enum wt_status prepare(struct wt_tun *tun, struct wt_error *err)
{
	struct ifreq request = { 0 };
	int header = WT_TUN_HEADER;

	if (ioctl(tun->fd, TUNSETVNETHDRSZ, &header) < 0)
		return wt_fail(err, WT_ERR_IO, "set the offload header of %s: %s", tun->name,
			       strerror(errno));
	if (ioctl(tun->fd, TUNSETOFFLOAD, 0ul) < 0)
		return wt_fail(err, WT_ERR_IO, "set the offloads of %s: %s", tun->name,
			       strerror(errno));
	if (ioctl(tun->fd, TUNGETIFF, &request) < 0)
		return wt_fail(err, WT_ERR_IO, "ask for the flags of %s: %s", tun->name,
			       strerror(errno));
	tun->persistent = request.ifr_flags & IFF_PERSIST;
	tun->ifindex = if_nametoindex(tun->name);
	if (!tun->ifindex)
		return wt_fail(err, WT_ERR_IO, "index of %s: %s", tun->name, strerror(errno));
	return WT_OK;
}

static enum wt_status open_queue(struct wt_tun *tun, bool several, struct wt_error *err)
{
	int fd;
	enum wt_status status = open_driver(tun->name, &fd, err);

	if (status)
		return status;
	status = attach(tun, fd, several, err);
	if (status) {
		close(fd);
		return status;
	}
	tun->queues[tun->queue_count++] = fd;
	tun->fd = tun->queues[0];
	return WT_OK;
}

/* The kernel gives anyone who may have a device of several queues one more: two
 * programs would each get a part of the packets. */
static enum wt_status be_alone(struct wt_tun *tun, struct wt_error *err)
{
	struct wt_netlink nl;
	uint32_t queues = 0;
	enum wt_status status = wt_netlink_open(&nl, err);

	if (status)
		return status;
	int code = wt_link_tun_queues(&nl, tun->name, &queues);

	if (code < 0)
		status = wt_netlink_fail(&nl, code, err, "ask for the queues of %s", tun->name);
	else if (queues > 1)
		status = fail_in_use(err, tun->name);
	wt_netlink_close(&nl);
	return status;
}

enum wt_status wt_tun_open_queues(struct wt_tun *tun, const char *name, unsigned queues,
				  struct wt_error *err)
{
	enum wt_status status;

	*tun = (struct wt_tun){ .fd = -1 };
	status = wt_tun_check_name(name, err);
	if (status)
		return status;
	memcpy(tun->name, name, strlen(name) + 1);
	status = open_queue(tun, queues > 1, err);
	/* The header's size and the offloads are the device's, not a queue's. */
	if (!status && queues > 1)
		status = be_alone(tun, err);
	if (!status)
		status = prepare(tun, err);
	while (!status && tun->queue_count < queues)
		status = open_queue(tun, true, err);
	if (status)
		wt_tun_close(tun);
	return status;
}

enum wt_status wt_tun_open(struct wt_tun *tun, const char *name, struct wt_error *err)
{
	return wt_tun_open_queues(tun, name, 1, err);
}

void wt_tun_close(struct wt_tun *tun)
{
	if (tun->fd < 0)
		return;
	wt_network_restore(tun);
	while (tun->queue_count > 0)
		close(tun->queues[--tun->queue_count]);
	tun->fd = -1;
}
