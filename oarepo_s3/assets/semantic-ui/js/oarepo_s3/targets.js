// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** Where a file goes: a bucket of files-rest, or the files of a draft. */
import { UploadFailure } from './errors.js';
import { retry } from './retry.js';
// Assembling many parts takes a store minutes.
const COMPLETE_TIMEOUT = 5 * 60_000;
/** A bucket of files-rest. */
export class BucketTarget {
    name;
    #sessions;
    #bucket;
    #partSize;
    constructor(sessions, bucket, partSize) {
        this.name = `${sessions.endpoint}/${bucket}`;
        this.#sessions = sessions;
        this.#bucket = bucket;
        this.#partSize = partSize;
    }
    async create({ key, size, type }, signal) {
        const body = {
            bucket: this.#bucket,
            key,
            size,
            ...(type === '' ? {} : { content_type: type }),
            ...(this.#partSize === undefined ? {} : { part_size: this.#partSize }),
        };
        const { endpoint, rest } = this.#sessions;
        const answer = await rest.call({ method: 'POST', address: endpoint, body, signal, whole: true });
        return answer.body;
    }
    async complete(session, etags, signal) {
        // With the ETags, a part that somebody else has put in place of ours does not become a file.
        const parts = Array.from(etags, ([part, etag]) => ({ PartNumber: part, ETag: etag }));
        const address = this.#sessions.address(session.id, '/complete');
        const answer = await this.#sessions.rest.call({
            method: 'POST',
            address,
            ...(parts.length === 0 ? {} : { body: { parts } }),
            signal,
            timeout: COMPLETE_TIMEOUT,
        });
        const body = answer.body;
        return { url: body.file?.links?.content ?? this.#file(session.key), body };
    }
    async abort({ id }, signal) {
        const address = this.#sessions.address(id);
        await this.#sessions.rest.call({ method: 'DELETE', address, signal });
    }
    /** Nothing is in the way: a bucket takes any number of uploads of a key. */
    async clear() { }
    /** The address of files-rest beside that of the uploads. */
    #file(key) {
        const api = this.#sessions.endpoint.replace(/\/[^/]*$/, '');
        return `${api}/files/${this.#bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
    }
}
const MIB = 2 ** 20;
const PART_SIZE = 16 * MIB;
const SMALLEST = 5 * MIB;
const MOST_PARTS = 10_000;
/** The files of a draft: transfer "M" of invenio-records-resources. */
export class DraftTarget {
    name;
    #sessions;
    #files;
    #partSize;
    constructor(sessions, files, partSize) {
        this.#files = files.replace(/\/+$/, '');
        this.name = this.#files;
        this.#sessions = sessions;
        this.#partSize = partSize;
    }
    async create(wanted, signal) {
        const begin = async (attempt) => {
            try {
                return await this.#post(wanted, signal);
            }
            catch (error) {
                const refused = error instanceof UploadFailure && error.status === 400;
                if (!refused || attempt === 1)
                    throw error;
                // The key is taken; perhaps by our own first try, whose answer was lost.
                const entry = await this.#entry(wanted.key, signal);
                if (entry?.size !== wanted.size || entry.links?.upload === undefined)
                    throw error;
                return entry;
            }
        };
        const link = (await retry(begin, signal))?.links?.upload;
        const id = link?.split('/').at(-1);
        if (id === undefined)
            throw new UploadFailure('no_direct_upload');
        return this.#sessions.look(decodeURIComponent(id), signal);
    }
    async complete(session, _, signal) {
        const address = this.#address(session.key);
        const commit = async (attempt) => {
            // An earlier try may have done it, and a file is committed only once.
            const entry = attempt > 1 || session.state === 'completed' ? await this.#entry(session.key, signal) : undefined;
            if (entry?.status === 'completed')
                return entry;
            const call = { method: 'POST', address: `${address}/commit`, signal };
            return (await this.#sessions.rest.once({ ...call, timeout: COMPLETE_TIMEOUT })).body;
        };
        return { url: `${address}/content`, body: { ...(await retry(commit, signal)) } };
    }
    async abort({ key }, signal) {
        await this.#sessions.rest.call({ method: 'DELETE', address: this.#address(key), signal });
    }
    async clear(key, signal) {
        const entry = await this.#entry(key, signal);
        if (entry === undefined || entry.status === 'completed')
            return;
        // Somebody else's upload in progress has a link; what is dead has none.
        if (entry.links?.upload === undefined)
            await this.abort({ key }, signal);
    }
    async #post({ key, size }, signal) {
        const part_size = partSizeOf(size, this.#partSize);
        const parts = Math.max(1, Math.ceil(size / part_size));
        const { body } = await this.#sessions.rest.once({
            method: 'POST',
            // URLs are asked for when they are needed; the number makes the answer name the session.
            address: `${this.#files}?part_links=0`,
            body: [{ key, size, transfer: { type: 'M', parts, part_size } }],
            signal,
            whole: true,
        });
        return body.entries?.find((entry) => entry.key === key);
    }
    async #entry(key, signal) {
        const address = `${this.#address(key)}?part_links=0`;
        try {
            return (await this.#sessions.rest.call({ method: 'GET', address, signal })).body;
        }
        catch (error) {
            if (error instanceof UploadFailure && error.status === 404)
                return undefined;
            throw error;
        }
    }
    #address(key) {
        return `${this.#files}/${encodeURIComponent(key)}`;
    }
}
/** Cut a file as the store can take it; here it is the client who says how. */
export function partSizeOf(size, wish = PART_SIZE) {
    const least = Math.ceil(size / MOST_PARTS / MIB) * MIB;
    return Math.max(wish, least, SMALLEST);
}
/**
 * Return the place that the options name.
 *
 * @throws UploadFailure `no_target` unless it is exactly one
 */
export function targetOf(sessions, options) {
    const { bucket, draftFiles, partSize } = options;
    if (bucket !== undefined && draftFiles === undefined) {
        return new BucketTarget(sessions, bucket, partSize);
    }
    if (draftFiles !== undefined && bucket === undefined) {
        return new DraftTarget(sessions, draftFiles, partSize);
    }
    throw new UploadFailure('no_target');
}
