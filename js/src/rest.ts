// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** Calls to the repository: JSON, who is calling, and errors with a code. */

import { kindOf, readRetryAfter, UploadFailure } from './errors.js'
import { retry } from './retry.js'
import { follow } from './signals.js'
import type { OARepoS3Options } from './types.js'

const TIMEOUT = 60_000
const SAFE = new Set(['GET', 'HEAD'])

/** A call to the repository. */
export interface Call {
  method: 'GET' | 'POST' | 'DELETE'
  address: string
  body?: unknown
  signal: AbortSignal
  /** Milliseconds to wait for the answer. */
  timeout?: number
  /** Whether to wait for the answer even after the signal: what is made there has to be known here. */
  whole?: boolean
}

/** The answer: its body and, if it says so, the server's time in milliseconds. */
export interface Answer {
  body: unknown
  serverTime: number | undefined
}

/** What has come back, whole. */
interface Reply {
  status: number
  ok: boolean
  headers: Headers
  text: string
}

/** Talks to the repository on behalf of the page's user, or of whom the token belongs to. */
export class Rest {
  readonly #options: () => Pick<OARepoS3Options, 'token' | 'headers'>
  #token: Promise<string> | undefined

  /** @param options - gives the options as they are at the moment */
  constructor(options: () => Pick<OARepoS3Options, 'token' | 'headers'>) {
    this.#options = options
  }

  /** Call until there is an answer that counts; see {@link retry}. Only calls that may be repeated. */
  call(call: Call): Promise<Answer> {
    return retry(() => this.once(call), call.signal)
  }

  /** Call once, but again with a fresh token after a 401, and with a fresh cookie after a CSRF error. */
  async once(call: Call): Promise<Answer> {
    const asked = this.#ask()
    const token = await asked
    const cookie = csrfToken(call)
    const reply = await this.#send(call, token, cookie)
    if (reply.ok) return read(reply)
    const failure = failureOf(reply)
    if (reply.status === 401 && asked !== undefined) this.#drop(asked)
    if (reply.status === 401 && typeof this.#options().token === 'function') {
      // Somebody else may have asked for a new one meanwhile; then it is that one.
      return this.#again(call, await this.#ask(), cookie)
    }
    // The refusal has brought the cookie, or a new one.
    if (isCsrf(failure) && csrfToken(call) !== undefined) return this.#again(call, token, csrfToken(call))
    throw failure
  }

  async #again(call: Call, token: string | undefined, cookie: string | undefined): Promise<Answer> {
    const reply = await this.#send(call, token, cookie)
    if (reply.ok) return read(reply)
    throw failureOf(reply)
  }

  /** Return the token; a function is asked once, and what it gave is kept until it is refused. */
  #ask(): Promise<string> | undefined {
    const { token } = this.#options()
    if (token === undefined) return undefined
    if (typeof token === 'string') return Promise.resolve(token)
    if (this.#token !== undefined) return this.#token
    const asked = (this.#token = askFor(token))
    // A failure is not kept: the next call asks again.
    asked.catch(() => this.#drop(asked))
    return asked
  }

  #drop(asked: Promise<string>): void {
    if (asked === this.#token) this.#token = undefined
  }

  async #send(call: Call, token: string | undefined, cookie: string | undefined): Promise<Reply> {
    const headers: Record<string, string> = { Accept: 'application/json', ...this.#options().headers }
    if (call.body !== undefined) headers['Content-Type'] = 'application/json'
    if (token !== undefined) headers['Authorization'] = `Bearer ${token}`
    else if (cookie !== undefined) headers['X-CSRFToken'] = cookie
    const { controller, letGo } = follow(call.whole ? undefined : call.signal)
    const timer = setTimeout(() => controller.abort(), call.timeout ?? TIMEOUT)
    try {
      const response = await fetch(call.address, {
        method: call.method,
        headers,
        // A token says who is calling; a cookie beside it would only ask for a CSRF token as well.
        credentials: token === undefined ? 'same-origin' : 'omit',
        // An abort shall arrive even when the page is left.
        keepalive: call.method === 'DELETE',
        signal: controller.signal,
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      })
      const { status, ok } = response
      // Read here: a body can stall as well, or break off, and that is no answer.
      return { status, ok, headers: response.headers, text: await response.text() }
    } catch (error) {
      if (!call.whole) call.signal.throwIfAborted()
      throw new UploadFailure('repository_unavailable', { kind: 'network', said: String(error) })
    } finally {
      clearTimeout(timer)
      letGo()
    }
  }
}

async function askFor(token: () => string | Promise<string>): Promise<string> {
  try {
    return await token()
  } catch (error) {
    throw new UploadFailure('not_authenticated', { said: String(error) })
  }
}

function read({ headers, text }: Reply): Answer {
  const date = Date.parse(headers.get('Date') ?? '')
  return { body: text === '' ? undefined : parse(text), serverTime: Number.isNaN(date) ? undefined : date }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UploadFailure('not_the_api', { said: text.slice(0, 100) })
  }
}

/** Turn `{status, message, code}` into a failure; gateways answer with something else. */
function failureOf({ status, headers, text }: Reply): UploadFailure {
  let said: { code?: unknown; message?: unknown } = {}
  try {
    said = Object(JSON.parse(text))
  } catch {
    // Not Invenio's; the status has to do.
  }
  const retryAfter = readRetryAfter(headers.get('Retry-After'))
  return new UploadFailure(typeof said.code === 'string' ? said.code : codeOf(status), {
    status,
    // The store is busy with the same object: the documentation says to call again.
    kind: said.code === 'store_precondition_failed' ? 'busy' : kindOf(status),
    ...(typeof said.message === 'string' ? { said: said.message } : {}),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  })
}

function codeOf(status: number): string {
  if (status === 401) return 'not_authenticated'
  if (status === 403) return 'forbidden'
  if (status === 404) return 'not_found'
  if (status === 413) return 'request_too_large'
  if (status === 429) return 'too_many_requests'
  return status >= 500 ? 'repository_unavailable' : 'refused'
}

function isCsrf(failure: UploadFailure): boolean {
  return failure.status === 400 && failure.code === 'refused' && /csrf/i.test(failure.said ?? '')
}

/** Read Invenio's cookie; only for calls that need it, and never for another site. */
function csrfToken({ method, address }: Call): string | undefined {
  if (SAFE.has(method) || typeof document === 'undefined') return undefined
  if (new URL(address, location.href).origin !== location.origin) return undefined
  const cookie = document.cookie.split(/;\s*/).find((one) => one.startsWith('csrftoken='))
  return cookie?.slice('csrftoken='.length)
}
