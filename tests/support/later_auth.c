/* SPDX-License-Identifier: MIT */
#include "support/later_auth.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "record/header.h"
#include "record/params.h"

#define METHOD 200u
#define PEERS 8u
#define M1_SIZE (WT_MESSAGE_HEADER + 4u + 1u + WT_PARAMS_SIZE)
#define M2_SIZE (WT_MESSAGE_HEADER + 4u + WT_PARAMS_SIZE)
#define M3_SIZE WT_MESSAGE_HEADER

struct wt_later wt_later;

struct peer {
	uint32_t id;
	uint8_t name;
	struct later *later;
	/* Its one handshake. */
	uint32_t local_index, remote_index;
	uint8_t params[WT_PARAMS_SIZE];
};

/* What a plugin that breaks its contract has instead of the caller's, or the peer's,
 * memory. */
static uint8_t other_reply[WT_AUTH_MESSAGE_MAX];
static struct peer nobodys;

/* A verdict that waits. */
struct job {
	struct later *later;
	struct job *next;
	struct wt_timer *timer;
	uint64_t ticket;
	uint32_t verdict;
	enum wt_later_step step;
	bool again;
	struct wt_auth_out out;
	uint8_t reply[WT_AUTH_MESSAGE_MAX];
};

struct later {
	const struct wt_host *host;
	struct peer *peers[PEERS];
	struct job *jobs;
};

/* ---- life ----------------------------------------------------------------- */

static enum wt_status create(const struct wt_host *host, const struct wt_config *cfg, void **self,
			     struct wt_error *err)
{
	struct later *later = calloc(1, sizeof *later);

	(void)cfg;
	(void)err;
	if (!later)
		return WT_ERR_NOMEM;
	later->host = host;
	*self = later;
	return WT_OK;
}

static void job_free(struct job *job)
{
	struct job **at = &job->later->jobs;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	job->later->host->timer_free(job->later->host, job->timer);
	free(job);
}

static void destroy(void *self)
{
	struct later *later = self;

	while (later->jobs)
		job_free(later->jobs);
	free(later);
}

static enum wt_status peer_add(void *self, const struct wt_config *cfg, uint32_t peer_id,
			       uint32_t roles, void *memory, struct wt_error *err)
{
	struct later *later = self;
	struct peer *peer = memory;

	(void)roles;
	(void)err;
	if (peer_id >= PEERS)
		return WT_ERR_CONFIG;
	peer->id = peer_id;
	peer->later = later;
	peer->name = later->host->config_key32(later->host, cfg, "psk_file")[0];
	later->peers[peer_id] = peer;
	return WT_OK;
}

static void peer_remove(void *self, void *memory)
{
	struct later *later = self;

	later->peers[((struct peer *)memory)->id] = NULL;
}

/* ---- messages ------------------------------------------------------------- */

static void put_header(uint8_t *m, uint8_t step, uint32_t receiver)
{
	m[0] = WT_TYPE_HANDSHAKE;
	m[1] = WT_WIRE_VERSION;
	m[2] = METHOD;
	m[3] = step;
	wt_store_be32(m + 4, receiver);
}

static void identify(struct wt_auth_out *out, struct peer *peer)
{
	out->flags |= WT_AUTH_OUT_PEER | (wt_later.unproven ? 0 : WT_AUTH_OUT_AUTHENTIC);
	out->peer_id = peer->id;
	out->local_index = peer->local_index;
	out->remote_index = peer->remote_index;
	out->handshake = peer;
}

/* Two keys that both ends know; `first`: this end is the dialler. */
static void set_keys(struct wt_auth_out *out, const struct peer *peer, bool first)
{
	uint32_t i = first ? peer->local_index : peer->remote_index;
	uint32_t r = first ? peer->remote_index : peer->local_index;
	uint8_t *i2r = first ? out->send_key : out->recv_key;
	uint8_t *r2i = first ? out->recv_key : out->send_key;

	out->flags |= WT_AUTH_OUT_KEYS;
	wt_store_be32(i2r, i);
	wt_store_be32(i2r + 4, r);
	wt_store_be32(r2i, r);
	wt_store_be32(r2i + 4, i);
	i2r[8] = 1;
	memcpy(out->peer_params, peer->params, WT_PARAMS_SIZE);
}

static void spoil(struct wt_auth_out *out, enum wt_later_fault fault)
{
	switch (fault) {
	case WT_LATER_NO_HANDSHAKE:
		out->handshake = NULL;
		break;
	case WT_LATER_HANDSHAKE_ELSEWHERE:
		out->handshake = &nobodys;
		break;
	case WT_LATER_HANDSHAKE_OTHER:
		out->handshake = &((struct peer *)out->handshake)->name;
		break;
	case WT_LATER_SIZE:
		out->struct_size--;
		break;
	case WT_LATER_REPLY_OTHER:
		out->reply = other_reply;
		break;
	case WT_LATER_REPLY_NULL:
		out->reply = NULL;
		break;
	case WT_LATER_CAPACITY:
		out->reply_capacity = UINT32_MAX;
		break;
	case WT_LATER_NO_PEER:
		out->flags &= ~WT_AUTH_OUT_PEER;
		break;
	case WT_LATER_PEER_TOO_BIG:
		out->peer_id = 0x7fffffff;
		break;
	case WT_LATER_PEER_OTHER:
		out->peer_id ^= 1;
		break;
	case WT_LATER_PEER_LANE:
		out->peer_id += 3;
		break;
	case WT_LATER_REPLY_TOO_LONG:
		out->reply_len = UINT32_MAX;
		break;
	case WT_LATER_REPLY_NONE:
		out->reply_len = 0;
		break;
	case WT_LATER_REPLY_LONGER:
		out->reply_len = WT_AUTH_MESSAGE_MAX;
		break;
	case WT_LATER_INDEX_OTHER:
		out->local_index++;
		break;
	case WT_LATER_INDEX_ZERO:
		out->local_index = 0;
		break;
	case WT_LATER_REMOTE_ZERO:
		out->remote_index = 0;
		break;
	case WT_LATER_REPEATED:
		out->flags |= WT_AUTH_OUT_REPEATED;
		break;
	case WT_LATER_NO_KEYS:
		out->flags &= ~WT_AUTH_OUT_KEYS;
		break;
	case WT_LATER_KEYS_EQUAL:
		memcpy(out->send_key, out->recv_key, WT_KEY_SIZE);
		break;
	case WT_LATER_PARAMS:
		memset(out->peer_params, 0, WT_PARAMS_SIZE);
		break;
	case WT_LATER_CLOCK:
		out->reason = WT_REASON_CLOCK;
		out->clock_off_ms = INT64_MIN;
		break;
	case WT_LATER_REASON:
		out->reason = UINT32_MAX;
		break;
	default:
		break;
	}
}

static uint32_t verdict_of(uint32_t verdict, enum wt_later_fault fault)
{
	switch (fault) {
	case WT_LATER_VERDICT_99:
		return 99;
	case WT_LATER_VERDICT_PENDING:
		return WT_AUTH_PENDING;
	case WT_LATER_VERDICT_ANSWER:
		return WT_AUTH_ANSWER;
	case WT_LATER_VERDICT_DONE:
		return WT_AUTH_DONE;
	case WT_LATER_CLOCK:
	case WT_LATER_REASON:
		return WT_AUTH_IGNORE;
	default:
		return verdict;
	}
}

/* ---- now or later --------------------------------------------------------- */

static void complete(struct job *job, struct wt_worker *worker)
{
	const struct wt_host *host = job->later->host;
	enum wt_later_fault fault = wt_later.fault[job->step];
	struct {
		uint32_t struct_size, flags;
	} small = { .struct_size = sizeof small, .flags = job->out.flags };

	wt_later.completed++;
	if (fault == WT_LATER_OUT_NULL)
		host->auth_complete(host, worker, job->ticket, job->verdict, NULL);
	else if (fault == WT_LATER_OUT_SHORT)
		host->auth_complete(host, worker, job->ticket, job->verdict,
				    (const struct wt_auth_out *)&small);
	else
		host->auth_complete(host, worker, job->ticket, job->verdict, &job->out);
}

static void on_timer(void *arg, struct wt_worker *worker)
{
	struct job *job = arg;

	complete(job, worker);
	if (job->again) {
		job->again = false;
		job->later->host->timer_set(job->later->host, job->timer, wt_later.delay_ms);
	} else {
		job_free(job);
	}
}

static enum wt_auth_verdict say(struct later *later, struct wt_worker *worker,
				enum wt_later_step step, const struct wt_auth_in *in,
				uint32_t verdict, struct wt_auth_out *out)
{
	const struct wt_host *host = later->host;
	struct job *job;

	spoil(out, wt_later.fault[step]);
	verdict = verdict_of(verdict, wt_later.fault[step]);
	if (wt_later.when[step] == WT_LATER_AT_ONCE)
		return (enum wt_auth_verdict)verdict;
	if (wt_later.when[step] == WT_LATER_NEVER)
		return WT_AUTH_PENDING;
	job = calloc(1, sizeof *job);
	if (!job)
		return WT_AUTH_IGNORE;
	*job = (struct job){ .later = later, .next = later->jobs, .step = step };
	job->ticket = in->ticket;
	job->verdict = verdict;
	job->out = *out;
	/* Of a reply that is said to be longer there is no more than that. */
	if (out->reply) {
		memcpy(job->reply, out->reply, sizeof job->reply);
		job->out.reply = job->reply;
	}
	job->again = wt_later.when[step] == WT_LATER_TWICE;
	later->jobs = job;
	job->timer = host->timer_new(host, worker, on_timer, job);
	if (wt_later.when[step] == WT_LATER_INSIDE) {
		complete(job, worker);
		job_free(job);
	} else {
		host->timer_set(host, job->timer, wt_later.delay_ms);
	}
	memset(out, 0, sizeof *out);
	return WT_AUTH_PENDING;
}

/* ---- handshakes ----------------------------------------------------------- */

static enum wt_auth_verdict start(void *self, struct wt_worker *worker, void *memory,
				  const struct wt_auth_start *what, struct wt_auth_out *out)
{
	struct peer *peer = memory;

	(void)self;
	(void)worker;
	peer->local_index = what->local_index;
	peer->remote_index = 0;
	identify(out, peer);
	put_header(out->reply, 1, 0);
	wt_store_be32(out->reply + 8, what->local_index);
	out->reply[12] = peer->name;
	memcpy(out->reply + 13, what->params, WT_PARAMS_SIZE);
	out->reply_len = M1_SIZE;
	spoil(out, wt_later.fault[WT_LATER_START]);
	return (enum wt_auth_verdict)verdict_of(WT_AUTH_MORE, wt_later.fault[WT_LATER_START]);
}

static enum wt_auth_verdict refuse(struct wt_auth_out *out, enum wt_auth_reason reason)
{
	out->reason = reason;
	return WT_AUTH_IGNORE;
}

/* What the peer is told. False: the host does not want it. */
static bool tell(const struct wt_host *host, struct wt_worker *worker, const struct peer *peer,
		 uint8_t *params)
{
	if (!wt_later.asks_nothing)
		return host->auth_params(host, worker, peer->id, peer->params, params) == WT_OK;
	memcpy(params, peer->params, WT_PARAMS_SIZE);
	wt_params_tell(params, 0, 0);
	return true;
}

static enum wt_auth_verdict accept_message(void *self, struct wt_worker *worker,
					   const struct wt_auth_in *in, struct wt_auth_out *out)
{
	struct later *later = self;
	struct peer *peer = NULL;

	wt_later.asked[WT_LATER_M1]++;
	if (in->message_len != M1_SIZE || in->message[3] != 1)
		return refuse(out, WT_REASON_LENGTH);
	for (size_t i = 0; i < PEERS && !peer; i++)
		if (later->peers[i] && later->peers[i]->name == in->message[12])
			peer = later->peers[i];
	if (!peer)
		return refuse(out, WT_REASON_UNKNOWN_PEER);
	wt_later.handshakes++;
	peer->local_index = in->local_index;
	peer->remote_index = wt_load_be32(in->message + 8);
	memcpy(peer->params, in->message + 13, WT_PARAMS_SIZE);
	identify(out, peer);
	if (!wt_later.keys_with_done)
		set_keys(out, peer, false);
	put_header(out->reply, 2, peer->remote_index);
	wt_store_be32(out->reply + 8, peer->local_index);
	if (!tell(later->host, worker, peer, out->reply + 12))
		return refuse(out, WT_REASON_PARAMS);
	out->reply_len = M2_SIZE;
	return say(later, worker, WT_LATER_M1, in, WT_AUTH_MORE, out);
}

static enum wt_auth_verdict receive(void *self, struct wt_worker *worker, void *handshake,
				    const struct wt_auth_in *in, struct wt_auth_out *out)
{
	struct peer *peer = handshake;
	bool second = in->message_len == M2_SIZE && in->message[3] == 2;

	if (!second && (in->message_len != M3_SIZE || in->message[3] != 3))
		return refuse(out, WT_REASON_LENGTH);
	if (second) {
		wt_later.asked[WT_LATER_M2]++;
		peer->remote_index = wt_load_be32(in->message + 8);
		memcpy(peer->params, in->message + 12, WT_PARAMS_SIZE);
		set_keys(out, peer, true);
		put_header(out->reply, 3, peer->remote_index);
		out->reply_len = wt_later.two_messages ? 0 : M3_SIZE;
	} else {
		wt_later.asked[WT_LATER_M3]++;
		if (wt_later.keys_with_done)
			set_keys(out, peer, false);
	}
	identify(out, peer);
	return say(self, worker, second ? WT_LATER_M2 : WT_LATER_M3, in, WT_AUTH_DONE, out);
}

static void abandon(void *self, struct wt_worker *worker, void *handshake, uint32_t local_index)
{
	(void)self;
	(void)worker;
	if (handshake == &nobodys)
		wt_later.abandoned_nobodys++;
	/* A NULL one is never handed back. */
	if (((struct peer *)handshake)->local_index == local_index)
		wt_later.abandoned++;
}

static const struct wt_config_key keys[] = {
	{ .struct_size = sizeof(struct wt_config_key),
	  .type = WT_CONFIG_KEYFILE32,
	  .scope = WT_SCOPE_PEER,
	  .flags = WT_CONFIG_SECRET | WT_CONFIG_REQUIRED,
	  .name = "psk_file",
	  .help = "Its first byte names the peer." },
};

const struct wt_plugin wt_later_plugin = {
	.kind = WT_KIND_AUTH,
	.name = "later",
	.version = "1.0",
	.path = (char[]){ "" },
	.algorithm = (char[]){ "" },
	.config_keys = keys,
	.config_key_count = 1,
	.config_key_stride = sizeof(struct wt_config_key),
	.ops.auth = {
		.struct_size = sizeof(struct wt_auth_ops),
		.method = METHOD,
		.peer_size = sizeof(struct peer),
		.peer_align = _Alignof(struct peer),
		.create = create,
		.destroy = destroy,
		.peer_add = peer_add,
		.peer_remove = peer_remove,
		.start = start,
		.accept = accept_message,
		.receive = receive,
		.abandon = abandon,
		.silence_hint = "nothing",
	},
};
