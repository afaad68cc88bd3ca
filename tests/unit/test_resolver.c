/* SPDX-License-Identifier: MIT
 *
 * The system's resolver is replaced: this program's own getaddrinfo answers for
 * names that end in ".test" and hands everything else on, so that no test asks
 * a name server.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "privileged/resolver.h"
#include "support/process.h"

/* ---- the replaced getaddrinfo ---- */

static const struct {
	const char *name;
	int code;
	const char *addresses[4];
} zone[] = {
	{ "two.test", 0, { "2001:db8::1", "192.0.2.1" } },
	{ "reverse.test", 0, { "192.0.2.1", "2001:db8::1" } },
	{ "twice.test", 0, { "192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.2" } },
	{ "stuck.test", 0, { "192.0.2.9" } },
	{ "unknown.test", EAI_NONAME, { 0 } },
	{ "empty.test", EAI_NODATA, { 0 } },
	{ "again.test", EAI_AGAIN, { 0 } },
	{ "fail.test", EAI_FAIL, { 0 } },
	{ "memory.test", EAI_MEMORY, { 0 } },
	{ "system.test", EAI_SYSTEM, { 0 } },
	{ "service.test", EAI_SERVICE, { 0 } },
};

typedef int lookup_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static sem_t stuck_entered, stuck_release;
static atomic_int lookups;

static lookup_fn *libc_getaddrinfo(void)
{
	return (lookup_fn *)(uintptr_t)dlsym(RTLD_NEXT, "getaddrinfo");
}

static int numbers(const char *const *addresses, size_t n, const char *service,
		   const struct addrinfo *hints, struct addrinfo **out)
{
	struct addrinfo numeric = *hints;

	numeric.ai_flags |= AI_NUMERICHOST;
	for (size_t i = 0; i < n && addresses[i]; i++) {
		int code = libc_getaddrinfo()(addresses[i], service, &numeric, out);

		if (code)
			return code;
		out = &(*out)->ai_next;
	}
	return 0;
}

static int hundred(const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	for (int i = 0; i < 100; i++) {
		char text[32];
		const char *one = text;
		int code;

		snprintf(text, sizeof text, "198.51.100.%d", i);
		code = numbers(&one, 1, service, hints, out);
		if (code)
			return code;
		out = &(*out)->ai_next;
	}
	return 0;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
		struct addrinfo **out)
{
	if ((hints->ai_flags & AI_NUMERICHOST) || !strstr(name, ".test"))
		return libc_getaddrinfo()(name, service, hints, out);
	atomic_fetch_add(&lookups, 1);
	if (strcmp(name, "hundred.test") == 0)
		return hundred(service, hints, out);
	if (strcmp(name, "stuck.test") == 0) {
		sem_post(&stuck_entered);
		sem_wait(&stuck_release);
	}
	for (size_t i = 0; i < sizeof zone / sizeof zone[0]; i++) {
		if (strcmp(name, zone[i].name) != 0)
			continue;
		errno = EMFILE;
		return zone[i].code ? zone[i].code
				    : numbers(zone[i].addresses, 4, service, hints, out);
	}
	return EAI_NONAME;
}

/* ---- what a callback saw ---- */

struct answer {
	int calls;
	enum wt_status status;
	struct wt_worker *worker;
	size_t n;
	char addresses[WT_RESOLVER_ADDRESSES][INET6_ADDRSTRLEN];
	uint16_t port;
	uint32_t scope;
	char error[512];
};

static void take_answer(void *arg, struct wt_worker *worker, enum wt_status status,
			const struct sockaddr_storage *addresses, size_t n, const char *error)
{
	struct answer *a = arg;

	a->calls++;
	a->worker = worker;
	a->status = status;
	a->n = n;
	snprintf(a->error, sizeof a->error, "%s", error ? error : "");
	for (size_t i = 0; i < n; i++) {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&addresses[i];
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)&addresses[i];
		bool is_v6 = v6->sin6_family == AF_INET6;

		inet_ntop(v6->sin6_family,
			  is_v6 ? (const void *)&v6->sin6_addr : (const void *)&v4->sin_addr,
			  a->addresses[i], sizeof a->addresses[i]);
		a->port = ntohs(is_v6 ? v6->sin6_port : v4->sin_port);
		a->scope = is_v6 ? v6->sin6_scope_id : 0;
	}
}

/* ---- a resolver with one client ---- */

struct fixture {
	struct wt_resolver *resolver;
	struct wt_resolver_client *client;
};

/* Only its address is used. */
static int worker_place;
#define WORKER ((struct wt_worker *)(void *)&worker_place)

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct wt_error err = WT_ERROR_INIT;

	sem_init(&stuck_entered, 0, 0);
	sem_init(&stuck_release, 0, 0);
	f->resolver = wt_resolver_new(&err);
	assert_non_null(f->resolver);
	f->client = wt_resolver_client_new(f->resolver, WORKER, &err);
	assert_non_null(f->client);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	wt_resolver_client_free(f->client);
	wt_resolver_free(f->resolver);
	free(f);
	return 0;
}

static bool readable(struct wt_resolver_client *client, int timeout_ms)
{
	struct pollfd p = { .fd = wt_resolver_client_fd(client), .events = POLLIN };

	return poll(&p, 1, timeout_ms) == 1;
}

static struct wt_resolve *submit(struct wt_resolver_client *client, const char *name,
				 struct answer *answer)
{
	struct wt_resolve *request = wt_resolver_submit(client, name, 4433, take_answer, answer);

	assert_non_null(request);
	return request;
}

static void wait_for(struct wt_resolver_client *client, const struct answer *answer)
{
	while (!answer->calls) {
		assert_true(readable(client, 10000));
		wt_resolver_client_dispatch(client);
	}
	assert_int_equal(answer->calls, 1);
}

static void wait_until_stuck(void)
{
	while (sem_wait(&stuck_entered) != 0)
		;
}

/* ---- tests ---- */

static void numbers_need_no_lookup_but_come_by_dispatch(void **state)
{
	static const struct {
		const char *name, *address;
		uint32_t scope;
	} cases[] = {
		{ "192.0.2.7", "192.0.2.7", 0 },
		{ "0.0.0.0", "0.0.0.0", 0 },
		{ "2001:db8::7", "2001:db8::7", 0 },
		{ "::1", "::1", 0 },
		{ "::ffff:192.0.2.7", "::ffff:192.0.2.7", 0 },
		{ "fe80::1%lo", "fe80::1", 1 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct answer a = { 0 };
		int before = atomic_load(&lookups);

		submit(f->client, cases[i].name, &a);
		assert_int_equal(a.calls, 0);
		assert_true(readable(f->client, 0));
		wt_resolver_client_dispatch(f->client);
		assert_int_equal(a.calls, 1);
		assert_int_equal(a.status, WT_OK);
		assert_ptr_equal(a.worker, WORKER);
		assert_int_equal(a.n, 1);
		assert_string_equal(a.addresses[0], cases[i].address);
		assert_int_equal(a.port, 4433);
		assert_int_equal(a.scope, cases[i].scope);
		assert_string_equal(a.error, "");
		assert_false(readable(f->client, 0));
		assert_int_equal(atomic_load(&lookups), before);
	}
}

static void addresses_keep_their_order_and_come_once(void **state)
{
	static const struct {
		const char *name;
		size_t n;
		const char *addresses[2];
	} cases[] = {
		{ "two.test", 2, { "2001:db8::1", "192.0.2.1" } },
		{ "reverse.test", 2, { "192.0.2.1", "2001:db8::1" } },
		{ "twice.test", 2, { "192.0.2.1", "192.0.2.2" } },
		{ "hundred.test", WT_RESOLVER_ADDRESSES, { "198.51.100.0", "198.51.100.1" } },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct answer a = { 0 };

		submit(f->client, cases[i].name, &a);
		wait_for(f->client, &a);
		assert_int_equal(a.status, WT_OK);
		assert_int_equal(a.n, cases[i].n);
		assert_string_equal(a.addresses[0], cases[i].addresses[0]);
		assert_string_equal(a.addresses[1], cases[i].addresses[1]);
		assert_int_equal(a.port, 4433);
		assert_ptr_equal(a.worker, WORKER);
	}
}

static void failures_say_which_name_and_why(void **state)
{
	static const struct {
		const char *name;
		enum wt_status status;
		const char *text;
	} cases[] = {
		{ "unknown.test", WT_ERR_INVALID, "unknown.test: the name does not exist" },
		{ "empty.test", WT_ERR_INVALID, "empty.test: the name has no IP address" },
		{ "again.test", WT_ERR_IO, "no answer from the name servers" },
		{ "fail.test", WT_ERR_IO, "refused to answer" },
		{ "memory.test", WT_ERR_NOMEM, "out of memory" },
		{ "system.test", WT_ERR_IO, "Too many open files" },
		{ "service.test", WT_ERR_IO, "service.test: name lookup: " },
		{ "", WT_ERR_INVALID, "does not exist" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct answer a = { 0 };

		submit(f->client, cases[i].name, &a);
		wait_for(f->client, &a);
		assert_int_equal(a.status, cases[i].status);
		assert_int_equal(a.n, 0);
		assert_non_null(strstr(a.error, cases[i].text));
	}
}

static void localhost_is_found_by_the_system(void **state)
{
	struct fixture *f = *state;
	struct answer a = { 0 };

	submit(f->client, "localhost", &a);
	wait_for(f->client, &a);
	assert_int_equal(a.status, WT_OK);
	assert_true(a.n >= 1);
	assert_true(strcmp(a.addresses[0], "127.0.0.1") == 0 || strcmp(a.addresses[0], "::1") == 0);
}

static void a_number_does_not_wait_for_a_stuck_name(void **state)
{
	struct fixture *f = *state;
	struct answer stuck = { 0 }, number = { 0 };

	submit(f->client, "stuck.test", &stuck);
	wait_until_stuck();
	submit(f->client, "192.0.2.7", &number);
	wait_for(f->client, &number);
	assert_int_equal(stuck.calls, 0);
	sem_post(&stuck_release);
	wait_for(f->client, &stuck);
	assert_int_equal(stuck.status, WT_OK);
}

/* In each place where a request can be when it is cancelled. */
static void a_cancelled_request_never_calls_back(void **state)
{
	struct fixture *f = *state;
	struct answer with_thread = { 0 }, waiting = { 0 }, finished = { 0 }, last = { 0 };
	struct wt_resolve *requests[3];

	requests[0] = submit(f->client, "stuck.test", &with_thread);
	wait_until_stuck();
	requests[1] = submit(f->client, "two.test", &waiting);
	requests[2] = submit(f->client, "192.0.2.7", &finished);
	submit(f->client, "reverse.test", &last);
	for (size_t i = 0; i < 3; i++)
		wt_resolver_cancel(requests[i]);
	wt_resolver_cancel(NULL);
	sem_post(&stuck_release);
	wait_for(f->client, &last);
	assert_int_equal(with_thread.calls + waiting.calls + finished.calls, 0);
}

struct meddler {
	struct answer answer;
	struct wt_resolve *self, *other;
	struct wt_resolver_client *client;
	struct answer *next;
};

static void cancel_self_and_other(void *arg, struct wt_worker *worker, enum wt_status status,
				  const struct sockaddr_storage *addresses, size_t n,
				  const char *error)
{
	struct meddler *m = arg;

	wt_resolver_cancel(m->self);
	wt_resolver_cancel(m->other);
	take_answer(&m->answer, worker, status, addresses, n, error);
	submit(m->client, "192.0.2.8", m->next);
}

static void a_callback_may_cancel_and_submit(void **state)
{
	struct fixture *f = *state;
	struct answer other = { 0 }, next = { 0 };
	struct meddler m = { .client = f->client, .next = &next };

	m.self = wt_resolver_submit(f->client, "192.0.2.7", 1, cancel_self_and_other, &m);
	assert_non_null(m.self);
	m.other = submit(f->client, "192.0.2.9", &other);
	wait_for(f->client, &m.answer);
	assert_int_equal(other.calls, 0);
	wait_for(f->client, &next);
	assert_string_equal(next.addresses[0], "192.0.2.8");
}

struct again {
	struct wt_resolver_client *client;
	int calls;
};

static void submit_again(void *arg, struct wt_worker *worker, enum wt_status status,
			 const struct sockaddr_storage *addresses, size_t n, const char *error)
{
	struct again *again = arg;

	(void)worker;
	(void)status;
	(void)addresses;
	(void)n;
	(void)error;
	again->calls++;
	assert_non_null(wt_resolver_submit(again->client, "192.0.2.7", 1, submit_again, again));
}

static void a_callback_that_submits_waits_for_the_next_turn(void **state)
{
	struct fixture *f = *state;
	struct again again = { .client = f->client };

	assert_non_null(wt_resolver_submit(f->client, "192.0.2.7", 1, submit_again, &again));
	for (int turn = 1; turn <= 3; turn++) {
		assert_true(readable(f->client, 0));
		wt_resolver_client_dispatch(f->client);
		assert_int_equal(again.calls, turn);
	}
}

/* The requests of a freed client may be anywhere; those of another go on. */
static void a_freed_client_is_never_called(void **state)
{
	struct fixture *f = *state;
	struct wt_error err = WT_ERROR_INIT;
	struct wt_resolver_client *gone = wt_resolver_client_new(f->resolver, NULL, &err);
	struct answer lost[3] = { 0 }, kept = { 0 };

	assert_non_null(gone);
	submit(gone, "stuck.test", &lost[0]);
	wait_until_stuck();
	submit(f->client, "two.test", &kept);
	submit(gone, "two.test", &lost[1]);
	submit(gone, "192.0.2.7", &lost[2]);
	wt_resolver_client_free(gone);
	sem_post(&stuck_release);
	wait_for(f->client, &kept);
	assert_int_equal(lost[0].calls + lost[1].calls + lost[2].calls, 0);
	wt_resolver_client_free(NULL);
}

static void freeing_does_not_wait_for_a_stuck_name(void **state)
{
	struct wt_error err = WT_ERROR_INIT;
	struct wt_resolver *resolver = wt_resolver_new(&err);
	struct wt_resolver_client *client = wt_resolver_client_new(resolver, WORKER, &err);
	struct answer a = { 0 };
	uint64_t before, took_ms;

	(void)state;
	assert_non_null(client);
	submit(client, "stuck.test", &a);
	wait_until_stuck();
	before = wt_clock_system.mono_ns(&wt_clock_system);
	wt_resolver_client_free(client);
	wt_resolver_free(resolver);
	took_ms = (wt_clock_system.mono_ns(&wt_clock_system) - before) / 1000000;
	assert_true(took_ms >= WT_RESOLVER_STOP_MS - 1);
	assert_true(took_ms < 30000);
	sem_post(&stuck_release);
	assert_int_equal(a.calls, 0);
	wt_resolver_free(NULL);
}

static void the_thread_takes_no_signal(void **state)
{
	struct fixture *f = *state;
	struct answer a = { 0 };
	uint64_t blocked;

	/* Before its first line the C library has all blocked anyway. */
	submit(f->client, "two.test", &a);
	wait_for(f->client, &a);
	blocked = wt_process_thread("wt-resolver", "SigBlk", 16);
	for (int sig = 1; sig < 32; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			assert_true(blocked & (UINT64_C(1) << (sig - 1)));
}

/* Two workers at once, each cancelling every third request at some moment. */
struct load {
	struct wt_resolver *resolver;
	pthread_t thread;
	int submitted, called, cancelled;
};

static void count_call(void *arg, struct wt_worker *worker, enum wt_status status,
		       const struct sockaddr_storage *addresses, size_t n, const char *error)
{
	struct wt_resolve **request = arg;

	(void)status;
	(void)addresses;
	(void)n;
	(void)error;
	*request = NULL;
	((struct load *)(void *)worker)->called++;
}

#define LOAD 300

static void *run_load(void *arg)
{
	static const char *const names[] = { "two.test", "192.0.2.7", "unknown.test" };
	struct load *load = arg;
	struct wt_resolve *requests[LOAD] = { 0 };
	struct wt_resolver_client *client =
		wt_resolver_client_new(load->resolver, (struct wt_worker *)arg, NULL);

	for (int i = 0; client && i < LOAD; i++) {
		requests[i] = wt_resolver_submit(client, names[i % 3], 1, count_call, &requests[i]);
		load->submitted += requests[i] != NULL;
		if (i % 7 == 0)
			wt_resolver_client_dispatch(client);
		if (i % 3 == 0 && requests[i / 2]) {
			wt_resolver_cancel(requests[i / 2]);
			requests[i / 2] = NULL;
			load->cancelled++;
		}
	}
	while (client && load->called + load->cancelled < load->submitted &&
	       readable(client, 10000))
		wt_resolver_client_dispatch(client);
	wt_resolver_client_free(client);
	return NULL;
}

static void two_workers_share_one_resolver(void **state)
{
	struct fixture *f = *state;
	struct load loads[2] = { { .resolver = f->resolver }, { .resolver = f->resolver } };

	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&loads[i].thread, NULL, run_load, &loads[i]), 0);
	for (int i = 0; i < 2; i++) {
		pthread_join(loads[i].thread, NULL);
		assert_int_equal(loads[i].submitted, LOAD);
		assert_true(loads[i].cancelled > 0);
		assert_int_equal(loads[i].called + loads[i].cancelled, LOAD);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(numbers_need_no_lookup_but_come_by_dispatch),
		TEST(addresses_keep_their_order_and_come_once),
		TEST(failures_say_which_name_and_why),
		TEST(localhost_is_found_by_the_system),
		TEST(a_number_does_not_wait_for_a_stuck_name),
		TEST(a_cancelled_request_never_calls_back),
		TEST(a_callback_may_cancel_and_submit),
		TEST(a_callback_that_submits_waits_for_the_next_turn),
		TEST(a_freed_client_is_never_called),
		TEST(freeing_does_not_wait_for_a_stuck_name),
		TEST(the_thread_takes_no_signal),
		TEST(two_workers_share_one_resolver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
