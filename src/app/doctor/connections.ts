// The servers that the configuration names: reachable, of which version, set up as we need them, and how long their certificates last.
// Addresses may hold passwords: only host and port are ever said.

import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { Clock } from '../../platform/clock.ts'
import { messageOf } from '../../platform/problem.ts'
import type { Config } from '../config/service.ts'
import { type Finding, fail, ok, warn } from './finding.ts'
import { checkPostgres } from './postgres.ts'
import { checkUpstream } from './upstream.ts'
import { checkWorkers } from './workers.ts'

const ANSWER_MS = 3_000
const SOON_MS = 30 * 86_400_000
const ANSWER_BYTES = 64 * 1024
const PORTS: Readonly<Record<string, number>> = {
  'redis:': 6379,
  'rediss:': 6379,
  'http:': 80,
  'https:': 443,
  'mqtt:': 1883,
  'tcp:': 1883,
  'mqtts:': 8883,
  'ws:': 80,
  'wss:': 443
}
const TLS = /^(rediss|https|mqtts|wss):$/

export async function checkConnections(config: Config, clock: Clock): Promise<Finding[]> {
  const findings: Finding[] = []
  const { redis } = config.notifications
  if (redis !== null) findings.push(...(await reach('Redis', redis, clock, askRedis)))
  const { influx } = config.history
  if (influx !== null) findings.push(...(await reach('InfluxDB', influx.url, clock, askInflux)))
  if (config.state.url !== null) findings.push(...(await checkPostgres(config.state.url)))
  findings.push(...(await checkWorkers(config, clock)))
  const { enabled, upstream } = config.mqtt
  if (enabled && upstream !== null) findings.push(...(await checkUpstream(upstream, clock)))
  return findings
}

type Asking = (check: string, socket: Socket, address: URL) => Promise<Finding[]>

async function reach(check: string, text: string, clock: Clock, ask: Asking | null): Promise<Finding[]> {
  let address: URL
  try {
    address = new URL(text)
  } catch {
    return [fail(check, 'Its address cannot be read.', 'Write it as scheme://host:port in fenghuo.yaml or in the environment.')]
  }
  const host = address.hostname.replace(/^\[|\]$/g, '')
  const port = Number(address.port) || (PORTS[address.protocol] ?? 0)
  let socket: Socket
  try {
    socket = await connected(host, port, TLS.test(address.protocol), clock)
  } catch (cause) {
    return [fail(check, `${host}:${port} cannot be reached: ${messageOf(cause)}.`, 'Start it, correct its address, or open the way to it.')]
  }
  try {
    const said = ask === null ? [ok(check, `${host}:${port} can be reached.`)] : await inTime(ask(check, socket, address), clock)
    return [...said, ...certificate(check, socket, clock)]
  } catch (cause) {
    return [
      fail(
        check,
        `${host}:${port} does not answer as it should: ${messageOf(cause)}.`,
        'See that it is what its address says, and its own log.'
      )
    ]
  } finally {
    socket.destroy()
  }
}

function connected(host: string, port: number, secure: boolean, clock: Clock): Promise<Socket> {
  return inTime(
    new Promise((resolve, reject) => {
      const socket = secure ? connectTls({ host, port, servername: host }) : connectPlain({ host, port })
      socket.once(secure ? 'secureConnect' : 'connect', () => resolve(socket))
      socket.on('error', reject)
    }),
    clock
  )
}

function inTime<Answer>(answer: Promise<Answer>, clock: Clock): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const late = clock.after(ANSWER_MS, () => reject(new Error(`no answer within ${ANSWER_MS / 1000} s`)))
    answer.then(resolve, reject).finally(() => late.cancel())
  })
}

function certificate(check: string, socket: Socket, clock: Clock): Finding[] {
  if (!('getPeerCertificate' in socket)) return []
  const until = Date.parse((socket as TLSSocket).getPeerCertificate().valid_to)
  if (!Number.isFinite(until)) return []
  const said = `Its certificate is valid until ${new Date(until).toISOString().slice(0, 10)}`
  return [until - clock.now() < SOON_MS ? warn(check, `${said}.`, 'Have it renewed.') : ok(check, `${said}.`)]
}

/** Sends `question` and answers what came until `isWhole`. */
function exchange(socket: Socket, question: string, isWhole: (answer: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const hear = (chunk: Buffer): void => {
      answer += chunk.toString('latin1')
      if (isWhole(answer) || answer.length > ANSWER_BYTES) {
        socket.off('data', hear)
        resolve(answer)
      }
    }
    socket.on('data', hear)
    socket.once('close', () => reject(new Error('the connection was closed')))
    socket.write(question)
  })
}

/** A command in Redis's protocol (RESP2). */
function command(...words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`
}

async function askRedis(check: string, socket: Socket, address: URL): Promise<Finding[]> {
  const oneLine = (answer: string): boolean => answer.endsWith('\r\n')
  if (address.password !== '') {
    const user = decodeURIComponent(address.username)
    const answer = await exchange(socket, command('AUTH', ...(user === '' ? [] : [user]), decodeURIComponent(address.password)), oneLine)
    if (!answer.startsWith('+'))
      return [fail(check, `It refuses the password: ${answer.slice(1, 80).trim()}.`, 'Correct FENGHUO_REDIS_URL.')]
  }
  const whole = (answer: string): boolean => {
    if (/^[-+]/.test(answer)) return oneLine(answer)
    const [, length] = /^\$(\d+)\r\n/.exec(answer) ?? []
    return length !== undefined && answer.length >= Number(length) + length.length + 5
  }
  const info = await exchange(socket, command('INFO', 'server'), whole)
  if (info.startsWith('-'))
    return [
      fail(
        check,
        `It refuses to answer: ${info.slice(1, 80).trim()}.`,
        'Give the password in FENGHUO_REDIS_URL: redis://:PASSWORD@host:6379.'
      )
    ]
  const version = /redis_version:(\S+)/.exec(info)?.[1] ?? 'of unknown version'
  const policy = /maxmemory_policy:(\S+)/.exec(await exchange(socket, command('INFO', 'memory'), whole))?.[1] ?? 'unknown'
  if (policy === 'noeviction') return [ok(check, `Redis ${version} can be reached; nothing in it is evicted.`)]
  return [
    warn(
      check,
      `Redis ${version} evicts what it holds when its memory is full (maxmemory-policy ${policy}): messages then leave late.`,
      'Set maxmemory-policy noeviction in its configuration.'
    )
  ]
}

async function askInflux(check: string, socket: Socket, address: URL): Promise<Finding[]> {
  const question = `GET ${address.pathname.replace(/\/$/, '')}/ping HTTP/1.1\r\nhost: ${address.host}\r\nconnection: close\r\n\r\n`
  const answer = await exchange(socket, question, (text) => text.includes('\r\n\r\n'))
  const version = /^x-influxdb-version:\s*(\S+)/im.exec(answer)?.[1]
  if (version === undefined)
    return [warn(check, `It answers "${answer.split('\r\n')[0]}" and names no version.`, 'See that the address is that of an InfluxDB.')]
  return [ok(check, `InfluxDB ${version} can be reached.`)]
}
