// SPDX-FileCopyrightText: oarepo-s3 contributors
// SPDX-License-Identifier: MIT
import { expect, test, vi } from 'vitest'

import { Limiter } from '../src/limiter.js'
import { Places } from '../src/places.js'
import { Progress } from '../src/progress.js'

const never = new AbortController().signal

/** Parts of one size over a line whose speed depends on how many are on their way. */
async function simulate(limiter: Limiter, clock: { now: number }, parts: number, speed: (at: number) => number): Promise<number> {
  let most = 0
  while (parts > 0) {
    const together = Math.min(limiter.size, parts)
    most = Math.max(most, together)
    clock.now += (together * 100) / speed(together)
    await Promise.all(
      Array.from({ length: together }, () =>
        limiter.run(never, async () => {
          // All of them are there before the first one leaves.
          await Promise.resolve()
          limiter.sent(100)
          limiter.arrived()
        }),
      ),
    )
    parts -= together
  }
  return most
}

function make(most = 6) {
  const clock = { now: 0 }
  return { clock, limiter: new Limiter(most, () => clock.now) }
}

test('begins low, and grows to the limit and no further while it gets faster', async () => {
  const { clock, limiter } = make()
  expect(limiter.size).toBe(2)
  expect(await simulate(limiter, clock, 100, (at) => at)).toBe(6)
  expect(limiter.size).toBe(6)
})

test('stays low where more at once are not faster', async () => {
  const { clock, limiter } = make()
  await simulate(limiter, clock, 12, () => 3)
  expect(limiter.size).toBe(3)
})

test('looks again now and then, since lines change', async () => {
  const { clock, limiter } = make()
  await simulate(limiter, clock, 12, () => 3)
  expect(limiter.size).toBe(3)
  await simulate(limiter, clock, 60, (at) => at)
  expect(limiter.size).toBe(6)
})

test('halves in trouble, once for parts that failed together, and never to nothing', async () => {
  const { clock, limiter } = make()
  await simulate(limiter, clock, 100, (at) => at)
  for (let failed = 0; failed < 6; failed += 1) limiter.trouble()
  expect(limiter.size).toBe(3)
  for (const expected of [1, 1, 1]) {
    clock.now += 2000
    limiter.trouble()
    expect(limiter.size).toBe(expected)
  }
})

test('does not grow on places that nobody wants', async () => {
  const { clock, limiter } = make()
  for (let part = 0; part < 50; part += 1) {
    clock.now += 10
    await limiter.run(never, async () => {
      limiter.sent(100)
      limiter.arrived()
    })
  }
  expect(limiter.size).toBe(2)
})

test('a limit of one is one', () => {
  expect(make(1).limiter.size).toBe(1)
})

test('places are taken in the order of coming, and one that is left goes to the next', async () => {
  const places = new Places(1)
  const order: number[] = []
  let leave = () => {}
  const first = places.run(never, () => new Promise<void>((resolve) => (leave = resolve)))
  await vi.waitFor(() => expect(places.taken).toBe(1))
  const gone = new AbortController()
  const others = [1, 2, 3].map((number) =>
    places.run(number === 2 ? gone.signal : never, async () => void order.push(number)).catch(() => order.push(-number)),
  )
  gone.abort()
  leave()
  await Promise.all([first, ...others])
  expect(order.filter((number) => number > 0)).toEqual([1, 3])
  expect(order).toContain(-2)
  expect(places.taken).toBe(0)
})

test('a sum of bytes never goes back, and never beyond the file', () => {
  const shown: number[] = []
  const progress = new Progress(100, (bytes) => shown.push(bytes))
  progress.loaded(1, 40)
  progress.loaded(2, 30)
  progress.lost(1)
  progress.loaded(1, 10)
  progress.loaded(1, 50)
  progress.arrived(1, 50)
  progress.restart(50)
  progress.loaded(2, 45)
  progress.loaded(2, 60)
  progress.arrived(2, 50)
  progress.restart(0)
  progress.loaded(1, 99)
  expect(shown).toEqual([40, 70, 80, 95, 100])
})
