// What `fenghuo broker export mosquitto` says besides writing its files; on a real Mosquitto it is in tests/services/.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { runFenghuo } from '../../liveService.ts'
import { tankPlant } from '../tankPlant.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-broker-'))
const plant = tankPlant()

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  plant.remove()
})

it('names the folder as Mosquitto will see it where it says how to start it', async () => {
  const env = { FENGHUO_DATA: path.join(folder, 'data'), FENGHUO_MQTT_URL: 'mqtt://broker', FENGHUO_MQTT_PASSWORD: 'a password' }
  const exported = await runFenghuo(
    ['broker', 'export', 'mosquitto', '--config', plant.config, '--out', path.join(folder, 'out'), '--seen-as', '/mosquitto/config'],
    { ...env, FENGHUO_MQTT_USERNAME: 'fenghuo' }
  )
  expect(exported).toEqual({
    code: 0,
    signal: null,
    output: `${path.join(folder, 'out')}: mosquitto.conf, passwords and acl for 2 of 2 gateways and the user fenghuo.
Let the user that Mosquitto runs as own the files (chown mosquitto ${path.join(folder, 'out')} ${path.join(folder, 'out')}/*). Start it: mosquitto -c /mosquitto/config/mosquitto.conf. After a further export: kill -HUP its process; who is connected already stays until then.
`
  })
})
