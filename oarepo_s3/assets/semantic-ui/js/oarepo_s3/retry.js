// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** Trying again: with growing pauses, a bound, and patience while there is no network. */
import { UploadFailure } from './errors.js';
import { sleep, wait } from './signals.js';
/** Up to two minutes of trouble, on average one. */
export const PATIENCE = { attempts: 10, first: 500, longest: 30_000 };
// A server that asks for an hour is not waited for: the person shall be told.
const LONGEST_ASKED = 5 * 60_000;
/**
 * Do something until it succeeds, fails for good, or was tried often enough.
 *
 * Tries that fail while the browser is offline do not count: it waits for the network instead.
 *
 * @param task - gets the number of the try, from 1
 * @throws UploadFailure of the kind `final`, so that tries do not multiply when they are nested
 */
export async function retry(task, signal, patience = PATIENCE) {
    let counted = 0;
    for (let attempt = 1;; attempt += 1) {
        await online(signal);
        try {
            return await task(attempt);
        }
        catch (error) {
            signal.throwIfAborted();
            if (!(error instanceof UploadFailure) || error.kind === 'final')
                throw error;
            if (error.kind === 'network' && isOffline())
                continue;
            counted += 1;
            const asked = error.retryAfter ?? 0;
            if (counted >= patience.attempts || asked > LONGEST_ASKED)
                throw error.final();
            // A fresh URL helps at once, the first time.
            if (error.kind === 'stale' && counted === 1)
                continue;
            await sleep(asked + pauseBefore(counted, patience), signal);
        }
    }
}
/** Wait until the browser has a network; it says so itself. */
export function online(signal) {
    if (!isOffline())
        return Promise.resolve();
    return wait((done) => {
        globalThis.addEventListener('online', done);
        return () => globalThis.removeEventListener('online', done);
    }, signal);
}
function isOffline() {
    return globalThis.navigator?.onLine === false;
}
/** Full jitter: many clients that failed together do not come back together. */
function pauseBefore(attempt, { first, longest }) {
    return Math.random() * Math.min(longest, first * 2 ** (attempt - 1));
}
