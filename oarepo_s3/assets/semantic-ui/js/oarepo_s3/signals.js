// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** Abort signals that leave no listeners behind. */
/** Make a controller that is aborted with a signal, or by itself without touching that signal. */
export function follow(signal) {
    const controller = new AbortController();
    if (signal === undefined)
        return { controller, letGo: () => { } };
    const abort = () => controller.abort(signal.reason);
    if (signal.aborted)
        abort();
    else
        signal.addEventListener('abort', abort);
    return { controller, letGo: () => signal.removeEventListener('abort', abort) };
}
/**
 * Wait until `start` calls back, or the signal is aborted.
 *
 * @param start - begins the waiting and returns what ends it; called once
 * @throws the signal's reason
 */
export function wait(start, signal) {
    return new Promise((resolve, reject) => {
        if (signal.aborted) {
            reject(signal.reason);
            return;
        }
        const abort = () => {
            stop();
            reject(signal.reason);
        };
        const stop = start(() => {
            stop();
            signal.removeEventListener('abort', abort);
            resolve();
        });
        signal.addEventListener('abort', abort, { once: true });
    });
}
/** Wait some milliseconds. */
export function sleep(milliseconds, signal) {
    return wait((done) => {
        const timer = setTimeout(done, milliseconds);
        return () => clearTimeout(timer);
    }, signal);
}
