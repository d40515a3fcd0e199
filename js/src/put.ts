// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** Sending one part to the store. */

import { kindOf, readRetryAfter, UploadFailure } from './errors.js'

/** Milliseconds without a byte of progress after which a part is given up and sent again. */
export const STALL = 60_000

// The connection was too slow or broke; the store says so as if the request were wrong.
const PASSING = new Set(['RequestTimeout', 'IncompleteBody'])
// Some stores call an expired URL, or an expired key that signed it, a bad request.
const STALE = new Set(['AccessDenied', 'RequestExpired', 'ExpiredToken', 'InvalidToken', 'TokenRefreshRequired'])

/** What is sent where. */
export interface Part {
  url: string
  body: Blob
  /** The headers that the URL was signed for. */
  headers: Record<string, string>
}

/**
 * PUT a part, by XMLHttpRequest: `fetch` does not tell the progress of what it sends.
 *
 * There is no Content-Type (a slice has none), no cookie and no token: the URL is the right, and
 * some stores refuse headers that it was not signed for.
 *
 * @param onProgress - gets the bytes that went out
 * @returns the part's ETag
 */
export function put(
  part: Part,
  signal: AbortSignal,
  onProgress: (bytes: number) => void,
  stall: number = STALL,
): Promise<string> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const request = new XMLHttpRequest()
    let timer: ReturnType<typeof setTimeout> | undefined
    const end = (settle: () => void) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      settle()
    }
    const fail = (error: unknown) => end(() => reject(error))
    const abort = () => {
      fail(signal.reason)
      request.abort()
    }
    const watch = () => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        fail(new UploadFailure('stalled', { kind: 'network' }))
        request.abort()
      }, stall)
    }
    signal.addEventListener('abort', abort)
    request.upload.onprogress = (event) => {
      watch()
      onProgress(event.loaded)
    }
    request.onerror = () => fail(new UploadFailure('no_answer', { kind: 'network', said: hostOf(part.url) }))
    request.onload = () => {
      const outcome = read(request)
      if (typeof outcome === 'string') end(() => resolve(outcome))
      else fail(outcome)
    }
    request.open('PUT', part.url)
    for (const [name, value] of Object.entries(part.headers)) request.setRequestHeader(name, value)
    watch()
    request.send(part.body)
  })
}

/** The host alone: what follows is the right to send, and is shown to nobody. */
function hostOf(url: string): string {
  return new URL(url, location.href).host
}

/** Return the ETag, or what went wrong. */
function read(request: XMLHttpRequest): string | UploadFailure {
  const { status } = request
  if (status >= 200 && status < 300) {
    return request.getResponseHeader('ETag') || new UploadFailure('etag_hidden', { status })
  }
  const code = /<Code>(\w+)<\/Code>/.exec(request.responseText)?.[1] ?? ''
  if (status === 403 || STALE.has(code)) {
    return new UploadFailure('store_refused', { status, kind: 'stale' })
  }
  if (status === 404) return new UploadFailure('upload_lost', { status })
  if (code === 'BadDigest') return new UploadFailure('bad_digest', { status, kind: 'busy' })
  const retryAfter = readRetryAfter(request.getResponseHeader('Retry-After'))
  const kind = PASSING.has(code) ? 'busy' : kindOf(status)
  return new UploadFailure(kind === 'busy' ? 'store_unavailable' : 'store_refused', {
    status,
    kind,
    ...(code === '' ? {} : { said: code }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  })
}
