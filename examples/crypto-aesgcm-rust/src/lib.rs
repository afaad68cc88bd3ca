// SPDX-License-Identifier: MIT

//! A crypto plugin for WhisperTunnel in Rust: AES-256-GCM by libcrypto, through its C interface. No
//! crates, no standard library: what a plugin may use is what the host and its own library give.
//!
//! The steps are those of the template that `wtplug new` writes in C. Every function is called by C
//! with pointers that `<whispertunnel/crypto.h>` describes; that is what each `unsafe` relies on.

#![no_std]
#![deny(unsafe_op_in_unsafe_fn)]

mod evp;
mod sdk;

use core::ffi::c_void;
use core::mem::{align_of, size_of};
use core::ptr::{copy_nonoverlapping, null, null_mut};
use sdk::{CryptoOps, Descriptor, Error, Host, Int, Note, Status, KEY_SIZE, NONCE_SIZE, TAG_SIZE};

const ALGORITHM: &[u8] = b"AES-256-GCM\0";
const NAME: &[u8] = b"aesgcm-rust\0";
const VERSION: &[u8] = b"0.1.0\0";
const LICENSE: &[u8] = b"MIT\0";
const SUMMARY: &[u8] = b"AES-256-GCM by libcrypto, from Rust\0";

/// Step 1: what one instance holds. No static that changes: two instances do not meet.
struct Instance {
    host: *const Host,
    cipher: *mut evp::Cipher,
}

/// Step 2: what one key holds, in memory of the host.
struct Key {
    ctx: *mut evp::Context,
}

/// A sentence for the operator, one line that ends with a NUL.
fn say(err: *mut Error, text: &[u8]) {
    // The host's, with room for more than any text here; the rest of it may be anything.
    unsafe {
        let out = core::ptr::addr_of_mut!((*err).text) as *mut u8;
        let len = if text.len() < 503 { text.len() } else { 503 };

        copy_nonoverlapping(text.as_ptr(), out, len);
        out.add(len).write(0);
    }
}

fn fetch() -> *mut evp::Cipher {
    unsafe {
        let cipher = evp::EVP_CIPHER_fetch(null_mut(), ALGORITHM.as_ptr(), null());

        evp::ERR_clear_error();
        cipher
    }
}

/// Step 3: can this backend work here?
unsafe extern "C" fn available(_host: *const Host, err: *mut Error) -> Status {
    let cipher = fetch();

    if cipher.is_null() {
        say(
            err,
            b"this libcrypto has no AES-256-GCM; use another backend",
        );
        return sdk::ERR_UNAVAILABLE;
    }
    unsafe { evp::EVP_CIPHER_free(cipher) };
    sdk::OK
}

/// Step 4: make and end an instance.
unsafe extern "C" fn create(
    host: *const Host,
    _cfg: *const c_void,
    this: *mut *mut c_void,
    err: *mut Error,
) -> Status {
    let instance = unsafe { evp::calloc(1, size_of::<Instance>()) } as *mut Instance;

    if instance.is_null() {
        say(err, b"out of memory");
        return sdk::ERR_NOMEM;
    }
    let cipher = fetch();

    if cipher.is_null() {
        say(err, b"libcrypto gave no AES-256-GCM");
        unsafe { evp::free(instance as *mut c_void) };
        return sdk::ERR_UNAVAILABLE;
    }
    unsafe {
        instance.write(Instance { host, cipher });
        *this = instance as *mut c_void;
    }
    sdk::OK
}

unsafe extern "C" fn destroy(this: *mut c_void) {
    unsafe {
        evp::EVP_CIPHER_free((*(this as *mut Instance)).cipher);
        evp::free(this);
    }
}

/// Step 5: set a key up, and wipe it.
unsafe extern "C" fn key_init(
    this: *mut c_void,
    _worker: *mut c_void,
    ctx: *mut c_void,
    raw: *const u8,
) -> Status {
    unsafe {
        let instance = &*(this as *const Instance);
        let evp_ctx = evp::EVP_CIPHER_CTX_new();

        if !evp_ctx.is_null()
            && evp::EVP_CipherInit_ex2(evp_ctx, instance.cipher, raw, null(), 1, null()) == 1
        {
            (*(ctx as *mut Key)).ctx = evp_ctx;
            return sdk::OK;
        }
        evp::ERR_clear_error();
        evp::EVP_CIPHER_CTX_free(evp_ctx);
    }
    sdk::ERR_CRYPTO
}

unsafe extern "C" fn key_wipe(this: *mut c_void, ctx: *mut c_void) {
    unsafe {
        evp::EVP_CIPHER_CTX_free((*(ctx as *mut Key)).ctx);
        wipe(this, ctx, size_of::<Key>());
    }
}

/// By the host, whose way no optimiser removes.
unsafe fn wipe(this: *mut c_void, p: *mut c_void, len: usize) {
    unsafe {
        let host = (*(this as *const Instance)).host;

        ((*host).wipe)(p, len);
    }
}

/// Nonce, additional data and text, in either direction. False: libcrypto failed.
#[allow(clippy::too_many_arguments)]
unsafe fn crypt(
    ctx: *mut evp::Context,
    sealing: bool,
    nonce: *const u8,
    aad: *const u8,
    aad_len: usize,
    input: *const u8,
    len: usize,
    out: *mut u8,
) -> bool {
    let mut n: Int = 0;

    if len > Int::MAX as usize || aad_len > Int::MAX as usize {
        return false;
    }
    unsafe {
        evp::EVP_CipherInit_ex2(ctx, null(), null(), nonce, sealing as Int, null()) == 1
            && (aad_len == 0
                || evp::EVP_CipherUpdate(ctx, null_mut(), &mut n, aad, aad_len as Int) == 1)
            && evp::EVP_CipherUpdate(ctx, out, &mut n, input, len as Int) == 1
    }
}

/// Step 6: seal one record: ciphertext, then tag.
unsafe extern "C" fn seal(
    _this: *mut c_void,
    _worker: *mut c_void,
    ctx: *mut c_void,
    nonce: *const u8,
    aad: *const u8,
    aad_len: usize,
    input: *const u8,
    len: usize,
    out: *mut u8,
) -> Status {
    let mut n: Int = 0;

    unsafe {
        let ctx = (*(ctx as *mut Key)).ctx;
        let tag = out.wrapping_add(len);

        if crypt(ctx, true, nonce, aad, aad_len, input, len, out)
            && evp::EVP_CipherFinal_ex(ctx, tag, &mut n) == 1
            && evp::EVP_CIPHER_CTX_ctrl(ctx, evp::CTRL_GET_TAG, TAG_SIZE as Int, tag as *mut c_void)
                == 1
        {
            return sdk::OK;
        }
        evp::ERR_clear_error();
    }
    sdk::ERR_CRYPTO
}

/// Step 7: open one record. Whatever fails, the whole output is zero.
unsafe extern "C" fn open(
    this: *mut c_void,
    _worker: *mut c_void,
    ctx: *mut c_void,
    nonce: *const u8,
    aad: *const u8,
    aad_len: usize,
    input: *const u8,
    len: usize,
    out: *mut u8,
) -> Status {
    let mut tag = [0u8; TAG_SIZE];
    let mut status = sdk::ERR_CRYPTO;
    let mut n: Int = 0;

    if len < TAG_SIZE {
        return sdk::ERR_AUTH;
    }
    let text_len = len - TAG_SIZE;

    unsafe {
        let ctx = (*(ctx as *mut Key)).ctx;

        // In place, the text is written over the record.
        copy_nonoverlapping(input.add(text_len), tag.as_mut_ptr(), TAG_SIZE);
        if crypt(ctx, false, nonce, aad, aad_len, input, text_len, out)
            && evp::EVP_CIPHER_CTX_ctrl(
                ctx,
                evp::CTRL_SET_TAG,
                TAG_SIZE as Int,
                tag.as_mut_ptr() as *mut c_void,
            ) == 1
        {
            status = if evp::EVP_CipherFinal_ex(ctx, out.wrapping_add(text_len), &mut n) == 1 {
                sdk::OK
            } else {
                sdk::ERR_AUTH
            };
        }
        if status != sdk::OK {
            evp::ERR_clear_error();
            wipe(this, out as *mut c_void, text_len);
        }
    }
    status
}

/// Step 8: the table.
static OPS: CryptoOps = CryptoOps {
    struct_size: size_of::<CryptoOps>() as u32,
    key_size: KEY_SIZE as u32,
    nonce_size: NONCE_SIZE as u32,
    tag_size: TAG_SIZE as u32,
    ctx_size: size_of::<Key>() as u32,
    ctx_align: align_of::<Key>() as u32,
    available,
    create,
    destroy,
    key_init,
    key_wipe,
    seal,
    open,
};

/// Step 9: what it is, once for who reads the file, once for who has loaded it.
#[used]
#[link_section = ".note.whispertunnel"]
static NOTE: Note = Note::new(sdk::KIND_CRYPTO, NAME, VERSION);

#[no_mangle]
#[allow(non_upper_case_globals)]
pub static wt_plugin_descriptor: Descriptor = Descriptor {
    struct_size: size_of::<Descriptor>() as u32,
    abi_major: sdk::ABI_MAJOR,
    abi_minor: sdk::ABI_MINOR,
    kind: sdk::KIND_CRYPTO,
    config_key_count: 0,
    name: NAME.as_ptr(),
    version: VERSION.as_ptr(),
    license: LICENSE.as_ptr(),
    summary: SUMMARY.as_ptr(),
    ops: &OPS,
    config_keys: null(),
    algorithm: ALGORITHM.as_ptr(),
    vectors: null(),
    vector_count: 0,
    conformance: null(),
};

/// Nothing above panics; if it did, nothing of it may go on in the host.
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    unsafe { evp::abort() }
}
