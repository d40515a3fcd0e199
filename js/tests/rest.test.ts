// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
import { expect, test, vi } from 'vitest'

import { Rest } from '../src/rest.js'
import { json } from './fakes/repository.js'
import { eachInItsWorld, letters } from './fakes/world.js'

const world = eachInItsWorld()
const calls = () => world().network.requests.filter(({ method }) => method !== 'PUT')

test('a token goes with every call to the repository', async () => {
  world().repository.rules.token = 'secret'
  const page = world().open({ bucket: 'b', token: 'secret' })
  page.add('a.txt', letters(400))
  expect(await page.upload()).toEqual([])
  expect(calls().length).toBeGreaterThan(2)
  for (const { headers } of calls()) expect(headers.get('authorization')).toBe('Bearer secret')
})

test('who gives the token is asked once, and once again when it has expired', async () => {
  world().repository.rules.token = 'first'
  const give = vi.fn(async () => world().repository.rules.token!)
  const page = world().open({ bucket: 'b', token: give })
  page.add('a.txt', letters(1000))
  page.uppy.on('upload-progress', (_, { bytesUploaded }) => {
    if (bytesUploaded > 0) world().repository.rules.token = 'second'
  })
  expect(await page.upload()).toEqual([])
  expect(give).toHaveBeenCalledTimes(2)
})

test('a token that is refused, also when it is new, is an error that says what to do', async () => {
  world().repository.rules.token = 'right'
  const give = vi.fn(() => 'wrong')
  const page = world().open({ bucket: 'b', token: give })
  page.add('a.txt', 'x')
  expect(await page.upload()).toEqual(['You are not logged in any more. Log in in another tab, then retry.'])
  expect(give).toHaveBeenCalledTimes(2)
  expect(calls()).toHaveLength(2)
})

test('Retry asks for the token again', async () => {
  world().repository.rules.token = 'right'
  let token = 'wrong'
  const page = world().open({ bucket: 'b', token: () => token })
  const id = page.add('a.txt', 'x')
  expect(await page.upload()).toHaveLength(1)
  token = 'right'
  expect((await page.uppy.retryUpload(id))!.failed).toEqual([])
})

test('Retry asks for the token again when there was none to have', async () => {
  world().repository.rules.token = 'right'
  const give = vi.fn(async () => 'right').mockRejectedValueOnce(new Error('The login is away.'))
  const page = world().open({ bucket: 'b', token: give })
  const id = page.add('a.txt', 'x')
  expect(await page.upload()).toHaveLength(1)
  expect((await page.uppy.retryUpload(id))!.failed).toEqual([])
  expect(give).toHaveBeenCalledTimes(2)
})

/** Answer with headers and the beginning of a body, and then no more. */
function stall(): void {
  vi.stubGlobal('fetch', async (_: string, { signal }: { signal: AbortSignal }) => {
    const start = (body: ReadableStreamDefaultController) => {
      body.enqueue(new TextEncoder().encode('{'))
      signal.addEventListener('abort', () => body.error(signal.reason))
    }
    return new Response(new ReadableStream({ start }), { status: 200 })
  })
}

test('an answer that stalls after its headers is given up when its time is over', async () => {
  stall()
  const { signal } = new AbortController()
  const called = new Rest(() => ({})).once({ method: 'GET', address: '/x', signal, timeout: 20 })
  await expect(called).rejects.toMatchObject({ code: 'repository_unavailable', kind: 'network' })
})

test('an abort reaches an answer that stalls after its headers', async () => {
  stall()
  const stop = new AbortController()
  const called = expect(new Rest(() => ({})).once({ method: 'GET', address: '/x', signal: stop.signal })).rejects.toBe('enough')
  await new Promise((resolve) => setTimeout(resolve, 5))
  stop.abort('enough')
  await called
})

test('the CSRF token of the cookie is sent with what changes something, and with nothing else', async () => {
  world().repository.rules.csrf = 'abc'
  document.cookie = 'other=1; path=/'
  document.cookie = 'csrftoken=abc; path=/'
  const page = world().open()
  page.add('a.txt', letters(400))
  expect(await page.upload()).toEqual([])
  for (const { method, headers } of calls()) expect(headers.get('x-csrftoken')).toBe(method === 'GET' ? undefined : 'abc')
  expect(calls().filter(({ method }) => method === 'POST')).toHaveLength(2)
})

test('a CSRF token that is old, or not there yet, is read once again', async () => {
  document.cookie = 'csrftoken=old; path=/'
  world().repository.rules.csrf = 'new'
  const page = world().open()
  page.add('a.txt', 'x')
  expect(await page.upload()).toEqual([])
  expect(world().network.seen('POST', /multipart-uploads$/).map(({ headers }) => headers.get('x-csrftoken'))).toEqual(['old', 'new'])
})

test('a CSRF error that stays is told, and not tried for ever', async () => {
  document.cookie = 'csrftoken=old; path=/'
  const page = world().open()
  page.add('a.txt', 'x')
  const answer = json(400, { status: 400, message: 'Referer checking failed: CSRF.' })
  world().network.fault({ at: ({ method }) => method === 'POST', answer, times: 99 })
  expect(await page.upload()).toEqual(['Referer checking failed: CSRF.'])
  expect(calls()).toHaveLength(2)
})

test('neither cookie nor token is sent to another site than the one that the page names', async () => {
  document.cookie = 'csrftoken=abc; path=/'
  const page = world().open({ bucket: 'b', endpoint: 'https://other.test/api/multipart-uploads' })
  page.add('a.txt', letters(400))
  expect(await page.upload()).toEqual([])
  for (const { headers, url } of calls()) {
    expect(headers.has('x-csrftoken')).toBe(false)
    // The links in the answers lead elsewhere, and are not followed.
    expect(url.host).toBe('other.test')
  }
})

test('a page that names no place for files, or two, is told so', async () => {
  for (const options of [{}, { bucket: 'b', draftFiles: '/x' }]) {
    const page = world().open(options)
    page.add('a.txt', 'x')
    expect(await page.upload()).toEqual([expect.stringContaining('either bucket or draftFiles')])
  }
})
