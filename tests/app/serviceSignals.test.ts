// How the program ends: Ctrl-C on the demo leaves no folder and no process behind, a launcher that is killed outright takes
// the service with it.

import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { LiveService } from '../liveService.ts'
import { tankPlant } from './tankPlant.ts'

const HOME = path.join(import.meta.dirname, '..', '..')
const LAUNCHER = path.join(HOME, 'bin', 'fenghuo')
let temporary: string

beforeEach(() => {
  temporary = mkdtempSync(path.join(tmpdir(), 'fenghuo-signals-'))
})

afterEach(() => rmSync(temporary, { recursive: true, force: true }))

interface Running {
  readonly pid: number
  readonly output: () => string
  /** Closes what its output is read through, as a log collector that died does. */
  readonly stopReading: () => void
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

/** Runs the launcher by `node`, and resolves once a line of its output matches. */
async function launch(node: string, args: readonly string[], env: Record<string, string>, until: RegExp): Promise<Running> {
  const child = spawn(node, [LAUNCHER, ...args], {
    env: { PATH: process.env.PATH, TMPDIR: temporary, ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const lines: string[] = []
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal }))
  )
  await new Promise<void>((resolve, reject) => {
    void ended.then(() => reject(new Error(`ended too early:\n${lines.join('\n')}`)))
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on('line', (line) => {
        lines.push(line)
        if (until.test(line)) resolve()
      })
    }
  })
  const stopReading = (): void => {
    child.stdout.destroy()
    child.stderr.destroy()
  }
  return { pid: child.pid!, output: () => lines.join('\n'), stopReading, ended }
}

/** The process and its children that are alive, by /proc. */
function family(pid: number): number[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/stat`, 'latin1').split(') ')[1]?.split(' ')[1] === String(pid)
      } catch {
        return false
      }
    })
    .map(Number)
  return [pid, ...children.flatMap(family)]
}

/** A zombie, which nobody has waited for, is not. */
function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ')
  } catch {
    return false
  }
}

it('Ctrl-C on the demo ends it with status 0 and leaves nothing behind', async () => {
  const demo = await launch(process.execPath, ['demo'], {}, /Ctrl-C ends the demo/)
  expect(readdirSync(temporary)).toHaveLength(1)
  const pids = family(demo.pid)
  process.kill(demo.pid, 'SIGINT')
  expect(await demo.ended, demo.output()).toEqual({ code: 0, signal: null })
  expect(readdirSync(temporary)).toEqual([])
  expect(pids.filter(isAlive)).toEqual([])
})

it('Ctrl-C while the demo starts ends it too', async () => {
  const child = spawn(process.execPath, [LAUNCHER, 'demo'], { env: { PATH: process.env.PATH, TMPDIR: temporary }, stdio: 'ignore' })
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  await vi.waitFor(() => expect(readdirSync(temporary)).toHaveLength(1), { timeout: 10_000, interval: 5 })
  child.kill('SIGINT')
  expect(await ended).toBe(0)
  expect(readdirSync(temporary)).toEqual([])
})

/** A Node too old to run the program by itself, as Debian has it; null where there is none. */
function oldNode(): string | null {
  for (const folder of ['/usr/bin', '/usr/local/bin']) {
    const node = path.join(folder, 'node')
    if (existsSync(node)) return node
  }
  return null
}

it('a launcher killed with -9 takes the service with it, and the next start finds nothing in its way', async () => {
  const plant = tankPlant()
  try {
    const data = path.join(plant.folder, 'data')
    const ports = { FENGHUO_HTTP_PORT: '0', FENGHUO_MQTT_PORT: '0', FENGHUO_DATA: data }
    const launched = await launch(oldNode() ?? process.execPath, ['serve', '--config', plant.config], ports, /Fenghuo is running/)
    const pids = family(launched.pid)
    process.kill(launched.pid, 'SIGKILL')
    await launched.ended
    await vi.waitFor(() => expect(pids.filter(isAlive)).toEqual([]), { timeout: 5_000, interval: 10 })
    const next = await LiveService.start({ config: plant.config, data })
    expect(await next.stop()).toBe(0)
  } finally {
    plant.remove()
  }
})

it('a launcher passes on SIGTERM and the exit status', async () => {
  const plant = tankPlant()
  try {
    const ports = { FENGHUO_HTTP_PORT: '0', FENGHUO_MQTT_PORT: '0', FENGHUO_DATA: path.join(plant.folder, 'data') }
    const launched = await launch(oldNode() ?? process.execPath, ['serve', '--config', plant.config], ports, /Fenghuo is running/)
    const pids = family(launched.pid)
    process.kill(launched.pid, 'SIGTERM')
    expect(await launched.ended, launched.output()).toEqual({ code: 0, signal: null })
    expect(launched.output()).toMatch(/SIGTERM: draining/)
    expect(pids.filter(isAlive)).toEqual([])
  } finally {
    plant.remove()
  }
})

it('a service whose output nobody reads any more runs on, and drains with status 0', async () => {
  const plant = tankPlant()
  try {
    const env = { FENGHUO_DATA: path.join(plant.folder, 'data'), FENGHUO_HTTP_PORT: '0', FENGHUO_MQTT_PORT: '0' }
    const service = await launch(process.execPath, ['serve', '--config', plant.config], env, /Fenghuo is running/)
    const http = /Console: (\S+)/.exec(service.output())![1]
    service.stopReading()
    const authorization = `Basic ${Buffer.from('gw-0:secret-0').toString('base64')}`
    const body = JSON.stringify({ device: 'T-0', values: { level_pct: 99 } })
    expect((await fetch(`${http}/api/v1/telemetry`, { method: 'POST', headers: { authorization }, body })).status).toBe(202)
    process.kill(service.pid, 'SIGTERM')
    expect(await service.ended).toEqual({ code: 0, signal: null })
  } finally {
    plant.remove()
  }
})
