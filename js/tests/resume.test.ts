// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
import { expect, test, vi } from 'vitest'

import { Memory } from '../src/memory.js'
import { problem } from './fakes/repository.js'
import type { Request } from './fakes/network.js'
import { eachInItsWorld, letters, type Page } from './fakes/world.js'

const world = eachInItsWorld()
const HUNDRED = letters(1000)

/** Upload until some parts have arrived, and then close the page. */
async function interrupted(content = HUNDRED, enough = 10): Promise<void> {
  const page = world().open()
  page.add('a.txt', content)
  void page.upload()
  await vi.waitFor(() => expect(world().taken.length).toBeGreaterThanOrEqual(enough))
  await close(page)
}

/** A page that is closed says goodbye to nobody. */
async function close(page: Page): Promise<void> {
  page.uppy.removePlugin(page.plugin)
  await new Promise((resolve) => setTimeout(resolve, 20))
}

test('a pause keeps what has arrived, and going on sends only the rest', async () => {
  const page = world().open()
  const id = page.add('a.txt', HUNDRED)
  const upload = page.upload()
  await vi.waitFor(() => expect(world().taken.length).toBeGreaterThan(10))
  page.uppy.pauseResume(id)
  await new Promise((resolve) => setTimeout(resolve, 30))
  const paused = world().taken.length
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(world().taken.length).toBe(paused)
  expect(paused).toBeLessThan(100)
  expect(world().repository.only.state).toBe('pending')
  page.uppy.pauseResume(id)
  expect(await upload).toEqual([])
  expect(world().network.seen('GET', /parts\?after/)).toHaveLength(1)
  // A part whose answer was not awaited may have arrived: it is asked for, and not sent twice.
  expect(new Set(world().taken).size).toBe(world().taken.length)
  expect(world().repository.content(world().repository.only)).toBe(HUNDRED)
})

test('all files pause and go on together', async () => {
  const page = world().open()
  for (const name of ['a', 'b', 'c']) page.add(name, letters(300, name))
  const upload = page.upload()
  await vi.waitFor(() => expect(world().taken.length).toBeGreaterThan(6))
  page.uppy.pauseAll()
  await new Promise((resolve) => setTimeout(resolve, 30))
  const paused = world().taken.length
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(world().taken.length).toBe(paused)
  page.uppy.resumeAll()
  expect(await upload).toEqual([])
  expect(world().taken).toHaveLength(90)
})

test('a paused file leaves its place to others', async () => {
  const page = world().open({ bucket: 'b', limit: 1 })
  const first = page.add('a', letters(300))
  page.add('b', letters(30, 'b'))
  const upload = page.upload()
  await vi.waitFor(() => expect(world().taken.length).toBeGreaterThan(2))
  page.uppy.pauseResume(first)
  await vi.waitFor(() => expect([...world().repository.uploads.values()].map(({ state }) => state)).toEqual(['pending', 'completed']))
  page.uppy.pauseResume(first)
  expect(await upload).toEqual([])
})

test('after a reload the same file goes on', async () => {
  world().repository.rules.pageSize = 4
  await interrupted()
  const before = world().taken.length
  const page = world().open()
  page.add('a.txt', HUNDRED)
  expect(await page.upload()).toEqual([])
  expect(world().repository.only.state).toBe('completed')
  expect(world().taken).toHaveLength(100)
  // All pages of the list were read, and what the first page load has sent counts at once.
  expect(world().network.seen('GET', /parts\?after/).length).toBe(Math.floor(before / 4) + (before % 4 === 0 ? 0 : 1))
  expect(page.progress[0]).toBeGreaterThanOrEqual(before * 10)
  expect(localStorage.length).toBe(0)
})

test('another file of the same name, size and time begins anew', async () => {
  await interrupted()
  const page = world().open()
  page.add('a.txt', letters(1000, 'b'))
  expect(await page.upload()).toEqual([])
  expect([...world().repository.uploads.values()].map(({ state }) => state)).toEqual(['pending', 'completed'])
  expect(world().repository.content(world().repository.uploads.get('upload-2')!)).toBe(letters(1000, 'b'))
})

test('the same file of another time, or for another bucket, begins anew', async () => {
  await interrupted()
  const later = world().open()
  later.add('a.txt', HUNDRED, 2)
  expect(await later.upload()).toEqual([])
  const elsewhere = world().open({ bucket: 'c' })
  elsewhere.add('a.txt', HUNDRED)
  expect(await elsewhere.upload()).toEqual([])
  expect(world().repository.uploads.size).toBe(3)
})

test.each(['expired', 'aborting', 'aborted', 'failed'])('a remembered upload that is %s is left alone', async (state) => {
  await interrupted()
  world().repository.only.state = state
  const page = world().open()
  page.add('a.txt', HUNDRED)
  expect(await page.upload()).toEqual([])
  expect(world().repository.uploads.get('upload-2')!.state).toBe('completed')
})

test.each([
  [404, 'upload_not_found'],
  [403, 'forbidden'],
])('a remembered upload that is a %i begins anew', async (status, code) => {
  await interrupted()
  world().network.fault({ at: ({ method, url }) => method === 'GET' && url.pathname.endsWith('upload-1'), answer: problem(status, code) })
  const page = world().open()
  page.add('a.txt', HUNDRED)
  expect(await page.upload()).toEqual([])
  expect(world().repository.uploads.get('upload-2')!.state).toBe('completed')
})

test('a remembered upload that turns out to have expired begins anew', async () => {
  await interrupted()
  world().repository.only.expires_at = 0
  const page = world().open()
  page.add('a.txt', HUNDRED)
  expect(await page.upload()).toEqual([])
  expect(world().repository.uploads.get('upload-2')!.state).toBe('completed')
  expect(Math.max(...page.progress)).toBe(1000)
})

test('what is remembered is forgotten when its time is over', async () => {
  await interrupted()
  const name = localStorage.key(0)!
  localStorage.setItem(name, JSON.stringify({ id: 'upload-1', expires_at: '2020-01-01T00:00:00Z' }))
  localStorage.setItem('oarepo-s3/another', JSON.stringify({ id: 'x', expires_at: '2020-01-01T00:00:00Z' }))
  localStorage.setItem('of-the-page', 'stays')
  const page = world().open()
  page.add('a.txt', HUNDRED)
  expect(await page.upload()).toEqual([])
  expect(world().network.requests.filter(({ method, url }) => method === 'GET' && url.pathname.endsWith('upload-1'))).toEqual([])
  expect(Object.keys(localStorage)).toEqual(['of-the-page'])
})

test.each(['completed', 'completing'])('an upload that was %s when the page closed is done without sending', async (state) => {
  await interrupted()
  const { only } = world().repository
  for (let part = 1; part <= 100; part += 1) world().store.uploads.get(only.id)!.set(part, { size: 10, etag: '', text: '' })
  only.state = state
  const before = world().taken.length
  const page = world().open()
  page.add('a.txt', HUNDRED)
  expect(await page.upload()).toEqual([])
  expect(only.state).toBe('completed')
  expect(world().taken).toHaveLength(before)
  expect(page.uppy.getFiles()[0]!.progress.uploadComplete).toBe(true)
})

test('a part of a wrong size at the store is sent again', async () => {
  await interrupted()
  const parts = world().store.uploads.get('upload-1')!
  parts.set(1, { size: 3, etag: 'x', text: 'abc' })
  const page = world().open()
  page.add('a.txt', HUNDRED)
  expect(await page.upload()).toEqual([])
  expect(world().repository.content(world().repository.only)).toBe(HUNDRED)
})

test('Retry after a failure goes on, and does not begin anew', async () => {
  const page = world().open()
  const id = page.add('a.txt', HUNDRED)
  const twenty = ({ method, url }: Request) => method === 'PUT' && url.searchParams.get('part') === '20'
  world().network.fault({ at: twenty, answer: { status: 503 }, times: 10 })
  expect(await page.upload()).toHaveLength(1)
  const before = world().taken.length
  expect(before).toBeGreaterThan(15)
  const failed = page.progress.at(-1)!
  const from = page.progress.length
  // Nobody presses the button faster than progress is shown.
  await new Promise((resolve) => setTimeout(resolve, 120))
  let shown: unknown
  const look = ({ method }: Request) => {
    if (method === 'GET') shown ??= page.uppy.getFile(id).progress.bytesUploaded
    return false
  }
  world().network.fault({ at: look })
  const again = await page.uppy.retryUpload(id)
  // Even before the server has said what it has.
  expect(shown).toBeGreaterThanOrEqual(failed)
  expect(again!.failed).toEqual([])
  expect(world().repository.only.state).toBe('completed')
  // All that is sent twice was on its way when the other part failed.
  expect(world().taken.length).toBeLessThanOrEqual(100 + 6)
  expect(new Set(world().taken).size).toBe(100)
  expect(page.progress.at(from)).toBeGreaterThanOrEqual(failed)
})

test('Retry all after the upload was lost begins anew', async () => {
  const page = world().open()
  page.add('a.txt', HUNDRED)
  world().network.fault({ at: ({ method }) => method === 'PUT', answer: { status: 404, body: '<Code>NoSuchUpload</Code>' } })
  expect(await page.upload()).toEqual(['The store has dropped the upload. Retry: it begins anew.'])
  const again = await page.uppy.retryAll()
  expect(again!.failed).toEqual([])
  expect(world().repository.uploads.get('upload-2')!.state).toBe('completed')
})

test.each([
  ['is full', { setItem: () => { throw new DOMException('full', 'QuotaExceededError') } }],
  ['is forbidden', { getItem: () => { throw new DOMException('no', 'SecurityError') }, length: 1, key: () => 'oarepo-s3/x' }],
])('a storage that %s does no harm', async (_, broken) => {
  const memory = { length: 0, key: () => null, getItem: () => null, setItem() {}, removeItem() {}, clear() {}, ...broken } as Storage
  const page = world().open({ bucket: 'b', memory })
  page.add('a.txt', letters(30))
  expect(await page.upload()).toEqual([])
})

test('nothing is remembered where the page wants none', async () => {
  const page = world().open({ bucket: 'b', memory: null })
  page.add('a.txt', HUNDRED)
  void page.upload()
  await vi.waitFor(() => expect(world().taken.length).toBeGreaterThan(5))
  expect(localStorage.length).toBe(0)
  await close(page)
})

test('an upload that ends late does not make the next one of its name forgotten', () => {
  const memory = new Memory(localStorage)
  const expires_at = new Date(Date.now() + 1000).toISOString()
  memory.keep('a', { id: 'first', expires_at })
  memory.keep('a', { id: 'second', expires_at })
  memory.forget('a', 'first')
  expect(memory.find('a')).toBe('second')
  memory.forget('a', 'second')
  expect(memory.find('a')).toBeUndefined()
})
