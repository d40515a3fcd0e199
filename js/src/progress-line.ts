// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** The line below the Dashboard: how much, how fast, and how long it will take. */

import { prettierBytes } from '@transloadit/prettier-bytes'
import type { Body, Meta, Uppy, UppyFile } from '@uppy/core'
import { type I18n, prettyETA } from '@uppy/core/utils'
import { make } from './dom.js'
import { SpeedMeter } from './speed.js'

const EVERY = 500

/**
 * Figures of the uploads that are under way, by the clock and not by the events of progress: when
 * nothing moves, it says so, where Uppy's own line keeps its last guess.
 */
export class ProgressLine<M extends Meta, B extends Body> {
  readonly element = make('p', 'progress')
  readonly #uppy: Uppy<M, B>
  readonly #i18n: I18n
  readonly #speed = new SpeedMeter()
  #timer: ReturnType<typeof setInterval> | undefined

  constructor(uppy: Uppy<M, B>, i18n: I18n) {
    this.#uppy = uppy
    this.#i18n = i18n
    this.element.hidden = true
  }

  /** Show figures from now on. */
  start(): void {
    this.stop()
    this.#timer = setInterval(() => this.show(), EVERY)
  }

  /** Hide the line. */
  stop(): void {
    clearInterval(this.#timer)
    this.#speed.reset()
    this.element.hidden = true
  }

  /** Show what is now; nothing, when nothing is under way. */
  show(): void {
    if (Object.keys(this.#uppy.getState().currentUploads).length === 0) {
      this.stop()
      return
    }
    const files = this.#uppy
      .getFiles()
      .filter(({ progress, error }) => progress.uploadStarted && !error)
    const sent = files.reduce((sum, file) => sum + (file.progress.bytesUploaded || 0), 0)
    const total = files.reduce((sum, file) => sum + (file.size ?? 0), 0)
    const amount = this.#i18n('amountUploaded', {
      sent: prettierBytes(sent),
      total: prettierBytes(total),
    })
    this.element.textContent = `${amount} · ${this.#pace(files, sent, total)}`
    this.element.hidden = false
  }

  #pace(files: UppyFile<M, B>[], sent: number, total: number): string {
    const open = files.filter((file) => !file.progress.uploadComplete)
    if (open.every((file) => file.isPaused)) {
      this.#speed.reset()
      return this.#i18n('pacePaused')
    }
    if (!navigator.onLine) return this.#i18n('paceOffline')
    if (sent >= total) return this.#i18n('paceCompleting')
    this.#speed.add(sent, performance.now())
    const { rate } = this.#speed
    if (rate === null) return this.#i18n('paceUnknown')
    if (rate === 0) return this.#i18n('paceWaiting')
    const time = prettyETA(Math.ceil((total - sent) / rate))
    return this.#i18n('pace', { speed: prettierBytes(rate), time })
  }
}
