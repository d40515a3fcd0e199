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
