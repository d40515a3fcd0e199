// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** What Uppy and the page do around an upload: names, listeners, and how far it says to be. */

import { expect, test, vi } from 'vitest'

import { eachInItsWorld, letters, type Page } from './fakes/world.js'

const world = eachInItsWorld()
const states = () => [...world().repository.uploads.values()].map(({ state }) => state)

/** Add a file as one of a folder: Uppy tells them apart by their paths. */
function addOf(page: Page, folder: string, content: string): string {
  const data = new File([content], 'data.csv', { type: 'text/csv', lastModified: 1 })
  return page.uppy.addFile({ name: 'data.csv', type: 'text/csv', data, meta: { relativePath: `${folder}/data.csv` } })
}

test('of two files of one name the second is told so, and does not replace the first', async () => {
  const page = world().open()
  addOf(page, 'a', letters(30))
  addOf(page, 'b', letters(30, 'b'))
  expect(await page.upload()).toEqual(['There is a file of this name already. Remove it first, or rename this one.'])
  expect(world().repository.content(world().repository.only)).toBe(letters(30))
})

test('two files of one name arrive when the page tells their keys apart', async () => {
  const page = world().open({ bucket: 'b', key: ({ meta }) => String(meta.relativePath) })
  addOf(page, 'a', letters(30))
  addOf(page, 'b', letters(30, 'b'))
  expect(await page.upload()).toEqual([])
  expect([...world().repository.uploads.values()].map(({ key }) => key).sort()).toEqual(['a/data.csv', 'b/data.csv'])
})

test('a name is free again when its file has arrived, or was removed', async () => {
  const page = world().open()
  const id = page.add('a.txt', letters(30))
  expect(await page.upload()).toEqual([])
  page.uppy.removeFile(id)
  page.add('a.txt', letters(30))
  expect(await page.upload()).toEqual([])
  page.add('a.txt', letters(1000), 2)
  const before = world().taken.length
  const upload = page.upload()
  await vi.waitFor(() => expect(world().taken.length).toBeGreaterThan(before + 5))
  page.uppy.removeFile(page.uppy.getFiles().at(-1)!.id)
  page.add('a.txt', letters(1000), 2)
  expect(await page.upload()).toEqual([])
  await upload
  expect(states()).toEqual(['completed', 'completed', 'aborted', 'completed'])
})

test('a listener of the page that fails makes no failure of a file that has arrived', async () => {
  const page = world().open()
  const failed = vi.fn()
  const log = vi.spyOn(page.uppy, 'log')
  const mistake = new Error('The page is wrong.')
  page.uppy.on('upload-error', failed)
  page.uppy.on('upload-success', () => {
    throw mistake
  })
  page.add('a.txt', letters(30))
  expect(await page.upload()).toEqual([])
  expect(failed).not.toHaveBeenCalled()
  expect(log).toHaveBeenCalledWith(mistake, 'error')
})

test('a Retry while the file is sent is the same run', async () => {
  const page = world().open()
  const arrived = vi.fn()
  page.uppy.on('upload-success', arrived)
  const id = page.add('a.txt', letters(30))
  let open = () => {}
  world().store.gate = new Promise((resolve) => (open = resolve))
  const upload = page.upload()
  await vi.waitFor(() => expect(world().network.seen('PUT', /part/)).not.toEqual([]))
  const again = page.uppy.retryUpload(id)
  // Long enough for another run to ask the repository.
  await new Promise((resolve) => setTimeout(resolve, 30))
  open()
  expect(await upload).toEqual([])
  await again
  expect(world().network.seen('GET', /./)).toEqual([])
  expect(world().taken).toHaveLength(3)
  expect(arrived).toHaveBeenCalledTimes(1)
})

test('the last bytes of a file are shown, though Uppy rounds them to all', async () => {
  const page = world().open()
  // Each look at the clock is a second later: nothing is left out for being too soon.
  let now = 0
  vi.spyOn(performance, 'now').mockImplementation(() => (now += 1000))
  const id = page.add('a.txt', letters(1000))
  const shown: [number, number | false | null][] = []
  page.uppy.on('upload-progress', (_, { bytesUploaded }) => {
    shown.push([bytesUploaded, page.uppy.getFile(id).progress.bytesUploaded])
  })
  expect(await page.upload()).toEqual([])
  expect(shown.map(([bytes]) => bytes)).toContain(995)
  expect(shown.at(-1)).toEqual([1000, 1000])
})
