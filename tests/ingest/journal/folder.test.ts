// The journal on the system's own disk: files, locks and processes as they are.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Journal } from '../../../src/ingest/journal/journal.ts'
import { SystemClock } from '../../../src/platform/clock.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { Refusal } from '../../../src/platform/problem.ts'
import { appendAll, readAllFrom, textOf } from './records.ts'

let folder: string

beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'fenghuo-journal-'))
})

afterEach(async () => {
  await fs.rm(folder, { recursive: true, force: true })
})

function journalIn(path: string, segmentBytes = 1 << 20): Journal {
  return new Journal({ folder: path, clock: new SystemClock(), log: silentLog, segmentBytes })
}

async function refusalOf(journal: Journal): Promise<string> {
  const thrown = await journal.start().catch((cause: unknown) => cause)
  expect(thrown).toBeInstanceOf(Refusal)
  return (thrown as Refusal).message
}

/** Another process that opens the journal, appends two records, says so and waits. */
async function otherProcess(path: string): Promise<ChildProcess> {
  const module = (name: string): string => JSON.stringify(new URL(`../../../src/${name}`, import.meta.url).href)
  const program = `
    import { Journal } from ${module('ingest/journal/journal.ts')}
    import { SystemClock } from ${module('platform/clock.ts')}
    import { silentLog } from ${module('platform/log.ts')}
    const journal = new Journal({ folder: ${JSON.stringify(path)}, clock: new SystemClock(), log: silentLog, segmentBytes: 1 << 20 })
    await journal.start()
    await journal.appended('telemetry', 't', Buffer.from('one'))
    await journal.appended('telemetry', 't', Buffer.from('two'))
    console.log('ready')
    process.stdin.resume()
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(child.stdout as NodeJS.ReadableStream, 'data')
  return child
}

describe('the folder', () => {
  it('is made where it does not exist, and holds the records over restarts and rotations', async () => {
    const path = join(folder, 'deep', 'journal')
    const bodies = Array.from({ length: 300 }, (_, i) => `${i}`.padEnd(500))
    for (let run = 0; run < 3; run++) {
      const journal = journalIn(path, 64 * 1024)
      await journal.start()
      await appendAll(journal, bodies.slice(run * 100, run * 100 + 100))
      await journal.stop()
    }
    const journal = journalIn(path, 64 * 1024)
    await journal.start()
    expect((await readAllFrom(journal, 0, 50)).map(textOf)).toEqual(bodies)
    await journal.prune({ beforeSeq: 200, maxBytes: 0, maxAgeMs: 0 })
    expect(journal.health().oldestSeq).toBeGreaterThan(1)
    await journal.stop()
  })

  it('is refused while another live process has it, and free as soon as that one is killed', async () => {
    const child = await otherProcess(folder)
    const sentence = await refusalOf(journalIn(folder))
    expect(sentence).toBe(
      `The journal folder ${folder} is in use by another process (pid ${child.pid}). Stop that one first, or choose another data folder (FENGHUO_DATA).`
    )
    child.kill('SIGKILL')
    await once(child, 'exit')
    const journal = journalIn(folder)
    await journal.start()
    expect((await readAllFrom(journal)).map(textOf)).toEqual(['one', 'two'])
    await journal.stop()
  })

  it('is refused to a second journal of the same process', async () => {
    const journal = journalIn(folder)
    await journal.start()
    await journal.start()
    expect(await refusalOf(journalIn(folder))).toContain(`(pid ${process.pid})`)
    await journal.stop()
    const next = journalIn(folder)
    await next.start()
    await next.stop()
  })

  it('is refused where it is a file, or lies in one', async () => {
    await fs.writeFile(join(folder, 'file'), '')
    expect(await refusalOf(journalIn(join(folder, 'file')))).toContain('there is a file of that name (EEXIST)')
    expect(await refusalOf(journalIn(join(folder, 'file', 'journal')))).toContain('part of the path is a file, not a folder (ENOTDIR)')
  })
})
