// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** How much of a file has gone out: a sum that never goes back. */
/** The progress of one file. */
export class Progress {
    #size;
    #show;
    #under = new Map();
    #arrived = 0;
    #shown = 0;
    /**
     * @param size - bytes of the file
     * @param show - gets the sum of bytes whenever it has grown
     */
    constructor(size, show) {
        this.#size = size;
        this.#show = show;
    }
    /** Bytes that were shown last. */
    get shown() {
        return this.#shown;
    }
    /** Say how much of a part is on its way. */
    loaded(part, bytes) {
        this.#under.set(part, bytes);
        this.#update();
    }
    /** Say that a part has failed, or was stopped. What was shown stays, until it is caught up with. */
    lost(part) {
        this.#under.delete(part);
    }
    /** Say that a part has arrived. */
    arrived(part, bytes) {
        this.#under.delete(part);
        this.#arrived += bytes;
        this.#update();
    }
    /** Say anew how much has arrived, as the server has it. */
    restart(arrived) {
        this.#under.clear();
        this.#arrived = arrived;
        this.#update();
    }
    /** Show again what was shown last. */
    repeat() {
        if (this.#shown > 0)
            this.#show(this.#shown);
    }
    #update() {
        let sum = this.#arrived;
        for (const bytes of this.#under.values())
            sum += bytes;
        const next = Math.min(this.#size, sum);
        if (next <= this.#shown)
            return;
        this.#shown = next;
        this.#show(next);
    }
}
