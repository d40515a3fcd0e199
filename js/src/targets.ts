// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** Where a file goes: a bucket of files-rest, or the files of a draft. */

import { isGone, UploadFailure } from './errors.js'
import { retry } from './retry.js'
import type { Sessions } from './sessions.js'
import type { OARepoS3Options, Plan, Session } from './types.js'

/** What is to be uploaded. */
export interface Wanted {
  key: string
  size: number
  type: string
}

/** A file that has arrived. */
export interface Done {
  /** Its address. */
  url: string
  /** What the repository says of it. */
  body: Record<string, unknown>
}

/** A place for files. */
export interface Target {
  /** Tells this place from others. */
  readonly name: string
  /** Begin an upload. Waits for the answer even after the signal, so that no upload is left unknown. */
  create(wanted: Wanted, signal: AbortSignal): Promise<Plan>
  /**
   * Make a file of the parts; may be repeated.
   *
   * @param etags - of the parts, by their numbers; none when the parts are not known here
   * @returns the file
   */
  complete(session: Plan, etags: Map<number, string>, signal: AbortSignal): Promise<Done>
  /** Give an upload up; may be repeated. */
  abort(session: { id: string; key: string }, signal: AbortSignal): Promise<void>
  /** Remove what an upload that has ended without a file has left in the way of another one. */
  clear(key: string, signal: AbortSignal): Promise<void>
}

// Assembling many parts takes a store minutes.
const COMPLETE_TIMEOUT = 5 * 60_000

/** A bucket of files-rest. */
export class BucketTarget implements Target {
  readonly name: string
  readonly #sessions: Sessions
  readonly #bucket: string
  readonly #partSize: number | undefined

  constructor(sessions: Sessions, bucket: string, partSize: number | undefined) {
    this.name = `${sessions.endpoint}/${bucket}`
    this.#sessions = sessions
    this.#bucket = bucket
    this.#partSize = partSize
  }

  async create({ key, size, type }: Wanted, signal: AbortSignal): Promise<Plan> {
    const body = {
      bucket: this.#bucket,
      key,
      size,
      ...(type === '' ? {} : { content_type: type }),
      ...(this.#partSize === undefined ? {} : { part_size: this.#partSize }),
    }
    const { endpoint, rest } = this.#sessions
    const answer = await rest.call({ method: 'POST', address: endpoint, body, signal, whole: true })
    return answer.body as Plan
  }

  async complete(session: Plan, etags: Map<number, string>, signal: AbortSignal): Promise<Done> {
    // With the ETags, a part that somebody else has put in place of ours does not become a file.
    const parts = Array.from(etags, ([part, etag]) => ({ PartNumber: part, ETag: etag }))
    const address = this.#sessions.address(session.id, '/complete')
    const answer = await this.#sessions.rest.call({
      method: 'POST',
      address,
      ...(parts.length === 0 ? {} : { body: { parts } }),
      signal,
      timeout: COMPLETE_TIMEOUT,
    })
    const body = answer.body as Session & Done['body']
    return { url: body.file?.links?.content ?? this.#file(session.key), body }
  }

  async abort({ id }: { id: string }, signal: AbortSignal): Promise<void> {
    const address = this.#sessions.address(id)
    await this.#sessions.rest.call({ method: 'DELETE', address, signal })
  }

  /** Nothing is in the way: a bucket takes any number of uploads of a key. */
  async clear(): Promise<void> {}

  /** The address of files-rest beside that of the uploads. */
  #file(key: string): string {
    const api = this.#sessions.endpoint.replace(/\/[^/]*$/, '')
    return `${api}/files/${this.#bucket}/${key.split('/').map(encodeURIComponent).join('/')}`
  }
}

/** This package's transfer type. */
const TRANSFER = 'M'
const OPEN = new Set<Session['state']>(['pending', 'completing'])
const MIB = 2 ** 20
const PART_SIZE = 16 * MIB
const SMALLEST = 5 * MIB
const MOST_PARTS = 10_000

interface Entry {
  key: string
  status?: string
  size?: number
  transfer?: { type?: string }
  links?: { upload?: string; parts?: { url: string; expiration: string }[] }
}

/** The files of a draft: transfer "M" of invenio-records-resources. */
export class DraftTarget implements Target {
  readonly name: string
  readonly #sessions: Sessions
  readonly #files: string
  readonly #partSize: number | undefined
  readonly #looks: boolean
  /** Whether an upload of ours may be there that is not known here: its beginning had no clear answer. */
  #unanswered = false

  /** @param looks - whether more has to be known of a small file than its one URL */
  constructor(sessions: Sessions, files: string, partSize: number | undefined, looks: boolean) {
    this.#looks = looks
    this.#files = files.replace(/\/+$/, '')
    this.name = this.#files
    this.#sessions = sessions
    this.#partSize = partSize
  }

  async create(wanted: Wanted, signal: AbortSignal): Promise<Plan> {
    const entry = await retry(() => this.#begin(wanted, signal), signal)
    const link = entry?.links?.upload?.split('/').at(-1)
    if (link === undefined) throw new UploadFailure('no_direct_upload')
    const id = decodeURIComponent(link)
    const [only] = entry?.links?.parts ?? []
    if (only !== undefined) return planOfOne(id, wanted, only)
    // Until it is known, another try finds its name taken by itself.
    this.#unanswered = true
    // It is there by now: whatever the signal says, it has to be known here.
    const session = await this.#sessions.look(id, new AbortController().signal)
    this.#unanswered = false
    return session
  }

  async #begin(wanted: Wanted, signal: AbortSignal): Promise<Entry | undefined> {
    try {
      return await this.#post(wanted, signal)
    } catch (error) {
      if (!(error instanceof UploadFailure)) throw error
      if (error.kind !== 'final') this.#unanswered = true
      // A refusal of records-resources itself has no code.
      const entry = error.code === 'refused' ? await this.#entry(wanted.key, signal) : undefined
      if (entry === undefined) throw error
      const own = this.#unanswered && entry.size === wanted.size && entry.links?.upload !== undefined
      if (!own) throw new UploadFailure('name_taken', { status: 400 })
      return entry
    }
  }

  async complete(session: Plan, _: Map<number, string>, signal: AbortSignal): Promise<Done> {
    const address = this.#address(session.key)
    const commit = async (attempt: number): Promise<Entry | undefined> => {
      // An earlier try may have done it, and a file is committed only once.
      const entry = attempt > 1 || session.state === 'completed' ? await this.#entry(session.key, signal) : undefined
      if (entry?.status === 'completed') return entry
      const call = { method: 'POST', address: `${address}/commit`, signal } as const
      return (await this.#sessions.rest.once({ ...call, timeout: COMPLETE_TIMEOUT })).body as Entry
    }
    return { url: `${address}/content`, body: { ...(await retry(commit, signal)) } }
  }

  async abort({ id, key }: { id: string; key: string }, signal: AbortSignal): Promise<void> {
    // Entries go by their names, and that of an upload that has ended may be another file's by now.
    if (await this.#isOpen(id, signal)) await this.#remove(key, signal)
  }

  async clear(key: string, signal: AbortSignal): Promise<void> {
    const entry = await this.#entry(key, signal)
    if (entry === undefined || entry.status === 'completed') return
    // Files of other transfers are none of our uploads.
    if ((entry.transfer?.type ?? TRANSFER) !== TRANSFER) return
    // Somebody else's upload in progress has a link; what is dead has none.
    if (entry.links?.upload === undefined) await this.#remove(key, signal)
  }

  async #isOpen(id: string, signal: AbortSignal): Promise<boolean> {
    try {
      return OPEN.has((await this.#sessions.look(id, signal)).state)
    } catch (error) {
      if (isGone(error) || (error instanceof UploadFailure && error.status === 404)) return false
      throw error
    }
  }

  async #remove(key: string, signal: AbortSignal): Promise<void> {
    await this.#sessions.rest.call({ method: 'DELETE', address: this.#address(key), signal })
  }

  async #post({ key, size }: Wanted, signal: AbortSignal): Promise<Entry | undefined> {
    const part_size = partSizeOf(size, this.#partSize)
    const parts = Math.max(1, Math.ceil(size / part_size))
    const { body } = await this.#sessions.rest.once({
      method: 'POST',
      // The number makes the answer name the session; URLs of many parts are asked for when needed.
      address: `${this.#files}?part_links=${parts === 1 && !this.#looks ? 1 : 0}`,
      body: [{ key, size, transfer: { type: TRANSFER, parts, part_size } }],
      signal,
      whole: true,
    })
    return (body as { entries?: Entry[] }).entries?.find((entry) => entry.key === key)
  }

  async #entry(key: string, signal: AbortSignal): Promise<Entry | undefined> {
    const address = `${this.#address(key)}?part_links=0`
    try {
      return (await this.#sessions.rest.call({ method: 'GET', address, signal })).body as Entry
    } catch (error) {
      if (error instanceof UploadFailure && error.status === 404) return undefined
      throw error
    }
  }

  #address(key: string): string {
    return `${this.#files}/${encodeURIComponent(key)}`
  }
}

/** A file of one part is sent as soon as it has begun: there is nothing more to ask. */
function planOfOne(id: string, { key, size }: Wanted, only: { url: string; expiration: string }): Plan {
  const { url, expiration: expires_at } = only
  // Any size that holds the whole file; an empty one as well.
  const part_size = Math.max(size, 1)
  const urls = [{ part: 1, url, expires_at }]
  return { id, key, state: 'pending', size, part_size, num_parts: 1, expires_at, urls }
}

/** Cut a file as the store can take it; here it is the client who says how. */
export function partSizeOf(size: number, wish = PART_SIZE): number {
  const least = Math.ceil(size / MOST_PARTS / MIB) * MIB
  return Math.max(wish, least, SMALLEST)
}

/**
 * Return the place that the options name.
 *
 * @throws UploadFailure `no_target` unless it is exactly one
 */
export function targetOf(sessions: Sessions, options: OARepoS3Options): Target {
  const { bucket, draftFiles, partSize } = options
  if (bucket !== undefined && draftFiles === undefined) {
    return new BucketTarget(sessions, bucket, partSize)
  }
  if (draftFiles !== undefined && bucket === undefined) {
    return new DraftTarget(sessions, draftFiles, partSize, options.checksums === true)
  }
  throw new UploadFailure('no_target')
}
