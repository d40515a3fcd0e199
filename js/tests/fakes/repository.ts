// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** The REST API as docs/reference/rest.md has it, with a bucket. */

import type { PartUrl } from '../../src/index.js'
import type { Answer, Request } from './network.js'
import type { FakeStore } from './store.js'

const URL_LIFE = 24 * 3600_000

/** An upload, as the server keeps it. */
export interface Upload {
  id: string
  bucket: string
  key: string
  state: string
  size: number
  part_size: number
  num_parts: number
  expires_at: number
  /** Whether it belongs to a draft, where a file has to be committed. */
  draft: boolean
}

/** What one may set. */
export interface Rules {
  partSize: number
  window: number
  pageSize: number
  maxUrls: number
  quota: number
  /** Milliseconds that a part's URL lives. */
  urlLife: number
  /** The token that is asked for; `undefined`: none. */
  token: string | undefined
  /** The CSRF token that is asked for; `undefined`: none. */
  csrf: string | undefined
  checksums: boolean
}

/** A repository with one bucket. */
export class FakeRepository {
  readonly store: FakeStore
  readonly uploads = new Map<string, Upload>()
  readonly rules: Rules = {
    partSize: 10,
    window: 25,
    pageSize: 1000,
    maxUrls: 1000,
    quota: Infinity,
    urlLife: URL_LIFE,
    token: undefined,
    csrf: undefined,
    checksums: false,
  }
  #next = 1

  constructor(store: FakeStore) {
    this.store = store
  }

  /** The only upload. */
  get only(): Upload {
    if (this.uploads.size !== 1) throw new Error(`there are ${this.uploads.size} uploads`)
    return [...this.uploads.values()][0]!
  }

  /** What an upload's parts make, as text. */
  content(upload: Upload): string {
    const parts = this.store.uploads.get(upload.id) ?? new Map()
    return [...parts].sort(([one], [other]) => one - other).map(([, { text }]) => text).join('')
  }

  /** Answer a call. */
  readonly handle = async (request: Request): Promise<Answer> => {
    const answer = this.#answer(request)
    return { ...answer, headers: { ...answer.headers, date: new Date(this.store.clock()).toUTCString() } }
  }

  #answer(request: Request): Answer {
    const refused = this.#authenticate(request)
    if (refused !== undefined) return refused
    const path = request.url.pathname.replace('/api/multipart-uploads', '')
    if (path === '') return this.#create(JSON.parse(request.body as string))
    const [, id, what] = path.split('/')
    const upload = this.uploads.get(id!)
    if (upload === undefined) return problem(404, 'upload_not_found')
    if (request.method === 'DELETE') return this.abort(upload)
    if (what === undefined) return json(200, this.dump(upload))
    if (what === 'complete') return this.complete(upload, request.body as string | undefined)
    if (upload.state !== 'pending') return problem(409, 'upload_not_pending')
    if (what === 'parts') return this.#list(upload, request.url)
    if (upload.expires_at < this.store.clock()) return problem(410, 'upload_expired')
    return this.#sign(upload, request.url.searchParams)
  }

  #authenticate({ method, headers }: Request): Answer | undefined {
    const { token, csrf } = this.rules
    if (token !== undefined && headers.get('authorization') !== `Bearer ${token}`) {
      return problem(401, 'not_authenticated')
    }
    if (csrf === undefined || method === 'GET' || headers.get('x-csrftoken') === csrf) return undefined
    // As invenio-rest: the refusal brings the cookie, and has no code.
    document.cookie = `csrftoken=${csrf}; path=/`
    return json(400, { status: 400, message: 'CSRF token missing or incorrect.' })
  }

  #create(wanted: { bucket: string; key: string; size: number; part_size?: number }): Answer {
    if (wanted.size > this.rules.quota) {
      const message = `${wanted.size} bytes do not fit, ${this.rules.quota} bytes are left. Remove files.`
      return problem(400, 'quota_exceeded', message)
    }
    const upload = this.begin({ ...wanted, part_size: wanted.part_size ?? this.rules.partSize }, false)
    return json(201, { ...this.dump(upload), urls: this.urls(upload, this.#first(upload)) })
  }

  /** Open an upload. */
  begin(wanted: { bucket: string; key: string; size: number; part_size: number }, draft: boolean): Upload {
    const { bucket, key, size, part_size } = wanted
    const upload: Upload = {
      id: `upload-${this.#next++}`,
      bucket,
      key,
      state: 'pending',
      size,
      part_size,
      num_parts: Math.max(1, Math.ceil(size / part_size)),
      expires_at: this.store.clock() + 6 * URL_LIFE,
      draft,
    }
    this.uploads.set(upload.id, upload)
    this.store.uploads.set(upload.id, new Map())
    return upload
  }

  /** Write a session. */
  dump(upload: Upload): Record<string, unknown> {
    const { draft: _, ...fields } = upload
    return {
      ...fields,
      expires_at: new Date(upload.expires_at).toISOString(),
      part_checksums: this.rules.checksums ? ['md5'] : [],
      // Another address than the page's: as behind a proxy that does not say where it stands.
      links: { self: `https://inside.test/${upload.id}` },
      ...(upload.state === 'completed' ? { file: { key: upload.key, size: upload.size } } : {}),
    }
  }

  #first(upload: Upload): number[] {
    const count = Math.min(upload.num_parts, this.rules.window)
    return Array.from({ length: count }, (_, index) => index + 1)
  }

  /** Sign URLs. */
  urls(upload: Upload, parts: number[], digests?: string[]): PartUrl[] {
    const expires = this.store.clock() + this.rules.urlLife
    return parts.map((part, index) => ({
      part,
      url: this.store.sign(upload.id, part, expires, digests?.[index]),
      expires_at: new Date(expires).toISOString(),
      ...(digests === undefined ? {} : { headers: { 'Content-MD5': digests[index]! } }),
    }))
  }

  #sign(upload: Upload, query: URLSearchParams): Answer {
    const parts = (query.get('parts') ?? '').split(',').flatMap((run) => {
      const [first, last = first] = run.split('-').map(Number)
      return Array.from({ length: last! - first! + 1 }, (_, index) => first! + index)
    })
    if (parts.length > this.rules.maxUrls) return problem(400, 'too_many_parts')
    if (parts.some((part) => !(part >= 1 && part <= upload.num_parts))) return problem(400, 'part_out_of_range')
    const digests = query.get('checksums')?.split(',').map((one) => one.replace('md5:', ''))
    return json(200, { urls: this.urls(upload, parts, digests), links: {} })
  }

  #list(upload: Upload, url: URL): Answer {
    const after = Number(url.searchParams.get('after'))
    const above = [...this.store.uploads.get(upload.id)!]
      .filter(([part]) => part > after)
      .sort(([one], [other]) => one - other)
    const page = above.slice(0, this.rules.pageSize)
    const links = above.length > page.length ? { next: `https://inside.test/next` } : {}
    return json(200, { parts: page.map(([part, { size, etag }]) => ({ part, size, etag })), links })
  }

  /** Complete: nothing is believed but what the store has. */
  complete(upload: Upload, body: string | undefined): Answer {
    if (upload.state === 'completed') return json(200, this.dump(upload))
    if (upload.state !== 'pending' && upload.state !== 'completing') return problem(409, 'upload_not_pending')
    const stored = this.store.uploads.get(upload.id)!
    const all = Array.from({ length: upload.num_parts }, (_, index) => index + 1)
    if (all.some((part) => !stored.has(part))) return problem(400, 'missing_parts')
    if (body !== undefined) {
      const known: { PartNumber: number; ETag: string }[] = JSON.parse(body).parts
      if (known.length !== all.length) return problem(400, 'invalid_request')
      for (const { PartNumber, ETag } of known) {
        if (stored.get(PartNumber)?.etag !== ETag.replaceAll('"', '')) return problem(400, 'etag_mismatch')
      }
    }
    upload.state = 'completed'
    return json(200, this.dump(upload))
  }

  /** Abort. */
  abort(upload: Upload): Answer {
    if (upload.state === 'completed') return problem(409, 'upload_not_pending')
    upload.state = 'aborted'
    this.store.uploads.delete(upload.id)
    return { status: 204 }
  }
}

/** An answer of JSON. */
export function json(status: number, body: unknown): Answer {
  return { status, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
}

/** An error, as the API writes it. */
export function problem(status: number, code: string, message = `This is ${code}.`): Answer {
  return json(status, { status, message, code })
}
