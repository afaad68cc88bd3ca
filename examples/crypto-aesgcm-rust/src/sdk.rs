// SPDX-License-Identifier: MIT

//! `<whispertunnel/crypto.h>` and what it includes, as far as this plugin needs it. The headers are
//! the contract; here are only their layouts.
//!
//! A structure of the host may be declared up to the last field that is used: it grows at its end
//! alone, and a plugin has only pointers to it.

use core::ffi::c_void;
use core::mem::size_of;

/// C's `int`, as wide as here on every machine that WhisperTunnel runs on.
pub type Int = i32;

pub const ABI_MAJOR: u16 = 0;
pub const ABI_MINOR: u16 = 4;
pub const KIND_CRYPTO: u32 = 1;

pub const KEY_SIZE: usize = 32;
pub const NONCE_SIZE: usize = 12;
pub const TAG_SIZE: usize = 16;

/// `enum wt_status`.
pub type Status = Int;
pub const OK: Status = 0;
pub const ERR_NOMEM: Status = 3;
pub const ERR_UNAVAILABLE: Status = 4;
pub const ERR_AUTH: Status = 5;
pub const ERR_CRYPTO: Status = 10;

/// `struct wt_error`.
#[repr(C)]
pub struct Error {
    pub struct_size: u32,
    pub reserved: u32,
    pub text: [u8; 504],
}

/// `struct wt_host`, up to `wipe`. Functions that are not called here have no types of their own.
#[repr(C)]
pub struct Host {
    pub struct_size: u32,
    pub abi_major: u16,
    pub abi_minor: u16,
    pub this: *mut c_void,
    pub log: *const c_void,
    pub log_limited: *const c_void,
    pub boot_ms: *const c_void,
    pub unix_ms: *const c_void,
    pub mono_ns: *const c_void,
    pub random: *const c_void,
    pub wipe: unsafe extern "C" fn(p: *mut c_void, len: usize),
}

type Available = unsafe extern "C" fn(host: *const Host, err: *mut Error) -> Status;
type Create = unsafe extern "C" fn(
    host: *const Host,
    cfg: *const c_void,
    this: *mut *mut c_void,
    err: *mut Error,
) -> Status;
type Destroy = unsafe extern "C" fn(this: *mut c_void);
type KeyInit = unsafe extern "C" fn(
    this: *mut c_void,
    worker: *mut c_void,
    ctx: *mut c_void,
    key: *const u8,
) -> Status;
type KeyWipe = unsafe extern "C" fn(this: *mut c_void, ctx: *mut c_void);
type Crypt = unsafe extern "C" fn(
    this: *mut c_void,
    worker: *mut c_void,
    ctx: *mut c_void,
    nonce: *const u8,
    aad: *const u8,
    aad_len: usize,
    input: *const u8,
    len: usize,
    out: *mut u8,
) -> Status;

/// `struct wt_crypto_ops`, up to what is required: `struct_size` tells the host that the batch forms
/// are not there.
#[repr(C)]
pub struct CryptoOps {
    pub struct_size: u32,
    pub key_size: u32,
    pub nonce_size: u32,
    pub tag_size: u32,
    pub ctx_size: u32,
    pub ctx_align: u32,
    pub available: Available,
    pub create: Create,
    pub destroy: Destroy,
    pub key_init: KeyInit,
    pub key_wipe: KeyWipe,
    pub seal: Crypt,
    pub open: Crypt,
}

/// `struct wt_plugin_descriptor`. Texts end with a NUL.
#[repr(C)]
pub struct Descriptor {
    pub struct_size: u32,
    pub abi_major: u16,
    pub abi_minor: u16,
    pub kind: u32,
    pub config_key_count: u32,
    pub name: *const u8,
    pub version: *const u8,
    pub license: *const u8,
    pub summary: *const u8,
    pub ops: *const CryptoOps,
    pub config_keys: *const c_void,
    pub algorithm: *const u8,
    pub vectors: *const c_void,
    pub vector_count: u64,
    pub conformance: *const c_void,
}

// What it points to is constant.
unsafe impl Sync for Descriptor {}

/// `struct wt_plugin_note`: kind, name, version and ABI, which the host reads from the file before
/// any code of it runs.
#[repr(C)]
pub struct Note {
    namesz: u32,
    descsz: u32,
    kind_of_note: u32,
    owner: [u8; 16],
    desc: NoteDesc,
}

#[repr(C)]
struct NoteDesc {
    struct_size: u32,
    abi_major: u16,
    abi_minor: u16,
    kind: u32,
    name: [u8; 32],
    version: [u8; 16],
}

impl Note {
    /// `name` and `version` end with a NUL.
    pub const fn new(kind: u32, name: &[u8], version: &[u8]) -> Note {
        Note {
            namesz: 14,
            descsz: size_of::<NoteDesc>() as u32,
            kind_of_note: 1,
            owner: padded(b"WhisperTunnel\0"),
            desc: NoteDesc {
                struct_size: size_of::<NoteDesc>() as u32,
                abi_major: ABI_MAJOR,
                abi_minor: ABI_MINOR,
                kind,
                name: padded(name),
                version: padded(version),
            },
        }
    }
}

/// Filled up with zeros. A text that is too long does not compile.
const fn padded<const N: usize>(text: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    let mut i = 0;

    while i < text.len() {
        out[i] = text[i];
        i += 1;
    }
    out
}
