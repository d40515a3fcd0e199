// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
// Uppy 5 with callbacks that call Companion's routes, as a page would have it.

import AwsS3 from '@uppy/aws-s3'
import Uppy from '@uppy/core'

const call = async (address, method = 'GET', body = undefined) => {
  const headers = body && { 'content-type': 'application/json' }
  const answer = await fetch(address, { method, headers, body: body && JSON.stringify(body) })
  if (!answer.ok) throw new Error(answer.statusText)
  return answer.json()
}

globalThis.makeUppy = (companionEndpoint, options) => {
  const routes = `${companionEndpoint}/s3/multipart`
  const address = ({ uploadId, key }, below = '') =>
    `${routes}/${encodeURIComponent(uploadId)}${below}?key=${encodeURIComponent(key)}`
  return new Uppy().use(AwsS3, {
    createMultipartUpload: ({ name, type, size }) =>
      call(routes, 'POST', { filename: name, type, metadata: { size } }),
    signPart: (_, { partNumber, ...upload }) => call(address(upload, `/${partNumber}`)),
    listParts: (_, upload) => call(address(upload)),
    completeMultipartUpload: (_, { parts, ...upload }) =>
      call(address(upload, '/complete'), 'POST', { parts }),
    abortMultipartUpload: (_, upload) => call(address(upload), 'DELETE'),
    ...options,
  })
}
