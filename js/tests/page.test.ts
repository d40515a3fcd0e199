// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** The page's own parts, without the Dashboard, which needs a browser: tests/browser has that. */

import { type Body, type Meta, Uppy } from '@uppy/core'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { readRestrictions, readStrings, readUploadOptions } from '../src/attributes.js'
import { settleFailures } from '../src/failures.js'
import { strings as PLUGIN_STRINGS } from '../src/locale.js'
import { Report } from '../src/report.js'
import { Speaker } from '../src/speaker.js'
import { SpeedMeter } from '../src/speed.js'
import { OWN_STRINGS } from '../src/strings.js'

const HOSTILE = '<img src=x onerror=alert(1)>"\'.bin'

function element(attributes: Record<string, string>): Element {
  const made = document.createElement('div')
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  return made
}

function makeUppy() {
  const uppy = new Uppy<Meta, Body>({ restrictions: { maxFileSize: 1000 } })
  const target = document.createElement('div')
  document.body.append(target)
  uppy.use(Report<Meta, Body>, { target })
  settleFailures(uppy)
  const add = (name: string) => {
    const id = uppy.addFile({ name, data: new File(['content'], name) })
    uppy.setFileState(id, {
      progress: { uploadStarted: 1, uploadComplete: false, bytesUploaded: 0, bytesTotal: 7, percentage: 0 },
    })
    return id
  }
  const fail = (id: string, message: string) =>
    uppy.emit('upload-error', uppy.getFile(id), { name: 'some_code', message })
  const find = (selector: string) => target.querySelector<HTMLElement>(selector)!
  return { uppy, target, add, fail, find }
}

beforeEach(() => vi.useFakeTimers())
afterEach(() => {
  vi.useRealTimers()
  document.body.replaceChildren()
})

test('reads the attributes, and leaves out what is absent', () => {
  expect(readUploadOptions(element({ bucket: 'b' }))).toEqual({ bucket: 'b' })
  const all = { 'draft-files': '/d', endpoint: '/e', limit: '3', 'part-size': '9', checksums: '' }
  expect(readUploadOptions(element(all))).toEqual({
    draftFiles: '/d',
    endpoint: '/e',
    limit: 3,
    partSize: 9,
    checksums: true,
  })
  expect(readRestrictions(element({ 'max-file-size': '10', 'max-files': '2', accept: 'image/*, .csv' }))).toEqual({
    maxFileSize: 10,
    maxNumberOfFiles: 2,
    allowedFileTypes: ['image/*', '.csv'],
  })
  expect(readStrings(element({ strings: '{"a": "b"}' }))).toEqual({ a: 'b' })
})

test.each([
  [{}, /one of the attributes/],
  [{ bucket: 'b', 'draft-files': '/d' }, /one of the attributes/],
  [{ bucket: 'b', limit: '0' }, /limit is a whole number above 0, not "0"/],
  [{ bucket: 'b', 'part-size': '5 MB' }, /part-size/],
])('says what is wrong with %o', (attributes, message) => {
  expect(() => readUploadOptions(element(attributes as Record<string, string>))).toThrow(message)
})

test('no two texts have the same name', () => {
  expect(Object.keys(OWN_STRINGS).filter((name) => name in PLUGIN_STRINGS)).toEqual([])
})

test('the speed is that of the last seconds, and falls to nothing when nothing moves', () => {
  const meter = new SpeedMeter()
  meter.add(0, 0)
  expect(meter.rate).toBeNull()
  meter.add(2_000, 1_000)
  expect(meter.rate).toBe(2_000)
  for (let at = 2_000; at <= 7_000; at += 500) meter.add(2_000, at)
  expect(meter.rate).toBe(0)
  meter.add(1_000, 8_000)
  expect(meter.rate).toBeNull()
})

test('speaks of quarters, once each, and not over what was just said', () => {
  const speaker = new Speaker()
  const heard: string[] = []
  const observe = (percent: number) => {
    speaker.progress(percent, (milestone) => `${milestone} percent`)
    if (heard.at(-1) !== speaker.element.textContent) heard.push(speaker.element.textContent ?? '')
  }
  for (let percent = 0; percent <= 100; percent++) {
    vi.advanceTimersByTime(1_000)
    observe(percent)
  }
  expect(heard).toEqual(['', '25 percent', '50 percent', '75 percent'])
  speaker.restart()
  speaker.say('Upload paused.')
  observe(30)
  expect(speaker.element.textContent).toBe('Upload paused.')
})

test('a failure stands in the list with what to do, and goes when it is tried again', () => {
  const { uppy, add, fail, find } = makeUppy()
  const retry = vi.spyOn(uppy, 'retryUpload').mockResolvedValue(undefined)
  const id = add(HOSTILE)
  expect(find('.oarepo-s3-problems').hidden).toBe(true)
  fail(id, 'There is no room. Ask for more.')
  const list = find('.oarepo-s3-problems')
  expect(list.hidden).toBe(false)
  expect(list.querySelector('img')).toBeNull()
  expect(list.querySelector('.oarepo-s3-name')?.textContent).toBe(HOSTILE)
  expect(list.querySelector('.oarepo-s3-reason')?.textContent).toBe('There is no room. Ask for more.')
  const [again] = list.querySelectorAll('button')
  expect(again?.getAttribute('aria-label')).toBe(`Try again: ${HOSTILE}`)
  again?.click()
  expect(retry).toHaveBeenCalledWith(id)
  uppy.emit('upload-retry', uppy.getFile(id))
  expect(list.hidden).toBe(true)
})

test('a file that is not taken is in the list, and can be dismissed', () => {
  const { uppy, find } = makeUppy()
  const large = new File([new Uint8Array(2_000)], 'large.bin')
  expect(() => uppy.addFile({ name: 'large.bin', data: large })).toThrow()
  const list = find('.oarepo-s3-problems')
  expect(list.textContent).toContain('exceeds maximum allowed size')
  list.querySelector('button')?.click()
  expect(list.hidden).toBe(true)
})

test('an uploaded file is linked where the answer has an address', () => {
  const { uppy, add, find } = makeUppy()
  const [one, two] = [add('one.bin'), add(HOSTILE)]
  const body = { file: { links: { content: '/files/b/one.bin' } } }
  uppy.emit('upload-success', uppy.getFile(one), { status: 200, body } as never)
  uppy.emit('upload-success', uppy.getFile(two), { status: 200, body: {} } as never)
  const [linked, plain] = find('.oarepo-s3-results').querySelectorAll('.oarepo-s3-name')
  expect(linked?.getAttribute('href')).toBe('/files/b/one.bin')
  expect(linked?.getAttribute('aria-label')).toBe('Download one.bin')
  expect(plain?.tagName).toBe('SPAN')
  expect(plain?.textContent).toBe(HOSTILE)
})

test('the upload has failed only when no other file goes on', () => {
  const { uppy, add, fail } = makeUppy()
  const [one, two] = [add('one.bin'), add('two.bin')]
  fail(one, 'There is no room.')
  expect(uppy.getState().error).toBeNull()
  fail(two, 'It is too large.')
  expect(uppy.getState().error).toContain('It is too large.')
})

test('a file that has failed stays so when the others are paused and resumed', () => {
  const { uppy, add, fail } = makeUppy()
  const [one] = [add('one.bin'), add('two.bin')]
  fail(one, 'There is no room.')
  uppy.pauseAll()
  uppy.resumeAll()
  expect(uppy.getFile(one).error).toBe('There is no room.')
})

test('the line says that nothing moves, and that the connection is away', () => {
  const { uppy, add, find } = makeUppy()
  const line = find('.oarepo-s3-progress')
  const id = add('one.bin')
  uppy.setState({ currentUploads: { upload: { fileIDs: [id], step: 0, result: {} } } as never })
  uppy.emit('upload', 'upload', [uppy.getFile(id)])
  vi.advanceTimersByTime(500)
  expect(line.textContent).toBe('0 B of 7 B · starting')
  vi.advanceTimersByTime(6_000)
  expect(line.textContent).toBe('0 B of 7 B · waiting: nothing moves')
  vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false)
  vi.advanceTimersByTime(500)
  expect(line.textContent).toBe('0 B of 7 B · waiting for the connection')
  vi.restoreAllMocks()
  uppy.setState({ currentUploads: {} })
  vi.advanceTimersByTime(500)
  expect(line.hidden).toBe(true)
})

test('the focus stays in the uploader when the problem that had it goes', () => {
  const { uppy, target, add, fail, find } = makeUppy()
  const before = document.createElement('button')
  target.prepend(before)
  const [one, two] = [add('one.bin'), add('two.bin')]
  fail(one, 'There is no room.')
  fail(two, 'There is no room.')
  find('.oarepo-s3-problems button').focus()
  uppy.removeFile(one)
  expect(document.activeElement?.getAttribute('aria-label')).toBe('Try again: two.bin')
  uppy.removeFile(two)
  expect(document.activeElement).toBe(before)
})
