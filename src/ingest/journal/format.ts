// The bytes of the journal: a segment is a header and groups, a group is a header and records. Numbers are little-endian.
// Every group carries its segment's salt, which no sender can know: bytes in a message never pass for a group.

import { crc32 } from 'node:zlib'
import { type JournalRecord, RECORD_KINDS, type RecordKind } from '../../model/journal.ts'

export const FORMAT = 1
export const SALT_BYTES = 8
/** magic 8, format u32, zero u32, salt 8, zero u32, crc32 of the 28 bytes before it. */
export const SEGMENT_HEADER_BYTES = 32
/** salt 8, body length u32, record count u32, first seq u64, crc32 of the body, crc32 of the 28 bytes before it. */
export const GROUP_HEADER_BYTES = 32
/** body length u32, source length u16, kind u8, 1 where the source is ASCII u8, receivedAt f64; then source and body. */
export const RECORD_HEADER_BYTES = 16
export const SOURCE_BYTES = 65_535

const MAGIC = 'FENGHUOJ'
const TWO_32 = 2 ** 32
const SEGMENT_NAME = /^(\d{16})\.journal$/

/** A segment is named by its first seq. */
export function segmentName(firstSeq: number): string {
  return `${String(firstSeq).padStart(16, '0')}.journal`
}

/** The first seq of a segment's file, or null where the name is not a segment's. */
export function firstSeqOf(name: string): number | null {
  const match = SEGMENT_NAME.exec(name)
  return match === null ? null : Number(match[1])
}

export function segmentHeader(salt: Uint8Array, format = FORMAT): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES)
  header.write(MAGIC, 0, 'latin1')
  header.writeUInt32LE(format, 8)
  header.set(salt, 16)
  header.writeUInt32LE(crc32(header.subarray(0, 28)), 28)
  return header
}

/** The salt of a segment, or what is wrong with its header, or the format that this version does not know yet. */
export function readSegmentHeader(header: Buffer): { salt: Buffer } | { wrong: string; newer?: number } {
  if (header.length < SEGMENT_HEADER_BYTES) return { wrong: 'the file is too short to hold a header' }
  if (header.toString('latin1', 0, 8) !== MAGIC) return { wrong: 'the file does not begin like a journal segment' }
  if (header.readUInt32LE(28) !== crc32(header.subarray(0, 28))) return { wrong: "the checksum of the file's header does not match" }
  const format = header.readUInt32LE(8)
  if (format !== FORMAT) {
    const wrong = `the file has format ${format}, this version reads format ${FORMAT}`
    return format > FORMAT ? { wrong, newer: format } : { wrong }
  }
  return { salt: Buffer.from(header.subarray(16, 16 + SALT_BYTES)) }
}

/** Completes the header of a group whose records stand at `start + GROUP_HEADER_BYTES .. end`. */
export function sealGroup(bytes: Buffer, start: number, end: number, count: number, firstSeq: number, salt: Uint8Array): void {
  const body = start + GROUP_HEADER_BYTES
  bytes.set(salt, start)
  bytes.writeUInt32LE(end - body, start + 8)
  bytes.writeUInt32LE(count, start + 12)
  bytes.writeUInt32LE(firstSeq % TWO_32, start + 16)
  bytes.writeUInt32LE(Math.floor(firstSeq / TWO_32), start + 20)
  bytes.writeUInt32LE(crc32(bytes.subarray(body, end)), start + 24)
  bytes.writeUInt32LE(crc32(bytes.subarray(start, start + 28)), start + 28)
}

/** The body length a group header at `start` states. */
export function groupBodyBytes(bytes: Buffer, start: number): number {
  return bytes.readUInt32LE(start + 8)
}

export function groupCount(bytes: Buffer, start: number): number {
  return bytes.readUInt32LE(start + 12)
}

export function groupFirstSeq(bytes: Buffer, start: number): number {
  return bytes.readUInt32LE(start + 16) + bytes.readUInt32LE(start + 20) * TWO_32
}

/** Whether a whole and sound group header of this segment stands at `start`. */
export function isGroupHeader(bytes: Buffer, start: number, end: number, salt: Buffer): boolean {
  if (end - start < GROUP_HEADER_BYTES) return false
  if (salt.compare(bytes, start, start + SALT_BYTES) !== 0) return false
  return bytes.readUInt32LE(start + 28) === crc32(bytes.subarray(start, start + 28))
}

/** Whether the body after a sound header at `start` is sound; it must lie within `bytes`. */
export function isGroupBody(bytes: Buffer, start: number): boolean {
  const body = start + GROUP_HEADER_BYTES
  return bytes.readUInt32LE(start + 24) === crc32(bytes.subarray(body, body + groupBodyBytes(bytes, start)))
}

export const KIND_CODE: Readonly<Record<RecordKind, number>> = { telemetry: 0, presence: 1, action: 2, plant: 3, delivery: 4 }

/** The most bytes a record can take. */
export function mostRecordBytes(source: string, body: Uint8Array): number {
  return RECORD_HEADER_BYTES + source.length * 3 + body.length
}

/** Writes one record at `at` and returns where it ends. */
export function writeRecord(
  bytes: Buffer,
  view: DataView,
  at: number,
  kind: number,
  source: string,
  body: Uint8Array,
  receivedAt: number
): number {
  const sourceAt = at + RECORD_HEADER_BYTES
  const sourceBytes = bytes.write(source, sourceAt, 'utf8')
  view.setUint32(at, body.length, true)
  view.setUint16(at + 4, sourceBytes, true)
  view.setUint8(at + 6, kind)
  view.setUint8(at + 7, sourceBytes === source.length ? 1 : 0)
  view.setFloat64(at + 8, receivedAt, true)
  const bodyAt = sourceAt + sourceBytes
  bytes.set(body, bodyAt)
  return bodyAt + body.length
}

/** Where the record at `at` ends. */
export function recordEnd(bytes: Buffer, at: number): number {
  return at + RECORD_HEADER_BYTES + bytes.readUInt16LE(at + 4) + bytes.readUInt32LE(at)
}

export function recordReceivedAt(bytes: Buffer, at: number): number {
  return bytes.readDoubleLE(at + 8)
}

/** The record at `at`; its body is a view into `bytes`. */
export function readRecord(bytes: Buffer, at: number, seq: number): JournalRecord {
  const sourceAt = at + RECORD_HEADER_BYTES
  const bodyAt = sourceAt + bytes.readUInt16LE(at + 4)
  const source = bytes[at + 7] === 1 ? bytes.toString('latin1', sourceAt, bodyAt) : bytes.toString('utf8', sourceAt, bodyAt)
  return {
    seq,
    receivedAt: recordReceivedAt(bytes, at),
    kind: RECORD_KINDS[bytes[at + 6] as number] as RecordKind,
    source,
    body: bytes.subarray(bodyAt, bodyAt + bytes.readUInt32LE(at))
  }
}
