// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** Where the worker comes from; a bundle replaces this module by one that has the worker in it. */
/** Start a worker that runs md5.worker.ts. */
export function createMd5Worker() {
    return new Worker(new URL('./md5.worker.js', import.meta.url), { type: 'module' });
}
