/* SPDX-License-Identifier: MIT */
#include "plugin/note.h"

#include <elf.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>

#include "base/error.h"
#include "plugin/object.h"

/* All notes of a file together. What compilers and linkers add takes a few hundred
 * bytes, and each segment is read into memory of its own. */
#define NOTES_MAX (1u << 20)

enum wt_status wt_abi_check(unsigned major, unsigned minor, struct wt_error *err)
{
	if (major != WT_ABI_MAJOR)
		return wt_fail(err, WT_ERR_UNSUPPORTED,
			       "was built for plugin ABI %u.%u, this program speaks %u.%u; build "
			       "it with this version's headers",
			       major, minor, WT_ABI_MAJOR, WT_ABI_MINOR);
	if (WT_ABI_MAJOR == 0 && minor < WT_ABI_MINOR_OLDEST)
		return wt_fail(err, WT_ERR_UNSUPPORTED,
			       "was built for plugin ABI %u.%u, this program speaks %u.%u and "
			       "nothing older than %u.%u; build it with this version's headers",
			       major, minor, WT_ABI_MAJOR, WT_ABI_MINOR, WT_ABI_MAJOR,
			       WT_ABI_MINOR_OLDEST);
	return WT_OK;
}

static enum wt_status say_damaged(struct wt_error *err)
{
	return wt_fail(err, WT_ERR_INVALID, "is damaged or cut short; install it again");
}

/* Copy what the note says if it is ours. *found counts such notes. */
static enum wt_status take_note(const char *owner, size_t owner_size, uint32_t type,
				const uint8_t *desc, size_t desc_size, unsigned *found,
				struct wt_plugin_note_desc *out, struct wt_error *err)
{
	struct wt_plugin_note_desc head;

	if (type != WT_NOTE_TYPE || owner_size != sizeof WT_NOTE_NAME ||
	    memcmp(owner, WT_NOTE_NAME, sizeof WT_NOTE_NAME) != 0)
		return WT_OK;
	if (++*found > 1)
		return wt_fail(err, WT_ERR_INVALID,
			       "has more than one WhisperTunnel note; build one plugin a file");
	/* The ABI first: another one may have another rest. */
	if (desc_size < offsetof(struct wt_plugin_note_desc, kind))
		return say_damaged(err);
	memcpy(&head, desc, offsetof(struct wt_plugin_note_desc, kind));
	enum wt_status status = wt_abi_check(head.abi_major, head.abi_minor, err);

	if (status != WT_OK)
		return status;
	if (head.struct_size < sizeof *out || desc_size < sizeof *out)
		return wt_fail(err, WT_ERR_INVALID,
			       "has a WhisperTunnel note that is too short (%u bytes of %zu); "
			       "write it with WT_PLUGIN_NOTE",
			       head.struct_size, sizeof *out);
	memcpy(out, desc, sizeof *out);
	out->name[WT_NAME_MAX] = '\0';
	out->version[WT_VERSION_MAX] = '\0';
	return WT_OK;
}

static enum wt_status scan_segment(Elf *elf, const GElf_Phdr *phdr, unsigned *found,
				   struct wt_plugin_note_desc *out, struct wt_error *err)
{
	Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)phdr->p_offset, phdr->p_filesz,
					      phdr->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
	size_t at = 0, owner_at, desc_at;
	GElf_Nhdr nhdr;

	if (!data)
		return say_damaged(err);
	while ((at = gelf_getnote(data, at, &nhdr, &owner_at, &desc_at)) > 0) {
		const char *bytes = data->d_buf;
		enum wt_status status =
			take_note(bytes + owner_at, nhdr.n_namesz, nhdr.n_type,
				  (const uint8_t *)bytes + desc_at, nhdr.n_descsz, found, out, err);

		if (status != WT_OK)
			return status;
	}
	return WT_OK;
}

static enum wt_status scan(Elf *elf, uint64_t size, struct wt_plugin_note_desc *out,
			   struct wt_error *err)
{
	enum wt_status status;
	uint64_t left = NOTES_MAX;
	unsigned found = 0;
	size_t n;

	if (elf_getphdrnum(elf, &n) != 0)
		return say_damaged(err);
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr phdr;

		/* A segment beyond the end of the file would be mapped, and
		 * SIGBUS at the first touch. */
		if (!gelf_getphdr(elf, (int)i, &phdr) || phdr.p_offset > size ||
		    phdr.p_filesz > size - phdr.p_offset)
			return say_damaged(err);
		if (phdr.p_type != PT_NOTE || phdr.p_filesz == 0)
			continue;
		if (phdr.p_filesz > left)
			return say_damaged(err);
		left -= phdr.p_filesz;
		status = scan_segment(elf, &phdr, &found, out, err);
		if (status != WT_OK)
			return status;
	}
	if (found == 0)
		return wt_fail(err, WT_ERR_INVALID,
			       "is no WhisperTunnel plugin: it has no note of that name; a plugin "
			       "is built with WT_PLUGIN of <whispertunnel/plugin.h>");
	return WT_OK;
}

enum wt_status wt_note_read(int fd, uint64_t size, struct wt_plugin_note_desc *note,
			    struct wt_error *err)
{
	Elf *elf;
	enum wt_status status = wt_object_open(fd, size, &elf, err);

	if (status != WT_OK)
		return status;
	status = scan(elf, size, note, err);
	elf_end(elf);
	return status;
}
