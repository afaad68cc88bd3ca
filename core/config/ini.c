/* SPDX-License-Identifier: MIT
 *
 * The reader below sees each line before inih does: it counts, opens sections,
 * and hands inih only lines that inih reads the way a person does. All others
 * become an empty line, so that parsing goes on and one run shows all.
 */
#include "config/ini.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/utf8.h"
#include "config/trusted.h"

static const struct wt_trusted_rule ini_rule = {
	.what = "configuration file",
	.allowed = "one that group and others cannot write to",
	.refused = S_IWGRP | S_IWOTH,
	.chmod = "go-w",
	.follow = true,
};

struct parser {
	const char *data;
	size_t left;
	int line;
	struct wt_ini *ini;
	struct wt_problems *problems;
	bool skip; /* the section's header was refused: its keys are passed over in silence */
	bool nul;  /* one was found: of other lines that is not said again */
	bool out_of_memory;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct wt_ini_section *current(const struct parser *parser)
{
	return parser->ini->count ? &parser->ini->sections[parser->ini->count - 1] : NULL;
}

static struct wt_place here(const struct parser *parser)
{
	struct wt_ini_section *section = parser->skip ? NULL : current(parser);

	return (struct wt_place){ parser->line, section ? section->label : NULL, NULL };
}

/* Room for one more element; false: out of memory. */
static bool grow(void **items, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return true;
	size_t wanted = *room ? *room * 2 : 8;
	void *larger = reallocarray(*items, wanted, size);

	if (!larger)
		return false;
	*items = larger;
	*room = wanted;
	return true;
}

/* ---- judging a line ------------------------------------------------------ */

/* Length of the character at p, 0 if it is none or a control character. NUL ends
 * the line's buffer, so that none reads past it. */
static size_t character(const unsigned char *p)
{
	if (*p < 0x80)
		return *p == '\t' || (*p >= 0x20 && *p != 0x7f) ? 1 : 0;
	return wt_utf8_length(p);
}

/* Only whole characters that a terminal shows as they are. */
static bool characters_are_sound(struct parser *parser, const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + len;

	while (p < end) {
		size_t n = character(p);

		if (n == 0) {
			wt_problem_add(parser->problems, here(parser),
				       "byte 0x%02x found in column %td, allowed is printable "
				       "UTF-8 text",
				       *p, p - (const unsigned char *)text + 1);
			return false;
		}
		p += n;
	}
	return true;
}

/* inih takes this for a comment and drops the rest of the line. */
static bool has_inline_comment(const char *text)
{
	for (const char *p = text; *p; p++)
		if (*p == ';' && p > text && is_blank(p[-1]))
			return true;
	return false;
}

/* "[kind name]" -> a new section, without blanks around and between. */
static bool open_section(struct parser *parser, const char *inner, size_t len)
{
	struct wt_ini *ini = parser->ini;
	struct wt_ini_section section = { .line = parser->line };
	size_t kind = strcspn(inner, " \t");
	const char *name;

	if (kind > len)
		kind = len;
	name = inner + kind;
	while (name < inner + len && is_blank(*name))
		name++;
	section.kind = strndup(inner, kind);
	section.name = strndup(name, (size_t)(inner + len - name));
	if (!section.kind || !section.name)
		goto no_memory;
	if (asprintf(&section.label, "%s%s%s", section.kind, *section.name ? " " : "",
		     section.name) < 0) {
		section.label = NULL;
		goto no_memory;
	}
	if (!grow((void **)&ini->sections, ini->count, &ini->room, sizeof *ini->sections))
		goto no_memory;
	ini->sections[ini->count++] = section;
	return true;
no_memory:
	free(section.kind);
	free(section.name);
	free(section.label);
	parser->out_of_memory = true;
	return false;
}

static bool judge_header(struct parser *parser, const char *text)
{
	struct wt_place place = { parser->line, NULL, NULL };
	const char *close = strchr(text, ']');
	const char *inner = text + 1, *rest;
	size_t len;

	if (!close) {
		wt_problem_add(parser->problems, place,
			       "\"[\" without \"]\" found, allowed is [KIND] or [KIND NAME]");
		return false;
	}
	for (rest = close + 1; is_blank(*rest); rest++)
		;
	if (*rest) {
		wt_problem_add(parser->problems, place,
			       "text found after \"]\"; put it on a line of its own");
		return false;
	}
	for (len = (size_t)(close - inner); len > 0 && is_blank(*inner); len--)
		inner++;
	while (len > 0 && is_blank(inner[len - 1]))
		len--;
	if (len == 0) {
		wt_problem_add(parser->problems, place,
			       "section without a name found, allowed is [KIND] or [KIND NAME]");
		return false;
	}
	if (len > WT_INI_SECTION_MAX) {
		wt_problem_add(parser->problems, place,
			       "section name of %zu bytes found, allowed are %u", len,
			       WT_INI_SECTION_MAX);
		return false;
	}
	return open_section(parser, inner, len);
}

static bool judge_entry(struct parser *parser, const char *text)
{
	struct wt_place place = here(parser);
	size_t separator = strcspn(text, "=:");

	if (is_blank(*text)) {
		wt_problem_add(parser->problems, place,
			       "indented line found, which would continue the value above; remove "
			       "the blanks at its beginning");
	} else if (text[separator] == ':') {
		wt_problem_add(parser->problems, place,
			       "\":\" found between key and value, allowed is \"=\"");
	} else if (text[separator] != '=') {
		wt_problem_add(parser->problems, place,
			       "line without \"=\" found, allowed are [SECTION], KEY = VALUE, and "
			       "comments that begin with ; or #");
	} else if (separator == 0) {
		wt_problem_add(parser->problems, place, "no key found before \"=\"");
	} else if (has_inline_comment(text)) {
		wt_problem_add(parser->problems, place,
			       "\";\" after a blank found, which would cut the value; put the "
			       "comment on a line of its own");
	} else if (!current(parser)) {
		wt_problem_add(parser->problems, place,
			       "key found before the first section; put it below [tunnel] or "
			       "another section");
	} else {
		return true;
	}
	return false;
}

/* May inih see this line? `text` ends with NUL and holds no other. */
static bool judge(struct parser *parser, const char *text, size_t len)
{
	const char *start = text + strspn(text, " \t");

	if (!*start || *start == ';' || *start == '#')
		return false;
	if (*text == '[') {
		if (!characters_are_sound(parser, text, len) || !judge_header(parser, text))
			return false;
		parser->skip = false;
		return true;
	}
	return !parser->skip && characters_are_sound(parser, text, len) &&
	       judge_entry(parser, text);
}

/* ---- inih's two callbacks ------------------------------------------------ */

/* One line, without LF or CR LF, and the parser stands behind it. */
static size_t next_line(struct parser *parser, const char **line)
{
	const char *end = memchr(parser->data, '\n', parser->left);
	size_t len = end ? (size_t)(end - parser->data) : parser->left;

	*line = parser->data;
	parser->data += len + (end ? 1 : 0);
	parser->left -= len + (end ? 1 : 0);
	parser->line++;
	return len > 0 && (*line)[len - 1] == '\r' ? len - 1 : len;
}

/* As fgets: at most `size` bytes with the NUL; NULL at the end. */
static char *read_line(char *out, int size, void *arg)
{
	struct parser *parser = arg;
	const char *line;
	size_t len;

	if (parser->left == 0 || parser->out_of_memory || size < 2)
		return NULL;
	len = next_line(parser, &line);
	out[0] = '\n';
	out[1] = '\0';
	/* Whatever it turns out to be, it is not in the section above. */
	if (len > 0 && line[0] == '[')
		parser->skip = true;
	if (memchr(line, '\0', len)) {
		if (!parser->nul)
			wt_problem_add(parser->problems, here(parser),
				       "NUL byte found, allowed is printable UTF-8 text");
		parser->nul = true;
	} else if (len > WT_INI_LINE_MAX || len + 2 > (size_t)size) {
		if (line[0] == '[' || (!parser->skip && line[0] != ';' && line[0] != '#'))
			wt_problem_add(parser->problems, here(parser),
				       "line of %zu bytes found, allowed are %u (address, endpoint "
				       "and allowed_ips may be written on several lines, each "
				       "with its key)",
				       len, WT_INI_LINE_MAX);
	} else {
		char text[WT_INI_LINE_MAX + 1];

		memcpy(text, line, len);
		text[len] = '\0';
		if (judge(parser, text, len)) {
			memcpy(out, line, len);
			out[len] = '\n';
			out[len + 1] = '\0';
		}
	}
	return out;
}

static bool is_quoted(const char *value)
{
	size_t len = strlen(value);

	return len >= 2 && (*value == '"' || *value == '\'') && value[len - 1] == *value;
}

/* A key and its value, of the line that was read last. Non-zero: go on. */
static int take_entry(void *arg, const char *section, const char *key, const char *value)
{
	struct parser *parser = arg;
	struct wt_ini_section *into = current(parser);
	struct wt_ini_entry entry = { .line = parser->line };

	(void)section; /* the reader's view of it is the same, and untrimmed */
	if (is_quoted(value)) {
		struct wt_place place = { parser->line, into->label, key };

		wt_problem_add(parser->problems, place,
			       "value in quotes found, allowed is the value without them");
		return 1;
	}
	entry.key = strdup(key);
	entry.value = strdup(value);
	if (!entry.key || !entry.value ||
	    !grow((void **)&into->entries, into->count, &into->room, sizeof *into->entries)) {
		free(entry.key);
		free(entry.value);
		parser->out_of_memory = true;
		return 0;
	}
	into->entries[into->count++] = entry;
	return 1;
}

/* ---- the whole ----------------------------------------------------------- */

static void free_section(struct wt_ini_section *section)
{
	for (size_t i = 0; i < section->count; i++) {
		free(section->entries[i].key);
		free(section->entries[i].value);
	}
	free(section->entries);
	free(section->label);
	free(section->kind);
	free(section->name);
}

static int by_label(const void *a, const void *b)
{
	const struct wt_ini_section *x = *(struct wt_ini_section *const *)a;
	const struct wt_ini_section *y = *(struct wt_ini_section *const *)b;
	int order = strcmp(x->label, y->label);

	return order ? order : x->line - y->line;
}

/* Names every section that was there before, and drops it. Sorted, because a
 * server may have 65,536 peers. */
static enum wt_status drop_repeated(struct wt_ini *ini, struct wt_problems *problems)
{
	struct wt_ini_section **sorted;
	size_t kept = 0;

	if (ini->count < 2)
		return WT_OK;
	sorted = calloc(ini->count, sizeof(struct wt_ini_section *));
	if (!sorted)
		return WT_ERR_NOMEM;
	for (size_t i = 0; i < ini->count; i++)
		sorted[i] = &ini->sections[i];
	qsort(sorted, ini->count, sizeof(struct wt_ini_section *), by_label);
	for (size_t i = 1, first = 0; i < ini->count; i++) {
		if (strcmp(sorted[i]->label, sorted[first]->label) != 0) {
			first = i;
			continue;
		}
		wt_problem_add(problems,
			       (struct wt_place){ sorted[i]->line, sorted[i]->label, NULL },
			       "section found again, first on line %d; put all its keys there",
			       sorted[first]->line);
		sorted[i]->line = 0;
	}
	free(sorted);
	for (size_t i = 0; i < ini->count; i++) {
		if (ini->sections[i].line == 0)
			free_section(&ini->sections[i]);
		else
			ini->sections[kept++] = ini->sections[i];
	}
	ini->count = kept;
	return WT_OK;
}

enum wt_status wt_ini_parse(const char *data, size_t len, struct wt_problems *problems,
			    struct wt_ini *ini)
{
	struct parser parser = { .data = data, .left = len, .ini = ini, .problems = problems };
	int failed;

	*ini = (struct wt_ini){ .count = 0 };
	if (len >= 2 && (memcmp(data, "\xff\xfe", 2) == 0 || memcmp(data, "\xfe\xff", 2) == 0)) {
		wt_problem_add(problems, (struct wt_place){ .line = 1 },
			       "UTF-16 text found, allowed is UTF-8; save the file as UTF-8");
		return WT_OK;
	}
	if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
		parser.data += 3;
		parser.left -= 3;
	}
	failed = ini_parse_stream(read_line, &parser, take_entry, &parser);
	if (parser.out_of_memory || failed < 0)
		return WT_ERR_NOMEM;
	if (failed > 0)
		wt_problem_add(problems, (struct wt_place){ .line = failed },
			       "line found that the INI parser refuses");
	return drop_repeated(ini, problems);
}

void wt_ini_clear(struct wt_ini *ini)
{
	for (size_t i = 0; i < ini->count; i++)
		free_section(&ini->sections[i]);
	free(ini->sections);
	*ini = (struct wt_ini){ .count = 0 };
}

/* All of the file; the caller frees *data. */
static enum wt_status slurp(int fd, char **data, size_t *len, struct wt_error *err)
{
	struct stat st;
	char *buf;

	if (fstat(fd, &st) != 0)
		return wt_fail(err, WT_ERR_IO, "cannot be read: %s", strerror(errno));
	if (st.st_size > (off_t)WT_INI_FILE_MAX)
		return wt_fail(err, WT_ERR_CONFIG, "%lld bytes found, allowed are %u",
			       (long long)st.st_size, WT_INI_FILE_MAX);
	buf = malloc((size_t)st.st_size + 1);
	if (!buf)
		return wt_fail(err, WT_ERR_NOMEM, "out of memory");
	*len = 0;
	while (*len < (size_t)st.st_size) {
		ssize_t n = read(fd, buf + *len, (size_t)st.st_size - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			free(buf);
			return wt_fail(err, WT_ERR_IO, "cannot be read: %s", strerror(errno));
		}
		if (n == 0)
			break;
		*len += (size_t)n;
	}
	*data = buf;
	return WT_OK;
}

enum wt_status wt_ini_read(struct wt_problems *problems, struct wt_ini *ini)
{
	struct wt_error err = WT_ERROR_INIT;
	enum wt_status status;
	char *data = NULL;
	size_t len = 0;
	int fd = -1;

	*ini = (struct wt_ini){ .count = 0 };
	status = wt_trusted_open(problems->path, &ini_rule, &fd, &err);
	if (status == WT_OK) {
		status = slurp(fd, &data, &len, &err);
		close(fd);
	}
	if (status != WT_OK) {
		wt_problem_add(problems, (struct wt_place){ .line = 0 }, "%s", err.text);
		return WT_ERR_CONFIG;
	}
	status = wt_ini_parse(data, len, problems, ini);
	free(data);
	return status;
}
