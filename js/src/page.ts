// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** The script of a page: the element with its styles, and what a page may import. */

import './style.css'

export { OARepoS3Uploader, type UploaderLocale } from './element.js'
export { OARepoS3 } from './index.js'
