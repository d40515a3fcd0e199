// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** How fast the bytes go, over the last seconds. */
const WINDOW = 5_000;
const LEAST = 1_000;
/** Bytes per second over a moving window: parts end in bursts, and one glance must tell. */
export class SpeedMeter {
    #samples = [];
    /** Take note that `bytes` in all were sent at `at`, in milliseconds. */
    add(bytes, at) {
        const last = this.#samples.at(-1);
        // A file was removed: what is left is another sum.
        if (last && bytes < last.bytes)
            this.reset();
        this.#samples.push({ at, bytes });
        while (this.#samples.length > 2 && this.#samples[1].at <= at - WINDOW)
            this.#samples.shift();
    }
    /** Forget what was: a pause is no slowness. */
    reset() {
        this.#samples = [];
    }
    /** Bytes per second; `null` while there is too little to say. */
    get rate() {
        const first = this.#samples[0];
        const last = this.#samples.at(-1);
        if (!first || !last || last.at - first.at < LEAST)
            return null;
        return ((last.bytes - first.bytes) * 1_000) / (last.at - first.at);
    }
}
