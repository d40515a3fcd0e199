// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** One file on its way: begin or go on, send the parts, complete; pause, resume, cancel. */
import { isGone, Stopped, UploadFailure } from './errors.js';
import { fingerprint } from './fingerprint.js';
import { boundsOf, sendParts } from './parts.js';
import { BATCH, UrlWindow } from './window.js';
// The store and the list of parts may disagree now and then, but not forever.
const MENDINGS = 3;
const MENDABLE = new Set(['missing_parts', 'part_size_mismatch', 'etag_mismatch', 'parts_rejected']);
/** The upload of one file; it can be run again after a failure, and goes on where it was. */
export class FileUpload {
    #data;
    #wanted;
    #target;
    #shared;
    progress;
    #name;
    #session;
    #attempt;
    #running;
    #paused = false;
    #over = false;
    #wake = () => { };
    constructor(data, wanted, target, shared, progress) {
        this.#data = data;
        this.#wanted = wanted;
        this.#target = target;
        this.#shared = shared;
        this.progress = progress;
    }
    /** The file's name in its place. */
    get key() {
        return this.#wanted.key;
    }
    /**
     * Upload; while it runs, it is one run for all who ask.
     *
     * @returns `undefined` when it was cancelled or left
     * @throws UploadFailure
     */
    run() {
        this.#running ??= this.#run().finally(() => {
            this.#running = undefined;
        });
        return this.#running;
    }
    async #run() {
        for (;;) {
            while (this.#paused && !this.#over) {
                await new Promise((resolve) => (this.#wake = resolve));
            }
            if (this.#over)
                return undefined;
            const attempt = (this.#attempt = new AbortController());
            try {
                return await this.#shared.files.run(attempt.signal, () => this.#go(attempt.signal));
            }
            catch (error) {
                if (!attempt.signal.aborted)
                    throw error;
            }
            finally {
                this.#attempt = undefined;
            }
        }
    }
    /** Stop sending; what has arrived stays at the store. */
    pause() {
        this.#paused = true;
        this.#attempt?.abort(new Stopped());
    }
    /** Go on after a pause. */
    resume() {
        this.#paused = false;
        this.#wake();
    }
    /** Give the upload up, here and at the server. Ends when nothing of it is under way any more. */
    async cancel() {
        this.leave();
        // What is made there meanwhile has to be known first. Of a failure, its caller hears.
        await this.#running?.catch(() => { });
        const id = this.#begunAs();
        if (id === undefined)
            return;
        this.#forget(id);
        await this.#target.abort({ id, key: this.key }, new AbortController().signal);
    }
    /** Stop without giving it up: it can go on another time. */
    leave() {
        this.#over = true;
        this.#attempt?.abort(new Stopped());
        this.#wake();
    }
    async #go(signal) {
        this.#name ??= `${this.#target.name}/${this.#wanted.key}/${await fingerprint(this.#data)}`;
        const known = await this.#known(signal);
        if (known !== undefined) {
            try {
                return await this.#finish(known, true, signal);
            }
            catch (error) {
                if (!isGone(error))
                    throw error;
                this.#forget();
                await this.#target.clear(this.#wanted.key, signal);
            }
        }
        return this.#finish(await this.#begin(signal), false, signal);
    }
    /** Return the upload that was begun before and can go on, or is done. */
    async #known(signal) {
        const id = this.#begunAs();
        if (id === undefined)
            return undefined;
        const session = await this.#lookAt(id, signal);
        if (session !== undefined && LIVING.has(session.state)) {
            // A cancel has to know it, too.
            this.#session = session;
            return session;
        }
        this.#forget(id);
        await this.#target.clear(this.#wanted.key, signal);
        return undefined;
    }
    async #lookAt(id, signal) {
        try {
            return await this.#shared.sessions.look(id, signal);
        }
        catch (error) {
            // Forbidden: it was begun by somebody else who uses this browser.
            const gone = isGone(error) || (error instanceof UploadFailure && FOREIGN.has(error.code));
            if (gone)
                return undefined;
            throw error;
        }
    }
    async #begin(signal) {
        const session = (this.#session = await this.#target.create(this.#wanted, signal));
        this.#shared.memory.keep(this.#name, session);
        signal.throwIfAborted();
        return session;
    }
    async #finish(session, resumed, signal) {
        try {
            const etags = new Map();
            if (session.state === 'pending') {
                if (resumed)
                    await this.#take(session, etags, signal);
                else
                    this.progress.restart(0);
                await this.#send(session, etags, signal);
            }
            const done = await this.#complete(session, etags, signal);
            this.#forget();
            return done;
        }
        catch (error) {
            if (isGone(error))
                this.#forget();
            throw error;
        }
    }
    /** Ask which parts the store has, and take them for sent when they are as they should be. */
    async #take(session, etags, signal) {
        const stored = await this.#shared.sessions.parts(session.id, signal);
        const fits = ({ part, size, etag }) => {
            const [start, end] = boundsOf(part, session);
            const own = etags.get(part);
            return size === end - start && (own === undefined || bare(own) === bare(etag));
        };
        const good = stored.filter(fits);
        etags.clear();
        for (const { part, etag } of good)
            etags.set(part, etag);
        this.progress.restart(good.reduce((sum, { size }) => sum + size, 0));
    }
    async #send(session, etags, signal) {
        const all = Array.from({ length: session.num_parts }, (_, index) => index + 1);
        const parts = all.filter((part) => !etags.has(part));
        if (parts.length === 0)
            return;
        await sendParts(parts, {
            ...this.#shared,
            data: this.#data,
            session,
            urls: this.#window(parts, session, signal),
            progress: this.progress,
            checkRepository: () => this.#shared.sessions.look(session.id, signal),
            onArrived: (part, etag) => etags.set(part, etag),
        }, signal);
    }
    #window(parts, session, signal) {
        const { sessions, checksums, limiter } = this.#shared;
        if (checksums === undefined || !session.part_checksums?.includes('md5')) {
            const begun = { urls: session.urls ?? [], signedAt: undefined };
            const batch = Math.max(session.urls?.length || BATCH, limiter.most);
            return new UrlWindow(parts, (some) => sessions.sign(session.id, some, signal), batch, begun);
        }
        const sign = async (some) => {
            const digests = [];
            for (const part of some) {
                digests.push(await checksums.md5(this.#data.slice(...boundsOf(part, session)), signal));
            }
            return sessions.sign(session.id, some, signal, digests);
        };
        // Not more than can be on their way: the bytes of all of them are read before.
        return new UrlWindow(parts, sign, limiter.most);
    }
    async #complete(session, etags, signal) {
        for (let mending = 0;; mending += 1) {
            try {
                return await this.#target.complete(session, etags, signal);
            }
            catch (error) {
                const mendable = error instanceof UploadFailure && MENDABLE.has(error.code);
                if (!mendable || mending === MENDINGS)
                    throw error;
                await this.#take(session, etags, signal);
                await this.#send(session, etags, signal);
            }
        }
    }
    /** The id of the upload that was begun, also by an earlier page. */
    #begunAs() {
        if (this.#session !== undefined)
            return this.#session.id;
        return this.#name === undefined ? undefined : this.#shared.memory.find(this.#name);
    }
    #forget(id = this.#session?.id) {
        if (this.#name !== undefined && id !== undefined)
            this.#shared.memory.forget(this.#name, id);
        this.#session = undefined;
    }
}
const LIVING = new Set(['pending', 'completing', 'completed']);
const FOREIGN = new Set(['forbidden', 'not_found']);
function bare(etag) {
    return etag.replaceAll('"', '');
}
