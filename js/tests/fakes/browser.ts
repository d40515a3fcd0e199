// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** The page's side of the network: `fetch` and `XMLHttpRequest`, as far as the plugin uses them. */

import { vi } from 'vitest'

import type { Answer, Network, Request, Server } from './network.js'

/** Put a network and its servers in the place of the browser's own. */
export function connect(network: Network, servers: { api: Server; store: Server }): void {
  vi.stubGlobal('fetch', fetcher(network, servers.api))
  vi.stubGlobal('XMLHttpRequest', requester(network, servers.store))
}

function fetcher(network: Network, server: Server): typeof fetch {
  return async (address, init = {}) => {
    const { method = 'GET', headers = {}, signal, body } = init
    signal?.throwIfAborted()
    const lower = Object.entries(headers as Record<string, string>).map(([name, value]) => [name.toLowerCase(), value] as const)
    const request: Request = {
      method,
      url: new URL(String(address), location.href),
      headers: new Map(lower),
      body: body as string | undefined,
    }
    let abort = () => {}
    const aborted = new Promise<never>((_, reject) => (abort = () => reject(signal?.reason)))
    signal?.addEventListener('abort', abort)
    const answer = await Promise.race([network.carry(request, server), aborted]).finally(() =>
      signal?.removeEventListener('abort', abort),
    )
    if (answer === undefined) throw new TypeError('Failed to fetch')
    const { status, headers: fields = {}, body: text = '' } = answer
    return new Response(status === 204 ? null : text, { status, headers: fields })
  }
}

function requester(network: Network, server: Server): unknown {
  return class FakeXMLHttpRequest {
    readonly upload: { onprogress?: (event: { loaded: number }) => void } = {}
    onload?: () => void
    onerror?: () => void
    status = 0
    responseText = ''
    #answer: Answer | undefined
    #aborted = false
    #url = ''
    readonly #headers = new Map<string, string>()

    open(_: string, url: string): void {
      this.#url = url
    }

    setRequestHeader(name: string, value: string): void {
      this.#headers.set(name.toLowerCase(), value)
    }

    getResponseHeader(name: string): string | null {
      return this.#answer?.headers?.[name.toLowerCase()] ?? null
    }

    abort(): void {
      if (!this.#aborted && this.#answer === undefined) network.sending -= 1
      this.#aborted = true
    }

    send(body: Blob): void {
      // As browsers do with a Blob that knows its type.
      if (body.type !== '') this.#headers.set('content-type', body.type)
      network.sending += 1
      network.together.push(network.sending)
      void this.#run(body)
    }

    async #run(body: Blob): Promise<void> {
      for (const share of [0.5, 1]) {
        await tick()
        if (this.#aborted) return
        if (network.up) this.upload.onprogress?.({ loaded: Math.floor(body.size * share) })
      }
      const request = { method: 'PUT', url: new URL(this.#url), headers: this.#headers, body }
      const answer = await network.carry(request, server)
      if (this.#aborted) return
      network.sending -= 1
      this.#answer = answer
      if (answer === undefined) return this.onerror?.()
      this.status = answer.status
      this.responseText = answer.body ?? ''
      this.onload?.()
    }
  }
}

/** Let everything that waits for nothing go on. */
export function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0))
}
