// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { put } from '../src/put.js'

/** An XMLHttpRequest that does what a test says. */
class Puppet {
  static last: Puppet
  readonly upload: { onprogress?: (event: { loaded: number }) => void } = {}
  onload?: () => void
  onerror?: () => void
  status = 0
  responseText = ''
  aborted = false
  readonly headers: Record<string, string> = {}
  constructor() {
    Puppet.last = this
  }
  open() {}
  send() {}
  setRequestHeader() {}
  getResponseHeader(name: string) {
    return this.headers[name] ?? null
  }
  abort() {
    this.aborted = true
  }
}

const part = { url: 'https://store.test/x?secret=1', body: new Blob(['abc']), headers: {} }
const never = new AbortController().signal

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('XMLHttpRequest', Puppet)
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

test('a part without progress for a minute is given up; with progress it may take hours', async () => {
  const sent = expect(put(part, never, () => {})).rejects.toMatchObject({ code: 'stalled', kind: 'network' })
  for (let minute = 0; minute < 100; minute += 1) {
    await vi.advanceTimersByTimeAsync(59_000)
    Puppet.last.upload.onprogress?.({ loaded: minute })
  }
  expect(Puppet.last.aborted).toBe(false)
  await vi.advanceTimersByTimeAsync(61_000)
  await sent
  expect(Puppet.last.aborted).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
})

test('an abort reaches the request', async () => {
  const stop = new AbortController()
  const sent = expect(put(part, stop.signal, () => {})).rejects.toBe('enough')
  stop.abort('enough')
  await sent
  expect(Puppet.last.aborted).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
})

test('an error says the host of the store, and nothing of the right to send', async () => {
  const sent = put(part, never, () => {}).catch((error: Error) => error)
  Puppet.last.onerror?.()
  expect(JSON.stringify(await sent) + String(await sent)).toContain('store.test')
  expect(JSON.stringify(await sent) + String(await sent)).not.toContain('secret')
})

test.each([
  [403, '', 'stale'],
  [400, '<Error><Code>AccessDenied</Code></Error>', 'stale'],
  [400, '<Error><Code>RequestExpired</Code></Error>', 'stale'],
  [400, '<Error><Code>ExpiredToken</Code></Error>', 'stale'],
  [400, '<Error><Code>InvalidToken</Code></Error>', 'stale'],
  [400, '<Error><Code>TokenRefreshRequired</Code></Error>', 'stale'],
  [400, '<Error><Code>RequestTimeout</Code></Error>', 'busy'],
  [400, '<Error><Code>IncompleteBody</Code></Error>', 'busy'],
  [400, '<Error><Code>BadDigest</Code></Error>', 'busy'],
  [400, '<Error><Code>EntityTooSmall</Code></Error>', 'final'],
  [404, '<Error><Code>NoSuchUpload</Code></Error>', 'final'],
  [429, '', 'busy'],
  [500, '', 'busy'],
  [503, '<Error><Code>SlowDown</Code></Error>', 'busy'],
])('a %i of the store with %j is %s', async (status, body, kind) => {
  const sent = expect(put(part, never, () => {})).rejects.toMatchObject({ kind, status })
  Object.assign(Puppet.last, { status, responseText: body })
  Puppet.last.onload?.()
  await sent
})
