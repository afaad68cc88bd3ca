/* SPDX-License-Identifier: MIT
 *
 * leg: one end of the relay: a packet socket on a network device, whole Ethernet frames. What the
 * relay sends it does not receive again.
 */
#ifndef WT_E2E_LEG_H
#define WT_E2E_LEG_H

#include <linux/if_packet.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define LEG_BATCH 64u

/* A buffer of `size` bytes with a frame of `len`. */
struct packet {
	uint32_t len;
	bool unsegmented; /* longer than the buffer: segmentation is left to a device */
	bool unfinished;  /* its checksum is left to a device */
	uint8_t *data;
};

struct leg {
	int fd;
	uint32_t frame_max; /* MTU and Ethernet header */
	uint64_t overrun;   /* frames that the kernel had no room for */
	struct mmsghdr messages[LEG_BATCH];
	struct iovec iov[LEG_BATCH];
	union {
		char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
		struct cmsghdr align;
	} control[LEG_BATCH];
};

/* Returns 0, or -1 after a line on standard error. */
int leg_open(struct leg *leg, const char *device);

/* Fills packets[0..count), count <= LEG_BATCH, each with room for frame_max bytes. Returns how
 * many, 0 when there is nothing, -1 with errno. */
int leg_receive(struct leg *leg, struct packet *const *packets, unsigned count);

/* Sends packets[0..count). Returns how many; fewer only on an error, errno, at the next one. */
unsigned leg_send(struct leg *leg, struct packet *const *packets, unsigned count);

/* Reads the kernel's count into overrun. */
void leg_count(struct leg *leg);

#endif
