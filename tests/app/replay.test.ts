// fenghuo replay against the real broker: what is sent, when, and what the summary and the exit status say.

import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openReplay, type ReplayListener, type ReplayOptions } from '../../src/app/replay/replay.ts'
import { Broker } from '../../src/ingest/broker.ts'
import type { BrokerJournal } from '../../src/ingest/brokerAcceptance.ts'
import { ManualClock, SystemClock } from '../../src/platform/clock.ts'
import { silentLog } from '../../src/platform/log.ts'
import { Metrics } from '../../src/platform/metrics.ts'

interface Sent {
  readonly device: string
  readonly ts?: number
  readonly values: Record<string, unknown>
}

const HOME = path.join(import.meta.dirname, '../..')
const ZERO = Date.parse('2026-01-01T00:00:00Z')
let folder: string
let broker: Broker
let messages: Sent[][]
let silent: boolean

/** Keeps what arrives; flushes at once unless `silent`. */
const journal: BrokerJournal = {
  unflushedBytes: 0,
  append(kind, source, body, done) {
    if (silent) return
    if (kind === 'telemetry') {
      expect(source).toBe('fh/1/gw-01/telemetry')
      const sent = JSON.parse(Buffer.from(body).toString()) as Sent | Sent[]
      messages.push(Array.isArray(sent) ? sent : [sent])
    }
    setImmediate(() => done(messages.length))
  }
}

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'fenghuo-replay-'))
  messages = []
  silent = false
  const authenticate = async (id: string, secret: string): Promise<boolean> => id === 'gw-01' && secret === 'one'
  broker = new Broker({
    host: '127.0.0.1',
    port: 0,
    clock: new SystemClock(),
    log: silentLog,
    metrics: new Metrics(),
    journal,
    authenticate
  })
  await broker.start()
})

afterEach(async () => {
  await broker.stop()
  await rm(folder, { recursive: true, force: true })
})

async function file(name: string, text: string): Promise<string> {
  const where = path.join(folder, name)
  await writeFile(where, text)
  return where
}

function recorded(count: number, everyMs: number): string {
  return Array.from({ length: count }, (_, i) => `{"device":"D${i % 3}","ts":${ZERO + i * everyMs},"values":{"n":${i}}}\n`).join('')
}

function options(files: readonly string[], more: Partial<ReplayOptions> = {}): ReplayOptions {
  const url = `mqtt://gw-01:one@127.0.0.1:${broker.address?.port}`
  return { files, mapping: null, url, username: null, password: null, speed: Number.POSITIVE_INFINITY, now: false, ...more }
}

function listener(heard: string[]): ReplayListener {
  return {
    badRow: ({ line, problem }) => void heard.push(`${line}: ${problem}`),
    rejected: (sentence) => void heard.push(`rejected ${sentence}`),
    connection: (sentence) => void heard.push(sentence)
  }
}

describe('a replay at full speed', () => {
  it('sends everything once, in order, up to 50 samples a message, its time stamps untouched', async () => {
    const { replay } = await openReplay(options([await file('a.ndjson', recorded(1234, 1000))]), new SystemClock(), listener([]))
    const summary = await replay!.run()
    expect(summary).toMatchObject({ samples: 1234, messages: 25, acknowledged: 1234, badRows: 0, rejected: 0, stopped: false })
    expect(replay!.progress).toMatchObject({ done: 1, samples: 1234, acknowledged: 1234 })
    expect(messages.every((samples) => samples.length <= 50)).toBe(true)
    const sent = messages.flat()
    expect(sent.map(({ values }) => values.n)).toEqual(Array.from({ length: 1234 }, (_, i) => i))
    expect(sent[7]).toEqual({ device: 'D1', ts: ZERO + 7000, values: { n: 7 } })
  })

  it('counts what could not be read, and what the service rejected', async () => {
    const heard: string[] = []
    const text = `{"device":"A","ts":1,"values":{}}\noops\n{"device":"B","ts":2,"values":{}}`
    const { replay } = await openReplay(options([await file('a.ndjson', text)]), new SystemClock(), listener(heard))
    const run = replay!.run()
    await vi.waitFor(() => expect(messages).toHaveLength(1), { timeout: 5000, interval: 5 })
    broker.publish('fh/1/gw-01/rejects', '{"device":"B","problem":"there is no device B"}')
    expect(await run).toMatchObject({ samples: 2, acknowledged: 2, badRows: 1, rejected: 1 })
    expect(heard).toEqual(['2: this is not JSON', 'rejected B: there is no device B'])
  })
})

describe('a paced replay', () => {
  it('sends each sample when its time has come', async () => {
    const clock = new ManualClock(ZERO)
    const { replay } = await openReplay(options([await file('a.ndjson', recorded(4, 60_000))], { speed: 60 }), clock, listener([]))
    const run = replay!.run()
    const arrived = (count: number): Promise<void> => vi.waitFor(() => expect(messages).toHaveLength(count), { timeout: 5000, interval: 2 })
    await arrived(1)
    for (let i = 1; i < 4; i++) {
      clock.moveTo(ZERO + i * 1000 - 1)
      await new Promise((resolve) => setImmediate(resolve))
      expect(messages).toHaveLength(i)
      clock.moveTo(ZERO + i * 1000)
      await arrived(i + 1)
    }
    await vi.waitFor(() => {
      clock.moveTo(clock.now() + 100)
      expect(replay!.progress.acknowledged).toBe(4)
    })
    const ticking = setInterval(() => clock.moveTo(clock.now() + 100), 1)
    expect(await run).toMatchObject({ samples: 4, messages: 4, acknowledged: 4 })
    clearInterval(ticking)
  })

  it('can be stopped, and says so', async () => {
    const { replay } = await openReplay(
      options([await file('a.ndjson', recorded(10, 60_000))], { speed: 1 }),
      new SystemClock(),
      listener([])
    )
    const run = replay!.run()
    await vi.waitFor(() => expect(messages).toHaveLength(1), { timeout: 5000, interval: 5 })
    replay!.stop()
    expect(await run).toMatchObject({ samples: 1, acknowledged: 1, stopped: true })
  })
})

describe('a replay into the present', () => {
  it.each([
    [Number.POSITIVE_INFINITY, [-3000, -2000, -1000, 0]],
    [1000, [-2997, -1997, -997, 3]]
  ])('at speed %d is never ahead of its sending', async (speed, offsets) => {
    const now = Date.parse('2026-06-01T00:00:00Z')
    const clock = new ManualClock(now)
    const { replay } = await openReplay(options([await file('a.ndjson', recorded(4, 1000))], { speed, now: true }), clock, listener([]))
    const run = replay!.run()
    await vi.waitFor(() => expect(messages.length).toBeGreaterThan(0), { timeout: 5000, interval: 2 })
    const ticking = setInterval(() => clock.moveTo(clock.now() + 1), 1)
    await run
    clearInterval(ticking)
    expect(messages.flat().map(({ ts }) => (ts as number) - now)).toEqual(offsets)
  })
})

describe('fenghuo replay', () => {
  async function run(...args: string[]): Promise<{ status: number | null; out: string; error: string }> {
    const child = spawn(process.execPath, [path.join(HOME, 'src/main.ts'), 'replay', ...args], { cwd: folder })
    let out = ''
    let error = ''
    child.stdout.on('data', (bytes) => (out += bytes))
    child.stderr.on('data', (bytes) => (error += bytes))
    return new Promise((resolve) => void child.on('close', (status) => resolve({ status, out, error })))
  }

  function url(): string {
    return `mqtt://gw-01:one@127.0.0.1:${broker.address?.port}`
  }

  it('reads a table through its mapping and prints a summary', async () => {
    const data = path.join(HOME, 'config/replay')
    const csv = path.join(data, 'data/nist/NIST_Smoke_Alarms_SDC02.excerpt.csv')
    const { status, out, error } = await run(csv, '--map', path.join(data, 'nist-sdc02.map.yaml'), '--url', url())
    expect(error).toBe('')
    expect(out).toMatch(/^202 samples sent in 5 messages, 202 acknowledged, 0 rows could not be read \(\d+\.\d s\)\n$/)
    expect(status).toBe(0)
    expect(messages.flat()).toHaveLength(202)
  })

  it('exits with 1 and names the rows that could not be read', async () => {
    await file('a.ndjson', '{"device":"A","ts":1,"values":{}}\noops\n')
    const { status, out, error } = await run('a.ndjson', '--url', url(), '--json')
    expect(status).toBe(1)
    expect(error).toBe('a.ndjson:2: this is not JSON\n')
    expect(JSON.parse(out)).toMatchObject({
      files: ['a.ndjson'],
      samples: 1,
      acknowledged: 1,
      badRows: 1,
      problems: [{ file: 'a.ndjson', line: 2, problem: 'this is not JSON' }]
    })
  })

  it('refuses what cannot work in one sentence', async () => {
    await file('a.ndjson', '{"device":"A","ts":1,"values":{}}\n')
    await file('a.csv', 't,v\n')
    const wrong = await run('a.ndjson', '--url', url(), '--password', 'wrong')
    expect([wrong.status, wrong.error]).toEqual([
      1,
      `mqtt://127.0.0.1:${broker.address?.port} refused the user name or password of gw-01.\n`
    ])
    const missing = await run('none.ndjson', '--url', url())
    expect([missing.status, missing.error]).toEqual([1, 'none.ndjson cannot be read: there is no such file.\n'])
    const unmapped = await run('a.csv', '--url', url())
    expect(unmapped.status).toBe(2)
    const speed = await run('a.ndjson', '--url', url(), '--speed', 'fast')
    expect([speed.status, speed.error]).toEqual([2, '--speed is a number above 0, or max; it was "fast".\n'])
    const nobody = await run('a.ndjson', '--url', 'mqtt://127.0.0.1:1')
    expect([nobody.status, nobody.error.split('.')[0]]).toEqual([2, 'A replay signs in as a gateway'])
  })
})
