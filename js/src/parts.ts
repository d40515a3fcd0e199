// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** Sending the parts of one file: several at a time, each until it has arrived. */

import { UploadFailure } from './errors.js'
import { bytesOf } from './fingerprint.js'
import type { Limiter } from './limiter.js'
import type { Progress } from './progress.js'
import { put } from './put.js'
import { retry } from './retry.js'
import { follow } from './signals.js'
import type { Plan } from './types.js'
import type { UrlWindow } from './window.js'

// A URL that was just signed and is refused again: something else than its age is wrong.
const REFUSALS = 3
// As long as no part has ever arrived, it is the set-up rather than the network.
const FIRST_TRIES = 5

/** What is needed to send parts. */
export interface Sending {
  data: Blob
  session: Pick<Plan, 'size' | 'part_size'>
  urls: UrlWindow
  limiter: Limiter
  progress: Progress
  store: StoreHealth
  /** Fails when it is not the store alone that does not answer. */
  checkRepository: () => Promise<unknown>
  /** Gets the ETag of each part that has arrived. */
  onArrived: (part: number, etag: string) => void
}

/** What this page knows of its store. */
export interface StoreHealth {
  /** Whether any part has ever arrived. */
  reached: boolean
}

/** Return where a part begins and ends, in bytes. */
export function boundsOf(part: number, { size, part_size }: Sending['session']): [number, number] {
  return [(part - 1) * part_size, Math.min(part * part_size, size)]
}

/**
 * Send parts in their order, as many at a time as the limiter lets.
 *
 * @throws UploadFailure of the first part that cannot be sent; the others are stopped
 */
export async function sendParts(parts: number[], sending: Sending, signal: AbortSignal): Promise<void> {
  const { controller, letGo } = follow(signal)
  const left = parts.values()
  const lane = async () => {
    for (const part of left) await sendPart(part, sending, controller.signal)
  }
  const lanes = Array.from({ length: Math.min(sending.limiter.most, parts.length) }, () =>
    lane().catch((error: unknown) => {
      controller.abort(error)
      throw error
    }),
  )
  try {
    // All of them have ended before anything else begins.
    await Promise.allSettled(lanes)
    await Promise.all(lanes)
  } finally {
    letGo()
  }
}

async function sendPart(part: number, sending: Sending, signal: AbortSignal): Promise<void> {
  let refused = 0
  let unanswered = 0
  const once = async () => {
    try {
      await sendOnce(part, sending, signal)
    } catch (error) {
      sending.progress.lost(part)
      if (needsFreshUrl(error, unanswered)) sending.urls.refused(part)
      else sending.urls.returned(part)
      if (signal.aborted || !(error instanceof UploadFailure)) throw error
      if (error.kind === 'busy' || error.kind === 'network') sending.limiter.trouble()
      if (error.kind === 'stale' && ++refused >= REFUSALS) throw error.final()
      if (error.kind === 'network') {
        await checkFile(part, sending)
        unanswered += 1
        if (!sending.store.reached && unanswered >= FIRST_TRIES) {
          await sending.checkRepository()
          throw error.final('store_unreachable')
        }
      }
      throw error
    }
  }
  await retry(() => sending.limiter.run(signal, once), signal)
}

async function sendOnce(part: number, sending: Sending, signal: AbortSignal): Promise<void> {
  const { data, session, urls, limiter, progress, store } = sending
  const { url, headers = {} } = await urls.take(part)
  const [start, end] = boundsOf(part, session)
  let sent = 0
  const onProgress = (bytes: number) => {
    limiter.sent(bytes - sent)
    sent = bytes
    progress.loaded(part, Math.min(bytes, end - start))
  }
  // A slice is a view of the file, not a copy; and it has no type, so no Content-Type is sent.
  const etag = await put({ url, body: data.slice(start, end), headers }, signal, onProgress)
  store.reached = true
  limiter.arrived()
  progress.arrived(part, end - start)
  urls.used(part)
  sending.onArrived(part, etag)
}

/** Ceph refuses an expired URL without CORS headers: it looks like a network that breaks every time. */
function needsFreshUrl(error: unknown, unanswered: number): boolean {
  if (!(error instanceof UploadFailure)) return false
  return error.kind === 'stale' || (error.kind === 'network' && unanswered > 0)
}

/** A file that was changed looks like a broken network: the browser says no more of either. */
async function checkFile(part: number, { data, session }: Sending): Promise<void> {
  const [start, end] = boundsOf(part, session)
  await bytesOf(data.slice(start, Math.min(start + 1, end)))
}
