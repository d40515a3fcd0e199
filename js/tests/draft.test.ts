// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
import { expect, test, vi } from 'vitest'

import { partSizeOf } from '../src/targets.js'
import { FakeDraft } from './fakes/draft.js'
import { problem, type Upload } from './fakes/repository.js'
import { eachInItsWorld } from './fakes/world.js'

const world = eachInItsWorld()
const MIB = 2 ** 20
const OPTIONS = { draftFiles: FakeDraft.FILES, partSize: 5 * MIB }
const content = (mib: number, seed = 'a') => seed.repeat(mib * MIB)
const entry = () => world().draft.entries.get('a b.txt')!

/** Upload until a part has arrived, and then close the page. */
async function interrupted(): Promise<void> {
  const page = world().open({ ...OPTIONS, limit: 1 })
  page.add('a b.txt', content(30))
  void page.upload()
  await vi.waitFor(() => expect(world().taken.length).toBeGreaterThanOrEqual(1))
  page.uppy.removePlugin(page.plugin)
  await new Promise((resolve) => setTimeout(resolve, 50))
}

test('a file of a draft begins, arrives and is committed', async () => {
  const page = world().open(OPTIONS)
  page.add('a b.txt', content(12))
  expect(await page.upload()).toEqual([])
  expect(entry()).toMatchObject({ committed: true, upload: { state: 'completed', num_parts: 3 } })
  expect(page.uppy.getFiles()[0]!.uploadURL).toBe(`${FakeDraft.FILES}/a%20b.txt/content`)
  const [begin] = world().network.seen('POST', /files/)
  expect(JSON.parse(begin!.body as string)).toEqual([
    { key: 'a b.txt', size: 12 * MIB, transfer: { type: 'M', parts: 3, part_size: 5 * MIB } },
  ])
})

test('a small file of a draft takes a beginning, one PUT and a commit', async () => {
  const page = world().open(OPTIONS)
  page.add('a b.txt', content(4))
  page.add('empty.txt', '')
  expect(await page.upload()).toEqual([])
  expect(world().network.requests.map(({ method }) => method).sort()).toEqual(['POST', 'POST', 'POST', 'POST', 'PUT', 'PUT'])
  expect(entry().committed).toBe(true)
})

test('a draft may be named when it is there', async () => {
  const page = world().open({})
  page.plugin.setOptions(OPTIONS)
  page.add('a b.txt', content(6))
  expect(await page.upload()).toEqual([])
  expect(entry().committed).toBe(true)
})

test('several files of a draft keep apart', async () => {
  const page = world().open(OPTIONS)
  for (const name of ['a', 'b', 'c']) page.add(name, content(6, name))
  expect(await page.upload()).toEqual([])
  for (const [key, { upload, committed }] of world().draft.entries) {
    expect(committed).toBe(true)
    expect(world().repository.content(upload) === content(6, key)).toBe(true)
  }
})

test('a file of a draft goes on after a reload', async () => {
  const first = world().open({ ...OPTIONS, limit: 1 })
  first.add('a b.txt', content(30))
  void first.upload()
  await vi.waitFor(() => expect(world().taken.length).toBeGreaterThanOrEqual(2))
  first.uppy.removePlugin(first.plugin)
  await new Promise((resolve) => setTimeout(resolve, 50))
  const page = world().open(OPTIONS)
  page.add('a b.txt', content(30))
  expect(await page.upload()).toEqual([])
  expect(entry().committed).toBe(true)
  expect(world().taken).toHaveLength(6)
})

test.each([
  ['was aborted', (upload: Upload) => (upload.state = 'aborted')],
  ['has expired', (upload: Upload) => (upload.expires_at = 0)],
])('what an upload that %s left in a draft does not stand in the way', async (_, end) => {
  await interrupted()
  end(world().repository.only)
  const page = world().open(OPTIONS)
  page.add('a b.txt', content(30))
  expect(await page.upload()).toEqual([])
  expect(entry()).toMatchObject({ committed: true, upload: { id: 'upload-2' } })
})

test('another upload in the place of a remembered one is left alone', async () => {
  await interrupted()
  world().repository.only.state = 'aborted'
  const other = world().repository.begin({ bucket: 'draft', key: 'a b.txt', size: 30 * MIB, part_size: 5 * MIB }, true)
  world().draft.entries.set('a b.txt', { upload: other, committed: false })
  const page = world().open(OPTIONS)
  page.add('a b.txt', content(30))
  expect(await page.upload()).toEqual([expect.stringContaining('There is a file of this name already')])
  expect(other.state).toBe('pending')
})

test('what another transfer has begun in the place of a remembered upload is left alone', async () => {
  await interrupted()
  world().repository.only.state = 'aborted'
  const other = world().repository.begin({ bucket: 'draft', key: 'a b.txt', size: 30 * MIB, part_size: 5 * MIB }, true)
  other.expires_at = 0
  world().draft.entries.set('a b.txt', { upload: other, committed: false, type: 'L' })
  const page = world().open(OPTIONS)
  page.add('a b.txt', content(30))
  expect(await page.upload()).toEqual([expect.stringContaining('There is a file of this name already')])
  expect(entry().upload).toBe(other)
  expect(world().network.seen('DELETE', /./)).toEqual([])
})

test.each(['aborted', 'aborting', 'expired', 'failed', 'completed', 'deleted'])(
  'a cancel of an upload that was %s elsewhere leaves the file that has its name now',
  async (state) => {
    const page = world().open({ ...OPTIONS, limit: 1 })
    const id = page.add('a b.txt', content(30))
    const upload = page.upload()
    await vi.waitFor(() => expect(world().taken.length).toBeGreaterThanOrEqual(1))
    const { repository, draft, network } = world()
    const { id: dead } = repository.only
    repository.only.state = state
    if (state === 'deleted') repository.uploads.delete(dead)
    const other = repository.begin({ bucket: 'draft', key: 'a b.txt', size: 6 * MIB, part_size: 5 * MIB }, true)
    other.state = 'completed'
    draft.entries.set('a b.txt', { upload: other, committed: true })
    page.uppy.removeFile(id)
    await upload
    await vi.waitFor(() => expect(network.seen('GET', new RegExp(`${dead}$`)).length).toBeGreaterThanOrEqual(2))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(entry().upload).toBe(other)
    expect(network.seen('DELETE', /./)).toEqual([])
  },
)

test('Retry goes on with an upload that has begun, and could not be looked at', async () => {
  const page = world().open(OPTIONS)
  const id = page.add('a b.txt', content(6))
  const looks = ({ method, url }: { method: string; url: URL }) => method === 'GET' && url.pathname.endsWith('/upload-1')
  world().network.fault({ at: looks, answer: problem(403, 'forbidden') })
  expect(await page.upload()).toEqual([expect.stringContaining('You may not upload here')])
  expect((await page.uppy.retryUpload(id))!.failed).toEqual([])
  expect(entry()).toMatchObject({ committed: true, upload: { id: 'upload-1' } })
})

test('a name that is taken is told, and the file that has it is left alone', async () => {
  const other = world().repository.begin({ bucket: 'draft', key: 'a b.txt', size: 6 * MIB, part_size: 5 * MIB }, true)
  world().draft.entries.set('a b.txt', { upload: other, committed: false })
  const page = world().open(OPTIONS)
  page.add('a b.txt', content(6))
  expect(await page.upload()).toEqual(['There is a file of this name already. Remove it first, or rename this one.'])
  expect(other.state).toBe('pending')
})

test('a beginning whose answer was lost is found again', async () => {
  world().network.fault({ at: ({ method, url }) => method === 'POST' && url.pathname === FakeDraft.FILES, late: true })
  const page = world().open(OPTIONS)
  page.add('a b.txt', content(6))
  expect(await page.upload()).toEqual([])
  expect(world().repository.only.state).toBe('completed')
})

test('a commit that stopped halfway, and one whose answer was lost, are repeated', async () => {
  const commit = ({ method, url }: { method: string; url: URL }) => method === 'POST' && url.pathname.endsWith('commit')
  world().network.fault({ at: commit, answer: problem(503, 'store_unavailable') })
  const page = world().open(OPTIONS)
  page.add('a b.txt', content(6))
  expect(await page.upload()).toEqual([])
  expect(entry().committed).toBe(true)
  world().network.fault({ at: commit, late: true })
  page.add('c.txt', content(6))
  expect(await page.upload()).toEqual([])
  expect(world().draft.entries.get('c.txt')!.committed).toBe(true)
})

test('a file of a draft that is cancelled is deleted there', async () => {
  const page = world().open({ ...OPTIONS, limit: 1 })
  const id = page.add('a b.txt', content(30))
  const upload = page.upload()
  await vi.waitFor(() => expect(world().taken.length).toBeGreaterThanOrEqual(1))
  page.uppy.removeFile(id)
  await upload
  await vi.waitFor(() => expect(world().draft.entries.size).toBe(0))
  expect(world().repository.only.state).toBe('aborted')
  expect(world().network.seen('DELETE', /./).map(({ url }) => url.pathname)).toEqual([`${FakeDraft.FILES}/a%20b.txt`])
})

test('a file that is removed and comes again at once begins after the end of the first', async () => {
  const page = world().open({ ...OPTIONS, limit: 1 })
  const first = page.add('a b.txt', content(30))
  const upload = page.upload()
  await vi.waitFor(() => expect(world().taken.length).toBeGreaterThanOrEqual(1))
  world().network.fault({ at: ({ method }) => method === 'DELETE', answer: problem(503, 'store_unavailable'), times: 3 })
  page.uppy.removeFile(first)
  page.add('a b.txt', content(30))
  expect(await page.upload()).toEqual([])
  await upload
  expect([...world().repository.uploads.values()].map(({ state }) => state)).toEqual(['aborted', 'completed'])
  expect(entry()).toMatchObject({ committed: true, upload: { id: 'upload-2' } })
})

test('a file that is removed while it begins is deleted as soon as it is there', async () => {
  for (const path of [/files$/, /upload-2$/]) {
    const page = world().open(OPTIONS)
    const id = page.add('a b.txt', content(6))
    const carry = world().network.carry.bind(world().network)
    vi.spyOn(world().network, 'carry').mockImplementation(async (request, server) => {
      const answer = await carry(request, server)
      if (path.test(request.url.pathname) && request.method !== 'DELETE') page.uppy.removeFile(id)
      return answer
    })
    await page.upload()
    await vi.waitFor(() => expect(world().draft.entries.size).toBe(0))
    vi.mocked(world().network.carry).mockRestore()
  }
  expect(world().network.seen('DELETE', /./)).toHaveLength(2)
})

test('a beginning whose answer was lost is found again after a pause', async () => {
  const page = world().open(OPTIONS)
  const id = page.add('a b.txt', content(6))
  world().network.fault({
    at: ({ method, url }) => {
      const begins = method === 'POST' && url.pathname === FakeDraft.FILES
      if (begins) queueMicrotask(() => page.uppy.pauseResume(id))
      return begins
    },
    late: true,
  })
  const upload = page.upload()
  await vi.waitFor(() => expect(world().draft.entries.size).toBe(1))
  await new Promise((resolve) => setTimeout(resolve, 20))
  page.uppy.pauseResume(id)
  expect(await upload).toEqual([])
  expect(entry().committed).toBe(true)
})

test('a draft without oarepo-s3 is an error that says so', async () => {
  vi.spyOn(world().draft, 'entries', 'get').mockReturnValue(new Map())
  const page = world().open(OPTIONS)
  page.add('a b.txt', 'x')
  const answer = { status: 201, body: JSON.stringify({ entries: [{ key: 'a b.txt', links: {} }] }) }
  world().network.fault({ at: ({ method }) => method === 'POST', answer })
  expect(await page.upload()).toEqual([expect.stringContaining('install oarepo-s3')])
})

test.each([
  [0, undefined, 16 * MIB],
  [1, 1, 5 * MIB],
  [100 * MIB, 7 * MIB, 7 * MIB],
  [160_000 * MIB, undefined, 16 * MIB],
  [160_000 * MIB + 1, undefined, 17 * MIB],
  [5 * 2 ** 40, undefined, 525 * MIB],
])('a file of %i bytes, with the wish %s, has parts of %i bytes', (size, wish, expected) => {
  expect(partSizeOf(size, wish)).toBe(expected)
  expect(Math.ceil(size / expected)).toBeLessThanOrEqual(10_000)
})
