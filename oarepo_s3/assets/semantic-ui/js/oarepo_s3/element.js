// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** The uploader as an element of a page: `<oarepo-s3-uploader bucket="...">`. */
import { Uppy } from '@uppy/core';
import Dashboard from '@uppy/dashboard';
import { readRestrictions, readStrings, readUploadOptions } from './attributes.js';
import { settleFailures } from './failures.js';
import { OARepoS3 } from './index.js';
import { Report } from './report.js';
import { frameSingleFile } from './single-file.js';
import { UPPY_STRINGS } from './strings.js';
/**
 * Uppy's Dashboard with this package's plugin, and with what the Dashboard lacks.
 *
 * Attributes are read when the element is put into the page: `bucket` or `draft-files`, and
 * optionally `endpoint`, `limit`, `part-size`, `checksums`, `note`, `max-file-size` (bytes),
 * `max-files`, `accept`, `strings` (JSON). Properties that are no attributes have to be there by
 * then as well, but for `token`.
 *
 * It has no shadow tree: the Dashboard asks `document.activeElement` where the focus is, which a
 * shadow tree hides from it, and the page's own theme can reach it.
 *
 * Events, which bubble: `upload-success`, `upload-error` and `complete`, with Uppy's arguments in
 * `detail`.
 */
export class OARepoS3Uploader extends HTMLElement {
    /** Uppy, for what else the page has in mind; from when the element is in the page. */
    uppy = null;
    /** Called by the browser. */
    connectedCallback() {
        // It was only moved within the page.
        if (this.uppy)
            return;
        // Before there is anything to see: a wrong attribute leaves no page that takes files and does nothing.
        const options = readUploadOptions(this);
        const uppy = this.#makeUppy();
        this.uppy = uppy;
        uppy.use((Dashboard), {
            target: this,
            inline: true,
            width: '100%',
            height: 420,
            theme: 'auto',
            note: this.getAttribute('note'),
            showLinkToFileUploadResult: true,
            // Ours are in the line below.
            hideProgressDetails: true,
            proudlyDisplayPoweredByUppy: false,
            // A preview is made of the whole file, in memory, and needs blob: in the page's policy.
            disableThumbnailGenerator: true,
        });
        uppy.use((Report), { target: this });
        uppy.use((OARepoS3), {
            ...options,
            ...(this.token && { token: () => this.#currentToken() }),
            ...(this.headers && { headers: this.headers }),
        });
        settleFailures(uppy);
        this.#dispatchEvents(uppy);
        this.#stopFraming = frameSingleFile(this);
        window.addEventListener('beforeunload', this.#warn);
    }
    /** Called by the browser. What is under way stops, and goes on when the file is chosen again. */
    disconnectedCallback() {
        queueMicrotask(() => {
            if (this.isConnected)
                return;
            window.removeEventListener('beforeunload', this.#warn);
            this.#stopFraming();
            // Uppy cancels what it knows of when it ends, and cancelled is aborted: so it is let go before.
            const uploads = this.uppy?.getPlugin('OARepoS3');
            if (uploads)
                this.uppy?.removePlugin(uploads);
            this.uppy?.destroy();
            this.uppy = null;
        });
    }
    #stopFraming = () => { };
    #makeUppy() {
        const uppy = new Uppy({
            id: this.id || 'oarepo-s3',
            restrictions: readRestrictions(this),
        });
        const { strings, pluralize } = this.locale ?? { strings: {} };
        uppy.setOptions({
            locale: {
                strings: { ...UPPY_STRINGS, ...strings, ...this.strings, ...readStrings(this) },
                ...(pluralize && { pluralize }),
            },
        });
        return uppy;
    }
    async #currentToken() {
        return typeof this.token === 'function' ? this.token() : (this.token ?? '');
    }
    #dispatchEvents(uppy) {
        const dispatch = (name, detail) => this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
        uppy.on('upload-success', (file, response) => dispatch('upload-success', { file, response }));
        uppy.on('upload-error', (file, error) => dispatch('upload-error', { file, error }));
        uppy.on('complete', (result) => dispatch('complete', result));
    }
    /** Ask before the page is left while files are under way. */
    #warn = (event) => {
        if (Object.keys(this.uppy?.getState().currentUploads ?? {}).length > 0)
            event.preventDefault();
    };
}
// A page may have the script twice, from a macro and from a bundle of its own.
if (!customElements.get('oarepo-s3-uploader')) {
    customElements.define('oarepo-s3-uploader', OARepoS3Uploader);
}
