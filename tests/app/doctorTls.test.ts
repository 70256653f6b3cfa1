// fenghuo doctor on certificates: what it says of a sound one, and of each way in which one is not.

import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { loadPlantFolder } from '../../src/app/config/load.ts'
import { checkCertificates } from '../../src/app/doctor/certificates.ts'
import { examine } from '../../src/app/doctor/doctor.ts'
import type { Finding } from '../../src/app/doctor/finding.ts'
import { SystemClock } from '../../src/platform/clock.ts'
import { Authority, type Issued } from '../authority.ts'
import { type TankPlant, tankPlant } from './tankPlant.ts'

const DAY = 86_400_000
const NOW = Date.now()
let authorities: TankPlant
let ca: Authority
let sound: Issued
let plant: TankPlant
let here: string

beforeAll(() => {
  authorities = tankPlant()
  ca = new Authority(path.join(authorities.folder, 'ca'))
  sound = ca.issue('sound', { san: 'DNS:localhost,IP:127.0.0.1', to: new Date(NOW + 60 * DAY) })
})

afterAll(() => authorities.remove())

beforeEach(() => {
  plant = tankPlant()
  here = path.join(plant.folder, 'plant', 'tls')
  mkdirSync(here)
  put(sound)
})

afterEach(() => plant.remove())

function put({ cert, key }: Issued): void {
  copyFileSync(cert, path.join(here, 'tls.crt'))
  copyFileSync(key, path.join(here, 'tls.key'))
  chmodSync(path.join(here, 'tls.key'), 0o640)
}

const day = (at: number): string => new Date(at).toISOString().slice(0, 10)

/** What is said with this in fenghuo.yaml, at this time. */
async function said(more = '', at = NOW, rest = ''): Promise<string[]> {
  plant.write('fenghuo.yaml', `http: { tls: { cert: tls/tls.crt, key: tls/tls.key${more} } }\n${rest}`)
  const { config, problems } = loadPlantFolder(plant.config, {})
  expect(problems).toEqual([])
  return (await checkCertificates(config!, at)).map(text)
}

function text({ check, state, found, todo }: Finding): string {
  return `${state}: ${check}: ${found} ${todo ?? ''}`.trim().replaceAll(here, 'tls')
}

it('finds nothing wrong with a sound one, and says until when', async () => {
  expect(await said()).toEqual([`ok: HTTP certificate: It fits its key and is valid until ${day(NOW + 60 * DAY)}.`])
})

it('says of what is missing, does not fit, or is open to all, what to do', async () => {
  chmodSync(path.join(here, 'tls.key'), 0o644)
  expect((await said())[1]).toBe(
    'warn: HTTP certificate: Everybody on this machine may read its key tls/tls.key. Close it: chmod 640 tls/tls.key'
  )
  copyFileSync(ca.issue('other').key, path.join(here, 'tls.key'))
  expect(await said()).toEqual([
    'fail: HTTP certificate: tls/tls.key is not the key of the certificate in tls/tls.crt. Correct the file or its rights, or its path in fenghuo.yaml; the service does not start on it.'
  ])
})

it('says ahead when it ends, that it has ended, and that it has not begun', async () => {
  const until = day(NOW + 60 * DAY)
  const renew = 'Renew it; a running service takes it up by itself.'
  expect(await said('', NOW + 47 * DAY)).toEqual([`warn: HTTP certificate: It fits its key and is valid until ${until}. ${renew}`])
  expect(await said('', NOW + 61 * DAY)).toEqual([`fail: HTTP certificate: It ended on ${until}: clients refuse it. ${renew}`])
  expect((await said('', NOW - DAY))[0]).toMatch(/^fail: HTTP certificate: It is not valid before .* See whether the clock is right/)
})

it('looks at the CA of clients and at the revocation list', async () => {
  const crl = ca.list('list.pem', 10)
  const mutual = `, clientCa: ${ca.cert}, crl: ${crl}`
  expect((await said(mutual)).length).toBe(1)
  const end = day(NOW + 10 * DAY)
  expect((await said(mutual, NOW + 9 * DAY))[1]).toBe(
    `warn: HTTP certificate: Its revocation list ends on ${end}: after that no client with a certificate is let in. Issue a new list, and let that be done regularly.`
  )
  expect((await said(mutual, NOW + 11 * DAY))[1]).toMatch(/^fail: .*revocation list ended on/)
  expect((await said(mutual, NOW + 4_000 * DAY)).filter((line) => /CA of its clients ended/.test(line)).length).toBe(1)
})

it('names a host that it does not cover, and a chain in the wrong order', async () => {
  const url = 'notifications: { publicUrl: "https://alarms.example.com" }\n'
  expect((await said('', NOW, url))[1]).toMatch(
    /^warn: HTTP certificate: It does not name alarms\.example\.com, by which it is reached; it names DNS:localhost, IP Address:127\.0\.0\.1\. Have it issued/
  )
  const stranger = new Authority(path.join(plant.folder, 'stranger'), 'Stranger')
  writeFileSync(path.join(here, 'tls.crt'), readFileSync(sound.cert, 'utf8') + readFileSync(stranger.cert, 'utf8'))
  expect((await said())[1]).toMatch(/^warn: .*Certificate 2 of its file has not issued certificate 1/)
  writeFileSync(path.join(here, 'tls.crt'), readFileSync(sound.cert, 'utf8') + readFileSync(ca.cert, 'utf8'))
  expect((await said()).length).toBe(1)
})

it('looks at the port with TLS too, and warns of a port that is open to a network without', async () => {
  plant.write(
    'fenghuo.yaml',
    'http: { host: 0.0.0.0, port: 0 }\nmqtt: { port: 0, tls: { cert: tls/tls.crt, key: tls/tls.key, port: 0 } }\n'
  )
  const data = path.join(plant.folder, 'data')
  const all = (await examine(plant.config, { FENGHUO_DATA: data }, plant.folder, new SystemClock())).map(text)
  expect(all).toContain('ok: MQTT port with TLS: Any free port is taken (0 is set).')
  expect(all).toContain(`ok: MQTT certificate: It fits its key and is valid until ${day(NOW + 60 * DAY)}.`)
  expect(all.filter((line) => /opens API and console to a network without TLS/.test(line)).length).toBe(1)
})
