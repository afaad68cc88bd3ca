// SPDX-License-Identifier: MIT

//! What is used of OpenSSL 3's libcrypto, and of libc: the manual pages `EVP_EncryptInit(3)` and
//! `calloc(3)` are the contracts.

use crate::sdk::Int;
use core::ffi::c_void;

/// Opaque: libcrypto's own.
#[repr(C)]
pub struct Cipher {
    _private: [u8; 0],
}

#[repr(C)]
pub struct Context {
    _private: [u8; 0],
}

pub const CTRL_GET_TAG: Int = 0x10;
pub const CTRL_SET_TAG: Int = 0x11;

#[link(name = "crypto")]
extern "C" {
    pub fn EVP_CIPHER_fetch(
        library: *mut c_void,
        algorithm: *const u8,
        properties: *const u8,
    ) -> *mut Cipher;
    pub fn EVP_CIPHER_free(cipher: *mut Cipher);
    pub fn EVP_CIPHER_CTX_new() -> *mut Context;
    pub fn EVP_CIPHER_CTX_free(ctx: *mut Context);
    pub fn EVP_CipherInit_ex2(
        ctx: *mut Context,
        cipher: *const Cipher,
        key: *const u8,
        iv: *const u8,
        sealing: Int,
        params: *const c_void,
    ) -> Int;
    pub fn EVP_CipherUpdate(
        ctx: *mut Context,
        out: *mut u8,
        out_len: *mut Int,
        input: *const u8,
        len: Int,
    ) -> Int;
    pub fn EVP_CipherFinal_ex(ctx: *mut Context, out: *mut u8, out_len: *mut Int) -> Int;
    pub fn EVP_CIPHER_CTX_ctrl(ctx: *mut Context, what: Int, arg: Int, p: *mut c_void) -> Int;
    pub fn ERR_clear_error();
}

#[link(name = "c")]
extern "C" {
    pub fn calloc(count: usize, size: usize) -> *mut c_void;
    pub fn free(p: *mut c_void);
    pub fn abort() -> !;
}
