// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** What a screen reader is told: milestones, and not each percent. */

import { make } from './dom.js'

const MILESTONES = [25, 50, 75]
const QUIET = 4_000

/** A live region. A text is read when it changes, so the same one twice is said once. */
export class Speaker {
  readonly element: HTMLElement
  #passed = 0
  #spokeAt = -Infinity

  constructor() {
    this.element = make('p', 'spoken')
    this.element.setAttribute('role', 'status')
    this.element.setAttribute('aria-live', 'polite')
    this.element.setAttribute('aria-atomic', 'true')
  }

  /** Say something at once. */
  say(text: string): void {
    this.element.textContent = text
    this.#spokeAt = performance.now()
  }

  /** Begin again with the milestones. */
  restart(): void {
    this.#passed = 0
  }

  /** Say how far it is when a milestone is passed, unless something was said just now. */
  progress(percent: number, text: (milestone: number) => string): void {
    const milestone = MILESTONES.findLast((each) => percent >= each) ?? 0
    if (milestone <= this.#passed || percent >= 100) return
    this.#passed = milestone
    if (performance.now() - this.#spokeAt >= QUIET) this.say(text(milestone))
  }
}
