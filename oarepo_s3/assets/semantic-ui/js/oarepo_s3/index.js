// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** Uppy plugin: uploads of any size straight to the object store of an Invenio repository. */
export { UploadFailure } from './errors.js';
export { strings } from './locale.js';
export { OARepoS3, OARepoS3 as default } from './plugin.js';
