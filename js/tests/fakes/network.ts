// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
/** The network between the page and its two servers: it can be cut, and breaks answers. */

/** What a server is asked, by whatever means. */
export interface Request {
  method: string
  url: URL
  headers: Map<string, string>
  body: Blob | string | undefined
}

/** What it answers. */
export interface Answer {
  status: number
  headers?: Record<string, string>
  body?: string
}

/** Something that goes wrong: an answer in the server's place, or none. */
export interface Fault {
  /** Whether it concerns this request. */
  at: (request: Request) => boolean
  /** The answer in its place; without one the connection breaks. */
  answer?: Answer
  /** Whether the server does its work all the same, and only the answer is lost. */
  late?: boolean
  /** How often; once, if it is not said. */
  times?: number
}

/** A server. */
export type Server = (request: Request) => Promise<Answer>

/** A network with faults that were ordered. */
export class Network {
  readonly requests: Request[] = []
  /** How many parts were on their way, whenever one set out. */
  readonly together: number[] = []
  /** Parts on their way. */
  sending = 0
  readonly #faults: Fault[] = []
  #up = true

  /** Order a fault. */
  fault(fault: Fault): void {
    this.#faults.push({ times: 1, ...fault })
  }

  /** Plug the cable in or out; the browser notices. */
  set up(up: boolean) {
    this.#up = up
    Object.defineProperty(navigator, 'onLine', { value: up, configurable: true })
    window.dispatchEvent(new Event(up ? 'online' : 'offline'))
  }

  get up(): boolean {
    return this.#up
  }

  /** Requests whose method and path fit; the path of a part's URL is `/part`. */
  seen(method: string, path: RegExp): Request[] {
    return this.requests.filter((one) => one.method === method && path.test(one.url.pathname + one.url.search))
  }

  /** Bring a request to a server, and back; `undefined` when the connection broke. */
  async carry(request: Request, server: Server): Promise<Answer | undefined> {
    if (!this.#up) return undefined
    this.requests.push(request)
    const fault = this.#faults.find(({ at, times }) => times! > 0 && at(request))
    if (fault === undefined) {
      const answer = await server(request)
      return this.#up ? answer : undefined
    }
    fault.times! -= 1
    if (fault.late) await server(request)
    return fault.answer
  }
}
