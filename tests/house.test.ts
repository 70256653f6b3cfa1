// The house rules, held by a test and not by goodwill: which way imports point, where clock, chance and environment live,
// who may name which library, how long a file may be, and that ARCHITECTURE.md names only what exists.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

const HOME = path.join(import.meta.dirname, '..')

interface Source {
  readonly file: string
  readonly text: string
  readonly imports: readonly string[]
}

function sourcesIn(folder: string): Source[] {
  return readdirSync(path.join(HOME, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|tsx)$/.test(name) && !name.includes('node_modules') && !name.startsWith('dist'))
    .map((name) => {
      const file = path.posix.join(folder, name)
      const text = readFileSync(path.join(HOME, file), 'utf8')
      const imports = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] as string)
      return { file, text, imports }
    })
}

const sources = [...sourcesIn('src'), ...sourcesIn('simulators')]
const everything = [...sources, ...sourcesIn('console/src'), ...sourcesIn('tests')]

const ROOMS = ['ingest', 'rules', 'alerts', 'history', 'access']
/** What each place may import, besides itself. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  main: ['app'],
  app: ['api', ...ROOMS, 'store', 'model', 'platform', 'simulators'],
  api: [...ROOMS, 'store', 'model', 'platform'],
  ...Object.fromEntries(ROOMS.map((room) => [room, ['store', 'model', 'platform']])),
  store: ['model', 'platform'],
  platform: [],
  model: [],
  simulators: ['model', 'platform']
}

/** Where each library is let in. */
const DOORS: Record<string, RegExp> = {
  aedes: /^src\/ingest\/broker/,
  luxon: /^src\/platform\/zone\.ts$/,
  mqtt: /^src\/platform\/mqtt/,
  fastify: /^src\/api\//,
  '@duckdb/node-api': /^src\/history\/embedded/,
  '@influxdata/influxdb-client': /^src\/history\/influx/,
  kysely: /^src\/(store|alerts|access)\//,
  'node:sqlite': /^src\/store\//,
  'openid-client': /^src\/access\/oidc\.ts$/,
  pg: /^src\/store\/postgres\.ts$/,
  pino: /^src\/platform\/log\.ts$/,
  'prom-client': /^src\/platform\/metrics\.ts$/,
  '@marcbachmann/cel-js': /^src\/rules\/expression/,
  bullmq: /^src\/alerts\/queues\/bullmq\.ts$/,
  ioredis: /^src\/alerts\/queues\/bullmq\.ts$/,
  commander: /^src\/app\/(cli\.ts|commands\/)/,
  'csv-parse': /^src\/(ingest\/recorded|app\/import)\//,
  undici: /^src\/alerts\/channels\/outgoing\.ts$/,
  smpp: /^(src\/alerts\/channels\/smpp|simulators\/carrier\/)/,
  nodemailer: /^src\/alerts\/channels\/email\.ts$/,
  'web-push': /^src\/alerts\/channels\/push\.ts$/,
  react: /^console\//,
  uplot: /^console\//
}

function placeOf(file: string): string {
  if (file === 'src/main.ts') return 'main'
  if (file.startsWith('simulators/')) return 'simulators'
  return file.split('/')[1] as string
}

function offences(list: readonly Source[], find: (source: Source) => readonly string[]): string[] {
  return list.flatMap((source) => find(source).map((what) => `${source.file}: ${what}`))
}

describe('the house', () => {
  it('has imports that point down only', () => {
    const wrong = offences(sources, ({ file, imports }) => {
      const own = placeOf(file)
      return imports
        .filter((target) => target.startsWith('.'))
        .map((target) => path.posix.join(path.posix.dirname(file), target))
        .filter((target) => placeOf(target) !== own && !MAY_IMPORT[own]?.includes(placeOf(target)))
        .map((target) => `imports ${target}`)
    })
    expect(wrong).toEqual([])
  })

  it('has no import cycles', () => {
    const graph = new Map(
      sources.map(({ file, text }) => [
        file,
        [...text.matchAll(/^(?:import|export)\s+(?!type)[^'"]*?from\s+'(\.[^']+)'/gm)].map((match) =>
          path.posix.join(path.posix.dirname(file), match[1] as string)
        )
      ])
    )
    const cycles: string[] = []
    const done = new Set<string>()
    const visit = (file: string, trail: readonly string[]): void => {
      const at = trail.indexOf(file)
      if (at !== -1) return void cycles.push([...trail.slice(at), file].join(' -> '))
      if (done.has(file)) return
      for (const next of graph.get(file) ?? []) visit(next, [...trail, file])
      done.add(file)
    }
    for (const file of graph.keys()) visit(file, [])
    expect(cycles).toEqual([])
  })

  it('lets each library in by one door', () => {
    const wrong = offences(sources, ({ file, imports }) =>
      imports.filter((name) =>
        Object.entries(DOORS).some(([library, door]) => (name === library || name.startsWith(`${library}/`)) && !door.test(file))
      )
    )
    expect(wrong).toEqual([])
  })

  it('keeps clock, timers, chance and environment in one home each', () => {
    const homes: [RegExp, RegExp][] = [
      [/\b(Date\.now|performance\.now|new Date\(\)|setTimeout|setInterval)\b/, /^src\/(platform\/clock|history\/embedded(Worker)?)\.ts$/],
      [/\bMath\.random\b|\brandomBytes\b|\brandomUUID\b/, /^src\/platform\/random\.ts$/],
      [/\bprocess\.env\b/, /^src\/app\//]
    ]
    const wrong = offences(sources, ({ file, text }) =>
      homes.filter(([what, home]) => !home.test(file) && what.test(withoutComments(text))).map(([what]) => `uses ${what.source}`)
    )
    expect(wrong).toEqual([])
  })

  it('has files of a size that one can hold in mind, each with a head comment', () => {
    const long = everything.filter(({ text }) => text.split('\n').length > 420).map(({ file }) => file)
    const headless = sources
      .filter(({ file, text }) => !/^(\/\/|\/\*)/.test(text) && !file.startsWith('src/model/'))
      .map(({ file }) => file)
    expect({ long, headless }).toEqual({ long: [], headless: [] })
  })

  it('has no junk drawers and no dead files', () => {
    const drawers = sources.filter(
      ({ file }) => /(utils?|helpers?|manager|service|handler|misc|common)\.ts$/.test(file) && !file.endsWith('config/service.ts')
    )
    const imported = new Set(
      everything.flatMap(({ file, imports, text }) => [
        ...imports.filter((target) => target.startsWith('.')).map((target) => path.posix.join(path.posix.dirname(file), target)),
        ...[...text.matchAll(/new URL\('(\.[^']+)'/g)].map((match) => path.posix.join(path.posix.dirname(file), match[1] as string))
      ])
    )
    const dead = sources.map(({ file }) => file).filter((file) => file !== 'src/main.ts' && !file.endsWith('.d.ts') && !imported.has(file))
    expect({ drawers: drawers.map(({ file }) => file), dead }).toEqual({ drawers: [], dead: [] })
  })

  it('has a test for every way of reaching a person', () => {
    const registry = sources.find(({ file }) => file === 'src/alerts/channels/channels.ts')
    const served = [...(registry?.text.matchAll(/return new (\w+)\(settings/g) ?? [])].map((match) => match[1] as string)
    const kinds = sources.find(({ file }) => file === 'src/model/notification.ts')?.text.match(/CHANNEL_KINDS = \[(.*?)\]/)?.[1] ?? ''
    const tests = everything.filter(({ file }) => file.startsWith('tests/alerts/channels/')).map(({ text }) => text)
    const untested = [
      ...served.filter((name) => !tests.some((text) => text.includes(`new ${name}(`))),
      ...[...kinds.matchAll(/'(\w+)'/g)]
        .map((match) => match[1] as string)
        .filter((kind) => !tests.some((text) => text.includes(`kind: '${kind}'`)))
    ]
    expect({ served: served.length > 0, untested }).toEqual({ served: true, untested: [] })
  })

  it('has no test that does not run', () => {
    const skipped = offences(everything, ({ file, text }) =>
      file === 'tests/house.test.ts' ? [] : [...text.matchAll(/\b(?:it|test|describe)\.(?:skip|todo|only)\b/g)].map((match) => match[0])
    )
    expect(skipped).toEqual([])
  })

  it('is described by an ARCHITECTURE.md that names only what exists', () => {
    const page = readFileSync(path.join(HOME, 'ARCHITECTURE.md'), 'utf8')
    const named = [...page.matchAll(/`((?:src|simulators|console|config|tests|bin|docs)\/[\w./-]*)`/g)].map((match) => match[1] as string)
    expect(named.length).toBeGreaterThan(20)
    expect(named.filter((name) => !existsSync(path.join(HOME, name)))).toEqual([])
  })
})

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '')
}
