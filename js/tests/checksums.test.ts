// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
import { expect, test, vi } from 'vitest'

import { Checksums } from '../src/checksums.js'
import { answer, md5, type Question } from '../src/md5.worker.js'
import { createMd5Worker } from '../src/worker-factory.js'
import { eachInItsWorld, letters } from './fakes/world.js'

vi.mock('../src/worker-factory.js', () => ({ createMd5Worker: vi.fn() }))

const world = eachInItsWorld()

/** A worker that does what the real one does, but in the same thread. */
class InlineWorker {
  static alive = 0
  static questions = 0
  onmessage: ((event: { data: unknown }) => void) | null = null
  onerror: (() => void) | null = null

  constructor() {
    InlineWorker.alive += 1
  }

  postMessage({ data }: Question): void {
    InlineWorker.questions += 1
    void answer({ data }).then((reply) => this.onmessage?.({ data: reply }))
  }

  terminate(): void {
    InlineWorker.alive -= 1
    this.onmessage = null
  }
}

function withWorker(): void {
  InlineWorker.alive = 0
  InlineWorker.questions = 0
  vi.mocked(createMd5Worker).mockImplementation(() => new InlineWorker() as unknown as Worker)
}

test('each part is sent with its MD5, which is computed as a stream', async () => {
  withWorker()
  world().repository.rules.checksums = true
  world().repository.rules.partSize = 3 * 2 ** 20
  const page = world().open({ bucket: 'b', checksums: true })
  const read = vi.spyOn(Blob.prototype, 'arrayBuffer')
  const content = 'x'.repeat(7 * 2 ** 20)
  page.add('a.txt', content)
  expect(await page.upload()).toEqual([])
  for (const { headers, url } of world().network.seen('PUT', /part/)) {
    expect(headers.get('content-md5')).toBe(url.searchParams.get('md5'))
  }
  expect(world().network.seen('PUT', /md5=/)).toHaveLength(3)
  // What is read is for the fingerprint.
  expect(Math.max(...read.mock.contexts.map((blob) => (blob as Blob).size))).toBeLessThan(3 * 2 ** 20)
  expect(InlineWorker.questions).toBe(3)
})

test('parts are hashed and signed a few at a time, one worker for all files', async () => {
  withWorker()
  world().repository.rules.checksums = true
  const page = world().open({ bucket: 'b', checksums: true, limit: 3 })
  page.add('a.txt', letters(200))
  page.add('b.txt', letters(100, 'b'))
  expect(await page.upload()).toEqual([])
  expect(world().network.seen('GET', /urls/)).toHaveLength(Math.ceil(20 / 3) + Math.ceil(10 / 3))
  expect(InlineWorker.alive).toBe(1)
  page.uppy.removePlugin(page.plugin)
  expect(InlineWorker.alive).toBe(0)
})

test('a part that was changed on its way is sent again', async () => {
  withWorker()
  world().repository.rules.checksums = true
  const page = world().open({ bucket: 'b', checksums: true })
  page.add('a.txt', letters(30))
  world().network.fault({
    at: ({ method }) => method === 'PUT',
    answer: { status: 400, body: '<Error><Code>BadDigest</Code></Error>' },
  })
  expect(await page.upload()).toEqual([])
  expect(world().network.seen('PUT', /part/)).toHaveLength(4)
})

test('a store that takes no digests gets none', async () => {
  withWorker()
  const page = world().open({ bucket: 'b', checksums: true })
  page.add('a.txt', letters(30))
  expect(await page.upload()).toEqual([])
  expect(InlineWorker.questions).toBe(0)
})

test('a page that allows no worker is told which policy it needs', async () => {
  vi.mocked(createMd5Worker).mockImplementation(() => {
    throw new DOMException('blocked', 'SecurityError')
  })
  world().repository.rules.checksums = true
  const page = world().open({ bucket: 'b', checksums: true })
  page.add('a.txt', letters(30))
  expect(await page.upload()).toEqual([expect.stringContaining('wasm-unsafe-eval')])
})

test('a worker that dies is an error, and the next try has a new one', async () => {
  world().repository.rules.checksums = true
  withWorker()
  vi.mocked(createMd5Worker).mockImplementationOnce(() => {
    const worker = new InlineWorker()
    worker.postMessage = () => void setTimeout(() => worker.onerror?.())
    return worker as unknown as Worker
  })
  const page = world().open({ bucket: 'b', checksums: true })
  const id = page.add('a.txt', letters(30))
  expect(await page.upload()).toEqual([expect.stringContaining('wasm-unsafe-eval')])
  expect((await page.uppy.retryUpload(id))!.failed).toEqual([])
})

test.each([
  [new DOMException('gone', 'NotReadableError'), 'cannot be read'],
  [new WebAssembly.CompileError('forbidden by the policy'), 'wasm-unsafe-eval'],
])('a worker that fails with %s says why', async (failure, message) => {
  withWorker()
  vi.spyOn(Blob.prototype, 'stream').mockImplementation(() => {
    throw failure
  })
  world().repository.rules.checksums = true
  const page = world().open({ bucket: 'b', checksums: true })
  page.add('a.txt', letters(30))
  expect(await page.upload()).toEqual([expect.stringContaining(message)])
  vi.mocked(Blob.prototype.stream).mockRestore()
})

test('a pause in the middle of a digest ends the worker', async () => {
  withWorker()
  vi.spyOn(InlineWorker.prototype, 'postMessage').mockImplementationOnce(() => {})
  world().repository.rules.checksums = true
  const page = world().open({ bucket: 'b', checksums: true })
  const id = page.add('a.txt', letters(30))
  const upload = page.upload()
  await vi.waitFor(() => expect(InlineWorker.prototype.postMessage).toHaveBeenCalled())
  page.uppy.pauseResume(id)
  await vi.waitFor(() => expect(InlineWorker.alive).toBe(0))
  page.uppy.pauseResume(id)
  expect(await upload).toEqual([])
})

test('questions that come together get each its own answer', async () => {
  withWorker()
  const checksums = new Checksums()
  const pieces = ['a', 'b', 'c'].map((seed) => new Blob([seed.repeat(2 ** 20)]))
  const expected = await Promise.all(pieces.map((data) => md5(data)))
  const never = new AbortController().signal
  expect(await Promise.all(pieces.map((data) => checksums.md5(data, never)))).toEqual(expected)
})
