// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** What the page says in English: strings of our own, and those of Uppy that we say otherwise. */

/** A string, or its forms by number: `0` for one, `1` for more, as Uppy's own locales have them. */
export type Strings = Record<string, string | Record<number, string>>

/** Our own strings; none has a name that Uppy uses. */
export const OWN_STRINGS = {
  // Names of the regions, which screen readers list.
  uploadedFiles: 'Uploaded files',
  uploadProblems: 'Problems',
  // The line of figures: an amount, and one of the others behind it.
  amountUploaded: '%{sent} of %{total}',
  pace: '%{speed}/s · %{time} left',
  paceUnknown: 'starting',
  paceWaiting: 'waiting: nothing moves',
  pacePaused: 'paused',
  paceOffline: 'waiting for the connection',
  paceCompleting: 'the store puts the parts together',
  // Buttons of a problem; the name of the file is read with them.
  tryAgain: 'Try again',
  tryAgainWithName: 'Try again: %{name}',
  removeWithName: 'Remove: %{name}',
  removeProblem: 'Remove',
  // The link of an uploaded file.
  downloadFile: 'Download %{name}',
  // Spoken to screen readers, and not shown.
  saidAdded: { 0: '%{smart_count} file chosen.', 1: '%{smart_count} files chosen.' },
  saidStarted: { 0: 'Uploading %{smart_count} file.', 1: 'Uploading %{smart_count} files.' },
  saidProgress: '%{percent} percent uploaded.',
  saidPaused: 'Upload paused.',
  saidResumed: 'Upload goes on.',
  saidOffline: 'The connection is lost. The upload goes on when it is back.',
  saidOnline: 'The connection is back.',
  saidUploaded: '%{name} is uploaded.',
  saidComplete: { 0: '%{smart_count} file is uploaded.', 1: '%{smart_count} files are uploaded.' },
  saidFailed: {
    0: '%{smart_count} file could not be uploaded. See the list of problems.',
    1: '%{smart_count} files could not be uploaded. See the list of problems.',
  },
  saidCancelled: 'Upload cancelled.',
} satisfies Strings

/** Strings of Uppy that speak of Uppy, or too shortly. */
export const UPPY_STRINGS = {
  dashboardTitle: 'Upload of files',
  dropHint: 'Drop the files here',
  noInternetConnection: 'The connection is lost: the upload goes on when it is back',
  connectedToInternet: 'The connection is back',
} satisfies Strings
