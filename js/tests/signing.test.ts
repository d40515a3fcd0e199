// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
import { expect, test, vi } from 'vitest'

import { Rest } from '../src/rest.js'
import { Sessions } from '../src/sessions.js'
import { UrlWindow } from '../src/window.js'
import type { Request } from './fakes/network.js'
import { eachInItsWorld, letters } from './fakes/world.js'

const world = eachInItsWorld()
const SIGN = /\/urls\?/

test('ten thousand parts are signed window by window, ahead of need', async () => {
  const held: number[] = []
  const parts = Array.from({ length: 10_000 }, (_, index) => index + 1)
  const asked: number[][] = []
  const left: number[] = []
  const sign = async (some: number[]) => {
    asked.push(some)
    left.push(window.size)
    held.push(window.size + some.length)
    return { urls: some.map(signed), signedAt: undefined }
  }
  const begun = { urls: parts.slice(0, 25).map(signed), signedAt: undefined }
  const window = new UrlWindow(parts, sign, 25, begun)
  for (const part of parts) {
    expect((await window.take(part)).part).toBe(part)
    held.push(window.size)
    window.used(part)
    await Promise.resolve()
  }
  expect(Math.max(...held)).toBeLessThanOrEqual(50)
  expect(asked).toHaveLength(Math.ceil((10_000 - 25) / 25))
  expect(asked.flat()).toEqual(parts.slice(25))
  expect(Math.min(...left)).toBeGreaterThan(1)
})

test('an upload of many parts asks for as few windows', async () => {
  world().repository.rules.partSize = 1
  const page = world().open()
  page.add('a.txt', letters(510))
  expect(await page.upload()).toEqual([])
  expect(world().network.seen('GET', SIGN)).toHaveLength(Math.ceil((510 - 25) / 25))
})

test('a part whose URL the store refuses is signed again and sent, and no other one', async () => {
  const page = world().open()
  page.add('a.txt', letters(100))
  const refused = { status: 403, body: '<Error><Code>AccessDenied</Code></Error>' }
  world().network.fault({ at: ({ method, url }) => method === 'PUT' && url.searchParams.get('part') === '3', answer: refused })
  expect(await page.upload()).toEqual([])
  expect(world().taken).toHaveLength(10)
  expect(new Set(world().taken).size).toBe(10)
  expect(world().network.seen('PUT', /part=3&/)).toHaveLength(2)
})

test.each([
  ['with a 403', false],
  // As Ceph does it: the browser sees a connection that broke.
  ['without CORS headers', true],
])('URLs that the store refuses as expired %s are signed anew, each part is taken once', async (_, mute) => {
  const { store, repository } = world()
  const page = world().open()
  page.add('a.txt', letters(200))
  // The store's clock jumps at the third part, and the page's does not: only a refusal tells.
  let clock = 0
  store.clock = () => Date.now() + clock
  let refused = 0
  const isRefused = ({ method, url }: Request) => {
    if (method !== 'PUT') return false
    if (store.taken.length >= 3) clock = 25 * 3600_000
    const expired = Number(url.searchParams.get('expires')) < store.clock()
    if (expired) refused += 1
    return expired && mute
  }
  world().network.fault({ at: isRefused, times: 1000 })
  expect(await page.upload()).toEqual([])
  expect(refused).toBeGreaterThan(0)
  expect(repository.only.state).toBe('completed')
  expect(new Set(store.taken).size).toBe(20)
  expect(store.taken).toHaveLength(20)
})

test.each([
  ['right', 0],
  ['ten hours slow', 36_000_000],
  ['ten hours fast', -36_000_000],
])('a URL is not used when it is about to expire, in a browser whose clock is %s', async (_, ahead) => {
  const now = vi.spyOn(Date, 'now').mockReturnValue(0)
  const { store } = world()
  store.clock = () => Date.now() + ahead
  world().repository.rules.urlLife = 600_000
  const { id } = world().repository.begin({ bucket: 'b', key: 'a', size: 30, part_size: 10 }, false)
  const sessions = new Sessions(new Rest(() => ({})), '/api/multipart-uploads')
  const window = new UrlWindow([1, 2, 3], (parts) => sessions.sign(id, parts, new AbortController().signal))
  const asked = () => world().network.seen('GET', SIGN).map(({ url }) => url.searchParams.get('parts'))
  await window.take(1)
  now.mockReturnValue(539_000)
  await window.take(2)
  expect(asked()).toEqual(['1-3'])
  now.mockReturnValue(541_000)
  await window.take(3)
  expect(asked()).toEqual(['1-3', '3'])
})

test('URLs that are signed anew find no more room than others', async () => {
  const now = vi.spyOn(Date, 'now').mockReturnValue(0)
  const sizes: number[] = []
  const sign = async (some: number[]) => {
    const expires_at = new Date(Date.now() + 600_000).toISOString()
    sizes.push(window.size + some.length)
    return { urls: some.map((part) => ({ ...signed(part), expires_at })), signedAt: Date.now() }
  }
  const parts = Array.from({ length: 20 }, (_, index) => index + 1)
  const window: UrlWindow = new UrlWindow(parts, sign, 4)
  await window.take(1)
  now.mockReturnValue(300_000)
  window.used(1)
  await window.take(2)
  await vi.waitFor(() => expect(window.size).toBe(7))
  // The first URLs have expired by now, and those that were signed later have not.
  now.mockReturnValue(550_000)
  for (const part of [3, 4, 5, 6, 7]) await window.take(part)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(8)
})

test('a browser whose clock is days ahead uses the URLs all the same', async () => {
  const { store, repository } = world()
  store.clock = () => Date.now() - 5 * 24 * 3600_000
  const page = world().open()
  page.add('a.txt', letters(400))
  expect(await page.upload()).toEqual([])
  expect(repository.only.state).toBe('completed')
  expect(world().network.seen('GET', SIGN)).toHaveLength(1)
})

test('a store that refuses even fresh URLs is not asked for ever', async () => {
  const page = world().open()
  page.add('a.txt', 'x')
  world().network.fault({ at: ({ method }) => method === 'PUT', answer: { status: 403 }, times: 100 })
  expect(await page.upload()).toEqual(['The store refuses the parts. Retry; if it goes on, tell the operator.'])
  expect(world().network.seen('PUT', /part/)).toHaveLength(3)
})

test('a part that failed keeps its URL', async () => {
  const page = world().open()
  page.add('a.txt', letters(50))
  world().network.fault({ at: ({ method }) => method === 'PUT', answer: { status: 500 }, times: 3 })
  expect(await page.upload()).toEqual([])
  expect(world().network.seen('GET', SIGN)).toHaveLength(0)
})

function signed(part: number) {
  return { part, url: `https://store.test/${part}`, expires_at: '2100-01-01T00:00:00Z' }
}
