// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest'

import { OARepoS3Uploader } from '../src/element.js'

test('an element with a wrong attribute shows nothing', () => {
  const made = new OARepoS3Uploader()
  made.setAttribute('bucket', 'b')
  made.setAttribute('limit', 'many')
  expect(() => made.connectedCallback()).toThrow('limit is a whole number')
  expect(made.uppy).toBeNull()
  expect(made.childElementCount).toBe(0)
})
