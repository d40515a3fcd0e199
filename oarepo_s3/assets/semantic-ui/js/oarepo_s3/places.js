// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** So many at a time, in the order of coming. */
import { wait } from './signals.js';
/** A number of places; who finds none waits for one. */
export class Places {
    #taken = 0;
    #size;
    #queue = [];
    constructor(size) {
        this.#size = size;
    }
    /** Number of places. */
    get size() {
        return this.#size;
    }
    /** With fewer places than are taken, nobody is sent away, but nobody comes in either. */
    set size(size) {
        this.#size = size;
        this.#letIn();
    }
    /** Places that are taken. */
    get taken() {
        return this.#taken;
    }
    /**
     * Take a place, do something, and leave.
     *
     * @param signal - ends the waiting, and nothing else
     */
    async run(signal, task) {
        await this.#enter(signal);
        try {
            return await task();
        }
        finally {
            this.#taken -= 1;
            this.#letIn();
        }
    }
    async #enter(signal) {
        signal.throwIfAborted();
        if (this.#taken < this.#size && this.#queue.length === 0) {
            this.#taken += 1;
            return;
        }
        await wait((done) => {
            this.#queue.push(done);
            return () => {
                const index = this.#queue.indexOf(done);
                if (index >= 0)
                    this.#queue.splice(index, 1);
            };
        }, signal);
    }
    #letIn() {
        while (this.#taken < this.#size && this.#queue.length > 0) {
            // Taken here and not by who wakes up later: somebody else could come between.
            this.#taken += 1;
            this.#queue.shift()?.();
        }
    }
}
