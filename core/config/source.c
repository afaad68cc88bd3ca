/* SPDX-License-Identifier: MIT */
#include "config/source.h"

#include "base/error.h"
#include "config/settings.h"
#include "config/trial.h"
#include "plugin/choice.h"
#include "plugin/registry.h"

struct registry_source {
	struct wt_registry_options options;
	struct wt_registry *registry;
};

static enum wt_status open_registry(void *arg, const char *plugin_dir, bool self_test,
				    struct wt_error *err)
{
	struct registry_source *source = arg;

	if (plugin_dir)
		source->options.plugin_dir = plugin_dir;
	if (!self_test)
		source->options.skip_self_test = true;
	source->registry = wt_registry_new(&source->options);
	return source->registry ? WT_OK : wt_fail(err, WT_ERR_NOMEM, "out of memory");
}

static enum wt_status load(void *arg, enum wt_plugin_kind kind, const char *name,
			   const struct wt_plugin **out, struct wt_error *err)
{
	struct registry_source *source = arg;

	return wt_registry_load(source->registry, kind, name, out, err);
}

static struct wt_choice *choose(void *arg, struct wt_error *err)
{
	struct registry_source *source = arg;

	return wt_choice_new(source->registry, NULL, NULL, err);
}

int wt_settings_load(const char *path, const struct wt_registry_options *options, FILE *problems,
		     struct wt_settings **out, struct wt_registry **registry)
{
	struct registry_source state = { .options = *options };
	struct wt_plugin_source source = {
		.arg = &state,
		.open = open_registry,
		.load = load,
		.choose = choose,
		.try_out = wt_trial_run,
	};
	int code = wt_settings_build(path, &source, problems, out);

	if (code != WT_EXIT_OK) {
		wt_registry_free(state.registry);
		state.registry = NULL;
	}
	*registry = state.registry;
	return code;
}
