// The shipped recordings, read through the shipped mappings and judged under the shipped replay plant, raise the alarms that
// are known of them: whole alarm logs, instants to the second.

import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadPlant } from '../../src/app/config/load.ts'
import { Effects } from '../../src/app/effects.ts'
import { Pipeline } from '../../src/app/pipeline.ts'
import { readMapFile } from '../../src/app/replay/mapFile.ts'
import { openRecording } from '../../src/ingest/recorded/recording.ts'
import type { RecordedSample } from '../../src/ingest/recorded/samples.ts'

const HOME = path.join(import.meta.dirname, '../../config/replay')
const ZERO = Date.parse('2026-01-01T00:00:00Z')
/** Well after every recording: a replay sends the past. */
const RECEIVED = Date.parse('2026-07-01T00:00:00Z')

/** What a running service would make of a replay: batches of 50 samples, received one millisecond after another. */
async function alarmsOf(map: string, ...files: string[]): Promise<string[]> {
  const { mapping, problems } = readMapFile(path.join(HOME, map))
  expect(problems).toEqual([])
  const opened = await openRecording(
    files.map((file) => path.join(HOME, 'data', file)),
    mapping
  )
  expect(opened.problems).toEqual([])
  const { plant, problems: wrong } = loadPlant(path.join(HOME, 'plant'), {})
  expect(wrong).toEqual([])
  const pipeline = Pipeline.begin(plant!, 0, RECEIVED, { clockSkewMs: 300_000 })
  const effects = new Effects()
  let seq = 0
  let batch: object[] = []
  const take = (): void => {
    if (batch.length === 0) return
    const body = Buffer.from(JSON.stringify(batch))
    batch = []
    seq++
    pipeline.take([{ seq, receivedAt: RECEIVED + seq, kind: 'telemetry', source: 'fh/1/replay/telemetry', body }], effects)
  }
  for await (const item of opened.recording!.items()) {
    expect(item.kind).toBe('sample')
    const { device, at, values } = item as RecordedSample
    if (batch.push({ device, ts: at, values }) === 50) take()
  }
  take()
  expect(effects.rejects).toEqual([])
  return effects.events.map((event) =>
    event.kind === 'transition'
      ? `${new Date(event.at).toISOString()} ${event.rule}/${event.device} ${event.from} -> ${event.to}`
      : 'an action'
  )
}

function afterZero(seconds: number): string {
  return new Date(ZERO + seconds * 1000).toISOString()
}

describe('a replay of the shipped recordings', () => {
  it('raises heat and smoke of the NIST house fire SDC02', async () => {
    expect(await alarmsOf('nist-sdc02.map.yaml', 'nist/NIST_Smoke_Alarms_SDC02.excerpt.csv')).toEqual([
      `${afterZero(112)} room-heat/sdc02-heat clear -> red`,
      `${afterZero(144)} room-smoke/sdc02-smoke clear -> orange`
    ])
  })

  it('raises the attacks on tanks T1 and T7 of the BATADAL test set', async () => {
    const t1 = (at: number, turn: string): string => `${new Date(at * 1000).toISOString()} tank-overflow/ctown-t1 ${turn}`
    const t7 = (at: number, turn: string): string => `${new Date(at * 1000).toISOString()} tank-emptying/ctown-t7 ${turn}`
    expect(await alarmsOf('batadal-test.map.yaml', 'batadal/BATADAL_test_dataset.excerpt.csv')).toEqual([
      t7(1485122400, 'clear -> orange'),
      t7(1485129600, 'orange -> clear'),
      t1(1486890000, 'clear -> orange'),
      t1(1486904400, 'orange -> clear'),
      t7(1488142800, 'clear -> orange'),
      t7(1488157200, 'orange -> clear'),
      t7(1490832000, 'clear -> orange'),
      t7(1490842800, 'orange -> clear')
    ])
  })

  it('raises the warming coolant of Tennessee Eastman fault 5', async () => {
    expect(await alarmsOf('tep.map.yaml', 'tep/d05_te.excerpt.dat')).toEqual([
      `${afterZero(29160)} te-separator-coolant/te-separator clear -> yellow`,
      `${afterZero(29520)} te-separator-coolant/te-separator yellow -> clear`
    ])
  })

  it('raises the failure of the NAB machine', async () => {
    expect(await alarmsOf('nab.map.yaml', 'nab/machine_temperature_system_failure.excerpt.csv')).toEqual([
      '2013-12-16T15:40:00.000Z machine-cold/nab-machine clear -> orange',
      '2013-12-16T18:45:00.000Z machine-cold/nab-machine orange -> clear'
    ])
  })

  it('raises the warm cell and the heated cable', async () => {
    expect(await alarmsOf('battery.map.yaml', 'battery/R1_2C_discharge.csv')).toEqual([
      `${afterZero(1570)} cell-hot/cell-r1 clear -> yellow`
    ])
    expect(await alarmsOf('carolfire.map.yaml', 'nist/CAROLFIRE_PT_1.excerpt.csv')).toEqual([
      `${afterZero(104.5)} cable-hot/cable-1 clear -> red`
    ])
  })
})
