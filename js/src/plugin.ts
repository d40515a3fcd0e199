// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** The plugin: what Uppy asks of an uploader, and what it is told. */

import {
  BasePlugin,
  type Body,
  type DefinePluginOpts,
  type Meta,
  type Uppy,
  type UppyFile,
} from '@uppy/core'
import { filterFilesToEmitUploadStarted, filterFilesToUpload } from '@uppy/core/utils'

import { Checksums } from './checksums.js'
import { UploadFailure } from './errors.js'
import { FileUpload, type Shared } from './file-upload.js'
import { Limiter } from './limiter.js'
import { strings, WITH_DETAILS } from './locale.js'
import { Memory } from './memory.js'
import { Places } from './places.js'
import { Progress } from './progress.js'
import { Rest } from './rest.js'
import { Sessions } from './sessions.js'
import { type Done, targetOf } from './targets.js'
import type { OARepoS3Options } from './types.js'

declare module '@uppy/core' {
  interface PluginTypeRegistry<M extends Meta, B extends Body> {
    OARepoS3: OARepoS3<M, B>
  }
}

const DEFAULTS = { endpoint: '/api/multipart-uploads', limit: 6, checksums: false }
type Options = DefinePluginOpts<OARepoS3Options, keyof typeof DEFAULTS>

// Each change makes the page draw itself anew.
const SHOW_EVERY = 100

/** Uppy's uploader for Invenio repositories with oarepo-s3. */
export class OARepoS3<M extends Meta, B extends Body> extends BasePlugin<Options, M, B> {
  readonly #uploads = new Map<string, FileUpload>()
  readonly #ending = new Map<string, Promise<void>>()
  readonly #rest = new Rest(() => this.opts)
  readonly #limiter: Limiter
  readonly #files: Places
  readonly #memory: Memory
  readonly #checksums: Checksums | undefined
  readonly #store = { reached: false }

  constructor(uppy: Uppy<M, B>, options: OARepoS3Options) {
    super(uppy, { ...DEFAULTS, ...options })
    this.type = 'uploader'
    this.id = this.opts.id ?? 'OARepoS3'
    this.defaultLocale = { strings }
    this.i18nInit()
    this.#limiter = new Limiter(this.opts.limit)
    this.#files = new Places(this.opts.limit)
    this.#memory = new Memory(this.opts.memory)
    this.#checksums = this.opts.checksums ? new Checksums() : undefined
  }

  override install(): void {
    this.#setCapabilities(true)
    this.uppy.addUploader(this.#upload)
    this.uppy.on('file-removed', this.#onRemoved)
    this.uppy.on('upload-pause', this.#onPause)
    this.uppy.on('pause-all', this.#onPauseAll)
    this.uppy.on('resume-all', this.#onResumeAll)
  }

  /** Uploads that are under way stop, and are not given up: they go on when the file comes again. */
  override uninstall(): void {
    this.#setCapabilities(false)
    this.uppy.removeUploader(this.#upload)
    this.uppy.off('file-removed', this.#onRemoved)
    this.uppy.off('upload-pause', this.#onPause)
    this.uppy.off('pause-all', this.#onPauseAll)
    this.uppy.off('resume-all', this.#onResumeAll)
    for (const upload of this.#uploads.values()) upload.leave()
    this.#uploads.clear()
    this.#checksums?.close()
  }

  #setCapabilities(on: boolean): void {
    const { capabilities } = this.uppy.getState()
    this.uppy.setState({
      capabilities: { ...capabilities, resumableUploads: on, individualCancellation: true },
    })
  }

  readonly #upload = async (ids: string[]): Promise<void> => {
    const files = filterFilesToUpload(this.uppy.getFilesByIds(ids)) as UppyFile<M, B>[]
    this.uppy.emit('upload-start', filterFilesToEmitUploadStarted(files) as UppyFile<M, B>[])
    await Promise.all(files.map((file) => this.#uploadFile(file.id)))
  }

  /** Upload one file; never fails: Uppy is told, and the other files go on. */
  async #uploadFile(id: string): Promise<void> {
    try {
      // The same file, which was removed and has come again: in a draft, both have one name.
      await this.#ending.get(id)
      const file = this.uppy.getFile(id)
      if (file === undefined) return
      const upload = this.#uploads.get(id) ?? this.#begin(file)
      // Uppy has just set it to zero, also for a file that goes on after a failure.
      upload.progress.repeat()
      if (file.isPaused) upload.pause()
      else upload.resume()
      const done = await upload.run()
      // Whoever else waited for the same run has told it already.
      if (done !== undefined && this.#uploads.delete(id)) this.#tellArrived(id, done)
    } catch (error) {
      this.#tell(id, error)
    }
  }

  #tellArrived(id: string, { url, body }: Done): void {
    const file = this.uppy.getFile(id)
    const response = { status: 200, body: body as B, uploadURL: url, bytesUploaded: file.size ?? 0 }
    try {
      this.uppy.emit('upload-success', file, response)
    } catch (error) {
      // It has arrived all the same: a mistake in the page's listener is for the console.
      this.uppy.log(error, 'error')
    }
  }

  #begin(file: UppyFile<M, B>): FileUpload {
    if (!(file.data instanceof Blob)) throw new UploadFailure('remote_file')
    const sessions = new Sessions(this.#rest, this.opts.endpoint)
    const shared: Shared = {
      sessions,
      memory: this.#memory,
      limiter: this.#limiter,
      files: this.#files,
      store: this.#store,
      checksums: this.#checksums,
    }
    const key = this.#keyOf(file)
    // Of two files of one name, as in two folders, one would replace the other without a word.
    if ([...this.#uploads.values()].some((other) => other.key === key)) throw new UploadFailure('name_taken')
    const wanted = { key, size: file.data.size, type: file.type }
    const target = targetOf(sessions, this.opts)
    const progress = new Progress(file.data.size, this.#shower(file.id, file.data.size))
    const upload = new FileUpload(file.data, wanted, target, shared, progress)
    this.#uploads.set(file.id, upload)
    return upload
  }

  #keyOf(file: UppyFile<M, B>): string {
    return this.opts.key?.(file as unknown as UppyFile<Meta, Body>) ?? file.meta.name ?? file.name
  }

  #shower(id: string, size: number): (bytes: number) => void {
    let last = -Infinity
    return (bytes) => {
      const now = performance.now()
      const file = this.uppy.getFile(id)
      if ((now - last < SHOW_EVERY && bytes < size) || file === undefined) return
      last = now
      const uploadStarted = file.progress.uploadStarted ?? Date.now()
      this.uppy.emit('upload-progress', file, { uploadStarted, bytesUploaded: bytes, bytesTotal: size })
      if (bytes < size) this.#keepBelowAll(id)
    }
  }

  /** Uppy rounds, and a file that is at 100 % takes no more progress. */
  #keepBelowAll(id: string): void {
    const progress = this.uppy.getFile(id)?.progress
    if (progress?.percentage === 100) this.uppy.setFileState(id, { progress: { ...progress, percentage: 99 } })
  }

  #tell(id: string, error: unknown): void {
    const file = this.uppy.getFile(id)
    this.uppy.log(error, 'warning')
    if (file === undefined) return
    const failure = error instanceof UploadFailure ? error : new UploadFailure('unknown', { said: String(error) })
    const { code, said } = failure
    this.uppy.emit('upload-error', file, {
      name: code,
      message: this.#describe(failure),
      ...(WITH_DETAILS.has(code) && said !== undefined ? { details: said } : {}),
    })
  }

  /** Say it in the words of the locale; what has none there, in those of the repository. */
  #describe({ code, said }: UploadFailure): string {
    if (code in strings) return this.i18n(code, { store: said ?? '', origin: location.origin })
    if (said !== undefined) return this.i18n('repositoryFailure', { message: said })
    return this.i18n('unknownFailure', { code })
  }

  readonly #onRemoved = ({ id }: UppyFile<M, B>): void => {
    const upload = this.#uploads.get(id)
    this.#uploads.delete(id)
    if (upload === undefined) return
    const end = upload
      .cancel()
      // The file is not in the list any more: there is nobody to tell but the log.
      .catch((error: unknown) => this.uppy.log(error, 'warning'))
      .finally(() => this.#ending.delete(id))
    this.#ending.set(id, end)
  }

  readonly #onPause = (file: UppyFile<M, B> | undefined, isPaused: boolean): void => {
    const upload = file === undefined ? undefined : this.#uploads.get(file.id)
    if (isPaused) upload?.pause()
    else upload?.resume()
  }

  readonly #onPauseAll = (): void => {
    for (const upload of this.#uploads.values()) upload.pause()
  }

  readonly #onResumeAll = (): void => {
    for (const upload of this.#uploads.values()) upload.resume()
  }
}
