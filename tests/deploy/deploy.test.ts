// What is handed out for running the service elsewhere: the compose file, the image, systemd, Kubernetes. Where the client of
// docker compose is, it reads the file too; what is safe to publish is checked here in any case.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { loadPlantFolder } from '../../src/app/config/load.ts'
import { SERVICE_VARIABLES } from '../../src/app/config/service.ts'
import { VERSION } from '../../src/app/version.ts'
import { tankPlant } from '../app/tankPlant.ts'

const HOME = path.join(import.meta.dirname, '..', '..')
const read = (file: string): string => readFileSync(path.join(HOME, file), 'utf8')

interface Service {
  image?: string
  build?: string
  profiles?: string[]
  user?: string
  read_only?: boolean
  cap_drop?: string[]
  security_opt?: string[]
  ports?: string[]
  environment?: Record<string, string>
  command?: string[]
  healthcheck?: object
  volumes?: string[]
  secrets?: string[]
}
interface Compose {
  services: Record<string, Service>
  volumes: Record<string, unknown>
  secrets: Record<string, { file: string }>
}

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

const compose = parse(read('docker-compose.yml'), { merge: true }) as Compose

it('the compose file has every part, and starts by itself only what this version can use', () => {
  const starting = Object.entries(compose.services).filter(([, service]) => service.profiles === undefined)
  expect(Object.keys(compose.services).sort()).toEqual(['courier', 'fenghuo', 'influxdb', 'mosquitto', 'postgres', 'redis', 'simulators'])
  expect(starting.map(([name]) => name)).toEqual(['fenghuo', 'redis'])
  expect(compose.services.influxdb?.image).toBe('influxdb:2.7')
  // The service's own settings as they stand there are settings it takes.
  const { environment = {} } = compose.services.fenghuo!
  const given = Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value.replace(/\$\{\w+:-([^}]*)\}/g, '$1').replace(/^\/run\/secrets\/.*/, '/dev/null')
    ])
  )
  const plant = tankPlant()
  const { problems, config } = loadPlantFolder(plant.config, { ...given, FENGHUO_DATA: '/data' })
  plant.remove()
  expect(problems).toEqual([])
  expect([config?.notifications.redis, config?.history.influx, config?.adminPassword]).toEqual(['redis://redis:6379', null, null])
  // A profile starts a server; what makes the service and its workers use it is handed to them.
  for (const name of Object.keys(SERVICE_VARIABLES).filter((variable) => !/_(DATA|HOST|PORT)$/.test(variable)))
    expect([name, `${name}_FILE`].filter((variable) => variable in environment)).toHaveLength(1)
  for (const service of ['fenghuo', 'courier'])
    expect(compose.services[service]).toMatchObject({
      environment: { FENGHUO_POSTGRES_URL_FILE: '/run/secrets/postgres_url' },
      secrets: expect.arrayContaining(['postgres_url'])
    })
  expect(compose.services.simulators?.command).toContain('$' + '{FENGHUO_MQTT_URL:-mqtt://fenghuo:1883}')
  const known = new Set([...Object.keys(SERVICE_VARIABLES), 'FENGHUO_ADMIN_PASSWORD'])
  expect(Object.keys(environment).filter((name) => !known.has(name.replace(/_FILE$/, '')))).toEqual([])
})

it('no service of it is root, can write its own files, or is reachable from outside; no password stands in it', () => {
  for (const [name, service] of Object.entries(compose.services)) {
    const { user, read_only, cap_drop, security_opt, ports = [], volumes = [], secrets = [] } = service
    expect([name, read_only, cap_drop, security_opt]).toEqual([name, true, ['ALL'], ['no-new-privileges:true']])
    expect([name, user]).toEqual([name, expect.stringMatching(/^[1-9]\d*:[1-9]\d*$/)])
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
    expect(service.image).toMatch(/:[\w.-]*\d/)
    expect(service.healthcheck !== undefined || name === 'fenghuo').toBe(true)
    for (const volume of volumes) {
      const [source = ''] = volume.split(/:(?![^{]*\})/)
      expect(source.startsWith('.') || source.startsWith('$') || source in compose.volumes, volume).toBe(true)
    }
    for (const secret of secrets) expect(compose.secrets).toHaveProperty(secret)
    for (const [variable, value] of Object.entries(service.environment ?? {}))
      if (/PASSWORD|TOKEN|SECRET/.test(variable))
        expect([variable, value]).toEqual([expect.stringMatching(/_FILE$/), expect.stringMatching(/^\/run\/secrets\//)])
  }
  expect(compose.services.redis?.command).toEqual(expect.arrayContaining(['--maxmemory-policy', 'noeviction']))
})

it('docker compose reads it, where there is one', () => {
  const version = spawnSync('docker', ['compose', 'version'], { encoding: 'utf8' })
  if (version.status !== 0) return expect(existsSync(path.join(HOME, 'docker-compose.yml'))).toBe(true)
  const profiles = ['influxdb', 'postgres', 'mosquitto', 'simulators', 'workers'].flatMap((name) => ['--profile', name])
  const config = spawnSync('docker', ['compose', '-f', path.join(HOME, 'docker-compose.yml'), ...profiles, 'config', '--quiet'], {
    encoding: 'utf8'
  })
  expect([config.status, config.stderr]).toEqual([0, ''])
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
