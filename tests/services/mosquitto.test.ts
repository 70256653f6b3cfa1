// Foreign clients: mosquitto_pub and mosquitto_sub from Debian against the embedded broker with its real journal.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { Broker } from '../../src/ingest/broker.ts'
import { Journal } from '../../src/ingest/journal/journal.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import type { Log } from '../../src/platform/log.ts'
import { Metrics } from '../../src/platform/metrics.ts'

const WAIT = { timeout: 10_000, interval: 20 }
const clock = new SystemClock()
const sentences: string[] = []
const say = (sentence: string): void => void sentences.push(sentence)
const log: Log = { debug: say, info: say, warn: say, error: say }
const secrets: Record<string, string> = { 'gw-01': 'one', 'gw-02': 'two' }
let folder: string
let journal: Journal
let broker: Broker
let seen = 0

beforeAll(async () => {
  if (spawnSync('mosquitto_pub', ['--help']).error !== undefined) {
    throw new Error('mosquitto_pub and mosquitto_sub are needed here: apt-get install mosquitto-clients')
  }
  folder = await mkdtemp(path.join(tmpdir(), 'fenghuo-mosquitto-'))
  journal = new Journal({ folder, clock, log })
  await journal.start()
  const authenticate = async (id: string, secret: string): Promise<boolean> => secrets[id] === secret
  broker = new Broker({ host: '127.0.0.1', port: 0, clock, log, metrics: new Metrics(), journal, authenticate })
  await broker.start()
})

afterAll(async () => {
  await broker?.stop()
  await journal?.stop()
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

beforeEach(() => {
  sentences.length = 0
  seen = journal.flushedSeq
})

function options(...more: string[]): string[] {
  return ['-h', '127.0.0.1', '-p', String(broker.address?.port), '-u', 'gw-01', '-P', 'one', ...more]
}

interface Outcome {
  readonly status: number | null
  readonly out: string
  readonly error: string
}

function run(program: string, args: readonly string[]): { child: ChildProcess; ended: Promise<Outcome> } {
  const child = spawn(program, args)
  let out = ''
  let error = ''
  child.stdout?.on('data', (bytes) => (out += bytes))
  child.stderr?.on('data', (bytes) => (error += bytes))
  const ended = new Promise<Outcome>((resolve) => void child.on('close', (status) => resolve({ status, out, error })))
  return { child, ended }
}

function publish(...more: string[]): Promise<Outcome> {
  return run('mosquitto_pub', options(...more)).ended
}

/** What the journal holds since the test began. */
async function journaled(): Promise<string[]> {
  const records = await journal.read(seen, 1000, 1_000_000)
  return records.map(({ kind, source, body }) => `${kind} ${source} ${Buffer.from(body).toString()}`)
}

describe('mosquitto_pub', () => {
  it.each(['0', '1', '2'])('publishes with QoS %s', async (qos) => {
    const { status, error } = await publish('-q', qos, '-t', 'fh/1/gw-01/telemetry', '-m', `{"qos":${qos}}`)
    expect([status, error]).toEqual([0, ''])
    await vi.waitFor(async () => expect(await journaled()).toContain(`telemetry fh/1/gw-01/telemetry {"qos":${qos}}`), WAIT)
    expect((await journaled()).filter((line) => line.startsWith('telemetry'))).toHaveLength(1)
  })

  it('sends many lines over one connection, in order', async () => {
    const { child, ended } = run('mosquitto_pub', options('-q', '1', '-t', 'fh/1/gw-01/T-101/telemetry', '-l'))
    const lines = Array.from({ length: 300 }, (_, i) => `{"n":${i}}`)
    child.stdin?.end(`${lines.join('\n')}\n`)
    expect(await ended).toMatchObject({ status: 0 })
    const bodies = (await journaled()).filter((line) => line.startsWith('telemetry'))
    expect(bodies).toEqual(lines.map((line) => `telemetry fh/1/gw-01/T-101/telemetry ${line}`))
  })

  it('is told that its password is wrong', async () => {
    const { status, error } = await publish('-P', 'wrong', '-t', 'fh/1/gw-01/telemetry', '-m', '{}')
    expect(status).not.toBe(0)
    expect(error).toContain('bad user name or password')
    expect(sentences[0]).toMatch(/^gw-01 \(127\.0\.0\.1:\d+\) was turned away: unknown gateway or wrong secret\.$/)
    expect(await journaled()).toEqual([])
  })

  it('is told that a name and password are needed', async () => {
    const { ended } = run('mosquitto_pub', [
      '-h',
      '127.0.0.1',
      '-p',
      String(broker.address?.port),
      '-t',
      'fh/1/gw-01/telemetry',
      '-m',
      '{}'
    ])
    const { status, error } = await ended
    expect(status).not.toBe(0)
    expect(error).toContain('not authorised')
  })

  it('loses its connection for a foreign prefix, with nothing journaled', async () => {
    const { status } = await publish('-q', '1', '-t', 'fh/1/gw-02/telemetry', '-m', '{}')
    expect(status).not.toBe(0)
    expect(sentences[0]).toMatch(/published to "fh\/1\/gw-02\/telemetry": a gateway may publish below fh\/1\/gw-01\/ only/)
    expect((await journaled()).filter((line) => line.startsWith('telemetry'))).toEqual([])
  })

  it('is told that MQTT 5 is not spoken here', async () => {
    const { status } = await publish('-V', '5', '-t', 'fh/1/gw-01/telemetry', '-m', '{}')
    expect(status).not.toBe(0)
    expect(sentences[0]).toMatch(/speaks MQTT 5; this broker speaks 3\.1\.1/)
  })

  it('publishes a retained status that later subscribers get', async () => {
    expect(await publish('-q', '1', '-r', '-t', 'fh/1/gw-01/status', '-m', '{"online": true}')).toMatchObject({ status: 0 })
    const { out } = await run('mosquitto_sub', options('-t', 'fh/1/gw-01/status', '-C', '1', '-W', '5', '-F', '%r %p')).ended
    expect(out).toBe('1 {"online": true}\n')
    expect(await journaled()).toEqual(['presence gw-01 {"online":true,"why":"status"}'])
  })
})

describe('mosquitto_sub', () => {
  it('is refused shared subscriptions and foreign topics', async () => {
    for (const filter of ['$share/g/fh/1/gw-01/#', 'fh/1/gw-02/#', '#']) {
      const { error } = await run('mosquitto_sub', options('-t', filter, '-C', '1', '-W', '5')).ended
      expect(error).toContain('All subscription requests were denied')
    }
  })

  it.each(['0', '1', '2'])('hears its own gateway and what is sent down to it, QoS %s', async (qos) => {
    const listener = run(
      'mosquitto_sub',
      options('-i', `listener-${qos}`, '-q', qos, '-t', 'fh/1/gw-01/#', '-R', '-C', '2', '-W', '10', '-v')
    )
    await vi.waitFor(() => expect(broker.connections().map(({ clientId }) => clientId)).toContain(`listener-${qos}`), WAIT)
    // The subscription follows the connection: rejects are passed on once it stands.
    const timer = setInterval(() => broker.publish('fh/1/gw-01/rejects', '{"problem":"unknown device"}'), 50)
    const { out } = await listener.ended
    clearInterval(timer)
    expect(out.split('\n')[0]).toBe('fh/1/gw-01/rejects {"problem":"unknown device"}')
  })

  it('leaves its will when it is killed, and none when it ends politely', async () => {
    const will = ['--will-topic', 'fh/1/gw-01/status', '--will-payload', '{"online": false}', '--will-qos', '1', '--will-retain']
    const start = (clientId: string): { child: ChildProcess; ended: Promise<Outcome> } =>
      run('mosquitto_sub', options('-i', clientId, '-t', 'fh/1/gw-01/rejects', ...will))
    const connected = (clientId: string): Promise<void> =>
      vi.waitFor(() => expect(broker.connections().map((connection) => connection.clientId)).toContain(clientId), WAIT)
    const polite = start('polite')
    await connected('polite')
    polite.child.kill('SIGINT')
    await polite.ended
    await vi.waitFor(() => expect(broker.gatewayConnected('gw-01')).toBe(false), WAIT)
    expect(await journaled()).toEqual([])
    const killed = start('killed')
    await connected('killed')
    killed.child.kill('SIGKILL')
    await vi.waitFor(async () => expect(await journaled()).toEqual(['presence gw-01 {"online":false,"why":"will"}']), WAIT)
    const { out } = await run('mosquitto_sub', options('-t', 'fh/1/gw-01/status', '-C', '1', '-W', '5')).ended
    expect(out).toBe('{"online": false}\n')
  })
})
