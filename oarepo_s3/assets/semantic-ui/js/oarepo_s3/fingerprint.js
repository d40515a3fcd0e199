// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** What tells one file from another without reading all of it. */
import { sha256 } from 'hash-wasm';
import { UploadFailure } from './errors.js';
/** Bytes that are read at either end. */
export const SAMPLE = 2 ** 20;
/**
 * Return a short text that is the same for the same file: its size, its modification time, and a
 * SHA-256 of its first and last MiB. The name is for the caller to add.
 *
 * @throws UploadFailure `file_unreadable`
 */
export async function fingerprint(data) {
    const tail = Math.max(SAMPLE, data.size - SAMPLE);
    const sample = await bytesOf(new Blob([data.slice(0, SAMPLE), data.slice(tail)]));
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
async function digest(bytes) {
    // Pages without HTTPS have no crypto.subtle, except on the machine itself.
    if (globalThis.crypto?.subtle === undefined)
        return sha256(bytes);
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
