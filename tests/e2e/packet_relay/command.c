/* SPDX-License-Identifier: MIT */
#include "command.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 4
#define WAIT_NS UINT64_C(30000000000)
#define NS_PER_MS 1e6

static const char *const way_names[WAYS] = { [WAY_UP] = "up", [WAY_DOWN] = "down" };

#define COUNT(name)                                                                                \
	{                                                                                          \
#name, offsetof(struct way_counts, name)                                           \
	}
static const struct {
	const char *name;
	size_t offset;
} count_table[] = {
	COUNT(received),  COUNT(sent),	      COUNT(lost),	 COUNT(repeated),
	COUNT(corrupted), COUNT(late),	      COUNT(large),	 COUNT(full),
	COUNT(unknown),	  COUNT(unsegmented), COUNT(unfinished), COUNT(refused),
};
#define COUNTS (sizeof(count_table) / sizeof(count_table[0]))

static uint64_t *count_at(struct way *way, size_t i)
{
	return (uint64_t *)((char *)&way->counts + count_table[i].offset);
}

static bool number(const char *text, double max, double *value)
{
	char *end;
	*value = text ? strtod(text, &end) : -1;
	return text && *text && !*end && *value >= 0 && *value <= max;
}

/* One rule in one way; false for words that mean nothing. */
static bool set_rule(struct way_rules *rules, char **words)
{
	uint64_t *chance = NULL;
	double value, ms;
	if (strcmp(words[0], "lose") == 0)
		chance = &rules->lose;
	else if (strcmp(words[0], "repeat") == 0)
		chance = &rules->repeat;
	else if (strcmp(words[0], "corrupt") == 0)
		chance = &rules->corrupt;
	else if (strcmp(words[0], "late") == 0)
		chance = &rules->late;
	if (chance == &rules->late) {
		if (!number(words[3], 60000, &ms))
			return false;
		rules->late_ns = (uint64_t)(ms * NS_PER_MS);
	}
	if (chance) {
		if (!number(words[2], 100, &value))
			return false;
		*chance = (uint64_t)(value / 100 * (double)WAY_ALWAYS);
	} else if (strcmp(words[0], "delay") == 0 && number(words[2], 60000, &ms)) {
		rules->delay_ns = (uint64_t)(ms * NS_PER_MS);
	} else if (strcmp(words[0], "limit") == 0 && number(words[2], 65535, &value)) {
		rules->limit = (uint32_t)value;
	} else {
		return false;
	}
	return true;
}

static bool set_ways(struct relay *relay, char **words)
{
	bool known = false;
	for (int i = 0; i < WAYS; i++) {
		if (words[1] &&
		    (strcmp(words[1], way_names[i]) == 0 || strcmp(words[1], "both") == 0)) {
			known = true;
			if (!set_rule(&relay->ways[i].rules, words))
				return false;
		}
	}
	return known;
}

static bool translate(struct translation *translation, char **words)
{
	double port;
	if (words[1] && strcmp(words[1], "off") == 0) {
		translation->on = false;
		return true;
	}
	if (!words[1] || !number(words[2], 65535, &port))
		return false;
	struct end end = { .port = { (uint8_t)((unsigned)port >> 8), (uint8_t)(unsigned)port } };
	if (inet_pton(AF_INET, words[1], end.address) == 1)
		end.address_len = 4;
	else if (inet_pton(AF_INET6, words[1], end.address) == 1)
		end.address_len = 16;
	else
		return false;
	translation->outside = end;
	translation->on = true;
	return true;
}

static bool wait_for(struct relay *relay, char **words, uint64_t now_ns)
{
	double total;
	if (!words[1] || !words[2] || !number(words[3], 1e15, &total))
		return false;
	for (int i = 0; i < WAYS; i++) {
		for (size_t c = 0; strcmp(words[1], way_names[i]) == 0 && c < COUNTS; c++) {
			if (strcmp(words[2], count_table[c].name) == 0) {
				relay->awaited = count_at(&relay->ways[i], c);
				relay->awaited_total = (uint64_t)total;
				relay->awaited_until_ns = now_ns + WAIT_NS;
				return true;
			}
		}
	}
	return false;
}

static void print_counts(struct relay *relay)
{
	for (int i = 0; i < WAYS; i++) {
		struct way *way = &relay->ways[i];
		for (size_t c = 0; c < COUNTS; c++)
			printf("%s.%s=%llu ", way_names[i], count_table[c].name,
			       (unsigned long long)*count_at(way, c));
		leg_count(way->from);
		printf("%s.overrun=%llu ", way_names[i], (unsigned long long)way->from->overrun);
	}
	printf("waiting=%u\n", relay->ways[WAY_UP].capacity - relay->ways[WAY_UP].free_count +
				       relay->ways[WAY_DOWN].capacity -
				       relay->ways[WAY_DOWN].free_count);
}

void command_run(struct relay *relay, char *line, uint64_t now_ns)
{
	char *words[WORDS] = { NULL };
	char *rest = NULL;
	bool good = true;
	words[0] = strtok_r(line, " ", &rest);
	for (int i = 1; i < WORDS && words[i - 1]; i++)
		words[i] = strtok_r(NULL, " ", &rest);
	if (!words[0]) {
		good = false;
	} else if (strcmp(words[0], "counts") == 0) {
		print_counts(relay);
		return;
	} else if (strcmp(words[0], "wait") == 0) {
		good = wait_for(relay, words, now_ns);
		if (good)
			return;
	} else if (strcmp(words[0], "nat") == 0) {
		good = translate(&relay->translation, words);
	} else if (strcmp(words[0], "honest") == 0) {
		for (int i = 0; i < WAYS; i++)
			relay->ways[i].rules = (struct way_rules){ 0 };
	} else {
		good = set_ways(relay, words);
	}
	puts(good ? "ok" : "this is no command");
}

void command_poll(struct relay *relay, uint64_t now_ns)
{
	if (!relay->awaited)
		return;
	bool reached = *relay->awaited >= relay->awaited_total;
	if (reached || now_ns >= relay->awaited_until_ns) {
		relay->awaited = NULL;
		puts(reached ? "ok" : "late");
	}
}
