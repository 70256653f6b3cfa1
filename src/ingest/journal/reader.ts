// Reads records back from the segments, from any seq. A sequential reader goes on where it stood: the last few places are kept.
// Invariant: what is answered is flushed, sound and without a gap; otherwise a Refusal says where the journal is broken.

import type { JournalRecord } from '../../model/journal.ts'
import type { Disk } from './disk.ts'
import { errnoOf } from './errno.ts'
import { GROUP_HEADER_BYTES, groupBodyBytes, readRecord, recordEnd } from './format.ts'
import { brokenRefusal, prunedRefusal } from './refusals.ts'
import { GroupScan } from './scan.ts'
import type { Segment } from './segment.ts'

const PLACES_KEPT = 4

interface Place {
  segment: Segment
  following: Segment | null
  scan: GroupScan
  /** The first seq of the next group. */
  expected: number
  /** The record in `scan.block` that has `seq`; at `groupEnd`, the next group is due. */
  record: number
  groupEnd: number
  seq: number
}

export class JournalReader {
  readonly #disk: Disk
  readonly #folder: string
  readonly #segments: readonly Segment[]
  readonly #places: Place[] = []

  constructor(disk: Disk, folder: string, segments: readonly Segment[]) {
    this.#disk = disk
    this.#folder = folder
    this.#segments = segments
  }

  /** The records after `afterSeq` up to `flushedSeq`, at least one if there is one. */
  async read(afterSeq: number, flushedSeq: number, maxRecords: number, maxBytes: number): Promise<JournalRecord[]> {
    const records: JournalRecord[] = []
    const wanted = afterSeq + 1
    if (wanted > flushedSeq) return records
    const place = this.#placeOf(wanted)
    let bytes = 0
    while (place.seq <= flushedSeq && records.length < maxRecords && (bytes < maxBytes || records.length === 0)) {
      if (place.record >= place.groupEnd) {
        await this.#nextGroup(place, wanted)
        continue
      }
      const end = recordEnd(place.scan.block, place.record)
      if (place.seq >= wanted) {
        records.push(readRecord(place.scan.block, place.record, place.seq))
        bytes += end - place.record
      }
      place.record = end
      place.seq++
    }
    this.#places.push(place)
    if (this.#places.length > PLACES_KEPT) this.#places.shift()
    return records
  }

  /** A kept place that stands at `seq`, or the beginning of the segment that holds it. */
  #placeOf(seq: number): Place {
    const kept = this.#places.findIndex((place) => place.seq === seq)
    if (kept >= 0) {
      const [place] = this.#places.splice(kept, 1) as [Place]
      place.following = this.#after(place.segment)
      place.scan.end = Math.max(place.scan.end, place.segment.bytes)
      return place
    }
    const segment = this.#segments.findLast(({ firstSeq }) => firstSeq <= seq)
    if (segment === undefined) throw prunedRefusal(this.#folder, seq, this.#segments[0]?.firstSeq ?? seq)
    return this.#beginningOf(segment)
  }

  #beginningOf(segment: Segment): Place {
    const scan = new GroupScan(this.#disk, segment.path, segment.salt, segment.bytes)
    const { firstSeq } = segment
    return { segment, following: this.#after(segment), scan, expected: firstSeq, record: 0, groupEnd: 0, seq: firstSeq }
  }

  #after(segment: Segment): Segment | null {
    return this.#segments.find(({ firstSeq }) => firstSeq > segment.firstSeq) ?? null
  }

  async #nextGroup(place: Place, wanted: number): Promise<void> {
    // A segment ends where the next begins: what stands behind that was never acknowledged there.
    if (place.following !== null && place.expected >= place.following.firstSeq) {
      if (place.expected > place.following.firstSeq) throw this.#broken(place, 'the group reaches into the next file')
      Object.assign(place, this.#beginningOf(place.following))
      return
    }
    const step = place.scan.step()
    if (step === 'more') return this.#fill(place)
    if (step === 'end') throw this.#broken(place, 'the file ends too early')
    if (step === 'invalid') throw this.#broken(place, 'the checksum does not match')
    const { scan } = place
    if (scan.firstSeq !== place.expected) throw this.#broken(place, `record ${scan.firstSeq} stands there`)
    place.expected += scan.count
    place.groupEnd = scan.start + GROUP_HEADER_BYTES + groupBodyBytes(scan.block, scan.start)
    const isBeforeWanted = place.expected <= wanted
    place.seq = isBeforeWanted ? place.expected : scan.firstSeq
    place.record = isBeforeWanted ? place.groupEnd : scan.start + GROUP_HEADER_BYTES
  }

  async #fill(place: Place): Promise<void> {
    try {
      await place.scan.fill()
    } catch (cause) {
      if (errnoOf(cause) !== 'ENOENT') throw cause
      const oldest = this.#segments[0]?.firstSeq ?? place.seq
      throw place.segment.firstSeq < oldest ? prunedRefusal(this.#folder, place.seq, oldest) : this.#broken(place, 'the file is missing')
    }
    place.record = 0
    place.groupEnd = 0
  }

  #broken(place: Place, wrong: string): Error {
    return brokenRefusal(place.segment.path, place.scan.offset, place.expected, wrong)
  }
}
