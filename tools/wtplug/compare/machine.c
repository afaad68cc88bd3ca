/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/facts.h"
#include "compare/report.h"

/* What AES-GCM implementations choose by. */
static const char *const features[] = { "aes",	  "pclmulqdq", "ssse3",	    "sse4_1", "avx",
					"avx2",	  "avx512f",   "avx512vl",  "vaes",   "vpclmulqdq",
					"sha_ni", "pmull",     "hypervisor" };

/* The value behind "NAME\t*: " in /proc/cpuinfo, of the first processor. */
static bool cpu_line(const char *name, char *out, size_t size)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[8192];
	bool found = false;

	while (file && !found && fgets(line, sizeof line, file)) {
		char *colon = strchr(line, ':');

		if (!colon || strncmp(line, name, strlen(name)) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(out, size, "%s", colon + 1 + (colon[1] == ' '));
		found = true;
	}
	if (file)
		fclose(file);
	return found;
}

static json_t *list_features(void)
{
	json_t *list = json_array();
	char flags[8192], *save = NULL;

	if (!cpu_line("flags", flags, sizeof flags) && !cpu_line("Features", flags, sizeof flags))
		return list;
	for (char *word = strtok_r(flags, " ", &save); word; word = strtok_r(NULL, " ", &save))
		for (size_t i = 0; i < sizeof features / sizeof features[0]; i++)
			if (strcmp(word, features[i]) == 0)
				json_array_append_new(list, json_string(word));
	return list;
}

json_t *wt_machine_describe(void)
{
	json_t *machine = json_object();
	struct utsname name;
	double load[1] = { 0 };
	char model[256] = "unknown";

	cpu_line("model name", model, sizeof model);
	json_object_set_new(machine, "processor", wt_facts_text(model));
	json_object_set_new(machine, "processors", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
	json_object_set_new(machine, "features", list_features());
	if (uname(&name) == 0) {
		json_object_set_new(machine, "kernel", wt_facts_text(name.release));
		json_object_set_new(machine, "machine", wt_facts_text(name.machine));
	}
	if (getloadavg(load, 1) == 1)
		json_object_set_new(machine, "load_before", json_real(load[0]));
	return machine;
}
