// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** One file on its way: begin or go on, send the parts, complete; pause, resume, cancel. */

import type { Checksums } from './checksums.js'
import { isGone, Stopped, UploadFailure } from './errors.js'
import { fingerprint } from './fingerprint.js'
import type { Limiter } from './limiter.js'
import type { Memory } from './memory.js'
import { boundsOf, sendParts, type StoreHealth } from './parts.js'
import type { Places } from './places.js'
import type { Progress } from './progress.js'
import type { Sessions, Signed } from './sessions.js'
import type { Done, Target, Wanted } from './targets.js'
import type { Plan, UploadedPart } from './types.js'
import { BATCH, UrlWindow } from './window.js'

/** What all files share. */
export interface Shared {
  sessions: Sessions
  memory: Memory
  limiter: Limiter
  /** Places for files, so that a hundred of them do not begin at once. */
  files: Places
  store: StoreHealth
  /** `undefined`: parts are sent without. */
  checksums: Checksums | undefined
}

// The store and the list of parts may disagree now and then, but not forever.
const MENDINGS = 3
const MENDABLE = new Set(['missing_parts', 'part_size_mismatch', 'etag_mismatch', 'parts_rejected'])

/** The upload of one file; it can be run again after a failure, and goes on where it was. */
export class FileUpload {
  readonly #data: Blob
  readonly #wanted: Wanted
  readonly #target: Target
  readonly #shared: Shared
  readonly progress: Progress
  #name: string | undefined
  #session: Plan | undefined
  #attempt: AbortController | undefined
  #running: Promise<Done | undefined> | undefined
  #paused = false
  #over = false
  #wake: () => void = () => {}

  constructor(data: Blob, wanted: Wanted, target: Target, shared: Shared, progress: Progress) {
    this.#data = data
    this.#wanted = wanted
    this.#target = target
    this.#shared = shared
    this.progress = progress
  }

  /** The file's name in its place. */
  get key(): string {
    return this.#wanted.key
  }

  /**
   * Upload; while it runs, it is one run for all who ask.
   *
   * @returns `undefined` when it was cancelled or left
   * @throws UploadFailure
   */
  run(): Promise<Done | undefined> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #run(): Promise<Done | undefined> {
    for (;;) {
      while (this.#paused && !this.#over) {
        await new Promise<void>((resolve) => (this.#wake = resolve))
      }
      if (this.#over) return undefined
      const attempt = (this.#attempt = new AbortController())
      try {
        return await this.#shared.files.run(attempt.signal, () => this.#go(attempt.signal))
      } catch (error) {
        if (!attempt.signal.aborted) throw error
      } finally {
        this.#attempt = undefined
      }
    }
  }

  /** Stop sending; what has arrived stays at the store. */
  pause(): void {
    this.#paused = true
    this.#attempt?.abort(new Stopped())
  }

  /** Go on after a pause. */
  resume(): void {
    this.#paused = false
    this.#wake()
  }

  /** Give the upload up, here and at the server. Ends when nothing of it is under way any more. */
  async cancel(): Promise<void> {
    this.leave()
    // What is made there meanwhile has to be known first. Of a failure, its caller hears.
    await this.#running?.catch(() => {})
    const id = this.#begunAs()
    if (id === undefined) return
    this.#forget(id)
    await this.#target.abort({ id, key: this.key }, new AbortController().signal)
  }

  /** Stop without giving it up: it can go on another time. */
  leave(): void {
    this.#over = true
    this.#attempt?.abort(new Stopped())
    this.#wake()
  }

  async #go(signal: AbortSignal): Promise<Done> {
    this.#name ??= `${this.#target.name}/${this.#wanted.key}/${await fingerprint(this.#data)}`
    const known = await this.#known(signal)
    if (known !== undefined) {
      try {
        return await this.#finish(known, true, signal)
      } catch (error) {
        if (!isGone(error)) throw error
        this.#forget()
        await this.#target.clear(this.#wanted.key, signal)
      }
    }
    return this.#finish(await this.#begin(signal), false, signal)
  }

  /** Return the upload that was begun before and can go on, or is done. */
  async #known(signal: AbortSignal): Promise<Plan | undefined> {
    const id = this.#begunAs()
    if (id === undefined) return undefined
    const session = await this.#lookAt(id, signal)
    if (session !== undefined && LIVING.has(session.state)) {
      // A cancel has to know it, too.
      this.#session = session
      return session
    }
    this.#forget(id)
    await this.#target.clear(this.#wanted.key, signal)
    return undefined
  }

  async #lookAt(id: string, signal: AbortSignal): Promise<Plan | undefined> {
    try {
      return await this.#shared.sessions.look(id, signal)
    } catch (error) {
      // Forbidden: it was begun by somebody else who uses this browser.
      const gone = isGone(error) || (error instanceof UploadFailure && FOREIGN.has(error.code))
      if (gone) return undefined
      throw error
    }
  }

  async #begin(signal: AbortSignal): Promise<Plan> {
    const session = (this.#session = await this.#target.create(this.#wanted, signal))
    this.#shared.memory.keep(this.#name!, session)
    signal.throwIfAborted()
    return session
  }

  async #finish(session: Plan, resumed: boolean, signal: AbortSignal): Promise<Done> {
    try {
      const etags = new Map<number, string>()
      if (session.state === 'pending') {
        if (resumed) await this.#take(session, etags, signal)
        else this.progress.restart(0)
        await this.#send(session, etags, signal)
      }
      const done = await this.#complete(session, etags, signal)
      this.#forget()
      return done
    } catch (error) {
      if (isGone(error)) this.#forget()
      throw error
    }
  }

  /** Ask which parts the store has, and take them for sent when they are as they should be. */
  async #take(session: Plan, etags: Map<number, string>, signal: AbortSignal): Promise<void> {
    const stored = await this.#shared.sessions.parts(session.id, signal)
    const fits = ({ part, size, etag }: UploadedPart) => {
      const [start, end] = boundsOf(part, session)
      const own = etags.get(part)
      return size === end - start && (own === undefined || bare(own) === bare(etag))
    }
    const good = stored.filter(fits)
    etags.clear()
    for (const { part, etag } of good) etags.set(part, etag)
    this.progress.restart(good.reduce((sum, { size }) => sum + size, 0))
  }

  async #send(session: Plan, etags: Map<number, string>, signal: AbortSignal): Promise<void> {
    const all = Array.from({ length: session.num_parts }, (_, index) => index + 1)
    const parts = all.filter((part) => !etags.has(part))
    if (parts.length === 0) return
    await sendParts(
      parts,
      {
        ...this.#shared,
        data: this.#data,
        session,
        urls: this.#window(parts, session, signal),
        progress: this.progress,
        checkRepository: () => this.#shared.sessions.look(session.id, signal),
        onArrived: (part, etag) => etags.set(part, etag),
      },
      signal,
    )
  }

  #window(parts: number[], session: Plan, signal: AbortSignal): UrlWindow {
    const { sessions, checksums, limiter } = this.#shared
    if (checksums === undefined || !session.part_checksums?.includes('md5')) {
      const begun: Signed = { urls: session.urls ?? [], signedAt: undefined }
      const batch = Math.max(session.urls?.length || BATCH, limiter.most)
      return new UrlWindow(parts, (some) => sessions.sign(session.id, some, signal), batch, begun)
    }
    const sign = async (some: number[]) => {
      const digests: string[] = []
      for (const part of some) {
        digests.push(await checksums.md5(this.#data.slice(...boundsOf(part, session)), signal))
      }
      return sessions.sign(session.id, some, signal, digests)
    }
    // Not more than can be on their way: the bytes of all of them are read before.
    return new UrlWindow(parts, sign, limiter.most)
  }

  async #complete(session: Plan, etags: Map<number, string>, signal: AbortSignal): Promise<Done> {
    for (let mending = 0; ; mending += 1) {
      try {
        return await this.#target.complete(session, etags, signal)
      } catch (error) {
        const mendable = error instanceof UploadFailure && MENDABLE.has(error.code)
        if (!mendable || mending === MENDINGS) throw error
        await this.#take(session, etags, signal)
        await this.#send(session, etags, signal)
      }
    }
  }

  /** The id of the upload that was begun, also by an earlier page. */
  #begunAs(): string | undefined {
    if (this.#session !== undefined) return this.#session.id
    return this.#name === undefined ? undefined : this.#shared.memory.find(this.#name)
  }

  #forget(id = this.#session?.id): void {
    if (this.#name !== undefined && id !== undefined) this.#shared.memory.forget(this.#name, id)
    this.#session = undefined
  }
}

const LIVING = new Set<Plan['state']>(['pending', 'completing', 'completed'])
const FOREIGN = new Set(['forbidden', 'not_found'])

function bare(etag: string): string {
  return etag.replaceAll('"', '')
}
