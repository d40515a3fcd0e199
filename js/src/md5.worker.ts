// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** The worker: reads a piece of a file as a stream and answers with its MD5. */

import { createMD5 } from 'hash-wasm'

/** What the worker is asked. */
export interface Question {
  data: Blob
}

/** What it answers: an error says whether the file is the reason, or the page's policy. */
export type Reply = { md5: string } | { error: string; unreadable: boolean }

/** Return the MD5 of some data in hex, without ever having more than a chunk of it in memory. */
export async function md5(data: Blob): Promise<string> {
  const hash = await createMD5()
  hash.init()
  const reader = data.stream().getReader()
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    hash.update(chunk.value)
  }
  return hash.digest('hex')
}

/** Answer one question. */
export async function answer({ data }: Question): Promise<Reply> {
  try {
    return { md5: await md5(data) }
  } catch (error) {
    // Files fail with exceptions of the DOM, WebAssembly with its own.
    return { error: String(error), unreadable: error instanceof DOMException }
  }
}

// A window has a document, and only a worker may listen here.
if (typeof document === 'undefined') {
  self.onmessage = async ({ data }: MessageEvent<Question>) => {
    self.postMessage(await answer(data))
  }
}
