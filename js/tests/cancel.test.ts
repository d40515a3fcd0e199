// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
import { expect, test, vi } from 'vitest'

import { problem } from './fakes/repository.js'
import { eachInItsWorld, letters } from './fakes/world.js'

const world = eachInItsWorld()
const aborts = () => world().network.seen('DELETE', /./)
const states = () => [...world().repository.uploads.values()].map(({ state }) => state)

test.each([
  ['removed', (uppy: any, id: string) => uppy.removeFile(id)],
  ['cancelled with all', (uppy: any) => uppy.cancelAll()],
  ['on a page that is put away', (uppy: any) => uppy.destroy()],
])('a file that is %s while it is sent is aborted, once', async (_, stop) => {
  const page = world().open()
  const id = page.add('a.txt', letters(1000))
  const upload = page.upload()
  await vi.waitFor(() => expect(world().taken.length).toBeGreaterThan(5))
  stop(page.uppy, id)
  await upload
  await vi.waitFor(() => expect(states()).toEqual(['aborted']))
  const sent = world().network.seen('PUT', /part/).length
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(aborts()).toHaveLength(1)
  expect(world().network.seen('PUT', /part/)).toHaveLength(sent)
  expect(localStorage.length).toBe(0)
})

test('a file that is removed while its upload is being created is aborted as soon as there is one', async () => {
  const page = world().open()
  const id = page.add('a.txt', letters(1000))
  const handle = world().repository.handle
  let release = () => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  vi.spyOn(world().network, 'carry').mockImplementationOnce(async (request) => {
    const answer = await handle(request)
    await held
    return answer
  })
  const upload = page.upload()
  await vi.waitFor(() => expect(states()).toEqual(['pending']))
  page.uppy.removeFile(id)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(aborts()).toHaveLength(0)
  release()
  await upload
  await vi.waitFor(() => expect(states()).toEqual(['aborted']))
  expect(aborts()).toHaveLength(1)
  expect(world().taken).toEqual([])
})

test('a remembered upload is aborted, too, when its file is removed before the first look has an answer', async () => {
  const first = world().open()
  first.add('a.txt', letters(1000))
  void first.upload()
  await vi.waitFor(() => expect(world().taken.length).toBeGreaterThan(5))
  first.uppy.removePlugin(first.plugin)
  const page = world().open()
  const id = page.add('a.txt', letters(1000))
  vi.spyOn(world().network, 'carry').mockImplementationOnce(() => new Promise(() => {}))
  const upload = page.upload()
  await vi.waitFor(() => expect(world().network.carry).toHaveBeenCalled())
  page.uppy.removeFile(id)
  await upload
  await vi.waitFor(() => expect(states()).toEqual(['aborted']))
  expect(aborts()).toHaveLength(1)
  expect(localStorage.length).toBe(0)
})

test('a file that is removed before its turn begins nothing', async () => {
  const page = world().open({ bucket: 'b', limit: 1 })
  page.add('a.txt', letters(300))
  const second = page.add('b.txt', letters(300, 'b'))
  const upload = page.upload()
  await vi.waitFor(() => expect(world().taken.length).toBeGreaterThan(2))
  page.uppy.removeFile(second)
  await upload
  expect(states()).toEqual(['completed'])
  expect(aborts()).toHaveLength(0)
})

test('a paused file, and one that has failed, are aborted, too', async () => {
  const page = world().open({ bucket: 'b', limit: 2 })
  const paused = page.add('a.txt', letters(500))
  const failed = page.add('b.txt', letters(500, 'b'))
  world().network.fault({
    at: ({ method, url }) => method === 'PUT' && url.searchParams.get('upload') === 'upload-2' && url.searchParams.get('part') === '9',
    answer: { status: 400 },
  })
  const upload = page.upload()
  await vi.waitFor(() => expect(world().taken.length).toBeGreaterThan(5))
  page.uppy.pauseResume(paused)
  await vi.waitFor(() => expect(page.uppy.getFile(failed).error).toBeTruthy())
  page.uppy.removeFile(paused)
  page.uppy.removeFile(failed)
  await upload
  await vi.waitFor(() => expect(states()).toEqual(['aborted', 'aborted']))
  expect(aborts()).toHaveLength(2)
})

test('an abort that the server cannot do yet is repeated', async () => {
  const page = world().open()
  const id = page.add('a.txt', letters(1000))
  const upload = page.upload()
  await vi.waitFor(() => expect(world().taken.length).toBeGreaterThan(5))
  world().network.fault({ at: ({ method }) => method === 'DELETE', answer: problem(503, 'store_unavailable'), times: 2 })
  page.uppy.removeFile(id)
  await upload
  await vi.waitFor(() => expect(states()).toEqual(['aborted']))
  expect(aborts()).toHaveLength(3)
})

test('a finished file that is removed from the list stays where it is', async () => {
  const page = world().open()
  const id = page.add('a.txt', letters(30))
  await page.upload()
  page.uppy.removeFile(id)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(states()).toEqual(['completed'])
  expect(aborts()).toHaveLength(0)
})

test('a plugin that is removed stops, and gives nothing up', async () => {
  const page = world().open()
  page.add('a.txt', letters(1000))
  const upload = page.upload()
  await vi.waitFor(() => expect(world().taken.length).toBeGreaterThan(5))
  const off = vi.spyOn(page.uppy, 'off')
  page.uppy.removePlugin(page.plugin)
  expect(off.mock.calls.map(([event]) => event).sort()).toEqual(['file-removed', 'pause-all', 'resume-all', 'upload-pause'])
  await upload
  expect(states()).toEqual(['pending'])
  expect(aborts()).toHaveLength(0)
  expect(localStorage.length).toBe(1)
})

test('after a hundred files nobody listens any more', async () => {
  const page = world().open()
  let listening = 0
  // Of the runtime's own events, which signals are, and of those of the page.
  for (const target of [Object.getPrototypeOf(AbortSignal.prototype), window]) {
    const { addEventListener: add, removeEventListener: remove } = target
    vi.spyOn(target, 'addEventListener').mockImplementation(function (this: EventTarget, ...all) {
      listening += 1
      add.apply(this, all)
    })
    vi.spyOn(target, 'removeEventListener').mockImplementation(function (this: EventTarget, ...all) {
      listening -= 1
      remove.apply(this, all)
    })
  }
  const emitter = vi.spyOn(page.uppy, 'on')
  for (let file = 0; file < 100; file += 1) page.add(`${file}.txt`, letters(50, String(file)))
  world().network.fault({ at: ({ method }) => method === 'PUT', times: 20 })
  expect(await page.upload()).toEqual([])
  expect(Object.getPrototypeOf(AbortSignal.prototype).addEventListener).toHaveBeenCalled()
  expect(listening).toBe(0)
  expect(emitter).not.toHaveBeenCalled()
  expect(world().store.uploads.size).toBe(100)
})
