// Serves the built console: hashed assets for ever, index.html never from a cache, and index.html for every page address.

import { existsSync } from 'node:fs'
import path from 'node:path'
import files from '@fastify/static'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ApiProblem, sendProblem } from './problems.ts'
import { sendNoLink, wantsLink } from './routes/fromOutside.ts'

const YEAR_S = 31_536_000

const NOT_BUILT = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Fenghuo 烽火</title>
<h1>The console is not built</h1>
<p>Run <code>npm run build</code> and start the service again.</p>
<p lang="zh">控制台尚未构建：请运行 <code>npm run build</code>，然后重新启动服务。</p>
<p>The API is running: <a href="/docs/">its documentation</a>.</p>
</html>
`

/** Adds the console to `app`, and answers for everything that is nowhere. */
export async function serveConsole(app: FastifyInstance, folder: string): Promise<void> {
  const built = existsSync(path.join(folder, 'index.html'))
  if (built) {
    await app.register(files, {
      root: folder,
      wildcard: true,
      index: false,
      redirect: false,
      cacheControl: false,
      setHeaders: (reply, file) => {
        const hashed = path.relative(folder, file).startsWith(`assets${path.sep}`)
        reply.header('cache-control', hashed ? `public, max-age=${YEAR_S}, immutable` : 'no-cache')
      }
    })
    app.get('/', { schema: { hide: true } }, (_request, reply) => reply.sendFile('index.html'))
  }
  app.setNotFoundHandler((request, reply) => {
    if (wantsLink(request)) return sendNoLink(reply)
    if (!isPage(request)) return sendProblem(request, reply, nothingHere(request))
    return built ? reply.sendFile('index.html') : reply.type('text/html; charset=utf-8').header('cache-control', 'no-store').send(NOT_BUILT)
  })
}

/** Whether this is the address of a page of the console: not of the API, and not of a file. */
function isPage(request: FastifyRequest): boolean {
  if (request.method !== 'GET' && request.method !== 'HEAD') return false
  const [where = '/'] = request.url.split('?', 1)
  return !where.startsWith('/api/') && !where.startsWith('/docs') && path.posix.extname(where) === ''
}

function nothingHere(request: FastifyRequest): ApiProblem {
  const [where] = request.url.split('?', 1)
  return new ApiProblem('unknown', `There is nothing at ${request.method} ${where}. The API is described at /docs.`)
}
