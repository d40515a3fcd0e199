// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** What tells one file from another without reading all of it. */
import { createSHA256 } from 'hash-wasm';
import { UploadFailure } from './errors.js';
/**
 * Bytes that are read at either end: a part, as the repository cuts files by default. How it will
 * cut this one is not known before the upload begins, and a part can have 5 GiB.
 */
export const SAMPLE = 16 * 2 ** 20;
/**
 * Return a short text that is the same for the same file: its size, its modification time, and a
 * SHA-256 of its first and last part. The name is for the caller to add.
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
export function bytesOf(data) {
    return reading(async () => new Uint8Array(await data.arrayBuffer()));
}
// Not by crypto.subtle, which wants all bytes in memory, and is missing on pages without HTTPS.
function digest(data) {
    return reading(async () => {
        const hash = await createSHA256();
        const reader = data.stream().getReader();
        for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
            hash.update(chunk.value);
        }
        return hash.digest('hex');
    });
}
async function reading(read) {
    try {
        return await read();
    }
    catch (error) {
        throw new UploadFailure('file_unreadable', { said: String(error) });
    }
}
