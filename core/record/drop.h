/* SPDX-License-Identifier: MIT
 *
 * drop.h: why a message, record or packet was not accepted. Every drop counts
 * exactly one of these; the names are what operators see.
 */
#ifndef WT_RECORD_DROP_H
#define WT_RECORD_DROP_H

enum wt_drop {
	WT_DROP_NONE = 0, /* accepted */

	/* Message header. */
	WT_DROP_LENGTH,	 /* too short or too long for its type */
	WT_DROP_TYPE,	 /* type or constant bytes that do not exist */
	WT_DROP_VERSION, /* another wire version */
	WT_DROP_INDEX,	 /* data for index 0, or one we did not give out */

	/* Opening. */
	WT_DROP_OLD,	   /* datagram: behind the replay window */
	WT_DROP_REPLAY,	   /* datagram: this counter was accepted before */
	WT_DROP_SEQUENCE,  /* stream: not the next counter */
	WT_DROP_KEY_LIMIT, /* the key is past its age or failure limit */
	WT_DROP_TAG,	   /* the tag did not verify */
	WT_DROP_CRYPTO,	   /* the backend failed */

	/* Inner header and packet. */
	WT_DROP_KIND,	     /* a kind that does not exist, or was not offered */
	WT_DROP_CONTROL,     /* a control field's length is wrong */
	WT_DROP_IP_VERSION,  /* neither IPv4 nor IPv6 */
	WT_DROP_IP_HEADER,   /* header length impossible or not inside */
	WT_DROP_IP_LENGTH,   /* total length is not the record's */
	WT_DROP_FRAGMENT,    /* 0x02, 0x03: a fragment */
	WT_DROP_PROTOCOL,    /* 0x02, 0x03: not TCP or UDP right behind IP */
	WT_DROP_LAYER4,	     /* 0x02, 0x03: TCP or UDP header impossible */
	WT_DROP_TCP_FLAGS,   /* 0x03: SYN, RST, URG or CWR in a run */
	WT_DROP_SEGMENTS,    /* 0x03: size or number of segments */
	WT_DROP_SOURCE,	     /* source outside the peer's allowed_ips */
	WT_DROP_OFFLOAD,     /* sending: the offload header contradicts the packet */
	WT_DROP_NO_ROUTE,    /* sending: no peer has the destination */
	WT_DROP_NO_SESSION,  /* sending: the peer has no usable keys */
	WT_DROP_SEND_LIMIT,  /* sending: the key may seal no more */
	WT_DROP_TOO_LARGE,   /* sending: larger than the peer or path takes */
	WT_DROP_SMALL_PATH,  /* sending: IPv6, and the path takes no 1280 bytes of it */
	WT_DROP_QUEUE_FULL,  /* sending: the peer's queue is full or too old */
	WT_DROP_TUN_REFUSED, /* the kernel refused the write */
	WT_DROP_COUNT
};

/* "replay": [a-z_], for counters and logs; "unknown" outside the range. */
const char *wt_drop_name(enum wt_drop drop);

#endif
