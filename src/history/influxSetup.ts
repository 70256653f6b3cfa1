// What InfluxDB needs before readings come: a database or bucket, how long it keeps them, and hourly figures that outlast them.
// Idempotent: what is there as it should be is left alone, and every step says what it did.

import { Refusal } from '../platform/problem.ts'
import { InfluxFailure, InfluxServer } from './influx.ts'
import type { InfluxSettings } from './influxSettings.ts'

const HOURLY = 'fenghuo_hourly'
/** Fields of numbers that rules may use: the others have a dot in their names. */
const VALUES = '/^[a-z0-9_]+$/'
const DAY_S = 86_400

export interface SetupWish {
  readonly retentionDays: number
  /** Whether hourly figures are kept as well. */
  readonly hourly: boolean
}

/** Sets up what is missing. Answers a sentence per step; throws a Refusal where the server does not let us. */
export async function setUpInflux(settings: InfluxSettings, wish: SetupWish, say: (sentence: string) => void): Promise<void> {
  const server = new InfluxServer(settings)
  try {
    const version = await server.version()
    say(`${server.name} is version ${version === '' ? 'unknown' : version}.`)
    const major = Number.parseInt(version, 10)
    if (major === 2 || (settings.api === 'v2' && major !== 1)) await setUpTwo(server, wish, say)
    else if (major === 3) await setUpThree(server, wish, say)
    else await setUpOne(server, wish, say)
  } catch (cause) {
    if (cause instanceof InfluxFailure) throw new Refusal(refusalOf(server, cause), { cause })
    throw cause
  } finally {
    server.close()
  }
}

function refusalOf({ name }: InfluxServer, { trouble, said }: InfluxFailure): string {
  if (trouble === 'denied')
    return `${name} does not let us in (${said}): setting up needs a token, or user:password, that may create databases and policies.`
  if (trouble === 'passing') return `${name} cannot be reached (${said}): see that it runs, and that FENGHUO_INFLUX_URL is its address.`
  return `${name} refused a step of the setup: ${said}.`
}

function quoted(name: string): string {
  return `"${name.replace(/["\\]/g, '\\$&')}"`
}

/** 1.x: database, duration of its default policy, and a continuous query into a policy without end. */
async function setUpOne(server: InfluxServer, { retentionDays, hourly }: SetupWish, say: (sentence: string) => void): Promise<void> {
  const { database } = server.settings
  const db = quoted(database)
  const namesIn = async (statement: string): Promise<unknown[][]> =>
    ((await server.command(statement))[0] ?? []).flatMap(({ values }) => values.map((row) => [...row]))
  if ((await namesIn('SHOW DATABASES')).some(([name]) => name === database)) say(`The database ${database} exists.`)
  else {
    await server.command(`CREATE DATABASE ${db}`)
    say(`The database ${database} was created.`)
  }
  const policies = await namesIn(`SHOW RETENTION POLICIES ON ${db}`)
  const policy = policies.find((row) => row[4] === true)
  const wanted = `${retentionDays * 24}h0m0s`
  if (policy?.[1] === wanted) say(`Readings are kept for ${retentionDays} days (policy ${policy[0]}).`)
  else if (policy !== undefined) {
    await server.command(`ALTER RETENTION POLICY ${quoted(String(policy[0]))} ON ${db} DURATION ${retentionDays}d`)
    say(`Readings are kept for ${retentionDays} days now (policy ${policy[0]}, before: ${policy[1] === '0s' ? 'without end' : policy[1]}).`)
  }
  if (!hourly) return
  if (!policies.some(([name]) => name === HOURLY)) {
    await server.command(`CREATE RETENTION POLICY "${HOURLY}" ON ${db} DURATION INF REPLICATION 1`)
    say(`The policy ${HOURLY} was created: it keeps hourly figures without end.`)
  } else say(`The policy ${HOURLY} exists.`)
  const figures = ['mean', 'min', 'max', 'count'].map((name) => `${name}(${VALUES})`).join(', ')
  const query = `CREATE CONTINUOUS QUERY "${HOURLY}" ON ${db} RESAMPLE EVERY 1h FOR 1d BEGIN SELECT ${figures} INTO ${db}."${HOURLY}".:MEASUREMENT FROM ${db}.${quoted(String(policy?.[0] ?? 'autogen'))}./.*/ WHERE "device" =~ /./ GROUP BY time(1h), * END`
  const known = (await server.command('SHOW CONTINUOUS QUERIES'))[0]?.find(({ name }) => name === database)
  if (known?.values.some(([name]) => name === HOURLY) === true) return say(`The continuous query ${HOURLY} exists.`)
  await server.command(query)
  say(
    `The continuous query ${HOURLY} was created: mean, min, max and count of every metric per hour; late readings of the last day included.`
  )
}

interface Bucket {
  readonly id: string
  readonly retentionRules: readonly { readonly everySeconds: number }[]
}

/** 2.x: bucket, its retention, the mapping that /query needs, and a task for hourly figures. */
async function setUpTwo(server: InfluxServer, { retentionDays, hourly }: SetupWish, say: (sentence: string) => void): Promise<void> {
  const { org, database, api } = server.settings
  if (org === '') throw new Refusal('InfluxDB 2 keeps buckets by organization: name yours in FENGHUO_INFLUX_ORG (history.influx.org).')
  const named = new URLSearchParams({ org })
  const orgs = (await server.request('GET', `/api/v2/orgs?${named}`)) as { orgs?: { id: string }[] } | undefined
  const orgID = orgs?.orgs?.[0]?.id
  if (orgID === undefined) throw new Refusal(`${server.name} has no organization ${org}: name another under history.influx.org.`)
  const bucket = await bucketOf(server, orgID, database, retentionDays * DAY_S, say)
  if (api === 'v1') {
    const where = new URLSearchParams({ orgID, db: database })
    const mappings = (await server.request('GET', `/api/v2/dbrps?${where}`)) as
      | { content?: { bucketID: string; default?: boolean }[] }
      | undefined
    if (mappings?.content?.some(({ bucketID }) => bucketID === bucket) === true)
      say(`The database name ${database} is mapped to the bucket.`)
    else {
      const mapping = { bucketID: bucket, orgID, database, retention_policy: 'autogen', default: true }
      await server.request('POST', '/api/v2/dbrps', JSON.stringify(mapping))
      say(`The database name ${database} was mapped to the bucket (DBRP): /write and /query work with it.`)
    }
  }
  if (hourly) await taskOf(server, orgID, say)
}

async function bucketOf(
  server: InfluxServer,
  orgID: string,
  name: string,
  everySeconds: number,
  say: (sentence: string) => void
): Promise<string> {
  const found = (await server.request('GET', `/api/v2/buckets?${new URLSearchParams({ orgID, name })}`).catch((cause: unknown) => {
    if (cause instanceof InfluxFailure && cause.trouble === 'missing') return undefined
    throw cause
  })) as { buckets?: Bucket[] } | undefined
  const bucket = found?.buckets?.[0]
  const retentionRules = [{ type: 'expire', everySeconds }]
  if (bucket === undefined) {
    const made = (await server.request('POST', '/api/v2/buckets', JSON.stringify({ orgID, name, retentionRules }))) as Bucket
    say(`The bucket ${name} was created${everySeconds === 0 ? '' : ` and keeps readings for ${everySeconds / DAY_S} days`}.`)
    return made.id
  }
  if ((bucket.retentionRules[0]?.everySeconds ?? 0) === everySeconds)
    say(`The bucket ${name} exists and keeps readings as long as it should.`)
  else {
    await server.request('PATCH', `/api/v2/buckets/${bucket.id}`, JSON.stringify({ retentionRules }))
    say(`The bucket ${name} keeps readings for ${everySeconds / DAY_S} days now.`)
  }
  return bucket.id
}

async function taskOf(server: InfluxServer, orgID: string, say: (sentence: string) => void): Promise<void> {
  const { database } = server.settings
  const target = `${database}_hourly`
  await bucketOf(server, orgID, target, 0, say)
  const tasks = (await server.request('GET', `/api/v2/tasks?${new URLSearchParams({ orgID, name: HOURLY })}`)) as
    | { tasks?: unknown[] }
    | undefined
  if ((tasks?.tasks?.length ?? 0) > 0) return say(`The task ${HOURLY} exists.`)
  const of = (name: string): string =>
    `readings |> aggregateWindow(every: 1h, fn: ${name}, createEmpty: false, timeSrc: "_start") |> map(fn: (r) => ({r with _field: "${name}_" + r._field${name === 'count' ? ', _value: float(v: r._value)' : ''}})) |> to(bucket: ${JSON.stringify(target)})`
  const flux = `option task = {name: "${HOURLY}", every: 1h, offset: 5m}
readings = from(bucket: ${JSON.stringify(database)}) |> range(start: -25h) |> filter(fn: (r) => exists r.device and r._field =~ ${VALUES})
${['mean', 'min', 'max', 'count'].map(of).join('\n')}`
  await server.request('POST', '/api/v2/tasks', JSON.stringify({ orgID, flux, status: 'active' }))
  say(`The task ${HOURLY} was created: mean, min, max and count of every metric per hour, in the bucket ${target}.`)
}

/** 3 Core: a database with its retention; it has no continuous queries. */
async function setUpThree(server: InfluxServer, { retentionDays, hourly }: SetupWish, say: (sentence: string) => void): Promise<void> {
  const { database } = server.settings
  const listed = (await server.request('GET', '/api/v3/configure/database?format=json')) as readonly Record<string, string>[] | undefined
  if (listed?.some((row) => Object.values(row).includes(database)) === true) {
    say(
      `The database ${database} exists; its retention is changed with "influxdb3 update database --retention-period ${retentionDays}d ${database}".`
    )
  } else {
    await server.request('POST', '/api/v3/configure/database', JSON.stringify({ db: database, retention_period: `${retentionDays}d` }))
    say(`The database ${database} was created and keeps readings for ${retentionDays} days.`)
  }
  if (hourly) say('InfluxDB 3 Core has neither continuous queries nor tasks: hourly figures need a plugin of its processing engine.')
}
