// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** How much of a file has gone out: a sum that never goes back. */

/** The progress of one file. */
export class Progress {
  readonly #size: number
  readonly #show: (bytes: number) => void
  readonly #under = new Map<number, number>()
  #arrived = 0
  #shown = 0

  /**
   * @param size - bytes of the file
   * @param show - gets the sum of bytes whenever it has grown
   */
  constructor(size: number, show: (bytes: number) => void) {
    this.#size = size
    this.#show = show
  }

  /** Bytes that were shown last. */
  get shown(): number {
    return this.#shown
  }

  /** Say how much of a part is on its way. */
  loaded(part: number, bytes: number): void {
    this.#under.set(part, bytes)
    this.#update()
  }

  /** Say that a part has failed, or was stopped. What was shown stays, until it is caught up with. */
  lost(part: number): void {
    this.#under.delete(part)
  }

  /** Say that a part has arrived. */
  arrived(part: number, bytes: number): void {
    this.#under.delete(part)
    this.#arrived += bytes
    this.#update()
  }

  /** Say anew how much has arrived, as the server has it. */
  restart(arrived: number): void {
    this.#under.clear()
    this.#arrived = arrived
    this.#update()
  }

  /** Show again what was shown last. */
  repeat(): void {
    if (this.#shown > 0) this.#show(this.#shown)
  }

  #update(): void {
    let sum = this.#arrived
    for (const bytes of this.#under.values()) sum += bytes
    const next = Math.min(this.#size, sum)
    if (next <= this.#shown) return
    this.#shown = next
    this.#show(next)
  }
}
