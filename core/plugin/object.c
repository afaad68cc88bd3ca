/* SPDX-License-Identifier: MIT */
#include "plugin/object.h"

#include <byteswap.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

/* The linker's name for the ELF header of this very program: what a plugin
 * must agree with, without a table of machines. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static enum wt_status say_no_object(struct wt_error *err)
{
	return wt_fail(err, WT_ERR_INVALID,
		       "is no ELF shared object; a plugin is built with WT_PLUGIN of "
		       "<whispertunnel/plugin.h>");
}

static enum wt_status say_damaged(struct wt_error *err)
{
	return wt_fail(err, WT_ERR_INVALID, "is damaged or cut short; install it again");
}

/* `have` bytes of it were read. Of another class only e_machine lies where it
 * does here. */
static enum wt_status check_machine(const ElfW(Ehdr) * ehdr, size_t have, struct wt_error *err)
{
	const unsigned char *ident = ehdr->e_ident, *ours = __ehdr_start.e_ident;
	unsigned machine =
		ident[EI_DATA] == ours[EI_DATA] ? ehdr->e_machine : bswap_16(ehdr->e_machine);

	if (have < EI_NIDENT || memcmp(ident, ELFMAG, SELFMAG) != 0)
		return say_no_object(err);
	if (ident[EI_CLASS] != ours[EI_CLASS] || ident[EI_DATA] != ours[EI_DATA] ||
	    machine != __ehdr_start.e_machine)
		return wt_fail(err, WT_ERR_UNSUPPORTED,
			       "is for another machine (ELF class %u, machine %u; this program: "
			       "class %u, machine %u); build it for this one",
			       ident[EI_CLASS], machine, ours[EI_CLASS], __ehdr_start.e_machine);
	return WT_OK;
}

static enum wt_status check_header(int fd, uint64_t size, struct wt_error *err)
{
	ElfW(Ehdr) ehdr = { .e_type = ET_NONE };
	ssize_t n = pread(fd, &ehdr, sizeof ehdr, 0);
	enum wt_status status;

	if (n < 0)
		return wt_fail(err, WT_ERR_IO, "cannot be read: %s; install it again",
			       strerror(errno));
	status = check_machine(&ehdr, (size_t)n, err);
	if (status != WT_OK)
		return status;
	if ((size_t)n < sizeof ehdr)
		return say_damaged(err);
	if (ehdr.e_type != ET_DYN)
		return wt_fail(err, WT_ERR_INVALID,
			       "is an ELF file but no shared object; link it with -shared");
	/* The section headers come last: they show an interrupted copy. */
	if (ehdr.e_shoff > size || (uint64_t)ehdr.e_shnum * ehdr.e_shentsize > size - ehdr.e_shoff)
		return say_damaged(err);
	/* More than 16 bits hold: the true number is in the first section. */
	if ((ehdr.e_shnum == 0 && ehdr.e_shoff != 0) || ehdr.e_phnum == PN_XNUM)
		return say_damaged(err);
	return WT_OK;
}

enum wt_status wt_object_open(int fd, uint64_t size, Elf **elf, struct wt_error *err)
{
	enum wt_status status = check_header(fd, size, err);

	if (status != WT_OK)
		return status;
	if (elf_version(EV_CURRENT) == EV_NONE)
		return wt_fail(err, WT_ERR_UNAVAILABLE, "libelf: %s", elf_errmsg(-1));
	/* Read, not mapped: the file must leave no trace among our maps. */
	*elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!*elf)
		return wt_fail(err, WT_ERR_IO, "cannot be read: %s; install it again",
			       elf_errmsg(-1));
	if (elf_kind(*elf) == ELF_K_ELF)
		return WT_OK;
	elf_end(*elf);
	return say_damaged(err);
}
