// The machine: versions, the libraries with binaries of their own, the clock, zone data, open files, the built console.

import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { duckdbVersion } from '../../history/embeddedProbe.ts'
import type { Clock } from '../../platform/clock.ts'
import { messageOf } from '../../platform/problem.ts'
import { Zone } from '../../platform/zone.ts'
import { sqliteVersion } from '../../store/sqlite.ts'
import { VERSION } from '../version.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const OLDEST_NODE = 24
/** Nothing was released before: a clock that shows an earlier time was never set. */
const EARLIEST = Date.UTC(2026, 0, 1)
/** Of the two clocks against each other, while they are measured. */
const LARGEST_DRIFT_MS = 30
const OPEN_FILES = 4_096

export async function checkVersions(): Promise<Finding[]> {
  const major = Number(process.versions.node.split('.')[0])
  const node =
    major >= OLDEST_NODE
      ? ok('version', `Fenghuo ${VERSION} on Node ${process.versions.node}, ${process.platform} ${process.arch}.`)
      : fail('version', `Node is ${process.versions.node}.`, `Run it by bin/fenghuo, or install Node ${OLDEST_NODE} or newer.`)
  return [node, ok('SQLite', `SQLite ${sqliteVersion()} works.`), await duckdb()]
}

async function duckdb(): Promise<Finding> {
  try {
    return ok('DuckDB', `DuckDB ${await duckdbVersion()} works.`)
  } catch (cause) {
    return fail(
      'DuckDB',
      `DuckDB does not load: ${messageOf(cause)}.`,
      `Run npm ci on this kind of machine (${process.platform} ${process.arch}): its binary belongs to it.`
    )
  }
}

/** Both clocks of one moment. */
export interface Moment {
  readonly wall: number
  readonly even: number
}

export function momentOf(clock: Clock): Moment {
  return { wall: clock.now(), even: clock.monotonic() }
}

/** `since`: a moment some time ago. `lastReceipt`: of the newest journal record, epoch ms; 0 where there is none. */
export function checkClock({ wall, even }: Moment, since: Moment, lastReceipt: number): Finding[] {
  const findings: Finding[] = []
  const drift = Math.abs(wall - since.wall - (even - since.even))
  const shown = new Date(wall).toISOString()
  const sync = 'Let the machine set its clock by NTP (timedatectl set-ntp true, or chrony).'
  if (wall < EARLIEST) findings.push(fail('clock', `The clock shows ${shown}: it was never set.`, sync))
  else if (drift > LARGEST_DRIFT_MS) {
    findings.push(
      warn('clock', `The clock moved by ${Math.round(drift)} ms against the even one while it was watched: it is being set.`, sync)
    )
  } else if (lastReceipt > wall + 1_000) {
    const ahead = Math.ceil((lastReceipt - wall) / 1000)
    findings.push(
      warn(
        'clock',
        `The newest journal record was received ${ahead} s ahead of the clock, which shows ${shown}.`,
        `${sync} Until it has caught up, time goes on at half speed.`
      )
    )
  } else findings.push(ok('clock', `The clock shows ${shown} and runs evenly.`))
  const shanghai = Zone.named('Asia/Shanghai')?.wallClock(Date.UTC(2026, 0, 1)).minute
  findings.push(
    shanghai === 480
      ? ok('zone data', `Zone data ${process.versions.tz ?? 'of the system'} is there.`)
      : fail('zone data', 'Asia/Shanghai is not known, or is wrong.', 'Use a Node with full ICU data, as the one in node_modules.')
  )
  return findings
}

export function checkOpenFiles(): Finding[] {
  let limits: string
  try {
    limits = readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return []
  }
  const soft = /^Max open files\s+(\S+)/m.exec(limits)?.[1] ?? 'unlimited'
  const few = soft !== 'unlimited' && Number(soft) < OPEN_FILES
  return [
    few
      ? warn(
          'open files',
          `This user may open ${soft} files: each gateway and each browser needs one.`,
          'Raise it: LimitNOFILE=65536 in the systemd unit, ulimits in the compose file, or ulimit -n.'
        )
      : ok('open files', `This user may open ${soft} files.`)
  ]
}

export function checkConsole(folder: string): Finding[] {
  return [
    existsSync(path.join(folder, 'index.html'))
      ? ok('console', 'The console is built.')
      : warn('console', 'The console is not built: the service runs without its pages.', 'Run npm run build.')
  ]
}
