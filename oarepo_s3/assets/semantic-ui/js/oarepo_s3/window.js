// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** URLs of parts: signed ahead of need, but never many at a time. */
import { UploadFailure } from './errors.js';
/** Parts that are signed in one call, unless the server itself began with another number. */
export const BATCH = 25;
// A part that is begun now has to be received before its URL expires.
const MARGIN = 60_000;
/** Holds the URLs of the next parts, and of those under way: two batches at most. */
export class UrlWindow {
    #sign;
    #batch;
    #held = new Map();
    #lent = new Map();
    #unsigned;
    #signing;
    /**
     * @param parts - numbers of all parts that are to be sent, ascending
     * @param signed - URLs that are already there
     */
    constructor(parts, sign, batch = BATCH, signed = NONE) {
        this.#sign = sign;
        this.#batch = batch;
        const wanted = new Set(parts);
        this.#hold({ ...signed, urls: signed.urls.filter(({ part }) => wanted.has(part)) });
        this.#unsigned = parts.filter((part) => !this.#held.has(part));
    }
    /** URLs that are there right now. */
    get size() {
        return this.#held.size + this.#lent.size;
    }
    /** Take the URL of a part, until it is {@link used} or {@link returned}. */
    async take(part) {
        this.#dropExpired();
        let held = this.#held.get(part);
        while (held === undefined) {
            await this.#fetch(part);
            held = this.#held.get(part);
        }
        this.#held.delete(part);
        this.#lent.set(part, held);
        this.#ahead();
        return held.url;
    }
    /** Say that a part has arrived. */
    used(part) {
        this.#lent.delete(part);
    }
    /** Say that a part has failed, and will be taken again. */
    returned(part) {
        const held = this.#lent.get(part);
        if (held !== undefined)
            this.#held.set(part, held);
        this.#lent.delete(part);
    }
    /** Say that the store refused the URL of a part: the others are about as old, and go as well. */
    refused(part) {
        this.#lent.delete(part);
        this.#giveBack([...this.#held.keys()]);
    }
    #dropExpired() {
        const now = Date.now();
        this.#giveBack([...this.#held].filter(([, { until }]) => until <= now).map(([part]) => part));
    }
    #giveBack(parts) {
        if (parts.length === 0)
            return;
        for (const part of parts)
            this.#held.delete(part);
        this.#unsigned = [...this.#unsigned, ...parts].sort((one, other) => one - other);
    }
    /** Sign more while there are still some: nobody has to wait at the end of a batch. */
    #ahead() {
        if (this.#signing !== undefined || this.#unsigned.length === 0)
            return;
        if (this.size > this.#batch)
            return;
        // Whoever needs one of these URLs asks again, and meets the error then.
        this.#fetch().catch(() => { });
    }
    async #fetch(part) {
        if (this.#signing !== undefined) {
            await this.#signing;
            if (part === undefined || this.#held.has(part))
                return;
        }
        this.#signing ??= this.#signBatch(part).finally(() => {
            this.#signing = undefined;
        });
        await this.#signing;
    }
    async #signBatch(part) {
        // A part that is sent again stands in front.
        const rest = this.#unsigned.filter((other) => other !== part);
        const room = Math.max(1, Math.min(this.#batch, 2 * this.#batch - this.size));
        const parts = part === undefined ? rest.slice(0, room) : [part, ...rest.slice(0, room - 1)];
        parts.sort((one, other) => one - other);
        const chosen = new Set(parts);
        this.#unsigned = rest.filter((other) => !chosen.has(other));
        try {
            this.#hold(await this.#sign(parts));
            if (part !== undefined && !this.#held.has(part))
                throw new UploadFailure('not_the_api');
        }
        finally {
            const missing = parts.filter((other) => !this.#held.has(other) && other !== part);
            this.#unsigned = [...missing, ...this.#unsigned].sort((one, other) => one - other);
        }
    }
    /** The browser's clock may be wrong, so a life is counted from the answer on. */
    #hold({ urls, signedAt }) {
        const now = Date.now();
        for (const url of urls) {
            const life = Date.parse(url.expires_at) - (signedAt ?? now);
            // A URL too short for the margin is used as long as it lives. Not longer: some stores (Ceph) refuse
            // an expired one without CORS headers, so that it looks like a broken network. One that seems to be
            // dead when it comes is used: then a clock is wrong, and a new one would be no better.
            const left = life > MARGIN ? life - MARGIN : life > 0 ? life : Infinity;
            this.#held.set(url.part, { url, until: now + left });
        }
    }
}
const NONE = { urls: [], signedAt: undefined };
