/* SPDX-License-Identifier: MIT */
#include "plugin/exports.h"

#include <ctype.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <link.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/object.h"

/* Who makes a file up can have a million symbols of one long name, and tables of
 * any size in a file that takes no room. */
#define NAMES_MAX 16384u
#define NAME_BYTES_MAX 1023u
#define TABLE_BYTES_MAX (64u << 20)

/* Names of C++ (_Z) and Rust (_R) begin as reserved ones do, and are none. */
static bool reserved(const char *name)
{
	if (name[0] != '_' || name[1] == 'Z' || name[1] == 'R')
		return false;
	return name[1] == '_' || isupper((unsigned char)name[1]) || strcmp(name, "_init") == 0 ||
	       strcmp(name, "_fini") == 0 || strcmp(name, "_edata") == 0 ||
	       strcmp(name, "_end") == 0;
}

static bool counts(const GElf_Sym *symbol, const char *name)
{
	unsigned binding = GELF_ST_BIND(symbol->st_info);
	unsigned visibility = GELF_ST_VISIBILITY(symbol->st_other);

	return symbol->st_shndx != SHN_UNDEF && symbol->st_shndx != SHN_ABS &&
	       (binding == STB_GLOBAL || binding == STB_GNU_UNIQUE) &&
	       (visibility == STV_DEFAULT || visibility == STV_PROTECTED) && name && name[0] &&
	       strcmp(name, WT_PLUGIN_SYMBOL) != 0 && !reserved(name);
}

static enum wt_status add(struct wt_exports *exports, const char *name)
{
	char **grown = reallocarray((void *)exports->names, exports->count + 1, sizeof *grown);

	if (!grown)
		return WT_ERR_NOMEM;
	exports->names = grown;
	grown[exports->count] = strdup(name);
	if (!grown[exports->count])
		return WT_ERR_NOMEM;
	exports->count++;
	return WT_OK;
}

/* The names of a table of symbols; what is behind the last NUL ends nowhere. */
struct names {
	const char *bytes;
	size_t size;
};

static Elf_Data *table_of(Elf_Scn *section)
{
	GElf_Shdr header;

	return gelf_getshdr(section, &header) && header.sh_size <= TABLE_BYTES_MAX
		       ? elf_getdata(section, NULL)
		       : NULL;
}

static struct names names_of(Elf *elf, const GElf_Shdr *symbols)
{
	const Elf_Data *data = table_of(elf_getscn(elf, symbols->sh_link));
	const char *bytes = data ? data->d_buf : NULL;
	const char *end = bytes ? memrchr(bytes, '\0', data->d_size) : NULL;

	return end ? (struct names){ bytes, (size_t)(end - bytes) + 1 }
		   : (struct names){ .size = 0 };
}

static const char *name_of(const struct names *names, const GElf_Sym *symbol)
{
	const size_t at = symbol->st_name;

	if (at >= names->size || strnlen(names->bytes + at, NAME_BYTES_MAX + 1) > NAME_BYTES_MAX)
		return NULL;
	return names->bytes + at;
}

static enum wt_status scan_section(Elf *elf, Elf_Scn *section, const GElf_Shdr *header,
				   struct wt_exports *exports)
{
	const struct names names = names_of(elf, header);
	Elf_Data *data = table_of(section);
	enum wt_status status = WT_OK;
	GElf_Sym symbol;

	for (int i = 0;
	     status == WT_OK && exports->count < NAMES_MAX && gelf_getsym(data, i, &symbol); i++) {
		const char *name = name_of(&names, &symbol);

		if (counts(&symbol, name))
			status = add(exports, name);
	}
	return status;
}

/* An object has at most one such table (System V ABI, "Sections"). */
static enum wt_status scan(Elf *elf, struct wt_exports *exports)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(elf, section)) != NULL)
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_DYNSYM)
			return scan_section(elf, section, &header, exports);
	return WT_OK;
}

enum wt_status wt_exports_read(const char *path, struct wt_exports *exports)
{
	enum wt_status status = WT_OK;
	struct stat st;
	Elf *elf;
	int fd;

	*exports = (struct wt_exports){ .count = 0 };
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return WT_OK;
	if (fstat(fd, &st) == 0 && wt_object_open(fd, (uint64_t)st.st_size, &elf, NULL) == WT_OK) {
		status = scan(elf, exports);
		elf_end(elf);
	}
	close(fd);
	if (status != WT_OK)
		wt_exports_clear(exports);
	return status;
}

void wt_exports_clear(struct wt_exports *exports)
{
	while (exports->count > 0)
		free(exports->names[--exports->count]);
	free((void *)exports->names);
	*exports = (struct wt_exports){ .count = 0 };
}

/* dlsym looks into what the object needs, too. */
static bool defines(void *handle, const struct link_map *own, const char *name)
{
	const void *address = dlsym(handle, name);
	struct link_map *found = NULL;
	Dl_info info;

	return address && dladdr1(address, &info, (void **)&found, RTLD_DL_LINKMAP) != 0 &&
	       found == own;
}

size_t wt_exports_shared(const struct wt_exports *exports, const struct wt_library *library,
			 const char **name)
{
	void *handle = dlopen(library->path, RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
	struct link_map *own = NULL;
	size_t shared = 0;

	/* The vDSO has no file. */
	if (!handle)
		return 0;
	if (dlinfo(handle, RTLD_DI_LINKMAP, &own) == 0)
		for (size_t i = 0; i < exports->count; i++)
			if (defines(handle, own, exports->names[i]) && shared++ == 0)
				*name = exports->names[i];
	dlclose(handle);
	return shared;
}
