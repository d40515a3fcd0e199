// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** Everything around one test: a repository, a store, a network between, and pages with Uppy. */

import { type Meta, Uppy } from '@uppy/core'
import { afterEach, beforeEach, vi } from 'vitest'

import OARepoS3, { type OARepoS3Options } from '../../src/index.js'
import { connect } from './browser.js'
import { FakeDraft } from './draft.js'
import { Network } from './network.js'
import { FakeRepository } from './repository.js'
import { FakeStore } from './store.js'

/** A page with Uppy, and what it was told. */
export interface Page {
  uppy: Uppy
  plugin: OARepoS3<Meta, Record<string, never>>
  progress: number[]
  /** Add a file of letters that tell its bytes apart. */
  add: (name: string, content: string, lastModified?: number) => string
  /** Upload, and say how it ended: the messages of what failed, or nothing. */
  upload: () => Promise<string[]>
}

/** The servers and the network. */
export class World {
  readonly network = new Network()
  readonly store = new FakeStore()
  readonly repository = new FakeRepository(this.store)
  readonly draft = new FakeDraft(this.repository)

  constructor() {
    const api = (request: Parameters<typeof this.repository.handle>[0]) =>
      request.url.pathname.startsWith('/api/records') ? this.draft.handle(request) : this.repository.handle(request)
    connect(this.network, { api, store: this.store.handle })
  }

  /** Open the page, as one does again after a reload. */
  open(options: OARepoS3Options = { bucket: 'b' }): Page {
    const uppy = withoutTimers(() => new Uppy({ logger: { debug() {}, warn() {}, error() {} } }))
    uppy.use(OARepoS3, options)
    const progress: number[] = []
    uppy.on('upload-progress', (_, { bytesUploaded }) => progress.push(bytesUploaded))
    return {
      uppy,
      plugin: uppy.getPlugin('OARepoS3')!,
      progress,
      add: (name, content, lastModified = 1) =>
        uppy.addFile({ name, type: 'text/plain', data: new File([content], name, { type: 'text/plain', lastModified }) }),
      upload: async () => {
        const result = await uppy.upload()
        return (result?.failed ?? []).map(({ error }) => String(error))
      },
    }
  }

  /** Parts that were sent, as the store has taken them. */
  get taken(): string[] {
    return this.store.taken
  }
}

/** Uppy looks at the network once more after three seconds, when the test's window may be gone. */
function withoutTimers<T>(make: () => T): T {
  const timers = vi.spyOn(globalThis, 'setTimeout')
  try {
    return make()
  } finally {
    for (const { value } of timers.mock.results) clearTimeout(value)
    timers.mockRestore()
  }
}

/** Make a world for each test of a file. */
export function eachInItsWorld(): () => World {
  let world: World
  beforeEach(() => {
    localStorage.clear()
    Object.defineProperty(navigator, 'onLine', { value: true, configurable: true })
    // The pauses between tries are random; none of them shall take time here.
    vi.spyOn(Math, 'random').mockReturnValue(0)
    world = new World()
  })
  afterEach(() => {
    vi.restoreAllMocks()
    vi.unstubAllGlobals()
  })
  return () => world
}

/** Return so many letters, no two parts of ten alike. */
export function letters(count: number, seed = 'a'): string {
  return Array.from({ length: Math.ceil(count / 10) }, (_, index) => `${seed}${index}`.padEnd(10, '.')).join('').slice(0, count)
}
