// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** MD5 of parts, computed beside the page. */

import { UploadFailure } from './errors.js'
import type { Question, Reply } from './md5.worker.js'
import { wait } from './signals.js'
import { createMd5Worker } from './worker-factory.js'

/** Computes digests, one after another, in one worker for all files. */
export class Checksums {
  #worker: Worker | undefined
  #last: Promise<unknown> = Promise.resolve()

  /**
   * Return the MD5 of a piece of a file, in hex. Its bytes are read in the worker only.
   *
   * @throws UploadFailure `checksum_impossible` when no worker can be had, `file_unreadable`
   */
  md5(data: Blob, signal: AbortSignal): Promise<string> {
    const turn = this.#last.then(() => this.#ask(data, signal))
    // Whoever comes next waits for the end, whatever it is.
    this.#last = turn.catch(() => {})
    return turn
  }

  /** End the worker. */
  close(): void {
    this.#worker?.terminate()
    this.#worker = undefined
  }

  async #ask(data: Blob, signal: AbortSignal): Promise<string> {
    const worker = this.#start()
    let reply: Reply | undefined
    const ask = (done: () => void) => {
      worker.onmessage = ({ data: answer }: MessageEvent<Reply>) => {
        reply = answer
        done()
      }
      worker.onerror = () => done()
      worker.postMessage({ data } satisfies Question)
      return () => {
        worker.onmessage = worker.onerror = null
      }
    }
    try {
      await wait(ask, signal)
    } catch (error) {
      // It would go on reading a file that nobody wants any more.
      this.close()
      throw error
    }
    if (reply === undefined) {
      this.close()
      throw new UploadFailure('checksum_impossible')
    }
    if ('error' in reply) {
      const code = reply.unreadable ? 'file_unreadable' : 'checksum_impossible'
      throw new UploadFailure(code, { said: reply.error })
    }
    return reply.md5
  }

  #start(): Worker {
    try {
      this.#worker ??= createMd5Worker()
      return this.#worker
    } catch (error) {
      throw new UploadFailure('checksum_impossible', { said: String(error) })
    }
  }
}
