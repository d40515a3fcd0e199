// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** Unfinished uploads, remembered across reloads. */
const PREFIX = 'oarepo-s3/';
/** Remembers ids of uploads by a name. A storage that is full or forbidden does no harm. */
export class Memory {
    #storage;
    /** @param storage - `null`: nothing is remembered; `undefined`: the browser's */
    constructor(storage) {
        this.#storage = storage === undefined ? ownStorage() : storage;
    }
    /** Return the id of a remembered upload that has not expired. */
    find(name) {
        return this.#try((storage) => {
            dropExpired(storage);
            return read(storage, PREFIX + name)?.id;
        });
    }
    /** Remember an upload. */
    keep(name, upload) {
        const { id, expires_at } = upload;
        this.#try((storage) => storage.setItem(PREFIX + name, JSON.stringify({ id, expires_at })));
    }
    /** Forget an upload, unless another one has come into its place. */
    forget(name, id) {
        this.#try((storage) => {
            if (read(storage, PREFIX + name)?.id === id)
                storage.removeItem(PREFIX + name);
        });
    }
    #try(use) {
        if (this.#storage === null)
            return undefined;
        try {
            return use(this.#storage);
        }
        catch {
            // Full, or forbidden by the browser: the upload goes on, and begins anew after a reload.
            return undefined;
        }
    }
}
function ownStorage() {
    try {
        return globalThis.localStorage ?? null;
    }
    catch {
        // A browser that allows no storage throws at the name already.
        return null;
    }
}
function dropExpired(storage) {
    const names = Array.from({ length: storage.length }, (_, index) => storage.key(index));
    for (const name of names) {
        if (name?.startsWith(PREFIX) && read(storage, name) === undefined)
            storage.removeItem(name);
    }
}
function read(storage, name) {
    const text = storage.getItem(name);
    if (text === null)
        return undefined;
    try {
        const { id, expires_at } = Object(JSON.parse(text));
        const lives = typeof expires_at === 'string' && Date.parse(expires_at) > Date.now();
        return lives && typeof id === 'string' ? { id, expires_at } : undefined;
    }
    catch {
        // Not written by this version: as good as nothing.
        return undefined;
    }
}
