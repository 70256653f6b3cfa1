// Debian's mosquitto_pub and openssl against the whole service with TLS: a gateway by certificate, by secret over TLS, and who is
// turned away.

import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type TankPlant, tankPlant } from '../app/tankPlant.ts'
import { Authority, type Issued } from '../authority.ts'
import { LiveService } from '../liveService.ts'

let plant: TankPlant
let ca: Authority
let service: LiveService
let port: string

beforeAll(async () => {
  if (spawnSync('mosquitto_pub', ['--help']).error !== undefined)
    throw new Error('mosquitto_pub is needed here: apt-get install mosquitto-clients')
  plant = tankPlant()
  ca = new Authority(path.join(plant.folder, 'ca'))
  const { cert, key } = ca.issue('server', { san: 'DNS:localhost,IP:127.0.0.1', usage: 'serverAuth' })
  const crl = path.join(ca.folder, 'current.pem')
  writeFileSync(crl, readFileSync(ca.list('empty.pem')))
  plant.write(
    'fenghuo.yaml',
    `mqtt: { plain: false, tls: { port: 0, cert: ${cert}, key: ${key}, clientCa: ${ca.cert}, crl: ${crl}, requireClientCert: false } }\n`
  )
  service = await LiveService.start({ config: plant.config, data: path.join(plant.folder, 'data') })
  port = new URL(service.mqttAddress).port
})

afterAll(async () => {
  await service?.kill()
  plant?.remove()
})

/** The exit status of mosquitto_pub; 0: acknowledged. */
function publish(gateway: string, device: string, level: number, ...more: string[]): Promise<number | null> {
  const message = JSON.stringify({ device, values: { level_pct: level } })
  const args = ['-h', '127.0.0.1', '-p', port, '--cafile', ca.cert, '-q', '1', '-t', `fh/1/${gateway}/telemetry`, '-m', message, ...more]
  const child = spawn('mosquitto_pub', args, { stdio: 'ignore' })
  return new Promise((resolve) => child.once('close', resolve))
}

const by = ({ cert, key }: Issued): string[] => ['--cert', cert, '--key', key]

/** The last level of each device that has one. */
async function levels(): Promise<Record<string, number>> {
  const { items } = await service.get<{ items: { id: string; values: { metric: string; value: number | null }[] }[] }>('/api/v1/devices')
  const known = items.flatMap(({ id, values }) => values.flatMap(({ value }) => (value === null ? [] : [[id, value] as const])))
  return Object.fromEntries(known)
}

it('takes from mosquitto_pub what it publishes by certificate, and by secret over TLS', async () => {
  expect(await publish('gw-0', 'T-0', 41, ...by(ca.issue('gw-0', { usage: 'clientAuth' })))).toBe(0)
  expect(await publish('gw-1', 'T-1', 42, '-u', 'gw-1', '-P', 'secret-1')).toBe(0)
  await vi.waitFor(async () => expect(await levels()).toEqual({ 'T-0': 41, 'T-1': 42 }), { timeout: 10_000, interval: 50 })
})

it('turns away a foreign certificate, another gateway, a wrong secret, and at the next reload who was revoked', async () => {
  const stranger = new Authority(path.join(plant.folder, 'stranger'), 'Stranger').issue('gw-0')
  expect(await publish('gw-0', 'T-0', 1, ...by(stranger))).not.toBe(0)
  const own = ca.issue('gw-1', { usage: 'clientAuth' })
  expect(await publish('gw-0', 'T-0', 1, ...by(own), '-u', 'gw-0')).not.toBe(0)
  expect(await publish('gw-1', 'T-1', 1, '-u', 'gw-1', '-P', 'wrong')).not.toBe(0)
  expect(await publish('gw-1', 'T-1', 43, ...by(own))).toBe(0)
  ca.revoke(own)
  writeFileSync(path.join(ca.folder, 'current.pem'), readFileSync(ca.list('revoking.pem')))
  process.kill(service.pid, 'SIGHUP')
  await vi.waitFor(() => expect(service.output).toMatch(/A new certificate is served by the MQTT port/), { timeout: 10_000, interval: 20 })
  expect(await publish('gw-1', 'T-1', 44, ...by(own))).not.toBe(0)
  // Nothing of whoever was turned away has come in.
  await vi.waitFor(async () => expect(await levels()).toEqual({ 'T-0': 41, 'T-1': 43 }))
})
