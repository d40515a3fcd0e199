// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** What tells one file from another without reading all of it. */
import { sha256 } from 'hash-wasm';
import { UploadFailure } from './errors.js';
/**
 * Bytes that are read at either end: a part, as the repository cuts files by default. How it will
 * cut this one is not known before the upload begins, and a part can have 5 GiB.
 */
export const SAMPLE = 16 * 2 ** 20;
/** Bytes that are in memory at a time. */
export const PIECE = 2 ** 20;
/**
 * Return a short text that is the same for the same file: its size, its modification time, and a
 * digest of its first and last part. The name is for the caller to add.
 *
 * @throws UploadFailure `file_unreadable`
 */
export async function fingerprint(data) {
    const tail = Math.max(SAMPLE, data.size - SAMPLE);
    const sample = new Blob([data.slice(0, SAMPLE), data.slice(tail)]);
    const modified = 'lastModified' in data ? String(data.lastModified) : '';
    return `${data.size}-${modified}-${await digest(sample)}`;
}
/**
 * Read a small piece.
 *
 * @throws UploadFailure `file_unreadable`: it was changed, moved or removed since it was chosen
 */
export async function bytesOf(data) {
    try {
        return new Uint8Array(await data.arrayBuffer());
    }
    catch (error) {
        throw new UploadFailure('file_unreadable', { said: String(error) });
    }
}
// The browser's own SHA-256 wants all bytes at once: so each piece is hashed with the digest so far.
async function digest(data) {
    let hash = '';
    for (let start = 0; start < data.size; start += PIECE) {
        hash = await sha256Of(await bytesOf(new Blob([hash, data.slice(start, start + PIECE)])));
    }
    return hash;
}
async function sha256Of(bytes) {
    // Pages without HTTPS have no crypto.subtle, except on the machine itself.
    if (globalThis.crypto?.subtle === undefined)
        return sha256(bytes);
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
