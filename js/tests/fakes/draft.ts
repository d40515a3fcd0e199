// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** The files of a draft, as docs/howto/records.md has them. */

import type { Answer, Request } from './network.js'
import { type FakeRepository, json, problem, type Upload } from './repository.js'

/** A draft at `/api/records/1/draft/files`. */
export class FakeDraft {
  static readonly FILES = '/api/records/1/draft/files'
  readonly #repository: FakeRepository
  readonly entries = new Map<string, { upload: Upload; committed: boolean; type?: string }>()

  constructor(repository: FakeRepository) {
    this.#repository = repository
  }

  /** Answer a call. */
  readonly handle = async ({ method, url, body }: Request): Promise<Answer> => {
    const [, name, action] = url.pathname.slice(FakeDraft.FILES.length).split('/')
    const links = Number(url.searchParams.get('part_links') ?? NaN)
    if (name === undefined) return this.#begin(JSON.parse(body as string)[0], links)
    const key = decodeURIComponent(name)
    const entry = this.entries.get(key)
    if (entry === undefined) return json(404, { status: 404, message: `File with key ${key} not found.` })
    if (method === 'DELETE') {
      this.entries.delete(key)
      this.#repository.abort(entry.upload)
      return { status: 204 }
    }
    if (method === 'GET') return json(200, this.#dump(key, links))
    if (action !== 'commit' || entry.committed) return problem(400, 'refused')
    const completed = this.#repository.complete(entry.upload, undefined)
    if (completed.status !== 200) return completed
    entry.committed = true
    return json(200, this.#dump(key, links))
  }

  #begin(wanted: { key: string; size: number; transfer: { parts: number; part_size: number } }, links: number): Answer {
    const { key, size, transfer } = wanted
    if (this.entries.has(key)) return json(400, { status: 400, message: `File with key ${key} already exists.` })
    if (transfer.parts !== Math.max(1, Math.ceil(size / transfer.part_size))) return problem(400, 'invalid_request')
    const upload = this.#repository.begin({ bucket: 'draft', key, size, part_size: transfer.part_size }, true)
    this.entries.set(key, { upload, committed: false })
    return json(201, { entries: [...this.entries.keys()].map((one) => this.#dump(one, links)) })
  }

  #dump(key: string, links: number): unknown {
    const { upload, committed, type = 'M' } = this.entries.get(key)!
    const transfer = { type }
    const status = committed ? 'completed' : upload.state === 'aborted' ? 'failed' : 'pending'
    const open = upload.state === 'pending' && upload.expires_at > Date.now()
    if (Number.isNaN(links) || !open) return { key, size: upload.size, status, transfer, links: { content: null } }
    const parts = this.#repository
      .urls(upload, Array.from({ length: Math.min(links, upload.num_parts) }, (_, index) => index + 1))
      .map(({ part, url, expires_at }) => ({ part, url, expiration: expires_at }))
    const address = `https://inside.test/api/multipart-uploads/${upload.id}`
    return { key, size: upload.size, status, transfer, links: { content: null, upload: address, parts } }
  }
}
