// Secrets handed over as files: FENGHUO_NAME_FILE.

import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { loadPlantFolder } from '../../../src/app/config/load.ts'
import { type TankPlant, tankPlant } from '../tankPlant.ts'

let plant: TankPlant

beforeEach(() => {
  plant = tankPlant()
})

afterEach(() => plant.remove())

function file(name: string, text: string): string {
  const at = path.join(plant.folder, name)
  writeFileSync(at, text)
  return at
}

it('a file stands for its variable, in the settings and behind env:NAME; the variable itself stands over it', () => {
  const given = {
    FENGHUO_ADMIN_PASSWORD_FILE: file('admin', 'open sesame\n'),
    FENGHUO_REDIS_URL_FILE: file('redis', 'redis://:pw@host:6379\n'),
    FENGHUO_WATCH_FILE: file('watch', 'https://watch.example.com/ping/x'),
    FENGHUO_HTTP_PORT: '9090',
    FENGHUO_HTTP_PORT_FILE: file('port', '1'),
    FENGHUO_MQTT_HOST_FILE: file('empty', '\n')
  }
  plant.write('fenghuo.yaml', 'deadMan: { url: env:FENGHUO_WATCH }\n')
  const { config, problems } = loadPlantFolder(plant.config, given)
  expect(problems).toEqual([])
  expect(config).toMatchObject({
    adminPassword: 'open sesame',
    http: { port: 9090 },
    mqtt: { host: '127.0.0.1' },
    notifications: { redis: 'redis://:pw@host:6379' },
    deadMan: { url: 'https://watch.example.com/ping/x' }
  })
})

it('a file that cannot be read is named, its content never', () => {
  const missing = path.join(plant.folder, 'nowhere')
  const { config, problems } = loadPlantFolder(plant.config, {
    FENGHUO_ADMIN_PASSWORD_FILE: missing,
    FENGHUO_INFLUX_TOKEN_FILE: plant.folder
  })
  expect(config?.adminPassword ?? null).toBe(null)
  expect(problems.map(({ problem }) => problem)).toEqual([
    `FENGHUO_ADMIN_PASSWORD_FILE names ${missing}, which cannot be read: there is no such file or folder`,
    `FENGHUO_INFLUX_TOKEN_FILE names ${plant.folder}, which cannot be read: it is a folder, not a file`
  ])
})
