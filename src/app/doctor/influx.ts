// Whether InfluxDB takes what we write: an empty write is asked for its rights, and stores nothing.

import { InfluxFailure, InfluxServer } from '../../history/influx.ts'
import type { InfluxSettings } from '../../history/influxSettings.ts'
import { type Finding, fail, warn } from './finding.ts'

const CHECK = 'InfluxDB'
const ANSWER_MS = 3_000

/** What would keep readings out; [] where nothing does, or where it cannot be reached, which is said elsewhere. */
export async function checkInflux(settings: InfluxSettings): Promise<Finding[]> {
  const server = new InfluxServer(settings, ANSWER_MS)
  try {
    await server.write('')
  } catch (cause) {
    if (!(cause instanceof InfluxFailure)) throw cause
    const { trouble, said } = cause
    if (trouble === 'denied') {
      const todo = `Correct FENGHUO_INFLUX_TOKEN (history.influx.token): a token, or user:password, that may read and write "${settings.database}".`
      return [fail(CHECK, `It does not let us in: ${said}.`, todo)]
    }
    if (trouble === 'missing') return [warn(CHECK, `It has no "${settings.database}" yet.`, 'Run fenghuo history setup.')]
  } finally {
    server.close()
  }
  return []
}
