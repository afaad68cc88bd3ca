/* SPDX-License-Identifier: MIT */
#include "config/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/secret.h"
#include "config/keyfile.h"
#include "config/list.h"
#include "config/nearest.h"
#include "config/sockaddr.h"

struct value {
	const struct wt_config_key *key;
	bool set;
	bool written; /* by wt_config_set, not by a default */
	union {
		uint64_t number; /* UINT, BOOL */
		char *text;	 /* STRING, ENUM */
		uint8_t *key32;	 /* KEYFILE32, KEY32 */
		struct {
			struct sockaddr_storage *items;
			size_t count;
		} list; /* SOCKADDR */
	};
};

struct wt_config {
	char *name;
	size_t count;
	struct value values[];
};

/* ---- one value ----------------------------------------------------------- */

static void value_clear(struct value *value)
{
	if (value->set) {
		switch (value->key->type) {
		case WT_CONFIG_STRING:
		case WT_CONFIG_ENUM:
			if (value->key->flags & WT_CONFIG_SECRET)
				wt_wipe(value->text, strlen(value->text));
			free(value->text);
			break;
		case WT_CONFIG_SOCKADDR:
			free(value->list.items);
			break;
		case WT_CONFIG_KEYFILE32:
		case WT_CONFIG_KEY32:
			wt_secret_free(value->key32);
			break;
		default:
			break;
		}
	}
	*value = (struct value){ .key = value->key };
}

/* What was found, for a message: "text" in quotes unless it is secret. */
struct found {
	char text[224];
};

static const char *quote(const struct wt_config_key *key, const char *text, struct found *out)
{
	if (key->flags & WT_CONFIG_SECRET)
		snprintf(out->text, sizeof out->text, "the value");
	else
		snprintf(out->text, sizeof out->text, "\"%.200s\"", text);
	return out->text;
}

static enum wt_status parse_string(struct value *value, const char *text, struct wt_error *err)
{
	value->text = strdup(text);
	return value->text ? WT_OK : wt_fail(err, WT_ERR_NOMEM, "out of memory");
}

static enum wt_status parse_bool(struct value *value, const char *text, struct wt_error *err)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = { { "yes", true }, { "no", false },	 { "true", true },
		      { "on", true },  { "off", false }, { "false", false } };
	struct wt_nearest nearest = { .word = text };
	char hint[WT_NEAREST_HINT];
	struct found found;

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strcmp(text, words[i].word) == 0) {
			value->number = words[i].value;
			return WT_OK;
		}
		wt_nearest_offer(&nearest, words[i].word);
	}
	return wt_fail(err, WT_ERR_CONFIG, "%s found, allowed are yes, no, true, false, on, off%s",
		       quote(value->key, text, &found), wt_nearest_hint(&nearest, hint));
}

static enum wt_status parse_uint(struct value *value, const char *text, struct wt_error *err)
{
	const struct wt_config_key *key = value->key;
	struct found found;
	uint64_t number = 0;
	bool fits = *text != '\0';

	for (const char *p = text; *p && fits; p++) {
		uint64_t next;

		fits = *p >= '0' && *p <= '9' && !__builtin_mul_overflow(number, 10u, &next) &&
		       !__builtin_add_overflow(next, (uint64_t)(*p - '0'), &number);
	}
	if (!fits || number < key->min || number > key->max)
		return wt_fail(err, WT_ERR_CONFIG,
			       "%s found, allowed is a whole number from %llu to %llu",
			       quote(key, text, &found), (unsigned long long)key->min,
			       (unsigned long long)key->max);
	value->number = number;
	return WT_OK;
}

/* "a|b|c" as "a, b, c" */
static const char *choices_text(const char *choices, char *out, size_t size)
{
	size_t at = 0;

	for (; *choices && at + 3 < size; choices++) {
		out[at++] = *choices == '|' ? ',' : *choices;
		if (*choices == '|')
			out[at++] = ' ';
	}
	out[at] = '\0';
	return out;
}

static bool is_choice(const char *choices, const char *text)
{
	size_t len = strlen(text);

	for (;;) {
		size_t word = strcspn(choices, "|");

		if (word == len && strncmp(choices, text, len) == 0)
			return len > 0;
		if (!choices[word])
			return false;
		choices += word + 1;
	}
}

static enum wt_status parse_enum(struct value *value, const char *text, struct wt_error *err)
{
	const struct wt_config_key *key = value->key;
	struct wt_nearest nearest = { .word = text };
	char words[WT_CHOICES_MAX], list[WT_CHOICES_MAX * 2], hint[WT_NEAREST_HINT];
	struct found found;

	if (is_choice(key->choices, text))
		return parse_string(value, text, err);
	wt_nearest_offer_choices(&nearest, key->choices, words, sizeof words);
	return wt_fail(err, WT_ERR_CONFIG, "%s found, allowed are %s%s", quote(key, text, &found),
		       choices_text(key->choices, list, sizeof list),
		       wt_nearest_hint(&nearest, hint));
}

static enum wt_status parse_sockaddr(struct value *value, const char *text, struct wt_error *err)
{
	struct sockaddr_storage *list = calloc(wt_list_count(text), sizeof *list);
	const char *rest = text, *item;
	size_t len, n = 0;

	if (!list)
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");
	while (wt_list_next(&rest, &item, &len)) {
		if (wt_sockaddr_parse(item, len, &list[n]) != WT_OK) {
			free(list);
			return wt_fail(err, WT_ERR_CONFIG,
				       "\"%.*s\" found, allowed are numeric addresses with a port, "
				       "comma-separated: 0.0.0.0:4433, [::]:4433",
				       (int)(len < 200 ? len : 200), item);
		}
		n++;
	}
	value->list.items = list;
	value->list.count = n;
	return WT_OK;
}

static enum wt_status parse_keyfile(struct value *value, const char *text, const char *base_dir,
				    struct wt_error *err)
{
	enum wt_status status;
	char *path = wt_config_path(base_dir, text);
	uint8_t *key32 = wt_secret_alloc(WT_KEYFILE_BYTES, 16);

	if (!path || !key32)
		status = wt_fail(err, WT_ERR_NOMEM, "no memory for the key");
	else
		status = wt_keyfile_read(
			path, value->key->make ? value->key->make : "wtcore genpsk", key32, err);
	free(path);
	if (status == WT_OK)
		value->key32 = key32;
	else
		wt_secret_free(key32);
	return status;
}

/* A private key that was put here by mistake must not come back in a message:
 * what was found is not quoted. */
static enum wt_status parse_key(struct value *value, const char *text, struct wt_error *err)
{
	struct wt_error why = WT_ERROR_INIT;
	uint8_t *key32 = wt_secret_alloc(WT_KEYFILE_BYTES, 16);
	enum wt_status status;

	if (!key32)
		return wt_fail(err, WT_ERR_NOMEM, "no memory for the key");
	status = wt_keyfile_decode(text, strlen(text), key32, &why);
	if (status == WT_OK) {
		value->key32 = key32;
		return WT_OK;
	}
	wt_secret_free(key32);
	return wt_fail(err, status, "the value %s", why.text);
}

static enum wt_status parse(struct value *value, const char *text, const char *base_dir,
			    struct wt_error *err)
{
	if (!*text)
		return wt_fail(err, WT_ERR_CONFIG, "no value found; write one or remove the line");
	switch (value->key->type) {
	case WT_CONFIG_STRING:
		return parse_string(value, text, err);
	case WT_CONFIG_BOOL:
		return parse_bool(value, text, err);
	case WT_CONFIG_UINT:
		return parse_uint(value, text, err);
	case WT_CONFIG_ENUM:
		return parse_enum(value, text, err);
	case WT_CONFIG_SOCKADDR:
		return parse_sockaddr(value, text, err);
	case WT_CONFIG_KEYFILE32:
		return parse_keyfile(value, text, base_dir, err);
	case WT_CONFIG_KEY32:
		return parse_key(value, text, err);
	default:
		return wt_fail(err, WT_ERR_INVALID,
			       "this key has type %u, which this version does "
			       "not know",
			       value->key->type);
	}
}

static enum wt_status value_set(struct value *value, const char *text, const char *base_dir,
				struct wt_error *err)
{
	struct value fresh = { .key = value->key };
	enum wt_status status = parse(&fresh, text, base_dir, err);

	if (status != WT_OK)
		return status;
	fresh.set = true;
	value_clear(value);
	*value = fresh;
	return WT_OK;
}

/* ---- a set of values ----------------------------------------------------- */

static struct value *find(const struct wt_config *cfg, const char *key)
{
	for (size_t i = 0; i < cfg->count; i++)
		if (strcmp(cfg->values[i].key->name, key) == 0)
			return (struct value *)&cfg->values[i];
	return NULL;
}

struct wt_config *wt_config_new(const char *name, const struct wt_key_table *tables, size_t n,
				unsigned scopes)
{
	struct wt_config *cfg;
	size_t room = 0;

	for (size_t t = 0; t < n; t++)
		room += tables[t].count;
	cfg = calloc(1, sizeof *cfg + room * sizeof cfg->values[0]);
	if (!cfg)
		return NULL;
	cfg->name = strdup(name);
	if (!cfg->name)
		goto free_cfg;
	for (size_t t = 0; t < n; t++) {
		for (size_t i = 0; i < tables[t].count; i++) {
			const struct wt_config_key *key = wt_key_table_at(&tables[t], i);
			struct value *value = &cfg->values[cfg->count];

			if (!(scopes & 1u << key->scope) || find(cfg, key->name))
				continue;
			value->key = key;
			cfg->count++;
			if (key->default_value &&
			    value_set(value, key->default_value, ".", NULL) == WT_ERR_NOMEM)
				goto free_cfg;
		}
	}
	return cfg;
free_cfg:
	wt_config_free(cfg);
	return NULL;
}

void wt_config_free(struct wt_config *cfg)
{
	if (!cfg)
		return;
	for (size_t i = 0; i < cfg->count; i++)
		value_clear(&cfg->values[i]);
	free(cfg->name);
	free(cfg);
}

size_t wt_config_count(const struct wt_config *cfg)
{
	return cfg->count;
}

const struct wt_config_key *wt_config_at(const struct wt_config *cfg, size_t i)
{
	return cfg->values[i].key;
}

const struct wt_config_key *wt_config_find(const struct wt_config *cfg, const char *key)
{
	const struct value *value = find(cfg, key);

	return value ? value->key : NULL;
}

enum wt_status wt_config_set(struct wt_config *cfg, const char *key, const char *text,
			     const char *base_dir, struct wt_error *err)
{
	struct value *value = find(cfg, key);

	if (!value)
		return wt_fail(err, WT_ERR_INVALID, "there is no key %s here", key);
	enum wt_status status = value_set(value, text, base_dir, err);

	if (status == WT_OK)
		value->written = true;
	return status;
}

bool wt_config_is_written(const struct wt_config *cfg, const char *key)
{
	const struct value *value = find(cfg, key);

	return value && value->written;
}

char *wt_config_path(const char *base_dir, const char *path)
{
	char *joined;

	if (*path == '/')
		return strdup(path);
	return asprintf(&joined, "%s/%s", base_dir, path) < 0 ? NULL : joined;
}

/* ---- reading ------------------------------------------------------------- */

/* NULL if unset. `types`: bits 1u << enum wt_config_type that the caller reads. */
static const struct value *get(const struct wt_config *cfg, const char *key, unsigned types)
{
	const struct value *value = find(cfg, key);

	if (!value || !(types & 1u << value->key->type)) {
		wt_log(WT_LOG_ERROR, "internal: key %s of %s was read but is %s", key, cfg->name,
		       value ? "of another type" : "not declared");
		return NULL;
	}
	return value->set ? value : NULL;
}

const char *wt_config_name(const struct wt_config *cfg)
{
	return cfg->name;
}

bool wt_config_is_set(const struct wt_config *cfg, const char *key)
{
	return get(cfg, key, ~0u) != NULL;
}

const char *wt_config_string(const struct wt_config *cfg, const char *key)
{
	const struct value *value = get(cfg, key, 1u << WT_CONFIG_STRING | 1u << WT_CONFIG_ENUM);

	return value ? value->text : NULL;
}

uint64_t wt_config_uint(const struct wt_config *cfg, const char *key)
{
	const struct value *value = get(cfg, key, 1u << WT_CONFIG_UINT);

	return value ? value->number : 0;
}

bool wt_config_bool(const struct wt_config *cfg, const char *key)
{
	const struct value *value = get(cfg, key, 1u << WT_CONFIG_BOOL);

	return value && value->number;
}

enum wt_status wt_config_sockaddr(const struct wt_config *cfg, const char *key, size_t i,
				  struct sockaddr_storage *out)
{
	const struct value *value = get(cfg, key, 1u << WT_CONFIG_SOCKADDR);

	if (!value || i >= value->list.count)
		return WT_ERR_INVALID;
	*out = value->list.items[i];
	return WT_OK;
}

const uint8_t *wt_config_key32(const struct wt_config *cfg, const char *key)
{
	const struct value *value =
		get(cfg, key, 1u << WT_CONFIG_KEYFILE32 | 1u << WT_CONFIG_KEY32);

	return value ? value->key32 : NULL;
}
