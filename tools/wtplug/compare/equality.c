/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "cli/facts.h"
#include "compare/report.h"
#include "conform/hearing.h"

/* Those that compare bytes; the others look for faults. */
static const char *const comparing[] = { "lengths", "alignments", "aad" };
#define COMPARING (sizeof comparing / sizeof comparing[0])

/* Each seals what the other opens: one pair stands for both directions. */
static json_t *prove_pair(const struct wt_suite_options *options, const json_t *a, const json_t *b,
			  unsigned long *all)
{
	json_t *pair = json_object();
	unsigned long cases = 0;
	struct wt_case done;
	char text[sizeof done.finding.text + 64] = "";
	bool equal = true;

	json_object_set(pair, "a", json_object_get(a, "name"));
	json_object_set(pair, "b", json_object_get(b, "name"));
	if (strcmp(wt_report_text(a, "algorithm"), wt_report_text(b, "algorithm")) != 0) {
		json_object_set_new(pair, "verdict", json_string("other algorithm"));
		return pair;
	}
	for (size_t i = 0; equal && i < COMPARING; i++) {
		const struct wt_hearing hearing = { .options = options,
						    .path = wt_report_text(a, "file"),
						    .reference = wt_report_text(b, "file"),
						    .aead = wt_aead_check_named(comparing[i]) };

		wt_hearing_run(&hearing, &done);
		cases += done.finding.cases;
		equal = done.verdict == WT_SOUND;
		if (!equal)
			snprintf(text, sizeof text, "%s: %s", wt_fault_text(done.finding.fault),
				 done.finding.text);
	}
	*all += cases;
	json_object_set_new(pair, "verdict", json_string(equal ? "equal" : "different"));
	json_object_set_new(pair, "cases", json_integer((json_int_t)cases));
	if (!equal)
		json_object_set_new(pair, "text", wt_facts_text(text));
	return pair;
}

/* Known answers: that all agree does not say that they are right. */
static json_t *prove_alone(const struct wt_suite_options *options, const json_t *plugin)
{
	const struct wt_hearing hearing = { .options = options,
					    .path = wt_report_text(plugin, "file"),
					    .aead = wt_aead_check_named("vectors") };
	json_t *json = json_object();
	struct wt_case done;

	wt_hearing_run(&hearing, &done);
	json_object_set(json, "name", json_object_get(plugin, "name"));
	json_object_set_new(json, "verdict",
			    json_string(done.verdict == WT_SOUND ? "right" : "wrong"));
	json_object_set_new(json, "text", wt_facts_text(done.finding.text));
	return json;
}

json_t *wt_equality_prove(const struct wt_compare_options *options, const json_t *plugins)
{
	const struct wt_suite_options suite = { .check = { .level = (int)options->level,
							   .seed = 1 } };
	json_t *equality = json_object(), *pairs = json_array(), *answers = json_array();
	unsigned long cases = 0;
	json_t *a, *b;
	size_t i;

	json_array_foreach(plugins, i, a)
	{
		if (!wt_report_available(a))
			continue;
		json_array_append_new(answers, prove_alone(&suite, a));
		for (size_t k = i + 1; k < json_array_size(plugins); k++) {
			b = json_array_get(plugins, k);
			if (wt_report_available(b))
				json_array_append_new(pairs, prove_pair(&suite, a, b, &cases));
		}
	}
	json_object_set_new(equality, "known_answers", answers);
	json_object_set_new(equality, "pairs", pairs);
	json_object_set_new(equality, "cases", json_integer((json_int_t)cases));
	return equality;
}
