// What is handed out for running the service elsewhere: the compose file, the image, systemd, Kubernetes. Where a client of compose
// is, it reads the file too; tests/services/compose.test.ts plays it.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { loadPlantFolder } from '../../src/app/config/load.ts'
import { SERVICE_VARIABLES } from '../../src/app/config/service.ts'
import { VERSION } from '../../src/app/version.ts'
import { tankPlant } from '../app/tankPlant.ts'
import { type Compose, type ComposeService, composeText, composeWith } from './composeFile.ts'

const HOME = path.join(import.meta.dirname, '..', '..')
const read = (file: string): string => readFileSync(path.join(HOME, file), 'utf8')

interface Manifest {
  kind: string
  spec: {
    replicas: number
    template: { spec: { initContainers: Container[]; containers: Container[]; volumes: { name: string }[]; securityContext: object } }
    volumeClaimTemplates: { metadata: { name: string } }[]
  }
}
interface Container {
  envFrom: { secretRef: { name: string } }[]
  securityContext: object
  livenessProbe: { httpGet: { path: string } }
  readinessProbe: { httpGet: { path: string } }
  volumeMounts: { name: string }[]
}

const compose = composeWith()
const OURS = ['fenghuo', 'prepare', 'history-setup', 'broker-export', 'courier', 'simulators']

/** The plant as the service would take it with these settings. */
function configOf(environment: Readonly<Record<string, string>> = {}): ReturnType<typeof loadPlantFolder> {
  const given = Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, value.startsWith('/secrets/') ? '/dev/null' : value])
  )
  const plant = tankPlant()
  const loaded = loadPlantFolder(plant.config, { ...given, FENGHUO_DATA: '/data' })
  plant.remove()
  return loaded
}

it('the compose file starts every server by itself and has the service use it; only simulators and workers are asked for', () => {
  const profiles = Object.fromEntries(Object.entries(compose.services).map(([name, service]) => [name, service.profiles?.join()]))
  const servers = ['postgres', 'redis', 'influxdb', 'mosquitto']
  expect(Object.keys(profiles).sort()).toEqual([...OURS, ...servers].sort())
  expect(Object.entries(profiles).filter(([, profile]) => profile !== undefined)).toEqual([
    ['courier', 'workers'],
    ['simulators', 'simulators']
  ])
  expect(compose.services.influxdb?.image).toBe('influxdb:2.7')
  const { environment = {} } = compose.services.fenghuo!
  const { problems, config } = configOf(environment)
  expect(problems).toEqual([])
  expect([config?.notifications.redis, config?.history.influx?.url, config?.mqtt.url]).toEqual([
    'redis://redis:6379',
    'http://influxdb:8086',
    'mqtt://mosquitto:1883'
  ])
  expect(environment.FENGHUO_POSTGRES_URL_FILE).toBe('/secrets/postgres-url')
  expect(compose.services.prepare!.command).toContain('postgres-url=postgres://fenghuo:{postgres-password}@postgres/fenghuo')
  // Whatever the service can be told by a variable, it is told here, and nothing else.
  for (const name of Object.keys(SERVICE_VARIABLES).filter((variable) => !/_(DATA|HOST|PORT)$/.test(variable)))
    expect([name, `${name}_FILE`].some((variable) => variable in environment)).toBe(true)
  const known = new Set([...Object.keys(SERVICE_VARIABLES), 'FENGHUO_ADMIN_PASSWORD'])
  expect(Object.keys(environment).filter((name) => !known.has(name.replace(/_FILE$/, '')))).toEqual([])
  // The image is built where everything else of ours waits for it.
  expect(
    Object.entries(compose.services)
      .filter(([, { build }]) => build !== undefined)
      .map(([name]) => name)
  ).toEqual(['prepare'])
  expect(OURS.map((name) => compose.services[name]!.image)).toEqual(OURS.map(() => `fenghuo:${VERSION}`))
})

it("a server of the operator's own takes the place of each of the compose file by one variable, or none at all", () => {
  const own = composeWith({
    FENGHUO_POSTGRES_URL: 'postgres://me@db.example/plant',
    FENGHUO_REDIS_URL: 'redis://redis.example',
    FENGHUO_INFLUX_URL: 'https://influx.example',
    FENGHUO_MQTT_URL: 'mqtts://broker.example',
    FENGHUO_MQTT_USERNAME: 'me'
  })
  for (const name of ['fenghuo', 'courier', 'history-setup', 'broker-export']) {
    const { problems, config } = configOf(own.services[name]!.environment)
    expect([name, problems]).toEqual([name, []])
    expect([
      config?.state.url,
      config?.notifications.redis,
      config?.history.influx?.url,
      config?.mqtt.url,
      config?.mqtt.upstream?.username
    ]).toEqual(['postgres://me@db.example/plant', 'redis://redis.example', 'https://influx.example', 'mqtts://broker.example', 'me'])
  }
  expect(own.services.simulators!.command).toContain('mqtts://broker.example')
  const none = composeWith({ FENGHUO_REDIS_URL: '', FENGHUO_INFLUX_URL: '', FENGHUO_MQTT_URL: '' })
  const { config } = configOf(none.services.fenghuo!.environment)
  expect([config?.notifications.redis, config?.history.influx, config?.mqtt.upstream]).toEqual([null, null, null])
  const secrets = composeWith({ FENGHUO_SECRETS: './secrets' })
  expect(secrets.services.prepare!.volumes).toEqual(['./secrets:/secrets'])
  expect(secrets.services.fenghuo!.volumes).toContain('./secrets:/secrets:ro')
})

it('no container of it is root, can write its own files, or is reachable from outside; no password stands in it', () => {
  for (const [name, service] of Object.entries(compose.services)) {
    const { user, read_only, cap_drop, cap_add, privileged, security_opt, ports = [], volumes = [] } = service
    expect([name, read_only, cap_drop, cap_add, privileged, security_opt]).toEqual([
      ...[name, true, ['ALL'], undefined, undefined],
      ['no-new-privileges:true']
    ])
    expect([name, user]).toEqual([name, expect.stringMatching(/^[1-9]\d*:[1-9]\d*$/)])
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
    expect(service.image).toMatch(/:[\w.-]*\d/)
    expect(service.healthcheck !== undefined || name === 'fenghuo').toBe(true)
    for (const volume of volumes) {
      const [source = '', target = '', mode] = volume.split(':')
      expect(source === './config' || source in compose.volumes, volume).toBe(true)
      // Who makes them writes them, nobody else.
      if (target === '/secrets') expect([name, mode]).toEqual([name, name === 'prepare' ? undefined : 'ro'])
      if (target === '/plant' || target === '/mosquitto/config') expect(mode).toBe('ro')
    }
    for (const [variable, value] of Object.entries(service.environment ?? {}))
      if (/PASSWORD|TOKEN|SECRET/.test(variable))
        expect([variable, value]).toEqual([expect.stringMatching(/_FILE$/), expect.stringMatching(/^\/secrets\//)])
  }
  expect(compose.services.redis?.command).toEqual(expect.arrayContaining(['--maxmemory-policy', 'noeviction']))
})

it('each one-shot runs once, before those that need what it makes and after what it reads, where the image lets it write', () => {
  for (const name of ['prepare', 'history-setup', 'broker-export'])
    expect(compose.services[name]).toMatchObject({ restart: 'no', healthcheck: { disable: true } })
  const waits = Object.entries(compose.services).flatMap(([name, { depends_on = {} }]) =>
    Object.entries(depends_on).map(([on, { condition }]) => `${name}: ${on} ${condition.replace('service_', '')}`)
  )
  expect(waits.sort()).toEqual([
    'broker-export: fenghuo healthy',
    'courier: fenghuo healthy',
    'fenghuo: history-setup completed_successfully',
    'fenghuo: postgres healthy',
    'fenghuo: redis healthy',
    'history-setup: influxdb healthy',
    'influxdb: prepare completed_successfully',
    'mosquitto: broker-export completed_successfully',
    'postgres: prepare completed_successfully',
    'simulators: mosquitto healthy'
  ])
  // A volume takes over the owner of the folder in the image: that of the container which writes there.
  const folders = [...read('Dockerfile').matchAll(/install -d -m (\d+) -o (\w+) -g \w+ ([^\\\n]+)/g)].flatMap(
    ([, , owner = '', names = '']) =>
      names
        .trim()
        .split(' ')
        .map((folder) => [folder, owner === 'fenghuo' ? '10001' : owner])
  )
  expect(Object.fromEntries(folders)).toEqual({ '/data': '10001', '/backup': '10001', '/secrets': '10001', '/broker': '1883' })
  for (const [name, folder] of [
    ['fenghuo', '/data'],
    ['fenghuo', '/backup'],
    ['prepare', '/secrets'],
    ['broker-export', '/broker']
  ] as const) {
    const { user = '', volumes = [] } = compose.services[name]!
    expect([name, user.split(':')[0]]).toEqual([name, Object.fromEntries(folders)[folder]])
    expect(volumes.some((volume) => volume.endsWith(`:${folder}`))).toBe(true)
  }
})

it('the client of compose reads it, whichever is here', () => {
  const plugin = spawnSync('docker', ['compose', 'version']).status === 0
  const folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-compose-'))
  try {
    // Clients before 2.0 do not know `name`.
    writeFileSync(path.join(folder, 'docker-compose.yml'), plugin ? composeText : composeText.replace(/^name: fenghuo\n/m, ''))
    const [program, ...args] = plugin ? ['docker', 'compose'] : ['docker-compose']
    const options = ['--profile', 'simulators', '--profile', 'workers', 'config']
    const { error, status, stdout, stderr } = spawnSync(program!, [...args, ...options], { cwd: folder, encoding: 'utf8' })
    // Without a client the tests above have read it, by a parser of YAML alone.
    if (error !== undefined) return expect((error as NodeJS.ErrnoException).code).toBe('ENOENT')
    expect([status, stderr]).toEqual([0, ''])
    const understood = parse(stdout) as Compose
    expect(Object.keys(understood.services).sort()).toEqual(Object.keys(compose.services).sort())
    const facts = ({ user, group_add, command, environment = {}, depends_on }: ComposeService): unknown[] => [
      ...[user, group_add, command, environment],
      Object.entries(depends_on ?? {})
        .map(([on, { condition }]) => `${on} ${condition}`)
        .sort()
    ]
    for (const [name, service] of Object.entries(compose.services))
      expect([name, facts(understood.services[name]!)]).toEqual([name, facts(service)])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

it('the image runs as nobody in particular, by exec form, with a health check, and copies only what there is', () => {
  const lines = read('Dockerfile').replaceAll('\\\n', ' ').split('\n')
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')))
  expect(last.find((line) => line.startsWith('USER '))).toBe('USER 10001:10001')
  for (const word of ['ENTRYPOINT', 'CMD']) expect(last.find((line) => line.startsWith(`${word} `))).toMatch(/^\w+ \[".*"\]$/)
  expect(last.find((line) => line.startsWith('HEALTHCHECK'))).toMatch(/CMD \["node", "-e", ".*\/healthz/)
  const copied = lines.filter((line) => /^COPY (?!--from)/.test(line)).flatMap((line) => line.split(/\s+/).slice(1, -1))
  expect(copied.filter((name) => !existsSync(path.join(HOME, name)))).toEqual([])
  expect(lines.filter((line) => line.startsWith('FROM ')).every((line) => /node:24/.test(line))).toBe(true)
  expect(read('.dockerignore').split('\n')).toEqual(expect.arrayContaining(['**/node_modules', '.git', 'data', 'secrets']))
  for (const file of ['docker-compose.yml', 'docs/deploy/kubernetes.yaml'])
    expect(
      read(file)
        .match(/fenghuo:(\d+\.\d+\.\d+)/g)
        ?.every((image) => image === `fenghuo:${VERSION}`)
    ).toBe(true)
})

it('two instances in Kubernetes share everything but their data folders, and only the active one is sent to', () => {
  const documents = parseAllDocuments(read('docs/deploy/kubernetes-standby.yaml')).map((document) => document.toJS() as Manifest)
  expect(documents.map(({ kind }) => kind)).toEqual(['Service', 'Service', 'StatefulSet'])
  const one = parseAllDocuments(read('docs/deploy/kubernetes.yaml')).map((document) => document.toJS() as Manifest)[1]!.spec
  const { spec } = documents[2]!
  expect(spec.replicas).toBe(2)
  const [container, alone] = [spec, one].map(({ template }) => template.spec.containers[0]!) as [Container, Container]
  expect(container.securityContext).toEqual(alone.securityContext)
  expect(container.volumeMounts).toEqual(alone.volumeMounts)
  expect(container.readinessProbe.httpGet.path).toBe('/readyz')
  expect(read('docs/deploy/kubernetes-standby.yaml')).toContain(`fenghuo:${VERSION}`)
})

it('in Kubernetes the plant is unpacked from one archive, and what a pod reads belongs to the group it runs as', () => {
  for (const file of ['kubernetes.yaml', 'kubernetes-standby.yaml', 'kubernetes-workers.yaml']) {
    const documents = parseAllDocuments(read(`docs/deploy/${file}`)).map((document) => document.toJS() as Manifest)
    const { securityContext, initContainers, containers, volumes } = documents.at(-1)!.spec.template.spec
    expect([file, securityContext]).toEqual([file, expect.objectContaining({ runAsGroup: 10001, fsGroup: 10001 })])
    expect(initContainers.map(({ volumeMounts }) => volumeMounts.map(({ name }) => name))).toEqual([['archive', 'plant']])
    expect(volumes).toEqual(expect.arrayContaining([{ name: 'archive', configMap: { name: 'plant' } }]))
    expect(containers[0]?.envFrom[0]?.secretRef.name).toBe('fenghuo-servers')
  }
})

it('systemd and Kubernetes run it without rights it does not need, and stop it by a signal it drains on', () => {
  const unit = read('docs/deploy/fenghuo.service')
  for (const line of [
    'User=fenghuo',
    'NoNewPrivileges=true',
    'ProtectSystem=strict',
    'CapabilityBoundingSet=',
    'KillSignal=SIGTERM',
    'EnvironmentFile=-/etc/fenghuo/environment',
    'StartLimitIntervalSec=0',
    'StateDirectory=fenghuo'
  ])
    expect(unit.split('\n')).toContain(line)
  const documents = parseAllDocuments(read('docs/deploy/kubernetes.yaml')).map((document) => document.toJS() as Manifest)
  expect(documents.map(({ kind }) => kind)).toEqual(['Service', 'StatefulSet'])
  const { spec } = documents[1]!
  const container = spec.template.spec.containers[0]!
  expect(spec.replicas).toBe(1)
  expect(spec.template.spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 10001 })
  expect(container.securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] }
  })
  expect([container.livenessProbe.httpGet.path, container.readinessProbe.httpGet.path]).toEqual(['/healthz', '/readyz'])
  const mounted = container.volumeMounts.map(({ name }) => name)
  const volumes = [...spec.template.spec.volumes, ...spec.volumeClaimTemplates.map(({ metadata }) => metadata)].map(
    ({ name }: { name: string }) => name
  )
  expect(mounted.filter((name) => !volumes.includes(name))).toEqual([])
})
