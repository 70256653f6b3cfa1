// fenghuo secrets make: passwords and tokens for servers and the service beside them, each a file that only those may read who need it.

import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Command } from 'commander'
import { Refusal, whyNot } from '../../platform/problem.ts'
import { secretText } from '../../platform/random.ts'
import type { Output } from './check.ts'

export function secretsCommand(program: Command): void {
  program
    .command('secrets')
    .description('passwords and tokens by files')
    .command('make')
    .description('makes those that are not there yet; says which, never what they hold')
    .argument('<dir>', 'where to')
    .argument(
      '<file...>',
      'NAME, or NAME:GROUP for a file that the group of this number may read; =TEXT in place of a random text, {OTHER} in it for what the file OTHER holds, as addresses write it'
    )
    .action((folder: string, files: string[]) => makeSecrets(folder, files, console))
}

interface Wish {
  readonly name: string
  readonly group: number | null
  /** Null: a random text. */
  readonly text: string | null
}

const SHAPE = /^([a-z0-9][a-z0-9.-]*)(?::(\d+))?(?:=(.*))?$/
const RANDOM_BYTES = 24

/** Makes the files that are missing, in this order. Throws a Refusal where it cannot. */
export async function makeSecrets(folder: string, files: readonly string[], out: Output): Promise<void> {
  for (const wish of files.map(parsed)) {
    const file = path.join(folder, wish.name)
    if (existsSync(file)) {
      out.log(`${file} stays as it is.`)
      continue
    }
    const text = wish.text === null ? secretText(RANDOM_BYTES) : await filled(wish.text, folder)
    await write(file, text, wish.group)
    out.log(`${file} was made.`)
  }
}

function parsed(text: string): Wish {
  const [, name, group, given] = SHAPE.exec(text) ?? []
  if (name === undefined)
    throw new Refusal(`"${text}" names no file: write NAME, NAME:GROUP or NAME=TEXT, the name in small letters, digits, dots and dashes.`, {
      exitCode: 2
    })
  return { name, group: group === undefined ? null : Number(group), text: given ?? null }
}

async function filled(text: string, folder: string): Promise<string> {
  const parts = text.split(/\{([a-z0-9.-]+)\}/)
  for (let i = 1; i < parts.length; i += 2) {
    const file = path.join(folder, parts[i] as string)
    const held = await readFile(file, 'utf8').catch((cause: unknown) => {
      throw new Refusal(`${file} cannot be read: ${whyNot(cause)}.`, { cause })
    })
    parts[i] = encodeURIComponent(held.trimEnd())
  }
  return parts.join('')
}

/** Never half there, whatever happens: a file that is there is not made again. */
async function write(target: string, text: string, group: number | null): Promise<void> {
  try {
    await mkdir(path.dirname(target), { recursive: true })
    await rm(`${target}.part`, { force: true })
    const file = await open(`${target}.part`, 'wx', 0o600)
    try {
      await file.writeFile(`${text}\n`)
      await file.datasync()
    } finally {
      await file.close()
    }
    if (group !== null) await chown(`${target}.part`, process.getuid?.() ?? -1, group)
    await chmod(`${target}.part`, 0o440)
    await rename(`${target}.part`, target)
  } catch (cause) {
    const hint = group === null ? '' : ` Whoever makes a file for group ${group} must be one of it, or root.`
    throw new Refusal(`${target} cannot be made: ${whyNot(cause)}.${hint}`, { cause })
  }
}
