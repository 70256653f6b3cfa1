// A real InfluxDB for tests, from, in this order: TEST_INFLUX_URL; the local binary (influxd of 1.x) on free ports in a temporary
// folder; a container. Without any of them the tests fail and say what to install. What cannot be killed is cut off instead.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { InfluxServer as Client } from '../../src/history/influx.ts'
import type { InfluxSettings } from '../../src/history/influxSettings.ts'
import { pause, SystemClock } from '../../src/platform/clock.ts'
import { freePort } from './freePort.ts'
import { TcpProxy } from './tcpProxy.ts'

export interface InfluxForTests {
  /** By way of a proxy that tests may disturb. */
  readonly url: string
  readonly proxy: TcpProxy
  /** kill -9, where the server is ours. */
  kill(): Promise<void>
  restart(): Promise<void>
  settings(database: string): InfluxSettings
  /** Straight to the server, past the proxy. */
  client(database: string): Client
  close(): Promise<void>
}

interface Backing {
  readonly url: string
  /** It can be killed. */
  readonly ours: boolean
  kill(): Promise<void>
  start(): Promise<void>
  close(): Promise<void>
}

/** `folder`: where a server of ours keeps its data. */
export async function openInflux(options: { auth?: boolean; folder?: string } = {}): Promise<InfluxForTests> {
  const given = process.env.TEST_INFLUX_URL
  const backing =
    given !== undefined && options.auth !== true && options.folder === undefined
      ? remote(given, async () => {})
      : spawnSync('influxd', ['version']).error === undefined
        ? await local(options.auth === true, options.folder)
        : await container()
  if (backing === null) {
    throw new Error('An InfluxDB is needed here: apt-get install influxdb, or set TEST_INFLUX_URL (of 1.x), or run Docker.')
  }
  const { hostname, port } = new URL(backing.url)
  const proxy = await TcpProxy.open(Number(port || 8086), hostname)
  const url = `http://127.0.0.1:${proxy.port}`
  const settings = (database: string): InfluxSettings => ({ url, database, token: null, api: 'v1', org: '' })
  const owned = backing.ours
  return {
    url,
    proxy,
    settings,
    client: (database) => new Client({ ...settings(database), url: backing.url }),
    async kill() {
      if (!owned) proxy.mode = 'refuse'
      await backing.kill()
      proxy.cut()
    },
    async restart() {
      await backing.start()
      proxy.mode = 'pass'
    },
    async close() {
      await proxy.close()
      await backing.close()
    }
  }
}

async function local(auth: boolean, given?: string): Promise<Backing> {
  const folder = given ?? mkdtempSync(path.join(tmpdir(), 'fenghuo-influx-'))
  const [port, rpc] = [await freePort(), await freePort()]
  const config = path.join(folder, 'influxdb.conf')
  writeFileSync(
    config,
    `reporting-disabled = true
bind-address = "127.0.0.1:${rpc}"
[meta]
  dir = "${folder}/meta"
[data]
  dir = "${folder}/data"
  wal-dir = "${folder}/wal"
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:${port}"
  auth-enabled = ${auth}
  log-enabled = false
[monitor]
  store-enabled = false
[logging]
  level = "error"
`
  )
  const url = `http://127.0.0.1:${port}`
  let child: ChildProcess | null = null
  const start = async (): Promise<void> => {
    child = spawn('influxd', ['run', '-config', config], { stdio: 'ignore' })
    await answers(url)
  }
  const kill = async (): Promise<void> => {
    const running = child
    if (running === null || running.exitCode !== null || running.signalCode !== null) return
    const gone = new Promise((resolve) => running.once('exit', resolve))
    running.kill('SIGKILL')
    await gone
  }
  await start()
  return {
    url,
    ours: true,
    kill,
    start,
    async close() {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

function remote(url: string, close: () => Promise<void>): Backing {
  return { url, ours: false, kill: async () => {}, start: async () => {}, close }
}

async function container(): Promise<Backing | null> {
  try {
    const { GenericContainer } = await import('testcontainers')
    const started = await new GenericContainer('influxdb:1.8').withExposedPorts(8086).start()
    const url = `http://${started.getHost()}:${started.getMappedPort(8086)}`
    await answers(url)
    return remote(url, async () => void (await started.stop()))
  } catch {
    return null
  }
}

async function answers(url: string): Promise<void> {
  const clock = new SystemClock()
  for (let attempt = 0; attempt < 600; attempt++) {
    const response = await fetch(`${url}/ping`).catch(() => null)
    if (response?.ok === true) return
    await pause(clock, 50)
  }
  throw new Error(`The InfluxDB at ${url} does not answer.`)
}
