// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** How many parts are on their way at once: as many as make it faster, and fewer in trouble. */
import { Places } from './places.js';
const FIRST = 2;
// Below this the gain is noise.
const GAIN = 1.05;
// After so many rounds without a gain it looks again whether one more helps.
const LOOK_AGAIN = 4;
/** Places for parts, of all files together. Begins low, grows with the throughput, halves in trouble. */
export class Limiter extends Places {
    /** Never more than this. */
    most;
    #clock;
    #bytes = 0;
    #parts = 0;
    #began;
    #best = 0;
    #still = 0;
    #ignoreUntil = 0;
    constructor(most, clock = () => performance.now()) {
        super(Math.min(FIRST, most));
        this.most = most;
        this.#clock = clock;
        this.#began = clock();
    }
    /** Say that bytes went out. */
    sent(bytes) {
        this.#bytes += bytes;
    }
    /** Say that a part has arrived. A round is as many parts as there are places. */
    arrived() {
        this.#parts += 1;
        if (this.#parts < this.size)
            return;
        const elapsed = this.#clock() - this.#began;
        // Places that nobody wanted say nothing about what more of them would do.
        if (elapsed > 0 && this.taken >= this.size)
            this.#judge(this.#bytes / elapsed);
        this.#begin();
    }
    /** Say that there was trouble: a 429, a 503, no answer. */
    trouble() {
        // Of parts that failed together, the first one speaks for all.
        if (this.#clock() < this.#ignoreUntil)
            return;
        this.#ignoreUntil = this.#clock() + 1000;
        this.size = Math.max(1, Math.floor(this.size / 2));
        this.#best = 0;
        this.#begin();
    }
    #judge(rate) {
        if (rate >= this.#best * GAIN) {
            this.#best = rate;
            this.#still = 0;
            this.size = Math.min(this.most, this.size + 1);
        }
        else if (++this.#still >= LOOK_AGAIN) {
            this.#best = 0;
            this.#still = 0;
        }
    }
    #begin() {
        this.#began = this.#clock();
        this.#bytes = 0;
        this.#parts = 0;
    }
}
