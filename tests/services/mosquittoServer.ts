// A real Mosquitto for tests, from, in this order: TEST_MOSQUITTO_URL (anonymous access; it is not ours to kill: its connections are
// cut instead); the local binary on a free port with a configuration of its own; a container. Without any of them the tests
// fail and say what to install.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pause, SystemClock } from '../../src/platform/clock.ts'
import { freePort } from './freePort.ts'
import { TcpProxy } from './tcpProxy.ts'

export interface MosquittoForTests {
  /** By way of a proxy that tests may disturb: for the service. */
  readonly url: string
  readonly proxy: TcpProxy
  /** Straight to the broker: for gateways. */
  readonly direct: string
  readonly host: string
  readonly port: number
  /** What it logged, where it is ours. */
  output(): string
  /** Has it write down what it holds, where it is ours. */
  save(): Promise<void>
  /** kill -9, where it is ours. */
  kill(): Promise<void>
  /** SIGTERM: it saves what it holds. */
  stop(): Promise<void>
  restart(): Promise<void>
  /** Reads its password and ACL files again; where it logs as it does by default, it has done so when this resolves. */
  reload(): Promise<void>
  /** SIGHUP. */
  hangUp(): void
  close(): Promise<void>
}

interface Backing {
  readonly host: string
  readonly port: number
  readonly child: () => ChildProcess | null
  readonly output: () => string
  readonly store: string
  start(): Promise<void>
  close(): Promise<void>
}

const clock = new SystemClock()

/** Lines for its configuration besides listener and persistence. */
export interface MosquittoOptions {
  readonly lines?: readonly string[]
  /** Access is set for each listener by itself. */
  readonly perListener?: boolean
  /** A configuration file as it is, with its port; then nothing else is added. */
  readonly configuration?: { readonly file: string; readonly port: number }
  /** What it is started by, to be another user for instance. */
  readonly by?: readonly string[]
}

export async function openMosquitto(options: MosquittoOptions = {}): Promise<MosquittoForTests> {
  const given = process.env.TEST_MOSQUITTO_URL
  const plain = options.lines === undefined && options.configuration === undefined
  let backing: Backing | null = null
  if (given !== undefined && plain) backing = remote(given)
  else if (spawnSync('mosquitto', ['-h']).error === undefined) backing = await local(options)
  else if (options.configuration === undefined) backing = await container(options.lines ?? ['allow_anonymous true'])
  if (backing === null)
    throw new Error('A Mosquitto is needed here: apt-get install mosquitto mosquitto-clients, or set TEST_MOSQUITTO_URL, or run Docker.')
  return served(backing)
}

async function served(backing: Backing): Promise<MosquittoForTests> {
  const { host, port } = backing
  const proxy = await TcpProxy.open(port, host)
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const child = backing.child()
    if (child === null) {
      proxy.mode = 'refuse'
      return proxy.cut()
    }
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGCONT')
    child.kill(signal)
    await gone
  }
  return {
    ...{ proxy, host, port, url: `mqtt://127.0.0.1:${proxy.port}`, direct: `mqtt://${host}:${port}`, output: backing.output },
    async save() {
      const child = backing.child()
      if (child === null) return
      const before = existsSync(backing.store) ? statSync(backing.store).mtimeMs : 0
      child.kill('SIGUSR1')
      while (!existsSync(backing.store) || statSync(backing.store).mtimeMs <= before) await pause(clock, 20)
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    async restart() {
      proxy.mode = 'pass'
      if (backing.child() !== null) await backing.start()
    },
    hangUp: () => void backing.child()?.kill('SIGHUP'),
    async reload() {
      const before = backing.output().length
      backing.child()?.kill('SIGHUP')
      while (backing.child() !== null && !backing.output().slice(before).includes('Reloading config')) await pause(clock, 20)
    },
    async close() {
      await end('SIGKILL')
      await proxy.close()
      await backing.close()
    }
  }
}

async function local({
  lines = ['allow_anonymous true'],
  perListener = false,
  configuration,
  by = []
}: MosquittoOptions): Promise<Backing> {
  const folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-mosquitto-'))
  // It gives up root for a user of its own, who must be able to write here.
  chmodSync(folder, 0o777)
  const port = configuration?.port ?? (await freePort())
  const file = configuration?.file ?? path.join(folder, 'mosquitto.conf')
  if (configuration === undefined) {
    const own = [
      `per_listener_settings ${perListener}`,
      `listener ${port} 127.0.0.1`,
      'persistence true',
      `persistence_location ${folder}/`,
      'max_queued_messages 0',
      'max_inflight_messages 1000'
    ]
    writeFileSync(file, `${[...own, 'queue_qos0_messages true', 'log_dest stderr', 'log_type all', ...lines].join('\n')}\n`)
  }
  const [, kept] = /^persistence_location (.+)$/m.exec(readFileSync(file, 'utf8')) ?? []
  if (kept !== undefined) mkdirSync(kept, { recursive: true, mode: 0o777 })
  let child: ChildProcess | null = null
  let output = ''
  const start = async (): Promise<void> => {
    const [program = 'mosquitto', ...args] = [...by, 'mosquitto', '-c', file]
    const started = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    started.stderr?.on('data', (bytes) => (output = (output + bytes).slice(-1_000_000)))
    child = started
    await answers(port, '127.0.0.1', () => {
      if (started.exitCode !== null) throw new Error(`mosquitto ended (${started.exitCode}):\n${output}`)
    })
  }
  await start()
  return {
    ...{ host: '127.0.0.1', port, child: () => child, output: () => output, store: path.join(kept ?? folder, 'mosquitto.db'), start },
    close: async () => rmSync(folder, { recursive: true, force: true })
  }
}

function remote(url: string): Backing {
  const { hostname, port } = new URL(url)
  return {
    ...{ host: hostname, port: Number(port || 1883), child: () => null, output: () => '', store: '' },
    start: async () => {},
    close: async () => {}
  }
}

async function container(lines: readonly string[]): Promise<Backing | null> {
  try {
    const { GenericContainer } = await import('testcontainers')
    const own = ['listener 1883', 'persistence true', 'persistence_location /mosquitto/data/', 'max_queued_messages 0', ...lines]
    const started = await new GenericContainer('eclipse-mosquitto:2.0')
      .withExposedPorts(1883)
      .withCopyContentToContainer([{ content: `${own.join('\n')}\n`, target: '/mosquitto/config/mosquitto.conf' }])
      .start()
    const backing = remote(`mqtt://${started.getHost()}:${started.getMappedPort(1883)}`)
    return { ...backing, close: async () => void (await started.stop()) }
  } catch {
    return null
  }
}

async function answers(port: number, host: string, check: () => void): Promise<void> {
  for (;;) {
    check()
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, host)
      socket.once('connect', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
    if (open) return
    await pause(clock, 20)
  }
}
