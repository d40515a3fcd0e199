// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** The options of the plugin, and what the REST API says. */

import type { Body, Meta, PluginOpts, UppyFile } from '@uppy/core'

/** Where the files go: a bucket of files-rest, or the files of a draft. Exactly one of the two. */
export interface TargetOptions {
  /** Id of the files-rest bucket. */
  bucket?: string
  /**
   * Address of a draft's files, such as `/api/records/abc-123/draft/files`: they begin as
   * invenio-records-resources' transfer "M".
   */
  draftFiles?: string
}

/** Options of {@link OARepoS3}. */
export interface OARepoS3Options extends PluginOpts, TargetOptions {
  /** Address of the uploads, for a draft as well; relative to the page. Default: `/api/multipart-uploads`. */
  endpoint?: string
  /** Bearer token, or what gives one; without it the page's own session is used. */
  token?: string | (() => string | Promise<string>)
  /** Headers for every call to the repository; none of them goes to the store. */
  headers?: Record<string, string>
  /** Most parts on their way at once, of all files together. Default: 6. */
  limit?: number
  /** Whether each part is sent with its MD5, computed in a worker, where the store takes it. */
  checksums?: boolean
  /** Name of a file in the bucket or draft. Default: the name that Uppy shows. */
  key?: (file: UppyFile<Meta, Body>) => string
  /** Wish for the bytes of a part; the server decides. */
  partSize?: number
  /** Where unfinished uploads are remembered; `null`: nowhere. Default: `localStorage`. */
  memory?: Storage | null
}

/** An upload, as the REST API shows it. Sizes in bytes, times in ISO 8601. */
export interface Session {
  id: string
  bucket: string
  key: string
  state: 'pending' | 'completing' | 'completed' | 'aborting' | 'aborted' | 'expired' | 'failed'
  size: number
  part_size: number
  num_parts: number
  expires_at: string
  part_checksums?: string[]
  urls?: PartUrl[]
  links: { self: string; urls: string; parts: string; complete: string }
  file?: { links?: { content?: string } }
}

/** What the plugin has to know of an upload. */
export type Plan = Pick<
  Session,
  'id' | 'key' | 'state' | 'size' | 'part_size' | 'num_parts' | 'expires_at' | 'part_checksums' | 'urls'
>

/** A presigned URL of one part. */
export interface PartUrl {
  part: number
  url: string
  expires_at: string
  headers?: Record<string, string>
}

/** A part that the store has. */
export interface UploadedPart {
  part: number
  size: number
  etag: string
}
