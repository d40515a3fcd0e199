// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
import { afterEach, expect, test, vi } from 'vitest'

import { fingerprint, SAMPLE } from '../src/fingerprint.js'

afterEach(() => vi.unstubAllGlobals())

const file = (parts: BlobPart[], lastModified = 1) => new File(parts, 'a', { lastModified })

test('tells files apart by size, time, beginning and end', async () => {
  const middle = 'x'.repeat(SAMPLE)
  const files = [
    file(['a', middle, middle, 'a']),
    file(['a', middle, middle, 'a'], 2),
    file(['b', middle, middle, 'a']),
    file(['a', middle, middle, 'b']),
    file(['a', middle, middle, 'ba']),
    file([]),
  ]
  const prints = await Promise.all(files.map(fingerprint))
  expect(new Set(prints).size).toBe(files.length)
  expect(await fingerprint(file(['a', middle, middle, 'a']))).toBe(prints[0])
})

test('reads a part at either end, and never all of it at once', async () => {
  const read = vi.spyOn(Blob.prototype, 'stream')
  const whole = vi.spyOn(Blob.prototype, 'arrayBuffer')
  for (const size of [0, 1, SAMPLE, SAMPLE + 1, 3 * SAMPLE]) {
    await fingerprint(file(['x'.repeat(size)]))
    expect((read.mock.contexts.at(-1) as Blob).size).toBe(Math.min(size, 2 * SAMPLE))
  }
  expect(whole).not.toHaveBeenCalled()
})

test('is a SHA-256, on a page without HTTPS too', async () => {
  vi.stubGlobal('crypto', {})
  expect(await fingerprint(file(['abc']))).toContain('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})
