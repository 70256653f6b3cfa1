// A real Redis for tests, from, in this order: TEST_REDIS_URL, a server that must not be killed (its connections are cut instead); the
// local binary on a free port in a temporary folder; a container. Without any of them the tests fail and say what to install.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Redis } from 'ioredis'
import { freePort } from './freePort.ts'

export interface RedisServer {
  readonly url: string
  /** kill -9. */
  kill(): Promise<void>
  /** Starts again on the same port, with nothing of what it held. */
  restart(): Promise<void>
  /** Stands still, with every connection open; `false` lets it go on. */
  stall(still: boolean): void
  flush(): Promise<void>
  close(): Promise<void>
}

export async function openRedis(): Promise<RedisServer> {
  const given = process.env.TEST_REDIS_URL
  if (given !== undefined) return remoteRedis(given, async () => {})
  if (spawnSync('redis-server', ['--version']).error === undefined) return localRedis()
  const container = await containerRedis()
  if (container !== null) return container
  throw new Error('A Redis is needed here: apt-get install redis-server, or set TEST_REDIS_URL, or run Docker.')
}

async function localRedis(): Promise<RedisServer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-redis-'))
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  let child: ChildProcess
  const start = async (): Promise<void> => {
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
    child = spawn('redis-server', [...options, '--maxmemory-policy', 'noeviction'], { stdio: 'ignore' })
    await answers(url)
  }
  const kill = async (): Promise<void> => {
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }
  await start()
  return {
    url,
    kill,
    restart: start,
    stall: (still) => void child.kill(still ? 'SIGSTOP' : 'SIGCONT'),
    flush: () => flush(url),
    async close() {
      child.kill('SIGCONT')
      await kill()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

/** A server that is not ours to kill: the same tests run, with its connections cut instead. */
function remoteRedis(url: string, close: () => Promise<void>): RedisServer {
  const cut = async (): Promise<void> => {
    const redis = new Redis(url)
    await redis.call('CLIENT', 'KILL', 'TYPE', 'normal').catch(() => {})
    redis.disconnect()
  }
  return {
    url,
    kill: cut,
    restart: () => flush(url),
    stall: (still) => {
      const redis = new Redis(url)
      const command = still ? redis.call('CLIENT', 'PAUSE', '6000') : redis.call('CLIENT', 'UNPAUSE')
      void command.finally(() => redis.disconnect())
    },
    flush: () => flush(url),
    close
  }
}

async function containerRedis(): Promise<RedisServer | null> {
  try {
    const { RedisContainer } = await import('@testcontainers/redis')
    const container = await new RedisContainer('redis:7').start()
    return remoteRedis(container.getConnectionUrl(), async () => void (await container.stop()))
  } catch {
    return null
  }
}

async function flush(url: string): Promise<void> {
  const redis = new Redis(url)
  await redis.flushall()
  redis.disconnect()
}

async function answers(url: string): Promise<void> {
  const redis = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 50 })
  redis.on('error', () => {})
  await redis.ping()
  redis.disconnect()
}
