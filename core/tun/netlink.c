/* SPDX-License-Identifier: MIT */
#include "tun/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/socket.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* The kernel's sentence stands behind its copy of our request, which it leaves
 * out when told to (NLM_F_CAPPED). libnl hands over only the nlmsgerr; the
 * header in front of it says how long the whole answer is. */
static void keep_sentence(struct wt_netlink *nl, const struct nlmsgerr *answer)
{
	const struct nlmsghdr *header =
		(const struct nlmsghdr *)(const void *)((const char *)answer - NLMSG_HDRLEN);
	size_t skip = sizeof *answer;
	struct nlattr *text;

	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(header->nlmsg_flags & NLM_F_CAPPED))
		skip += NLMSG_ALIGN(answer->msg.nlmsg_len - NLMSG_HDRLEN);
	if (skip >= header->nlmsg_len - NLMSG_HDRLEN)
		return;
	text = nla_find((const struct nlattr *)(const void *)((const char *)answer + skip),
			(int)(header->nlmsg_len - NLMSG_HDRLEN - skip), NLMSGERR_ATTR_MSG);
	if (text)
		nla_strlcpy(nl->sentence, text, sizeof nl->sentence);
}

static int keep_error(struct sockaddr_nl *from, struct nlmsgerr *answer, void *arg)
{
	struct wt_netlink *nl = arg;

	(void)from;
	nl->error = -answer->error;
	nl->sentence[0] = '\0';
	keep_sentence(nl, answer);
	return -nl_syserr2nlerr(nl->error);
}

enum wt_status wt_netlink_open(struct wt_netlink *nl, struct wt_error *err)
{
	int on = 1, code;

	*nl = (struct wt_netlink){ .sock = nl_socket_alloc() };
	if (!nl->sock)
		return wt_fail(err, WT_ERR_NOMEM, "netlink socket: out of memory");
	code = nl_connect(nl->sock, NETLINK_ROUTE);
	if (code < 0) {
		enum wt_status status = wt_netlink_fail(nl, code, err, "netlink socket");

		wt_netlink_close(nl);
		return status;
	}
	nl_socket_modify_err_cb(nl->sock, NL_CB_CUSTOM, keep_error, nl);
	/* A refinement that an old kernel may lack. */
	(void)setsockopt(nl_socket_get_fd(nl->sock), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
	return WT_OK;
}

void wt_netlink_close(struct wt_netlink *nl)
{
	if (nl->sock)
		nl_socket_free(nl->sock);
	nl->sock = NULL;
}

void wt_netlink_forget(struct wt_netlink *nl)
{
	nl->error = 0;
	nl->sentence[0] = '\0';
}

enum wt_status wt_netlink_fail(const struct wt_netlink *nl, int code, struct wt_error *err,
			       const char *fmt, ...)
{
	char what[256];
	const char *why = nl->error ? strerror(nl->error) : nl_geterror(code);
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof what, fmt, args);
	va_end(args);
	wt_fail(err, WT_OK, nl->sentence[0] ? "%s: %s (%s)" : "%s: %s", what, why, nl->sentence);
	if (nl->error == EPERM || code == -NLE_PERM)
		return WT_ERR_PERMISSION;
	return nl->error == ENOMEM || nl->error == ENOBUFS || code == -NLE_NOMEM ? WT_ERR_NOMEM
										 : WT_ERR_IO;
}
