// Tables of devices as spreadsheets write them: every row read or named, whatever the encoding and the quotes.

import { describe, expect, it } from 'vitest'
import { readDeviceTable } from '../../../src/app/import/deviceTable.ts'

const read = (table: string | Uint8Array, known: Record<string, object> = {}) =>
  readDeviceTable(typeof table === 'string' ? Buffer.from(table) : table, (id) => (known[id] as Record<string, unknown>) ?? null)
const written = (table: string | Uint8Array, known?: Record<string, object>) =>
  read(table, known).rows.map(({ change }) => change?.written ?? null)

describe('a table of devices', () => {
  it('gives each row as a device, with limits and labels', () => {
    const table =
      'id,profile,name,gateway,area,limits.high,labels.medium\nT-1,tank,"Tank ""one"", east",gw-0,b,85.5,methanol\nT-2,tank,,,,,\n'
    expect(written(table)).toEqual([
      {
        id: 'T-1',
        profile: 'tank',
        name: 'Tank "one", east',
        gateway: 'gw-0',
        area: 'b',
        limits: { high: 85.5 },
        labels: { medium: 'methanol' }
      },
      { id: 'T-2', profile: 'tank' }
    ])
    expect(read(table).rows.map(({ line, isNew }) => [line, isNew])).toEqual([
      [2, true],
      [3, true]
    ])
  })

  it('changes what its columns say of a known device, and leaves the rest', () => {
    const known = { 'T-1': { id: 'T-1', profile: 'tank', area: 'b', name: { zh: '一', en: 'one' }, limits: { high: 80, low: 5 } } }
    expect(written('id,limits.high\nT-1,90\n', known)).toEqual([{ ...known['T-1'], limits: { high: 90, low: 5 } }])
    expect(written('id,limits.high,limits.low\nT-1,,\n', known)).toEqual([
      { id: 'T-1', profile: 'tank', area: 'b', name: known['T-1'].name }
    ])
    expect(written('id,name.en\nT-1,first\n', known)).toEqual([{ ...known['T-1'], name: { zh: '一', en: 'first' } }])
    expect(written('id,area,profile\nT-1,b,tank\n', known)).toEqual([null])
  })

  it('is read in the encodings of spreadsheets, with their separators and line ends', () => {
    const rows = [{ id: 'T-1', profile: 'tank', name: '甲醇储罐' }]
    expect(written('\uFEFFid,profile,name\r\nT-1,tank,甲醇储罐\r\n')).toEqual(rows)
    const gbk = Buffer.concat([Buffer.from('id;profile;name\r\nT-1;tank;'), Buffer.from('bcd7b4bcb4a2b9de', 'hex'), Buffer.from('\r\n')])
    expect(written(gbk)).toEqual(rows)
    expect(written(Buffer.from('\uFEFFid\tprofile\tname\nT-1\ttank\t甲醇储罐\n', 'utf16le'))).toEqual(rows)
    expect(written('id,profile,name\n"T-1","tank","甲醇\n储罐"\n\n,,\nT-2,tank,x\n').length).toBe(2)
    expect(read('id,profile,name\n"T-1","tank","a\nb"\nT-2,tank,x\n').rows.map(({ line }) => line)).toEqual([2, 4])
  })

  it('names every bad row by its line, and gives nothing then', () => {
    const table = 'id,profile,limits.high\nT-1,tank,85\n,tank,1\nT-2,tank,abc\nT-1,tank,86\nT-3\nT-4,,1\n'
    expect(read(table)).toEqual({
      rows: [],
      problems: [
        { line: 3, problem: 'the row has no id' },
        { line: 4, problem: 'device T-2: limits.high holds "abc", which is not a number' },
        { line: 5, problem: 'the device T-1 is in line 2 already' },
        { line: 6, problem: 'the row has 1 cells, the header 3' },
        { line: 7, problem: 'device T-4: it has no profile, which is required' }
      ]
    })
  })

  it('says what is wrong with a file that is no such table', () => {
    const problems = (table: string | Uint8Array): string[] => read(table).problems.map(({ line, problem }) => `${line}: ${problem}`)
    expect(problems('')).toEqual(['1: the file is empty; its first line names the columns: id, profile, …'])
    expect(problems('id,profle,,id\n')).toEqual([
      '1: the column profle is not known; did you mean profile?',
      '1: column 3 has no name',
      '1: the column id is there twice'
    ])
    expect(problems('profile\ntank\n')).toEqual(['1: there is no column id'])
    expect(problems(Buffer.from('504b0304aabb', 'hex'))).toEqual(['1: this is a workbook, not text; save it as CSV'])
    expect(problems(Buffer.from('ff00ff', 'hex'))).toEqual(['1: the text is neither UTF-8 nor GBK; save it as "CSV UTF-8"'])
    expect(problems('id,profile\n"T-1,tank\n')[0]).toMatch(/^\d: the table cannot be read: /)
  })
})
