// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
import { expect, test, vi } from 'vitest'

import { eachInItsWorld, letters } from './fakes/world.js'

const world = eachInItsWorld()

test('a file arrives, part by part', async () => {
  const page = world().open()
  const content = letters(95)
  page.add('a.txt', content)
  expect(await page.upload()).toEqual([])
  const { only } = world().repository
  expect(only.state).toBe('completed')
  expect(world().repository.content(only)).toBe(content)
  expect(world().taken).toHaveLength(10)
  const [file] = page.uppy.getFiles()
  expect(file!.uploadURL).toBe('/api/files/b/a.txt')
  expect(file!.progress.percentage).toBe(100)
})

test('an empty file is one empty part', async () => {
  const page = world().open()
  page.add('empty.txt', '')
  expect(await page.upload()).toEqual([])
  expect(world().repository.only).toMatchObject({ state: 'completed', size: 0 })
  expect(world().taken).toEqual(['upload-1/1'])
})

test('parts of one file are on their way together, up to the limit', async () => {
  world().repository.rules.partSize = 1
  const page = world().open({ bucket: 'b', limit: 4 })
  page.add('a.txt', letters(200))
  expect(await page.upload()).toEqual([])
  expect(world().store.most).toBeGreaterThan(1)
  expect(world().store.most).toBeLessThanOrEqual(4)
})

test('the limit is one for all files together', async () => {
  const page = world().open({ bucket: 'b', limit: 3 })
  for (let file = 0; file < 5; file += 1) page.add(`${file}.txt`, letters(200, String(file)))
  expect(await page.upload()).toEqual([])
  expect(world().store.most).toBe(3)
  expect(world().taken).toHaveLength(100)
  // They took turns: the first file was not all there before another one began.
  const firsts = world().taken.slice(0, 20).map((part) => part.split('/')[0])
  expect(new Set(firsts).size).toBe(3)
})

test('names go over the wire as they are, and into the address encoded', async () => {
  const page = world().open({ bucket: 'b' })
  page.add('malý súbor (1)+.txt', 'x')
  expect(await page.upload()).toEqual([])
  expect(world().repository.only.key).toBe('malý súbor (1)+.txt')
  expect(page.uppy.getFiles()[0]!.uploadURL).toBe('/api/files/b/mal%C3%BD%20s%C3%BAbor%20(1)%2B.txt')
})

test('the page may name files otherwise, and wish for a part size', async () => {
  const page = world().open({ bucket: 'b', partSize: 7, key: (file) => `folder/${file.name}` })
  page.add('a.txt', letters(20))
  expect(await page.upload()).toEqual([])
  expect(world().repository.only).toMatchObject({ key: 'folder/a.txt', num_parts: 3 })
})

test('a part is a view of the file: the page reads no part, and sends no type', async () => {
  world().repository.rules.partSize = 4 * 2 ** 20
  const read = vi.spyOn(Blob.prototype, 'arrayBuffer')
  const page = world().open()
  page.add('a.txt', 'x'.repeat(12 * 2 ** 20))
  expect(await page.upload()).toEqual([])
  // The store refuses a Content-Type.
  // What is read is for the fingerprint.
  expect(Math.max(...read.mock.contexts.map((blob) => (blob as Blob).size))).toBeLessThan(4 * 2 ** 20)
})

test('neither token nor headers of the repository go to the store', async () => {
  world().repository.rules.token = 'secret'
  const page = world().open({ bucket: 'b', token: 'secret', headers: { 'X-Page': 'yes' } })
  page.add('a.txt', letters(20))
  expect(await page.upload()).toEqual([])
  for (const { headers } of world().network.seen('PUT', /part/)) expect([...headers.keys()]).toEqual([])
  const [create] = world().network.seen('POST', /multipart-uploads$/)
  expect(create!.headers.get('x-page')).toBe('yes')
})
