// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
// Uppy 6 in companion mode, as a page would have it.

import AwsS3 from '@uppy/aws-s3'
import Uppy from '@uppy/core'

globalThis.makeUppy = (companionEndpoint, options) => {
  const uppy = new Uppy()
  // The plugin itself does not say how large a file is.
  uppy.on('file-added', ({ id, size }) => uppy.setFileMeta(id, { size }))
  return uppy.use(AwsS3, { companionEndpoint, ...options })
}

// The same with keys to a scope: Uppy signs by itself, and calls the store alone.
globalThis.makeUppyWithKeys = (s3Endpoint, { api, scope, prefix }) =>
  new Uppy().use(AwsS3, {
    s3Endpoint,
    region: 'us-east-1',
    shouldUseMultipart: false,
    generateObjectKey: (file) => `${prefix}${file.name}`,
    async getCredentials() {
      const csrf = /csrftoken=([^;]+)/.exec(document.cookie)
      const answer = await fetch(`${api}/multipart-uploads/credentials`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-CSRFToken': csrf ? csrf[1] : '' },
        body: JSON.stringify({ scope }),
      })
      if (!answer.ok) throw new Error((await answer.json()).message)
      return answer.json()
    },
  })
