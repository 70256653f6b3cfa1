// The behaviour of history over a real InfluxDB: the very tests that the embedded store passes.

import path from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { LAST_INFLUX_INSTANT } from '../../src/history/influxPoints.ts'
import { behavesAsHistory } from '../history/behaviour.ts'
import { type InfluxForTests, openInflux } from './influxServer.ts'

let server: InfluxForTests

beforeAll(async () => {
  server = await openInflux()
})

afterAll(() => server.close())

describe('over InfluxDB', () => {
  behavesAsHistory({
    lastInstant: LAST_INFLUX_INSTANT,
    influx: (folder) => server.settings(`test ${path.basename(folder)}`)
  })
})
