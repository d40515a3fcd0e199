// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** The calls about an upload that has begun; the same for buckets and drafts. */
/**
 * Sessions at one address.
 *
 * Addresses are made of the endpoint and the id, as documented, and not taken from links: neither
 * a token nor a cookie goes to an address that only an answer has named.
 */
export class Sessions {
    rest;
    endpoint;
    constructor(rest, endpoint) {
        this.rest = rest;
        this.endpoint = endpoint.replace(/\/+$/, '');
    }
    /** Return the address of an upload, or of something below it. */
    address(id, below = '') {
        return `${this.endpoint}/${encodeURIComponent(id)}${below}`;
    }
    /** Look at an upload. */
    async look(id, signal) {
        const { body } = await this.rest.call({ method: 'GET', address: this.address(id), signal });
        return body;
    }
    /** Sign URLs of some parts; with `md5`, of parts with just these digests (hex), in the same order. */
    async sign(id, parts, signal, md5) {
        const checksums = md5 === undefined ? '' : `&checksums=${md5.map((hex) => `md5:${hex}`).join(',')}`;
        const address = this.address(id, `/urls?parts=${ranges(parts)}${checksums}`);
        const { body, serverTime } = await this.rest.call({ method: 'GET', address, signal });
        return { urls: body.urls, signedAt: serverTime };
    }
    /** List all parts that the store has, page by page. */
    async parts(id, signal) {
        const found = [];
        for (let after = 0; after !== undefined;) {
            const address = this.address(id, `/parts?after=${after}`);
            const { body } = await this.rest.call({ method: 'GET', address, signal });
            const { parts, links } = body;
            found.push(...parts);
            after = links.next === undefined ? undefined : parts.at(-1)?.part;
        }
        return found;
    }
}
/** Write ascending numbers as the API reads them: `1-3,7`. */
export function ranges(numbers) {
    const runs = [];
    for (const number of numbers) {
        const run = runs.at(-1);
        if (run !== undefined && number === run[1] + 1)
            run[1] = number;
        else
            runs.push([number, number]);
    }
    return runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}
