// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
import { expect, test, vi } from 'vitest'

import { problem } from './fakes/repository.js'
import { eachInItsWorld, letters } from './fakes/world.js'
import type { Request } from './fakes/network.js'

const world = eachInItsWorld()
const part = (number: number) => (request: Request) =>
  request.method === 'PUT' && request.url.searchParams.get('part') === String(number)
const to = (method: string, path: RegExp) => (request: Request) =>
  request.method === method && path.test(request.url.pathname)

test.each([500, 502, 503, 429, 408])('a part that the store answers with %i is sent again', async (status) => {
  const page = world().open()
  page.add('a.txt', letters(50))
  world().network.fault({ at: part(2), answer: { status }, times: 3 })
  expect(await page.upload()).toEqual([])
  expect(world().network.seen('PUT', /part=2&/)).toHaveLength(4)
  expect(world().taken).toHaveLength(5)
})

test('a store that asks for time gets it', async () => {
  const page = world().open()
  page.add('a.txt', 'x')
  world().network.fault({ at: part(1), answer: { status: 503, headers: { 'retry-after': '0.3' } } })
  const begun = performance.now()
  expect(await page.upload()).toEqual([])
  expect(performance.now() - begun).toBeGreaterThanOrEqual(295)
})

test('a repository that asks for time gets it', async () => {
  const page = world().open()
  page.add('a.txt', 'x')
  const answer = { ...problem(429, 'too_many_requests'), headers: { 'retry-after': '0.3' } }
  world().network.fault({ at: to('POST', /multipart-uploads$/), answer })
  const begun = performance.now()
  expect(await page.upload()).toEqual([])
  expect(performance.now() - begun).toBeGreaterThanOrEqual(295)
})

test('a store that is away for good is given up, and it is said what to do', async () => {
  const page = world().open()
  page.add('a.txt', 'x')
  world().network.fault({ at: part(1), answer: { status: 503 }, times: 1000 })
  expect(await page.upload()).toEqual(['The store is busy or away. Nothing is lost: retry later.'])
  expect(world().network.seen('PUT', /part/)).toHaveLength(10)
})

test('a broken connection is a part sent again', async () => {
  const page = world().open()
  page.add('a.txt', letters(50))
  world().network.fault({ at: part(4), times: 4 })
  expect(await page.upload()).toEqual([])
  expect(world().taken).toHaveLength(5)
})

test('without network it waits, for as long as it takes, and goes on', async () => {
  const page = world().open({ bucket: 'b', limit: 2 })
  page.add('a.txt', letters(200))
  const upload = page.upload()
  await vi.waitFor(() => expect(world().taken.length).toBeGreaterThan(3))
  world().network.up = false
  // What was under way breaks; then nothing moves.
  await new Promise((resolve) => setTimeout(resolve, 50))
  const before = world().taken.length
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(world().taken.length).toBe(before)
  world().network.up = true
  expect(await upload).toEqual([])
  expect(world().repository.content(world().repository.only)).toBe(letters(200))
})

test('a store that lets no page in is told apart from a network that is away', async () => {
  const page = world().open()
  page.add('a.txt', 'x')
  world().network.fault({ at: ({ method }) => method === 'PUT', times: 1000 })
  const [message] = await page.upload()
  expect(message).toContain('cannot reach the store at store.test')
  expect(message).toContain(`pages of ${location.origin}`)
  expect(message).toContain('CORS')
})

test('a store that hides the ETag is an error that names the remedy, at once', async () => {
  world().store.exposesEtag = false
  const page = world().open()
  page.add('a.txt', letters(100))
  const [message] = await page.upload()
  expect(message).toContain('expose ETag in the CORS rule')
  expect(world().network.seen('PUT', /part/).length).toBeLessThanOrEqual(2)
})

test('a file that was changed meanwhile is told apart from a broken network', async () => {
  const page = world().open()
  const id = page.add('a.txt', letters(20))
  world().network.fault({ at: part(2), times: 1000 })
  const data = page.uppy.getFile(id).data as File
  const slice = data.slice.bind(data)
  // Browsers let a changed file be sliced, but not read.
  vi.spyOn(data, 'slice').mockImplementation((start, end) => {
    const piece = slice(start, end)
    if (start === 10) piece.arrayBuffer = () => Promise.reject(new DOMException('changed', 'NotReadableError'))
    return piece
  })
  expect(await page.upload()).toEqual([expect.stringContaining('The file cannot be read')])
})

test('a quota that is full is said with the repository\'s own numbers', async () => {
  world().repository.rules.quota = 5
  const page = world().open()
  page.add('a.txt', letters(20))
  expect(await page.upload()).toEqual([
    'There is not enough room for this file. 20 bytes do not fit, 5 bytes are left. Remove files.',
  ])
})

test('a code that this version does not know is told in the repository\'s words', async () => {
  const page = world().open()
  page.add('a.txt', 'x')
  const answer = problem(400, 'something_new', 'The moon is full. Wait a day.')
  world().network.fault({ at: to('POST', /multipart-uploads$/), answer })
  expect(await page.upload()).toEqual(['The moon is full. Wait a day.'])
})

test('an error of a gateway, which is no JSON, is tried again', async () => {
  const page = world().open()
  page.add('a.txt', 'x')
  world().network.fault({ at: to('POST', /multipart-uploads$/), answer: { status: 502, body: '<html>Bad gateway' } })
  expect(await page.upload()).toEqual([])
})

test('a page instead of the API is an error for the author of the page', async () => {
  const page = world().open()
  page.add('a.txt', 'x')
  world().network.fault({ at: to('POST', /multipart-uploads$/), answer: { status: 200, body: '<html>Hello' } })
  expect(await page.upload()).toEqual([expect.stringContaining('set endpoint')])
})

test('texts can be translated', async () => {
  world().repository.rules.quota = 5
  const page = world().open({ bucket: 'b', locale: { strings: { quota_exceeded: 'Plno.' } } })
  page.add('a.txt', letters(20))
  expect(await page.upload()).toEqual(['Plno. 20 bytes do not fit, 5 bytes are left. Remove files.'])
})

test('parts that went missing at the store are sent again', async () => {
  const page = world().open()
  page.add('a.txt', letters(100))
  let calls = 0
  const lose = (request: Request) => {
    if (!to('POST', /complete$/)(request)) return false
    calls += 1
    if (calls === 1) world().store.uploads.get('upload-1')!.delete(7)
    return false
  }
  world().network.fault({ at: lose })
  expect(await page.upload()).toEqual([])
  expect(world().taken).toHaveLength(11)
  expect(world().taken.at(-1)).toBe('upload-1/7')
  expect(calls).toBe(2)
})

test('parts that go missing again and again are not sent for ever', async () => {
  const page = world().open()
  page.add('a.txt', letters(30))
  world().network.fault({ at: to('POST', /complete$/), answer: problem(400, 'missing_parts', '1 of 3 parts is missing.'), times: 99 })
  expect(await page.upload()).toEqual(['1 of 3 parts is missing.'])
  expect(world().network.seen('POST', /complete$/)).toHaveLength(4)
})

test('a part that somebody else has put in place of ours is sent again', async () => {
  const page = world().open()
  page.add('a.txt', letters(30))
  const swap = (request: Request) => {
    const parts = world().store.uploads.get('upload-1')
    if (to('POST', /complete$/)(request) && world().taken.length === 3) {
      parts!.set(2, { size: 10, etag: 'forged', text: 'forged....' })
    }
    return false
  }
  world().network.fault({ at: swap })
  expect(await page.upload()).toEqual([])
  expect(world().repository.content(world().repository.only)).toBe(letters(30))
})

test('a store that cannot say yet whether the file is there is asked again', async () => {
  const page = world().open()
  page.add('a.txt', 'x')
  world().network.fault({ at: to('POST', /complete$/), answer: problem(503, 'store_unavailable'), times: 3 })
  world().network.fault({ at: to('POST', /complete$/), answer: problem(409, 'store_precondition_failed') })
  expect(await page.upload()).toEqual([])
  expect(world().network.seen('POST', /complete$/)).toHaveLength(5)
})

test('a reply of complete that was lost makes no second file', async () => {
  const page = world().open()
  page.add('a.txt', letters(30))
  world().network.fault({ at: to('POST', /complete$/), late: true })
  expect(await page.upload()).toEqual([])
  expect(world().repository.only.state).toBe('completed')
  expect(world().taken).toHaveLength(3)
})

test('trouble halves the parts that are on their way', async () => {
  const { network } = world()
  const page = world().open()
  page.add('a.txt', letters(3000))
  let before = 0
  const fail = (request: Request) => {
    if (!part(150)(request)) return false
    before = network.together.length
    return true
  }
  network.fault({ at: fail, answer: { status: 503 } })
  expect(await page.upload()).toEqual([])
  const usual = Math.max(...network.together.slice(before - 20, before))
  expect(usual).toBeGreaterThan(2)
  expect(Math.min(...network.together.slice(before, before + 10))).toBe(Math.floor(usual / 2))
  expect(network.sending).toBe(0)
})

test('what a part that failed had sent is not counted while it waits', async () => {
  const page = world().open({ bucket: 'b', limit: 2 })
  page.add('a.txt', letters(30))
  world().network.fault({ at: part(1), answer: { status: 503, headers: { 'retry-after': '0.5' } } })
  const upload = page.upload()
  await vi.waitFor(() => expect(world().taken).toEqual(['upload-1/2', 'upload-1/3']))
  expect(Math.max(...page.progress)).toBeLessThanOrEqual(20)
  expect(await upload).toEqual([])
  expect(page.progress.at(-1)).toBe(30)
})

test('progress never goes back and never beyond the file, whatever happens', async () => {
  const page = world().open()
  const id = page.add('a.txt', letters(1000))
  world().network.fault({ at: ({ method }) => method === 'PUT' && Math.floor(performance.now()) % 3 === 0, answer: { status: 500 }, times: 30 })
  world().network.fault({ at: part(50), times: 4 })
  const upload = page.upload()
  await vi.waitFor(() => expect(world().taken.length).toBeGreaterThan(20))
  page.uppy.pauseResume(id)
  await new Promise((resolve) => setTimeout(resolve, 20))
  page.uppy.pauseResume(id)
  expect(await upload).toEqual([])
  expect(page.progress).toEqual([...page.progress].sort((one, other) => one - other))
  expect(Math.max(...page.progress)).toBe(1000)
})
