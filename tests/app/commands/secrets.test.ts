// fenghuo secrets make: what is missing is made for those who may read it, what is there stays, and nothing of it is ever printed.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { makeSecrets } from '../../../src/app/commands/secrets.ts'

// As root any group may be given; otherwise only one's own.
const GROUP = process.getuid?.() === 0 ? 999 : (process.getgid?.() ?? 0)
const FILES = ['db-password', `broker.token:${GROUP}`, 'db-url=postgres://fenghuo:{db-password}@db/fenghuo']
const FILE_NAMES = ['db-password', 'broker.token', 'db-url']

let folder: string
const held = (name: string): string => readFileSync(path.join(folder, name), 'utf8')

/** What it printed. */
async function make(...files: string[]): Promise<string[]> {
  const said: string[] = []
  const say = (sentence: string): void => void said.push(sentence)
  await makeSecrets(folder, files, { log: say, error: say })
  return said
}

beforeEach(() => {
  folder = path.join(mkdtempSync(path.join(tmpdir(), 'fenghuo-secrets-')), 'secrets')
})

afterEach(() => rmSync(path.dirname(folder), { recursive: true, force: true }))

it('makes what is missing, each for those who may read it', async () => {
  expect(await make(...FILES)).toEqual(FILE_NAMES.map((name) => `${path.join(folder, name)} was made.`))
  expect(held('db-password')).toMatch(/^[\w-]{32}\n$/)
  expect(held('broker.token')).toMatch(/^[\w-]{32}\n$/)
  expect(held('broker.token')).not.toBe(held('db-password'))
  expect(held('db-url')).toBe(`postgres://fenghuo:${held('db-password').trim()}@db/fenghuo\n`)
  expect(readdirSync(folder).sort()).toEqual([...FILE_NAMES].sort())
  for (const name of FILE_NAMES) expect([name, statSync(path.join(folder, name)).mode & 0o777]).toEqual([name, 0o440])
  expect(statSync(path.join(folder, 'broker.token')).gid).toBe(GROUP)

  const before = FILE_NAMES.map(held)
  expect(await make(...FILES)).toEqual(FILE_NAMES.map((name) => `${path.join(folder, name)} stays as it is.`))
  expect(FILE_NAMES.map(held)).toEqual(before)
})

it('leaves what somebody else has put there, and writes it into an address as addresses are written', async () => {
  await make('other')
  writeFileSync(path.join(folder, 'db-password'), 'p@ss/word of my own\n')
  // Half written before the power went.
  writeFileSync(path.join(folder, 'db-url.part'), 'postgres://', { mode: 0o440 })
  expect((await make(...FILES)).join()).not.toContain('p@ss')
  expect(held('db-password')).toBe('p@ss/word of my own\n')
  expect(held('db-url')).toBe('postgres://fenghuo:p%40ss%2Fword%20of%20my%20own@db/fenghuo\n')
})

it('says what is wrong with what it was asked for', async () => {
  await expect(make('../escape')).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/^"\.\.\/escape" names no file: write NAME,/)
  })
  await expect(make('url={nowhere}')).rejects.toThrow(`${path.join(folder, 'nowhere')} cannot be read: there is no such file or folder.`)
  writeFileSync(folder, 'a file')
  await expect(make('one')).rejects.toThrow(/secrets\/one cannot be made: EEXIST/)
})
