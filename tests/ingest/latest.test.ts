import v8 from 'node:v8'
import { describe, expect, it } from 'vitest'
import { Latest } from '../../src/ingest/latest.ts'
import { numberFleet } from '../../src/model/fleet.ts'
import type { Profile } from '../../src/model/plant.ts'
import { CLOCK_SKEWED, GOOD, LATE, SENSOR_FAULT } from '../../src/model/quality.ts'
import { ReadingColumns } from '../../src/model/readings.ts'
import { FLEET, PLANT, series, tank } from './tankFarm.ts'

const T = Date.UTC(2026, 0, 1)
const T101 = FLEET.deviceNumber.get('T-101') as number
const T102 = FLEET.deviceNumber.get('T-102') as number

function filled(): Latest {
  const latest = new Latest(FLEET)
  const columns = new ReadingColumns()
  columns.push(T101, series('T-101', 'level_pct'), T, 50, GOOD, 1, 1)
  columns.push(T101, series('T-101', 'alarm'), T, Number.NaN, SENSOR_FAULT, 0, 1)
  columns.push(T102, -1, T, Number.NaN, CLOCK_SKEWED, 1, 1)
  latest.note(columns, 0, 3, T + 5)
  return latest
}

describe('the last values', () => {
  it('are those of the last judged reading of each metric', () => {
    const latest = filled()
    expect(latest.of(T101)).toEqual({
      receivedAt: T + 5,
      values: [
        { metric: 'level_pct', value: 50, at: T, quality: 'good' },
        { metric: 'alarm', value: null, at: T, quality: 'sensorFault' }
      ]
    })
    const columns = new ReadingColumns()
    columns.push(T101, series('T-101', 'level_pct'), T - 100, 1, LATE, 1, 0)
    columns.push(T101, series('T-101', 'level_pct'), T + 10, 60, GOOD, 1, 1)
    latest.note(columns, 0, 1, T + 20)
    expect(latest.of(T101)).toMatchObject({ receivedAt: T + 20, values: [{ value: 50, at: T }, { metric: 'alarm' }] })
    latest.note(columns, 1, 2, T + 30)
    expect(latest.of(T101)).toMatchObject({ receivedAt: T + 30, values: [{ value: 60, at: T + 10 }, { metric: 'alarm' }] })
  })

  it('of a device that never reported, or of none, are none', () => {
    const latest = filled()
    expect(latest.of(FLEET.deviceNumber.get('G-1') as number)).toEqual({ receivedAt: null, values: [] })
    expect(latest.of(-1)).toEqual({ receivedAt: null, values: [] })
    expect(latest.of(T102)).toEqual({ receivedAt: T + 5, values: [] })
    expect(latest.reportedCount).toBe(2)
    expect(latest.receivedAt(T102)).toBe(T + 5)
  })

  it('go through a snapshot', () => {
    const latest = filled()
    const restored = Latest.restore(FLEET, v8.deserialize(v8.serialize(latest.snapshot())))
    for (let device = 0; device < FLEET.devices.length; device++) expect(restored.of(device)).toEqual(latest.of(device))
    expect(restored.reportedCount).toBe(2)
  })

  it('go to another fleet by device and metric', () => {
    const [storage, gas] = PLANT.profiles as [Profile, Profile]
    const profiles = [{ ...storage, metrics: [...storage.metrics].reverse().filter(({ id }) => id !== 'temperature_c') }, gas]
    const fleet = numberFleet({ ...PLANT, profiles, devices: [tank('T-0'), tank('T-101'), tank('T-102', { profile: 'gas' })] })
    const latest = filled().under(fleet)
    expect(latest.of(0)).toEqual({ receivedAt: null, values: [] })
    expect(latest.of(1).values).toEqual([
      { metric: 'alarm', value: null, at: T, quality: 'sensorFault' },
      { metric: 'level_pct', value: 50, at: T, quality: 'good' }
    ])
    expect(latest.of(2)).toEqual({ receivedAt: T + 5, values: [] })
    expect(latest.reportedCount).toBe(2)
  })
})
