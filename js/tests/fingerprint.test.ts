// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
import { afterEach, expect, test, vi } from 'vitest'

import { fingerprint, PIECE, SAMPLE } from '../src/fingerprint.js'

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

test('reads a part at either end, a piece at a time', async () => {
  const read = vi.spyOn(Blob.prototype, 'arrayBuffer')
  for (const size of [0, 1, SAMPLE, SAMPLE + 1, 3 * SAMPLE]) {
    read.mockClear()
    await fingerprint(file(['x'.repeat(size)]))
    const sizes = read.mock.contexts.map((blob) => (blob as Blob).size)
    const digests = 64 * Math.max(0, sizes.length - 1)
    expect(sizes.reduce((sum, bytes) => sum + bytes, 0)).toBe(Math.min(size, 2 * SAMPLE) + digests)
    expect(Math.max(0, ...sizes)).toBeLessThanOrEqual(PIECE + 64)
  }
})

test('is the same on a page without HTTPS', async () => {
  const secure = await fingerprint(file(['abc']))
  vi.stubGlobal('crypto', {})
  expect(await fingerprint(file(['abc']))).toBe(secure)
  expect(secure).toContain('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})
