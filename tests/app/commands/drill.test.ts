// fenghuo drill on a real service: begun, followed to its signed record, over a restart too; and every way it may be refused.

import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { HookReceiver, hookFiles } from '../../hookReceiver.ts'
import { LiveService, type Outcome, runFenghuo } from '../../liveService.ts'

const WAIT = { timeout: 30_000, interval: 20 }
const AT = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z'

let folder: string
let hooks: HookReceiver
let service: LiveService
let options: Parameters<typeof LiveService.start>[0]
const tokens: Record<string, string> = {}

async function post<Body>(url: string, body: object): Promise<Body> {
  const headers = { cookie: await service.cookie(), 'content-type': 'application/json' }
  const answer = await fetch(`${service.httpAddress}/api/v1${url}`, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as Body
}

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-drill-'))
  hooks = await HookReceiver.open()
  const plant = path.join(folder, 'plant')
  mkdirSync(path.join(plant, 'profiles'), { recursive: true })
  mkdirSync(path.join(plant, 'rules'), { recursive: true })
  const write = (name: string, text: string): void => writeFileSync(path.join(plant, name), text)
  const { service: settings, duty, env } = hookFiles(hooks.url)
  write('fenghuo.yaml', settings)
  write('duty.yaml', duty.replace('appliesTo: {}', 'appliesTo: { site: farm }'))
  write(
    'plant.yaml',
    `enterprises: [{ id: e }]
sites: [{ id: farm, enterprise: e }, { id: yard, enterprise: e }]
gateways: [{ id: gw, enterprise: e, secret: secret }]
devices: [{ id: T-0, profile: tank, gateway: gw, site: farm }]
`
  )
  write('profiles/tank.yaml', 'id: tank\nmetrics: { level_pct: { unit: "%", min: 0, max: 110 } }\nsilentAfter: 12h\n')
  write('rules/level.yaml', 'rules:\n  - { id: level, appliesTo: { profile: tank }, tiers: { red: { when: level_pct > 90 } } }\n')
  options = { config: path.join(plant, 'fenghuo.yaml'), data: path.join(folder, 'data'), env }
  service = await LiveService.start(options)
  for (const role of ['viewer', 'operator', 'engineer'])
    tokens[role] = (await post<{ token: string }>('/tokens', { name: role, role })).token
  tokens.elsewhere = (await post<{ token: string }>('/tokens', { name: 'yard', role: 'engineer', sites: ['yard'] })).token
})
afterAll(async () => {
  await service?.stop()
  await hooks?.close()
  rmSync(folder, { recursive: true, force: true })
})

const drill = (args: readonly string[], token = 'engineer'): Promise<Outcome> =>
  runFenghuo(['drill', '--url', service.httpAddress, ...args], token === '' ? {} : { FENGHUO_TOKEN: tokens[token] as string })

interface Drill {
  readonly id: string
  readonly note: string | null
  readonly endedAt: string | null
  readonly steps: readonly { readonly sentAt: string | null }[]
}

/** The drill with this note, once its message is on its way. */
async function sentDrill(note: string): Promise<string> {
  return vi.waitFor(async () => {
    const { items } = await service.get<{ items: Drill[] }>('/api/v1/drills')
    const found = items.find((one) => one.note === note)
    if (found?.steps[0]?.sentAt === null || found?.steps[0]?.sentAt === undefined) throw new Error('it is not sent yet')
    return found.id
  }, WAIT)
}

const acknowledge = (id: string): Promise<unknown> => post(`/drills/${encodeURIComponent(id)}/acknowledge`, { note: 'seen' })

describe('fenghuo drill', () => {
  it('begins one and says so, marked in what people read', async () => {
    const { code, output } = await drill(['--site', 'farm', '--note', 'only begun'])
    expect([code, output]).toEqual([0, expect.stringMatching(/^DRILL @drill\/farm#\d+ has begun on the ladder all\n$/)])
    const id = await sentDrill('only begun')
    expect(JSON.stringify(hooks.ledger.map(({ body }) => JSON.parse(body)))).toMatch(/演练/)
    await acknowledge(id)
    const json = await drill(['--person', 'li', '--tier', 'yellow', '--note', 'as json', '--json'])
    expect([json.code, JSON.parse(json.output)]).toEqual([
      0,
      { id: expect.stringMatching(/^@drill\//), drill: true, ladder: '', notifications: 1 }
    ])
    await acknowledge(await sentDrill('as json'))
  })

  it('follows it to its signed record: planned, sent, acknowledged', async () => {
    const followed = drill(['--device', 'T-0', '--note', 'followed', '--wait'])
    const id = await sentDrill('followed')
    await acknowledge(id)
    const { code, output } = await followed
    const lines = output.trimEnd().split('\n')
    expect([code, lines[0], lines.at(-2), lines.at(-1)]).toEqual([
      0,
      `DRILL ${id} has begun on the ladder all`,
      expect.stringMatching(new RegExp(`^DRILL ${id} ended at ${AT}: acknowledged by admin$`)),
      expect.stringMatching(/^ {2}record genuine, signature [\w+/=-]{20,}$/)
    ])
    for (const line of lines.slice(1, -2))
      expect(line).toMatch(new RegExp(`^  ${AT}  rung 1  webhook to li  (planned|sent|delivered|acknowledged)$`))
    expect(lines.filter((line) => line.endsWith('  sent'))).toHaveLength(1)
  })

  it('prints the record as JSON, as the API has it, and goes on over a restart of the service', async () => {
    const { port } = new URL(service.httpAddress)
    const followed = drill(['--site', 'farm', '--note', 'restarted', '--wait', '--json'])
    const id = await sentDrill('restarted')
    await service.kill()
    service = await LiveService.start({ ...options, env: { ...options.env, FENGHUO_HTTP_PORT: port } })
    await acknowledge(id)
    const { code, output } = await followed
    const shown = JSON.parse(output)
    expect([code, shown.outcome, shown.genuine, shown.acknowledged]).toEqual([
      ...[0, 'acknowledged', true],
      { by: 'admin', at: expect.stringMatching(new RegExp(`^${AT}$`)), note: 'seen' }
    ])
    expect(shown).toEqual(await service.get(`/api/v1/drills/${encodeURIComponent(id)}`))
    const audit = await runFenghuo(['audit', 'verify', '--config', options.config], { ...options.env, FENGHUO_DATA: options.data })
    expect([audit.code, audit.output]).toEqual([
      0,
      expect.stringMatching(/^The audit log is whole: \d+ records\.\nIt reaches all \d+ anchors? of /)
    ])
  })

  it.each<[string, readonly string[], string, number, RegExp]>([
    [
      'a site that is not there',
      ['--site', 'nowhere'],
      'engineer',
      1,
      /refuses: There is no site nowhere that you may hold a drill with: name one of yours\.\n$/
    ],
    [
      'a device that is not there',
      ['--device', 'T-9'],
      'engineer',
      1,
      /refuses: There is no device T-9 that you may hold a drill with: name one of yours\.\n$/
    ],
    [
      'a person that is not there',
      ['--person', 'nobody'],
      'engineer',
      1,
      /refuses: There is no person nobody that you may hold a drill with: name one of yours\.\n$/
    ],
    [
      'a site with no ladder',
      ['--site', 'yard'],
      'engineer',
      1,
      /refuses: Nobody would be told: no ladder of duty\.yaml leads to a person with an address there\.\n$/
    ],
    [
      'a tier that is none',
      ['--site', 'farm', '--tier', 'purple'],
      'engineer',
      1,
      /refuses: Not acceptable: \/tier in the body: expected one of "blue"\|"yellow"\|"orange"\|"red"\.\n$/
    ],
    ['somebody without the right', ['--site', 'farm'], 'operator', 1, /refuses: This needs the role engineer; admin is operator\./],
    [
      'a site of others',
      ['--site', 'farm'],
      'elsewhere',
      1,
      /refuses: There is no site farm that you may hold a drill with: name one of yours\.\n$/
    ],
    [
      'nobody in particular',
      ['--site', 'farm'],
      '',
      2,
      /^The service asks who holds the drill: put an API token of an engineer into FENGHUO_TOKEN\.\n$/
    ],
    ['a token that is none', ['--site', 'farm', '--token', 'fh_wrong'], '', 1, /refuses: This API token is unknown or was revoked/],
    [
      'a divisor that is none',
      ['--site', 'farm', '--fast', 'quickly'],
      'engineer',
      2,
      /^--fast quickly is no divisor: give a whole number from 1 to \d+\.\n$/
    ],
    ['an option that is none', ['--sight', 'farm'], 'engineer', 2, /unknown option/]
  ])('refuses %s in a sentence', async (_what, args, token, code, sentence) => {
    const before = (await service.get<{ items: Drill[] }>('/api/v1/drills')).items.length
    const outcome = await drill(args, token)
    expect([outcome.code, outcome.output]).toEqual([code, expect.stringMatching(sentence)])
    expect(outcome.output).not.toMatch(/^\s+at /m)
    expect((await service.get<{ items: Drill[] }>('/api/v1/drills')).items).toHaveLength(before)
  })

  it('says where it looked for a service that does not run, by the address of the configuration', async () => {
    const gone = await HookReceiver.open()
    const { port } = new URL(gone.url)
    await gone.close()
    const env = { ...options.env, FENGHUO_TOKEN: tokens.engineer as string, FENGHUO_HTTP_PORT: port }
    const { code, output } = await runFenghuo(['drill', '--site', 'farm', '--config', options.config], env)
    expect([code, output]).toEqual([
      1,
      expect.stringMatching(/^The service at http:\/\/127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED.*\. Name it with --url\.\n$/)
    ])
  })

  it('that is given up while it waits leaves the drill to the service', async () => {
    const { PATH = '' } = process.env
    const launcher = path.join(import.meta.dirname, '..', '..', '..', 'bin', 'fenghuo')
    const args = [launcher, 'drill', '--url', service.httpAddress, '--site', 'farm', '--note', 'given up', '--wait']
    const child = spawn(process.execPath, args, { env: { PATH, FENGHUO_TOKEN: tokens.engineer as string }, stdio: 'ignore' })
    const id = await sentDrill('given up')
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGINT')
    await gone
    expect((await service.get<Drill>(`/api/v1/drills/${encodeURIComponent(id)}`)).endedAt).toBeNull()
    await acknowledge(id)
  })
})
