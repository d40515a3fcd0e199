// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** What stands below Uppy's Dashboard: the speed, what went wrong, and the uploaded files. */
import { prettierBytes } from '@transloadit/prettier-bytes';
import { BasePlugin, EventManager } from '@uppy/core';
import { ListRegion, make, makeButton } from './dom.js';
import { Speaker } from './speaker.js';
import { SpeedMeter } from './speed.js';
import { OWN_STRINGS } from './strings.js';
/** A plugin beside the Dashboard, for what it does not show or say. */
export class Report extends BasePlugin {
    #events;
    #speed = new SpeedMeter();
    #speaker = new Speaker();
    #rate = make('p', 'speed');
    #problems;
    #results;
    constructor(uppy, opts) {
        super(uppy, opts);
        this.id = opts.id ?? 'OARepoS3Report';
        this.type = 'progressindicator';
        this.defaultLocale = { strings: OWN_STRINGS };
        this.i18nInit();
        this.#events = new EventManager(uppy);
        this.#problems = new ListRegion('problems', this.i18n('uploadProblems'));
        this.#results = new ListRegion('results', this.i18n('uploadedFiles'));
        this.#rate.hidden = true;
    }
    install() {
        const { element: problems } = this.#problems;
        this.opts.target.append(this.#speaker.element, this.#rate, problems, this.#results.element);
        this.#listenToFiles();
        this.#listenToAll();
    }
    uninstall() {
        this.#events.remove();
        for (const element of [this.#speaker.element, this.#rate, this.#problems.element]) {
            element.remove();
        }
        this.#results.element.remove();
    }
    #listenToFiles() {
        this.#events.on('files-added', (files) => this.#count('saidAdded', files.length));
        this.#events.on('file-removed', (file) => this.#problems.remove(file.id));
        this.#events.on('upload-retry', (file) => this.#problems.remove(file.id));
        this.#events.on('retry-all', (files) => {
            for (const file of files)
                this.#problems.remove(file.id);
        });
        this.#events.on('upload-success', (file, response) => {
            if (file)
                this.#showUploaded(file, response);
        });
        this.#events.on('upload-error', (file, error) => {
            if (file)
                this.#showFailed(file, error);
        });
        this.#events.on('restriction-failed', (file, error) => this.#showRefused(file, error));
        this.#events.on('upload-pause', (_file, paused) => this.#say(paused ? 'saidPaused' : 'saidResumed'));
    }
    #listenToAll() {
        this.#events.on('upload', (_id, files) => {
            this.#speed.reset();
            this.#speaker.restart();
            this.#count('saidStarted', files.length);
        });
        this.#events.on('upload-progress', () => this.#showSpeed());
        this.#events.on('progress', (percent) => this.#speaker.progress(percent, (milestone) => this.i18n('saidProgress', { percent: milestone })));
        this.#events.on('pause-all', () => this.#pause('saidPaused'));
        this.#events.on('resume-all', () => this.#pause('saidResumed'));
        this.#events.on('is-offline', () => this.#pause('saidOffline'));
        this.#events.on('back-online', () => this.#pause('saidOnline'));
        this.#events.on('cancel-all', () => {
            if (this.uppy.getFiles().some((file) => file.progress.uploadStarted)) {
                this.#pause('saidCancelled');
            }
        });
        this.#events.on('complete', ({ successful = [], failed = [] }) => {
            this.#rate.hidden = true;
            if (failed.length > 0)
                this.#count('saidFailed', failed.length);
            else if (successful.length > 1)
                this.#count('saidComplete', successful.length);
        });
    }
    #say(key) {
        this.#speaker.say(this.i18n(key));
    }
    #count(key, count) {
        this.#speaker.say(this.i18n(key, { smart_count: count }));
    }
    #pause(key) {
        this.#speed.reset();
        this.#rate.hidden = true;
        this.#say(key);
    }
    #showSpeed() {
        const sent = this.uppy
            .getFiles()
            .reduce((sum, file) => sum + (file.progress.bytesUploaded || 0), 0);
        this.#speed.add(sent, performance.now());
        const { rate } = this.#speed;
        this.#rate.hidden = rate === null;
        if (rate !== null) {
            this.#rate.textContent = this.i18n('uploadSpeed', { speed: prettierBytes(rate) });
        }
    }
    #showUploaded(file, response) {
        this.#problems.remove(file.id);
        const name = file.meta.name;
        const links = response.body?.file?.links;
        const address = links?.content ?? response.uploadURL;
        const shown = address ? make('a', 'name', name) : make('span', 'name', name);
        if (shown instanceof HTMLAnchorElement && address) {
            shown.href = address;
            shown.setAttribute('aria-label', this.i18n('downloadFile', { name }));
        }
        const size = make('span', 'size', prettierBytes(file.size ?? 0));
        this.#results.put(file.id, shown, size);
        this.#speaker.say(this.i18n('saidUploaded', { name }));
    }
    #showFailed(file, error) {
        const name = file.meta.name;
        const again = makeButton(this.i18n('tryAgain'), this.i18n('tryAgainWithName', { name }), 
        // What fails again is shown again, by the event.
        () => void this.uppy.retryUpload(file.id).catch(() => undefined));
        const remove = this.#makeRemove(name, () => this.uppy.removeFile(file.id));
        const text = [error.message, error.details].filter(Boolean).join(' ');
        this.#problems.put(file.id, ...problem(name, text), again, remove);
    }
    /** A file that was not taken at all: too large, of another kind, or there already. */
    #showRefused(file, error) {
        const name = file?.name ?? '';
        const id = `refused:${file?.id ?? error.message}`;
        const remove = this.#makeRemove(name, () => this.#problems.remove(id));
        this.#problems.put(id, ...problem(name, error.message), remove);
    }
    #makeRemove(name, remove) {
        return makeButton(this.i18n('removeProblem'), this.i18n('removeWithName', { name }), remove);
    }
}
function problem(name, text) {
    return [make('span', 'name', name), make('span', 'reason', text)];
}
