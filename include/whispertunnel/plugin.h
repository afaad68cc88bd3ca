/* SPDX-License-Identifier: MIT
 *
 * plugin.h: what a plugin says of itself.
 *
 * A plugin is one shared object that exports one symbol,
 * `wt_plugin_descriptor`, a constant that points to everything else. The
 * same facts that decide whether it may be loaded at all (kind, ABI, name,
 * version) also stand in an ELF note, so that the host reads them before any
 * code of the plugin, constructors included, has run.
 *
 *	static const struct wt_crypto_ops ops = { .struct_size = sizeof ops, ... };
 *	WT_PLUGIN(WT_KIND_CRYPTO, "my-aead", "1.0",
 *		.license = "MIT", .summary = "...", .algorithm = "AES-256-GCM",
 *		.ops = &ops);
 *
 * (In C++17, which has no designated initialisers, write WT_PLUGIN_NOTE and
 * the descriptor by hand: examples are in docs/plugin-guide.md.)
 *
 * Rules that hold for every structure in these headers:
 *  - it begins with its own size as the side that filled it knew it; the
 *    other side reads a field only if it lies inside that size;
 *  - what the other side is to fill in (struct wt_error, wt_source, wt_auth_out,
 *    elements of an array) the caller sizes and sets to zero: fill in fields, never
 *    assign the whole, and write nothing behind its size;
 *  - new fields are appended, none is moved, resized or given a new meaning;
 *  - an array's stride is the struct_size of its elements;
 *  - `reserved` fields are zero; unknown flags are ignored.
 * An enum is passed as 32 unsigned bits and may get more values: bindings for other
 * languages declare an unsigned integer and constants.
 */
#ifndef WHISPERTUNNEL_PLUGIN_H
#define WHISPERTUNNEL_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#include <whispertunnel/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Another major is refused. While the major is 0, a minor older than
 * WT_ABI_MINOR_OLDEST is refused too: 0.x may still break, and says so here. */
#define WT_ABI_MAJOR 0
#define WT_ABI_MINOR 4
#define WT_ABI_MINOR_OLDEST 4

enum wt_plugin_kind WT_ENUM_BASE { WT_KIND_CRYPTO = 1, WT_KIND_TRANSPORT = 2, WT_KIND_AUTH = 3 };

/* Is `field` of *p inside the size that the other side declared? */
#define WT_HAS(p, type, field)                                                                     \
	((p)->struct_size >= offsetof(type, field) + sizeof(((const type *)0)->field))

/* ---- configuration keys -------------------------------------------------- */

enum wt_config_type WT_ENUM_BASE {
	WT_CONFIG_STRING = 1,
	WT_CONFIG_BOOL = 2,	 /* yes|no|true|false|on|off */
	WT_CONFIG_UINT = 3,	 /* decimal, min..max */
	WT_CONFIG_ENUM = 4,	 /* one of `choices`, which reads "a|b|c" */
	WT_CONFIG_SOCKADDR = 5,	 /* list of numeric ADDRESS:PORT or [V6]:PORT, comma-separated */
	WT_CONFIG_KEYFILE32 = 6, /* path of a file with 32 bytes in base64; the core reads it */
	WT_CONFIG_KEY32 = 7	 /* 32 bytes in base64, nothing secret: a public key */
};

enum wt_config_scope WT_ENUM_BASE {
	WT_SCOPE_SECTION = 1, /* in the plugin's own [KIND NAME] section */
	WT_SCOPE_PEER = 2,    /* in [peer NAME] of a peer that uses the plugin */
	WT_SCOPE_ENDPOINT = 3 /* after an endpoint: tcp://host:port?key=value&... */
};

#define WT_CONFIG_REQUIRED 0x1u /* an error when absent */
#define WT_CONFIG_SECRET 0x2u	/* the value is never logged or printed */

struct wt_config_key {
	uint32_t struct_size;
	uint32_t type;	/* enum wt_config_type */
	uint32_t scope; /* enum wt_config_scope */
	uint32_t flags; /* WT_CONFIG_* */
	/* What a type or a scope means is known or refused. */
	const char *name;	   /* [a-z][a-z0-9_]*, up to 31 */
	const char *default_value; /* as it would be written; NULL: unset */
	const char *choices;	   /* ENUM only */
	const char *help;	   /* one sentence */
	uint64_t min, max;	   /* UINT, inclusive */
	/* KEYFILE32: the command that writes such a file to standard output;
	 * NULL: "wtcore genpsk". */
	const char *make;
};

/* ---- settings to test with ------------------------------------------------ */

/* One setting of an end, as it would be written; of a KEYFILE32 the text that
 * the file holds, for which the tester makes a file. */
struct wt_conformance_setting {
	uint32_t struct_size;
	uint32_t scope; /* enum wt_config_scope */
	const char *key, *value;
};

struct wt_conformance_end {
	uint32_t struct_size;
	uint32_t setting_count;
	const struct wt_conformance_setting *settings;
};

/* With what settings a tester (`wtplug conform`) can try an instance; the daemon
 * never looks. Its keys are known to everybody: they protect nothing. */
struct wt_conformance {
	uint32_t struct_size;
	uint32_t reserved;
	/* Two ends that accept each other. Auth: each has one peer, the other.
	 * Transport: the acceptor's section makes it listen; in a SOCKADDR setting
	 * the tester puts a free port in the place of port 0, as in
	 * "127.0.0.1:0, [::1]:0", and dials that address. What is tried over IPv4
	 * and over IPv6 follows from these. The dialler has a section, and keys of
	 * endpoints, which dial() is given. */
	const struct wt_conformance_end *dialler, *acceptor;
	/* Auth: one that would dial the acceptor as well, with credentials that it
	 * must not believe; and the dialler must not believe the stranger.
	 * Transport: NULL. */
	const struct wt_conformance_end *stranger;
};

/* ---- the descriptor ------------------------------------------------------ */

struct wt_crypto_vector; /* crypto.h */

#define WT_NAME_MAX 31u	   /* [a-z0-9-], without the NUL */
#define WT_VERSION_MAX 15u /* printable ASCII, without the NUL */

/* A constant, which with all that it points to lives as long as the file is
 * loaded. */
struct wt_plugin_descriptor {
	uint32_t struct_size;
	uint16_t abi_major, abi_minor;
	uint32_t kind;		   /* enum wt_plugin_kind */
	uint32_t config_key_count; /* up to 256 */
	const char *name;	   /* as in the file name KIND-NAME.so */
	const char *version;
	const char *license; /* SPDX expression */
	const char *summary; /* one line */
	const void *ops;     /* struct wt_crypto_ops, wt_transport_ops or wt_auth_ops */
	const struct wt_config_key *config_keys;
	/* Crypto only, up to 63 printable ASCII. Anything but "AES-256-GCM" needs `allow_insecure =
	 * yes` and is tested at load with `vectors` instead of the host's. */
	const char *algorithm;
	const struct wt_crypto_vector *vectors;
	uint64_t vector_count;
	/* Since ABI 0.3. Optional: without it a tester can try less. */
	const struct wt_conformance *conformance;
};

#define WT_PLUGIN_SYMBOL "wt_plugin_descriptor"
#define WT_ALGORITHM_AES256GCM "AES-256-GCM"

/* ---- the ELF note -------------------------------------------------------- */

#define WT_NOTE_NAME "WhisperTunnel" /* 14 bytes with the NUL, padded to 16 */
#define WT_NOTE_TYPE 1u
#define WT_NOTE_SECTION ".note.whispertunnel"

struct wt_plugin_note_desc {
	uint32_t struct_size;
	uint16_t abi_major, abi_minor;
	uint32_t kind;
	char name[WT_NAME_MAX + 1u];
	char version[WT_VERSION_MAX + 1u];
};

struct wt_plugin_note {
	uint32_t namesz, descsz, type;
	char owner[16];
	struct wt_plugin_note_desc desc;
};

#if defined(__clang__)
/* AddressSanitizer would put a gap behind the note. */
#define WT_NOTE_ATTR                                                                               \
	__attribute__((section(WT_NOTE_SECTION), used, aligned(4), no_sanitize("address")))
#elif defined(__GNUC__)
#define WT_NOTE_ATTR __attribute__((section(WT_NOTE_SECTION), used, aligned(4)))
#endif
#if defined(__GNUC__)
#define WT_EXPORT __attribute__((visibility("default"), used))
#else
#error "plugins are ELF shared objects built with gcc or clang"
#endif

/* Emits the note. Once a plugin, at file scope. */
#define WT_PLUGIN_NOTE(kind_, name_, version_)                                                     \
	static const struct wt_plugin_note wt_plugin_note_ WT_NOTE_ATTR = {                        \
		sizeof(WT_NOTE_NAME),                                                              \
		(uint32_t)sizeof(struct wt_plugin_note_desc),                                      \
		WT_NOTE_TYPE,                                                                      \
		WT_NOTE_NAME,                                                                      \
		{ (uint32_t)sizeof(struct wt_plugin_note_desc), WT_ABI_MAJOR, WT_ABI_MINOR,        \
		  (kind_), name_, version_ },                                                      \
	}

/* Emits note and descriptor. C only; further fields as designated
 * initialisers. */
#define WT_PLUGIN(kind_, name_, version_, ...)                                                     \
	WT_PLUGIN_NOTE(kind_, name_, version_);                                                    \
	extern const struct wt_plugin_descriptor wt_plugin_descriptor;                             \
	WT_EXPORT const struct wt_plugin_descriptor wt_plugin_descriptor = {                       \
		.struct_size = sizeof(struct wt_plugin_descriptor),                                \
		.abi_major = WT_ABI_MAJOR,                                                         \
		.abi_minor = WT_ABI_MINOR,                                                         \
		.kind = (kind_),                                                                   \
		.name = name_,                                                                     \
		.version = version_,                                                               \
		__VA_ARGS__                                                                        \
	}

#ifdef __cplusplus
}
#endif

#endif
