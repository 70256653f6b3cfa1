// Power fails at any moment, and of what was not flushed any part is left. Then: what was acknowledged is there,
// in order, and nothing that was never sent.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Journal } from '../../../src/ingest/journal/journal.ts'
import { Random } from '../../../src/platform/random.ts'
import { failure, MemoryDisk } from './memoryDisk.ts'
import { chanceText, journalOn, readAllFrom, textOf } from './records.ts'

interface Ledger {
  readonly sent: string[]
  acknowledged: number
}

/** Sends chance messages in chance batches until the disk answers no more or all is sent. */
async function send(journal: Journal, random: Random, ledger: Ledger, disk: MemoryDisk): Promise<void> {
  for (let batch = 0; batch < 12; batch++) {
    for (let i = random.between(1, 5); i > 0; i--) {
      const body = chanceText(random, 400)
      ledger.sent.push(body)
      const seq = ledger.sent.length
      journal.append('telemetry', 'fh/1/gw-01/telemetry', Buffer.from(body), (told) => {
        expect(told).toBe(seq)
        expect(ledger.acknowledged).toBe(seq - 1)
        ledger.acknowledged = seq
      })
    }
    for (let turns = random.between(0, 6); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve))
    if (disk.changes >= disk.powerFailsAt) return
  }
  for (let turns = 0; turns < 40 && journal.unflushedBytes > 0; turns++) await new Promise((resolve) => setImmediate(resolve))
}

async function crashAndRecover(seed: number, crashes: number): Promise<void> {
  const random = new Random(seed)
  const ledger: Ledger = { sent: [], acknowledged: 0 }
  let disk = new MemoryDisk()
  for (let crash = 0; crash < crashes; crash++) {
    disk.powerFailsAt = random.between(1, 120)
    const hasSpare = random.next() < 0.5
    disk.fault = (operation, file) => {
      if (operation === 'open' && file === 'spare.tmp' && !hasSpare) throw failure('ENOSPC', 'open')
      return null
    }
    const journal = journalOn(disk, { segmentBytes: 2048, groupBytes: 512, tailBytes: 2048 })
    const started = await Promise.race([
      journal.start().then(() => true),
      new Promise<false>((resolve) => {
        const wait = (): void => void (disk.changes >= disk.powerFailsAt ? setImmediate(() => resolve(false)) : setImmediate(wait))
        wait()
      })
    ])
    if (started) {
      const found = (await readAllFrom(journal)).map(textOf)
      expect(found.length).toBeGreaterThanOrEqual(ledger.acknowledged)
      expect(found).toEqual(ledger.sent.slice(0, found.length))
      ledger.sent.length = found.length
      ledger.acknowledged = found.length
      await send(journal, random, ledger, disk)
    }
    disk = random.next() < 0.2 ? disk.afterKill() : disk.afterPowerLoss(random)
  }
  const journal = journalOn(disk)
  await journal.start()
  const found = (await readAllFrom(journal)).map(textOf)
  expect(found.length).toBeGreaterThanOrEqual(ledger.acknowledged)
  expect(found).toEqual(ledger.sent.slice(0, found.length))
  await journal.stop()
}

describe('a journal that loses power', () => {
  it('has kept every acknowledged record in order, and holds nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1_000_000_000 }), (seed) => crashAndRecover(seed, 4)),
      { numRuns: 150, seed: 20_260_101 }
    )
  })
})
