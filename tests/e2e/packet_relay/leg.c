/* SPDX-License-Identifier: MIT */
#include "leg.h"

#include "frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define RECEIVE_BUFFER (64 << 20) /* 20 ms at 25 Gbit/s: no loss that was not asked for */

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

static int device_mtu(int fd, const char *device)
{
	struct ifreq request = { 0 };
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	return ioctl(fd, SIOCGIFMTU, &request) == 0 ? request.ifr_mtu : -1;
}

int leg_open(struct leg *leg, const char *device)
{
	memset(leg, 0, sizeof(*leg));
	/* Bound before it receives anything: protocol 0 until then. */
	leg->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int mtu = leg->fd < 0 ? -1 : device_mtu(leg->fd, device);
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(device),
	};
	if (mtu < 0 || set(leg->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1) ||
	    set(leg->fd, SOL_PACKET, PACKET_AUXDATA, 1) ||
	    set(leg->fd, SOL_PACKET, PACKET_QDISC_BYPASS, 1) ||
	    (set(leg->fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER) &&
	     set(leg->fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER)) ||
	    bind(leg->fd, (struct sockaddr *)&address, sizeof(address))) {
		fprintf(stderr, "packet_relay: %s: %s\n", device, strerror(errno));
		return -1;
	}
	leg->frame_max = (uint32_t)mtu + FRAME_HEADER;
	for (unsigned i = 0; i < LEG_BATCH; i++) {
		leg->messages[i].msg_hdr.msg_iov = &leg->iov[i];
		leg->messages[i].msg_hdr.msg_iovlen = 1;
	}
	return 0;
}

static bool is_unfinished(struct msghdr *header)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA) {
			struct tpacket_auxdata data;
			memcpy(&data, CMSG_DATA(c), sizeof(data));
			return data.tp_status & TP_STATUS_CSUMNOTREADY;
		}
	}
	return false;
}

int leg_receive(struct leg *leg, struct packet *const *packets, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		leg->iov[i].iov_base = packets[i]->data;
		leg->iov[i].iov_len = leg->frame_max;
		leg->messages[i].msg_hdr.msg_control = leg->control[i].bytes;
		leg->messages[i].msg_hdr.msg_controllen = sizeof(leg->control[i].bytes);
	}
	int got = recvmmsg(leg->fd, leg->messages, count, MSG_DONTWAIT, NULL);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	for (int i = 0; i < got; i++) {
		struct msghdr *header = &leg->messages[i].msg_hdr;
		packets[i]->len = leg->messages[i].msg_len;
		packets[i]->unsegmented = header->msg_flags & MSG_TRUNC;
		packets[i]->unfinished = is_unfinished(header);
	}
	return got;
}

unsigned leg_send(struct leg *leg, struct packet *const *packets, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		leg->iov[i].iov_base = packets[i]->data;
		leg->iov[i].iov_len = packets[i]->len;
		leg->messages[i].msg_hdr.msg_control = NULL;
		leg->messages[i].msg_hdr.msg_controllen = 0;
	}
	int sent = sendmmsg(leg->fd, leg->messages, count, MSG_DONTWAIT);
	return sent < 0 ? 0 : (unsigned)sent;
}

void leg_count(struct leg *leg)
{
	struct tpacket_stats stats;
	socklen_t len = sizeof(stats);
	if (getsockopt(leg->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) == 0)
		leg->overrun += stats.tp_drops;
}
