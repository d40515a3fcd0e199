// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** What stands below Uppy's Dashboard: the speed, what went wrong, and the uploaded files. */

import { prettierBytes } from '@transloadit/prettier-bytes'
import type { Body, Meta, PluginOpts, Uppy, UppyFile } from '@uppy/core'
import { BasePlugin, EventManager } from '@uppy/core'
import { ListRegion, make, makeButton } from './dom.js'
import { ProgressLine } from './progress-line.js'
import { Speaker } from './speaker.js'
import { OWN_STRINGS } from './strings.js'

/** Options of {@link Report}. */
export interface ReportOptions extends PluginOpts {
  /** The element that it is put into. */
  target: HTMLElement
}

type Link = { content?: string; self?: string }
type Response<M extends Meta, B extends Body> = NonNullable<UppyFile<M, B>['response']>

/** A plugin beside the Dashboard, for what it does not show or say. */
export class Report<M extends Meta, B extends Body> extends BasePlugin<ReportOptions, M, B> {
  readonly #events: EventManager<M, B>
  readonly #speaker = new Speaker()
  readonly #progress: ProgressLine<M, B>
  readonly #problems: ListRegion
  readonly #results: ListRegion

  constructor(uppy: Uppy<M, B>, opts: ReportOptions) {
    super(uppy, opts)
    this.id = opts.id ?? 'OARepoS3Report'
    this.type = 'progressindicator'
    this.defaultLocale = { strings: OWN_STRINGS }
    this.i18nInit()
    this.#events = new EventManager(uppy)
    this.#problems = new ListRegion('problems', this.i18n('uploadProblems'))
    this.#results = new ListRegion('results', this.i18n('uploadedFiles'))
    this.#progress = new ProgressLine(uppy, this.i18n)
  }

  override install(): void {
    this.opts.target.append(...this.#elements)
    this.#listenToFiles()
    this.#listenToAll()
  }

  override uninstall(): void {
    this.#events.remove()
    this.#progress.stop()
    for (const element of this.#elements) element.remove()
  }

  get #elements(): HTMLElement[] {
    const shown = [this.#speaker, this.#progress, this.#problems, this.#results]
    return shown.map(({ element }) => element)
  }

  #listenToFiles(): void {
    this.#events.on('files-added', (files) => this.#count('saidAdded', files.length))
    this.#events.on('file-removed', (file) => this.#problems.remove(file.id))
    this.#events.on('upload-retry', (file) => this.#problems.remove(file.id))
    this.#events.on('retry-all', (files) => {
      for (const file of files) this.#problems.remove(file.id)
    })
    this.#events.on('upload-success', (file, response) => {
      if (file) this.#showUploaded(file, response)
    })
    this.#events.on('upload-error', (file, error) => {
      if (file) this.#showFailed(file, error)
    })
    this.#events.on('restriction-failed', (file, error) => this.#showRefused(file, error))
    this.#events.on('upload-pause', (_file, paused) => this.#say(paused ? 'saidPaused' : 'saidResumed'))
  }

  #listenToAll(): void {
    this.#events.on('upload', (_id, files) => {
      this.#progress.start()
      this.#speaker.restart()
      this.#count('saidStarted', files.length)
    })
    this.#events.on('progress', (percent) =>
      this.#speaker.progress(percent, (milestone) =>
        this.i18n('saidProgress', { percent: milestone }),
      ),
    )
    this.#events.on('pause-all', () => this.#say('saidPaused'))
    this.#events.on('resume-all', () => this.#say('saidResumed'))
    this.#events.on('is-offline', () => this.#say('saidOffline'))
    this.#events.on('back-online', () => this.#say('saidOnline'))
    this.#events.on('cancel-all', () => {
      if (this.uppy.getFiles().some((file) => file.progress.uploadStarted)) {
        this.#say('saidCancelled')
        this.#progress.stop()
      }
    })
    this.#events.on('complete', ({ successful = [], failed = [] }) => {
      this.#progress.show()
      if (failed.length > 0) this.#count('saidFailed', failed.length)
      else if (successful.length > 1) this.#count('saidComplete', successful.length)
    })
  }

  #say(key: keyof typeof OWN_STRINGS): void {
    this.#speaker.say(this.i18n(key))
  }

  #count(key: keyof typeof OWN_STRINGS, count: number): void {
    this.#speaker.say(this.i18n(key, { smart_count: count }))
  }

  #showUploaded(file: UppyFile<M, B>, response: Response<M, B>): void {
    this.#problems.remove(file.id)
    const name = file.meta.name
    const links = (response.body as { file?: { links?: Link } } | undefined)?.file?.links
    const address = links?.content ?? response.uploadURL
    const shown = address ? make('a', 'name', name) : make('span', 'name', name)
    if (shown instanceof HTMLAnchorElement && address) {
      shown.href = address
      shown.setAttribute('aria-label', this.i18n('downloadFile', { name }))
    }
    const size = make('span', 'size', prettierBytes(file.size ?? 0))
    this.#results.put(file.id, shown, size)
    this.#speaker.say(this.i18n('saidUploaded', { name }))
  }

  #showFailed(file: UppyFile<M, B>, error: { message: string; details?: string }): void {
    const name = file.meta.name
    const again = makeButton(
      this.i18n('tryAgain'),
      this.i18n('tryAgainWithName', { name }),
      // What fails again is shown again, by the event.
      () => void this.uppy.retryUpload(file.id).catch(() => undefined),
    )
    const remove = this.#makeRemove(name, () => this.uppy.removeFile(file.id))
    const text = [error.message, error.details].filter(Boolean).join(' ')
    this.#problems.put(file.id, ...problem(name, text), again, remove)
  }

  /** A file that was not taken at all: too large, of another kind, or there already. */
  #showRefused(file: UppyFile<M, B> | undefined, error: Error): void {
    const name = file?.name ?? ''
    const id = `refused:${file?.id ?? error.message}`
    const remove = this.#makeRemove(name, () => this.#problems.remove(id))
    this.#problems.put(id, ...problem(name, error.message), remove)
  }

  #makeRemove(name: string, remove: () => void): HTMLButtonElement {
    return makeButton(this.i18n('removeProblem'), this.i18n('removeWithName', { name }), remove)
  }
}

function problem(name: string, text: string): Node[] {
  return [make('span', 'name', name), make('span', 'reason', text)]
}
