// A real PostgreSQL for tests, from, in this order: TEST_POSTGRES_URL, a server that must not be killed (its role may create
// databases); the local binaries on a free port in a temporary folder; a container. Without any of them the tests fail and say
// what to install. Each test has a database of its own.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { pause, SystemClock } from '../../src/platform/clock.ts'
import { freePort } from './freePort.ts'

/** A role of this name, where a test makes it, needs its password on a server that is ours. */
export const WITH_PASSWORD = 'fenghuo_with_password'

export interface PostgresServer {
  /** Whether it is ours to stop, kill and stall. */
  readonly ours: boolean
  /** A new database, empty or as another of ours is, to which nobody may be connected; its address. */
  database(like?: string): Promise<string>
  /** Runs SQL in the database of this address, as the same role. */
  run<Row = Record<string, unknown>>(url: string, text: string, values?: readonly unknown[]): Promise<Row[]>
  /** Ends every connection; a server that is ours is stopped ('fast') or killed (-9) and does not answer until `start`. */
  stop(how: 'fast' | 'kill'): Promise<void>
  start(): Promise<void>
  /** Stops it and keeps what is in it; afterwards it runs again. Only a server that is ours. */
  keep(): Promise<void>
  /** Kills it, puts back what was kept, and starts it. */
  goBack(): Promise<void>
  close(): Promise<void>
}

export interface PostgresAsked {
  readonly port: number
  readonly password: string
}

/** `asked`: a server of our own on this port, which lets in by this password only. */
export async function openPostgres(asked?: PostgresAsked): Promise<PostgresServer> {
  const given = process.env.TEST_POSTGRES_URL
  if (given !== undefined && asked === undefined) return remote(given, async () => {})
  const binaries = binariesIn('/usr/lib/postgresql') ?? binariesIn('/usr/local/pgsql')
  if (binaries !== null) return local(binaries, asked)
  const container = asked === undefined ? await containerUrl() : null
  if (container !== null) return remote(container.url, container.stop)
  throw new Error('A PostgreSQL is needed here: apt-get install postgresql, or set TEST_POSTGRES_URL, or run Docker.')
}

/** The newest that is installed. */
function binariesIn(folder: string): string | null {
  if (existsSync(path.join(folder, 'bin', 'initdb'))) return path.join(folder, 'bin')
  if (!existsSync(folder)) return null
  const versions = readdirSync(folder).filter((name) => existsSync(path.join(folder, name, 'bin', 'initdb')))
  const newest = versions.sort((one, other) => Number(one) - Number(other)).at(-1)
  return newest === undefined ? null : path.join(folder, newest, 'bin')
}

/** PostgreSQL refuses to run as root. */
function owner(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const idOf = (flag: string): number => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }))
  return { uid: idOf('-u'), gid: idOf('-g') }
}

async function local(binaries: string, asked?: PostgresAsked): Promise<PostgresServer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-postgres-'))
  const who = owner()
  if (who.uid !== undefined) chownSync(folder, who.uid, who.gid ?? who.uid)
  chmodSync(folder, 0o700)
  const data = path.join(folder, 'data')
  const env = { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', HOME: folder }
  const options = ['-D', data, '-U', 'fenghuo', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync']
  const passwords = path.join(folder, 'password')
  writeFileSync(passwords, asked?.password ?? '', { mode: 0o600 })
  if (who.uid !== undefined) chownSync(passwords, who.uid, who.gid ?? who.uid)
  const auth = asked === undefined ? ['--auth=trust'] : ['--auth=scram-sha-256', `--pwfile=${passwords}`]
  execFileSync(path.join(binaries, 'initdb'), [...options, ...auth], { ...who, env, cwd: folder, stdio: 'ignore' })
  const access = path.join(data, 'pg_hba.conf')
  writeFileSync(access, `host all ${WITH_PASSWORD} all scram-sha-256\n${readFileSync(access, 'utf8')}`)
  const port = asked?.port ?? (await freePort())
  const url = `postgres://fenghuo${asked === undefined ? '' : `:${asked.password}`}@127.0.0.1:${port}/postgres`
  let child: ChildProcess | null = null
  const start = async (): Promise<void> => {
    const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`, 'shared_buffers=32MB']
    // Nobody pulls the plug here: what the server has written outlives its kill without waiting for the disk.
    settings.push('fsync=off')
    const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])]
    child = spawn(path.join(binaries, 'postgres'), args, { ...who, env, cwd: folder, stdio: 'ignore' })
    await answers(url)
  }
  const stop = async (how: 'fast' | 'kill'): Promise<void> => {
    const running = child
    if (running === null) return
    const gone = new Promise((resolve) => running.once('exit', resolve))
    if (how === 'kill') {
      // All of it at once, as a host that loses its power: the server's processes notice by themselves that their head is gone.
      running.kill('SIGKILL')
    } else running.kill('SIGINT')
    await gone
    child = null
  }
  const copied = (from: string, to: string): void => {
    rmSync(to, { recursive: true, force: true })
    execFileSync('cp', ['-a', from, to])
  }
  await start()
  return {
    ours: true,
    ...databasesOf(url),
    stop,
    start,
    async keep() {
      await stop('fast')
      copied(data, path.join(folder, 'kept'))
      await start()
    },
    async goBack() {
      await stop('kill')
      copied(path.join(folder, 'kept'), data)
      await start()
    },
    async close() {
      await stop('kill')
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

/** A server that is not ours to stop: the same tests run, with its connections cut instead. */
function remote(url: string, close: () => Promise<void>): PostgresServer {
  const { database, run, made } = databasesOf(url)
  const cut = `select pg_terminate_backend(pid) from pg_stat_activity where usename = current_user and datname like 'fenghuo_test_%'`
  return {
    ours: false,
    database,
    run,
    stop: async () => void (await run(url, cut)),
    start: async () => {},
    keep: async () => {},
    goBack: () => Promise.reject(new Error('This server is not ours to put back.')),
    async close() {
      for (const name of made) await run(url, `drop database if exists ${name} with (force)`)
      await close()
    }
  }
}

function databasesOf(url: string): Pick<PostgresServer, 'database' | 'run'> & { made: string[] } {
  const made: string[] = []
  const run: PostgresServer['run'] = async <Row>(where: string, text: string, values: readonly unknown[] = []) => {
    const client = new pg.Client({ connectionString: where })
    client.on('error', () => {})
    await client.connect()
    try {
      return (await client.query(text, [...values])).rows as Row[]
    } finally {
      await client.end()
    }
  }
  const database = async (like?: string): Promise<string> => {
    const name = `fenghuo_test_${process.pid}_${made.length + 1}`
    made.push(name)
    await run(url, `create database ${name}${like === undefined ? '' : ` template ${new URL(like).pathname.slice(1)}`}`)
    const address = new URL(url)
    address.pathname = `/${name}`
    return address.href
  }
  return { database, run, made }
}

async function containerUrl(): Promise<{ url: string; stop(): Promise<void> } | null> {
  try {
    const { PostgreSqlContainer } = await import('@testcontainers/postgresql')
    const container = await new PostgreSqlContainer('postgres:15-bookworm').start()
    return { url: container.getConnectionUri(), stop: async () => void (await container.stop()) }
  } catch {
    return null
  }
}

async function answers(url: string): Promise<void> {
  const clock = new SystemClock()
  for (;;) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.end()
      return
    } catch {
      await pause(clock, 20)
    }
  }
}
