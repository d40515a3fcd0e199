// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** An S3 store: takes parts by presigned URLs, and checks these. */

import { md5 } from 'hash-wasm'

import type { Answer, Request } from './network.js'

// The tests watch who reads files; the store itself reads what has arrived.
const readAll = Blob.prototype.arrayBuffer

// Long enough for others to come meanwhile.
const LATENCY = 2

/** A part that has arrived. */
export interface Stored {
  size: number
  etag: string
  text: string
}

/** Signs URLs, and takes parts that are sent to them. */
export class FakeStore {
  /** Parts by upload and number. */
  readonly uploads = new Map<string, Map<number, Stored>>()
  /** Every part that was taken, in its order, as `upload/part`. */
  readonly taken: string[] = []
  /** Most parts at a time. */
  most = 0
  /** Whether scripts may read the ETag. */
  exposesEtag = true
  /** When set, parts wait for it before they are answered. */
  gate: Promise<void> | undefined
  /** Milliseconds since the epoch. */
  clock = () => Date.now()
  #now = 0

  /** Sign a URL. */
  sign(upload: string, part: number, expires: number, md5?: string): string {
    const url = new URL('https://store.test/part')
    const fields = { upload, part, expires, ...(md5 === undefined ? {} : { md5 }) }
    for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, String(value))
    url.searchParams.set('signature', signature(url))
    return url.href
  }

  /** Answer a PUT. */
  readonly handle = async ({ url, headers, body }: Request): Promise<Answer> => {
    this.#now += 1
    this.most = Math.max(this.most, this.#now)
    try {
      await (this.gate ?? new Promise((resolve) => setTimeout(resolve, LATENCY)))
      return await this.#put(url, headers, body as Blob)
    } finally {
      this.#now -= 1
    }
  }

  async #put(url: URL, headers: Map<string, string>, body: Blob): Promise<Answer> {
    const wanted = url.searchParams
    if (wanted.get('signature') !== signature(url)) return refusal(403, 'SignatureDoesNotMatch')
    if (Number(wanted.get('expires')) < this.clock()) return refusal(403, 'AccessDenied')
    for (const name of headers.keys()) {
      if (name !== 'content-md5') return refusal(403, 'AccessDenied')
    }
    const bytes = new Uint8Array(await readAll.call(body))
    const digest = await md5(bytes)
    const declared = wanted.get('md5')
    if (declared !== null && headers.get('content-md5') !== declared) return refusal(403, 'SignatureDoesNotMatch')
    if (declared !== null && declared !== digest) return refusal(400, 'BadDigest')
    const parts = this.uploads.get(wanted.get('upload')!)
    if (parts === undefined) return refusal(404, 'NoSuchUpload')
    const part = Number(wanted.get('part'))
    this.taken.push(`${wanted.get('upload')}/${part}`)
    parts.set(part, { size: bytes.length, etag: digest, text: new TextDecoder().decode(bytes) })
    return { status: 200, headers: this.exposesEtag ? { etag: `"${digest}"` } : {} }
  }
}

function signature(url: URL): string {
  const fields = [...url.searchParams].filter(([name]) => name !== 'signature')
  return `signed-${JSON.stringify(fields)}`.length + fields.map(([, value]) => value).join('.')
}

function refusal(status: number, code: string): Answer {
  return { status, body: `<?xml version="1.0"?><Error><Code>${code}</Code></Error>` }
}
