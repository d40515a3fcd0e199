// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** What can go wrong, and whether trying again helps. */
/** A failure with a stable code; the text for people comes from the locale, by that code. */
export class UploadFailure extends Error {
    code;
    kind;
    status;
    said;
    retryAfter;
    constructor(code, facts = {}) {
        super(facts.said ?? code);
        this.name = 'UploadFailure';
        this.code = code;
        this.kind = facts.kind ?? 'final';
        this.status = facts.status;
        this.said = facts.said;
        this.retryAfter = facts.retryAfter;
    }
    /** The same failure, after which nobody tries again. */
    final(code = this.code) {
        const facts = {};
        if (this.status !== undefined)
            facts.status = this.status;
        if (this.said !== undefined)
            facts.said = this.said;
        return new UploadFailure(code, facts);
    }
}
/** The reason of an abort that somebody asked for; it is no failure. */
export class Stopped extends Error {
    constructor() {
        super('stopped');
        this.name = 'Stopped';
    }
}
const GONE = new Set(['upload_expired', 'upload_lost', 'upload_not_found', 'upload_not_pending']);
/** Say whether a failure means that the upload cannot go on, but another one can begin. */
export function isGone(error) {
    return error instanceof UploadFailure && GONE.has(error.code);
}
/**
 * Make a failure of an answer's status.
 *
 * 408 and 429 ask for patience as 5xx do; other 4xx are answers that stay the same.
 */
export function kindOf(status) {
    return status >= 500 || status === 429 || status === 408 ? 'busy' : 'final';
}
/**
 * Read a `Retry-After` header: seconds, or a date.
 *
 * @returns milliseconds, or `undefined` when it says nothing
 */
export function readRetryAfter(header) {
    if (header === null || header.trim() === '')
        return undefined;
    const seconds = Number(header);
    if (Number.isFinite(seconds))
        return Math.max(0, seconds * 1000);
    const date = Date.parse(header);
    return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
