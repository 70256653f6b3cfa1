// The command line itself, asked through bin/fenghuo.

import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { runFenghuo } from '../liveService.ts'

const { version } = JSON.parse(readFileSync(path.join(import.meta.dirname, '..', '..', 'package.json'), 'utf8')) as { version: string }

it.each([
  [['--version'], 0, new RegExp(`^${version}\n$`)],
  [['--help'], 0, /^Usage: fenghuo /],
  [['serve', '--help'], 0, /^Usage: fenghuo serve /],
  [[], 2, /^Usage: fenghuo /]
])('fenghuo %j ends with %i', async (args, status, printed) => {
  const { code, output } = await runFenghuo(args)
  expect([code, output]).toEqual([status, expect.stringMatching(printed)])
})
