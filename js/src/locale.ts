// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** The English texts; a translation is an Uppy locale with the same names. */

/** What is shown, by the code of the failure. Each says what happened, and what to do. */
export const strings = {
  repositoryFailure: '%{message}',
  unknownFailure: 'The upload failed (%{code}). Try again; if it goes on, tell the operator.',
  quota_exceeded: 'There is not enough room for this file.',
  file_too_large: 'The file is larger than a file may be here.',
  invalid_key: 'The repository does not take this file name.',
  name_taken: 'There is a file of this name already. Remove it first, or rename this one.',
  bucket_locked: 'No files can be added here, because the record is locked. Ask its owner.',
  bucket_not_found: 'The place for the file does not exist any more. Reload the page.',
  forbidden: 'You may not upload here. Ask the owner for access.',
  not_authenticated: 'You are not logged in any more. Log in in another tab, then retry.',
  upload_expired: 'The upload took longer than it may, and expired. Retry: it begins anew.',
  upload_lost: 'The store has dropped the upload. Retry: it begins anew.',
  upload_not_found: 'The upload does not exist any more. Retry: it begins anew.',
  upload_not_pending: 'The upload was ended elsewhere. Retry: it begins anew.',
  checksum_mismatch: 'The file did not arrive as it was. Retry: it is sent anew.',
  repository_unavailable: 'The repository does not answer. Nothing is lost: retry later.',
  database_unavailable: 'The repository does not answer. Nothing is lost: retry later.',
  too_many_requests: 'The repository is busy. Nothing is lost: retry later.',
  store_unavailable: 'The store is busy or away. Nothing is lost: retry later.',
  no_answer: 'The connection to the store broke. Nothing is lost: retry when the network is better.',
  stalled: 'The network is too slow: nothing moved for a minute. Nothing is lost: retry later.',
  store_unreachable:
    'The browser cannot reach the store at %{store}. Either it is away, or it does not let pages of %{origin} in: ' +
    'the operator has to allow PUT from there in the CORS rule of its bucket.',
  etag_hidden:
    'The store does not let the page read the ETag of a part: the operator has to expose ETag in the CORS rule of its bucket.',
  store_refused: 'The store refuses the parts. Retry; if it goes on, tell the operator.',
  bad_digest: 'A part was changed on its way, several times. Retry; if it goes on, use another network.',
  file_unreadable: 'The file cannot be read: it was changed, moved or removed. Remove it here, and choose it again.',
  checksum_impossible:
    'The checksums cannot be computed: the page has to allow its worker (Content-Security-Policy: worker-src, and wasm-unsafe-eval in script-src).',
  remote_file: 'Files of other services cannot be uploaded here. Download it, and choose it from your device.',
  no_direct_upload: 'This draft does not take direct uploads: the operator has to install oarepo-s3.',
  no_target: 'The page does not say where files go: its author has to set either bucket or draftFiles.',
  not_the_api: 'The answer is not that of the repository: the author of the page has to set endpoint.',
}

/** Codes whose text is followed by the server's words: they have the numbers, and say what to do. */
export const WITH_DETAILS = new Set(['quota_exceeded', 'file_too_large', 'invalid_key'])
