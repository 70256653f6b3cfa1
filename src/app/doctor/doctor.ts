// Everything that is looked at, in the order in which a person would ask. Nothing is changed but a file that is removed again.

import path from 'node:path'
import { ReadOnlyJournal } from '../../ingest/journal/readOnly.ts'
import type { Clock } from '../../platform/clock.ts'
import { problemLine } from '../../platform/problem.ts'
import { loadPlantFolder } from '../config/load.ts'
import type { Config, Environment } from '../config/service.ts'
import { emptyHistory } from '../standby/telling.ts'
import { checkCertificates } from './certificates.ts'
import { checkConnections } from './connections.ts'
import { checkDisk } from './disk.ts'
import { type Finding, fail, ok, warn } from './finding.ts'
import { checkInflux } from './influx.ts'
import { checkClock, checkConsole, checkOpenFiles, checkVersions, momentOf } from './machine.ts'
import { checkPorts, runningOn } from './ports.ts'

/** Problems of the configuration that are named one by one. */
const MOST_NAMED = 20

/** Looks at everything that the service of this configuration needs. Never throws. */
export async function examine(configFile: string, env: Environment, consoleFolder: string, clock: Clock): Promise<Finding[]> {
  const since = momentOf(clock)
  const { config, findings } = checkConfiguration(configFile, env, clock)
  findings.unshift(...(await checkVersions()))
  if (config !== null) {
    findings.push(...(await checkDisk(config.data, config.journal.bytes, clock)))
    const { http, mqtt } = config
    const wanted = [{ check: 'HTTP port', host: http.host, port: http.port, setting: 'FENGHUO_HTTP_PORT or http.port' }]
    if (mqtt.enabled && mqtt.url === null && mqtt.tls !== null) {
      const { host, port } = mqtt.tls
      wanted.push({ check: 'MQTT port with TLS', host, port, setting: 'mqtt.tls.port' })
    }
    if (mqtt.enabled && mqtt.url === null && mqtt.plain)
      wanted.push({ check: 'MQTT port', host: mqtt.host, port: mqtt.port, setting: 'FENGHUO_MQTT_PORT or mqtt.port' })
    findings.push(...(await checkPorts(wanted, await runningOn(config.data))))
    findings.push(...(await checkCertificates(config, clock.now())))
    findings.push(...(await checkConnections(config, clock)))
    if (config.history.influx !== null) findings.push(...(await checkInflux(config.history.influx)))
    const empty = emptyHistory(config)
    if (empty !== null) findings.push(warn('standby', empty.found, empty.todo))
  }
  findings.push(...checkClock(momentOf(clock), since, config === null ? 0 : await lastReceipt(config.data)))
  findings.push(...checkOpenFiles(), ...checkConsole(consoleFolder))
  return findings
}

function checkConfiguration(file: string, env: Environment, clock: Clock): { config: Config | null; findings: Finding[] } {
  const { config, problems, warnings } = loadPlantFolder(file, env, { strict: true, now: clock.now() })
  const findings = [
    ...problems.slice(0, MOST_NAMED).map((one) => fail('configuration', problemLine(one), 'Correct it; fenghuo check names everything.')),
    ...warnings.slice(0, MOST_NAMED).map((one) => warn('configuration', problemLine(one), 'See whether it is meant so.'))
  ]
  if (findings.length === 0) findings.push(ok('configuration', `${file} has no problems.`))
  return { config, findings }
}

async function lastReceipt(data: string): Promise<number> {
  try {
    return (await ReadOnlyJournal.open(path.join(data, 'journal'))).lastReceivedAt
  } catch {
    // What is wrong with a journal, the service's start says.
    return 0
  }
}
