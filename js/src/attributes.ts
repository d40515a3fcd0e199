// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** The attributes of `<oarepo-s3-uploader>` as options. */

import type { Restrictions } from '@uppy/core'
import type { Strings } from './strings.js'
import type { OARepoS3Options } from './types.js'

/** What the plugin takes of the attributes; an absent attribute leaves its default. */
export function readUploadOptions(element: Element): Partial<OARepoS3Options> {
  const limit = readNumber(element, 'limit')
  const partSize = readNumber(element, 'part-size')
  const bucket = element.getAttribute('bucket')
  const draftFiles = element.getAttribute('draft-files')
  const endpoint = element.getAttribute('endpoint')
  if (!bucket === !draftFiles) {
    throw new Error('<oarepo-s3-uploader> needs one of the attributes bucket and draft-files')
  }
  return {
    ...(bucket && { bucket }),
    ...(draftFiles && { draftFiles }),
    ...(endpoint && { endpoint }),
    ...(limit && { limit }),
    ...(partSize && { partSize }),
    ...(element.hasAttribute('checksums') && { checksums: true }),
  }
}

/** Which files the page takes; the server's own limits hold all the same. */
export function readRestrictions(element: Element): Partial<Restrictions> {
  const accept = element.getAttribute('accept')
  return {
    maxFileSize: readNumber(element, 'max-file-size'),
    maxNumberOfFiles: readNumber(element, 'max-files'),
    allowedFileTypes: accept ? accept.split(',').map((each) => each.trim()) : null,
  }
}

/** Strings from the attribute `strings`, which is JSON: for templates that translate themselves. */
export function readStrings(element: Element): Strings {
  const text = element.getAttribute('strings')
  return text ? (JSON.parse(text) as Strings) : {}
}

function readNumber(element: Element, name: string): number | null {
  const text = element.getAttribute(name)
  if (text === null) return null
  if (!/^[1-9]\d*$/.test(text)) {
    throw new Error(`<oarepo-s3-uploader>: ${name} is a whole number above 0, not "${text}"`)
  }
  return Number(text)
}
