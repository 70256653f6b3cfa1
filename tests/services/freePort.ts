// A loopback port that nobody listens on, below those that the system gives to connections: none takes it while a test's server is down.

import { createServer } from 'node:net'

const FIRST = 20_000
const COUNT = 12_000
let tried = process.pid * 131

export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + (tried++ % COUNT)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
