// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { readRetryAfter, UploadFailure } from '../src/errors.js'
import { retry } from '../src/retry.js'

const busy = (retryAfter?: number) =>
  new UploadFailure('busy', { kind: 'busy', ...(retryAfter === undefined ? {} : { retryAfter }) })
const network = () => new UploadFailure('no_answer', { kind: 'network' })
const never = new AbortController().signal

beforeEach(() => {
  vi.useFakeTimers()
  Object.defineProperty(navigator, 'onLine', { value: true, configurable: true })
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** Fail so often, and return at which milliseconds it was tried. */
async function times(failures: Error[], random: number): Promise<number[]> {
  vi.spyOn(Math, 'random').mockReturnValue(random)
  const begun = Date.now()
  const tried: number[] = []
  const done = retry(async () => {
    tried.push(Date.now() - begun)
    const failure = failures.shift()
    if (failure !== undefined) throw failure
  }, never)
  const settled = done.then(() => 'done', (error: UploadFailure) => error)
  await vi.runAllTimersAsync()
  const outcome = await settled
  if (outcome !== 'done') throw outcome
  return tried
}

test('pauses double up to half a minute, and chance takes anything off them', async () => {
  const nine = () => Array.from({ length: 9 }, () => busy())
  expect(await times(nine(), 1)).toEqual([0, 500, 1500, 3500, 7500, 15_500, 31_500, 61_500, 91_500, 121_500])
  expect(await times(nine(), 0.5)).toEqual([0, 250, 750, 1750, 3750, 7750, 15_750, 30_750, 45_750, 60_750])
  expect(await times(nine(), 0)).toEqual(Array(10).fill(0))
})

test('who asks for time gets that and the pause', async () => {
  expect(await times([busy(10_000), busy(0)], 1)).toEqual([0, 10_500, 11_500])
})

test('a server that asks for an hour is not waited for', async () => {
  await expect(times([busy(3_600_000)], 1)).rejects.toMatchObject({ code: 'busy', kind: 'final' })
})

test('the tenth failure is the last one, and nobody tries again around it', async () => {
  const failures = Array.from({ length: 10 }, () => busy())
  await expect(times(failures, 0)).rejects.toMatchObject({ code: 'busy', kind: 'final' })
  expect(failures).toEqual([])
})

test('a failure for good, and any other error, are not tried again', async () => {
  for (const error of [new UploadFailure('forbidden'), new TypeError('a bug')]) {
    await expect(times([error], 1)).rejects.toBe(error)
  }
})

test('an expired URL is replaced at once, but only the first time', async () => {
  const stale = () => new UploadFailure('store_refused', { kind: 'stale' })
  expect(await times([stale(), stale()], 1)).toEqual([0, 0, 1000])
})

test('failures without a network do not count, however many', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0)
  let tried = 0
  const done = retry(async () => {
    tried += 1
    if (tried <= 50) {
      Object.defineProperty(navigator, 'onLine', { value: false, configurable: true })
      throw network()
    }
    return 'arrived'
  }, never)
  for (let back = 1; back <= 50; back += 1) {
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(tried).toBe(back)
    Object.defineProperty(navigator, 'onLine', { value: true, configurable: true })
    window.dispatchEvent(new Event('online'))
    await vi.advanceTimersByTimeAsync(0)
  }
  expect(await done).toBe('arrived')
})

test('an abort ends a pause, and the waiting for the network', async () => {
  for (const onLine of [true, false]) {
    Object.defineProperty(navigator, 'onLine', { value: onLine, configurable: true })
    const stop = new AbortController()
    const done = retry(() => Promise.reject(busy(100_000)), stop.signal)
    const settled = expect(done).rejects.toBe('enough')
    await vi.advanceTimersByTimeAsync(10)
    stop.abort('enough')
    await settled
    expect(vi.getTimerCount()).toBe(0)
  }
})

test('Retry-After is read as seconds and as a date', () => {
  vi.setSystemTime('2026-11-21T12:00:00Z')
  expect(readRetryAfter('3')).toBe(3000)
  expect(readRetryAfter('Sat, 21 Nov 2026 12:00:20 GMT')).toBe(20_000)
  expect(readRetryAfter('Sat, 21 Nov 2026 11:00:00 GMT')).toBe(0)
  for (const nothing of [null, '', 'soon']) expect(readRetryAfter(nothing)).toBeUndefined()
})
