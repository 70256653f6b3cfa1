// Which points are given up when a server refuses a write: those that it refuses, all of them, and no others.

import { describe, expect, test } from 'vitest'
import { InfluxFailure } from '../../src/history/influx.ts'
import { type InfluxPoint, linesOf } from '../../src/history/influxPoints.ts'
import { InfluxSieve } from '../../src/history/influxSieve.ts'
import type { FleetNames } from '../../src/history/messages.ts'
import { ManualClock } from '../../src/platform/clock.ts'
import { LIMITS } from '../../src/platform/limits.ts'
import { NOON } from './someFleet.ts'

const DEVICES = 50
const names: FleetNames = {
  devices: Array.from({ length: DEVICES }, (_, n) => `D-${n}`),
  metrics: Array.from({ length: DEVICES }, () => ['a', 'b']),
  places: Array.from({ length: DEVICES }, (_, n) => ({ profile: n % 2 === 0 ? 'tank' : 'valve', area: null, site: null, enterprise: 'e' }))
}

function points(perDevice = 20): InfluxPoint[] {
  return Array.from({ length: DEVICES * perDevice }, (_, n) => ({
    device: n % DEVICES,
    at: NOON + Math.floor(n / DEVICES) * 1000,
    places: [0, 1],
    values: [n, -n],
    qualities: [0, 0]
  }))
}

/** A server that stores the lines it likes, and answers as InfluxDB does where there are others among them. */
function serverThat(refuses: (line: string) => string | null) {
  const stored = new Set<string>()
  const drops = { retention: 0, refused: 0 }
  const sentences: string[] = []
  let requests = 0
  const clock = new ManualClock(NOON)
  const sieve = new InfluxSieve({
    clock,
    server: {
      name: 'InfluxDB',
      async write(body) {
        requests++
        const complaints = body.split('\n').flatMap((line) => {
          const complaint = refuses(line)
          if (complaint === null) stored.add(line)
          return complaint ?? []
        })
        if (complaints[0] !== undefined) throw new InfluxFailure(complaints[0].startsWith('413') ? 'large' : 'refused', complaints[0])
      }
    },
    harmless: () => 'fenghuo_position,installation=x seq=1 0',
    dropped(reason, readings, sentence) {
      drops[reason] += readings
      sentences.push(sentence)
    }
  })
  return { sieve, clock, stored, drops, sentences, requests: () => requests }
}

describe('what a server refuses', () => {
  test('is found by device and dropped; all else is stored', async () => {
    const server = serverThat((line) =>
      line.includes('device=D-7,') || line.includes('device=D-31,') ? 'partial write: max-values-per-tag limit exceeded dropped=0' : null
    )
    const all = points(1)
    await server.sieve.write(all, names)
    expect(server.drops).toEqual({ retention: 0, refused: 4 })
    expect(server.stored.size).toBe(DEVICES - 2 + 1)
    expect(server.sentences).toEqual(
      Array(2).fill(expect.stringMatching(/^InfluxDB refuses 2 readings, and they were dropped: partial write/))
    )
  })

  test('is found point by point', async () => {
    const server = serverThat((line) => (/ a\.quality=0,a=(512|513|7),/.test(line) ? 'unable to parse' : null))
    await server.sieve.write(points(), names)
    expect([server.drops, server.stored.size]).toEqual([{ retention: 0, refused: 6 }, 1000 - 3 + 1])
    expect(server.requests()).toBeLessThan(LIMITS.history.influx.sievingRequests)
  })

  test('costs a bounded number of requests, however much it is', async () => {
    const server = serverThat((line) => (line.startsWith('fenghuo') ? null : 'partial write: something new'))
    await server.sieve.write(points(), names)
    expect(server.drops).toEqual({ retention: 0, refused: 2000 })
    expect(server.requests()).toBeLessThanOrEqual(LIMITS.history.influx.sievingRequests + 10)
  })

  test('for being old is cut off at the very point', async () => {
    const server = serverThat((line) =>
      Number(line.split(' ').at(-1)) < NOON + 7_000 && !line.startsWith('fenghuo')
        ? 'partial write: points beyond retention policy dropped=0'
        : null
    )
    await server.sieve.write(points(), names)
    expect([server.drops, server.stored.size]).toEqual([{ retention: 7 * DEVICES * 2, refused: 0 }, 13 * DEVICES + 1])
    expect(server.requests()).toBeLessThan(16)
    expect(server.sentences).toEqual([
      expect.stringMatching(/^700 readings are older than what InfluxDB keeps .* of 2026-06-15T12:00:00\.000Z/)
    ])
  })

  test('for its type is left out of its measurement until a while later, and the rest of the points stored', async () => {
    const server = serverThat((line) =>
      /^tank.*[ ,]b=/.test(line)
        ? 'partial write: field type conflict: input field "b" on measurement "tank" is type float, already exists as type integer dropped=0'
        : null
    )
    await server.sieve.write(points(), names)
    expect(server.drops).toEqual({ retention: 0, refused: 500 })
    const tanks = [...server.stored].filter((line) => line.startsWith('tank,'))
    expect([tanks.length, tanks.filter((line) => /[ ,]b=/.test(line))]).toEqual([500, []])
    expect(server.requests()).toBe(2)
    await server.sieve.write(points(), names)
    expect([server.drops.refused, server.requests()]).toEqual([1000, 3])
    server.clock.moveTo(NOON + LIMITS.history.influx.conflictMs)
    await server.sieve.write(points(), names)
    expect([server.drops.refused, server.requests()]).toEqual([1500, 5])
  })

  test('because it refuses everything costs nothing', async () => {
    const server = serverThat(() => 'bad gateway configuration')
    const failure = await server.sieve.write(points(), names).catch((cause: unknown) => cause)
    expect(failure).toMatchObject({ trouble: 'passing', said: 'it refuses whatever is written: bad gateway configuration' })
    expect(server.drops).toEqual({ retention: 0, refused: 0 })
  })

  test('is not counted again by another attempt, and not sent again', async () => {
    const server = serverThat((line) => (line.includes('device=D-7,') ? 'no' : null))
    const all = points(1)
    await server.sieve.write(all, names)
    await server.sieve.write(all, names)
    expect(server.drops).toEqual({ retention: 0, refused: 2 })
    expect(linesOf(all, names).split('\n')).toHaveLength(DEVICES - 1)
  })

  test('as too large is sent in halves', async () => {
    let longest = 0
    const server = serverThat(() => null)
    const sieve = new InfluxSieve({
      clock: server.clock,
      harmless: () => '',
      dropped: () => {},
      server: {
        name: 'InfluxDB',
        async write(body) {
          const lines = body.split('\n').length
          if (lines > 130) throw new InfluxFailure('large', 'Request Entity Too Large')
          longest = Math.max(longest, lines)
          for (const line of body.split('\n')) server.stored.add(line)
        }
      }
    })
    await sieve.write(points(), names)
    expect([server.stored.size, longest]).toEqual([1000, 125])
  })
})
