import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findJsonFault, jsonDepth } from '../../../src/ingest/decoders/fault.ts'

describe('a fault in JSON', () => {
  it.each([
    ['{"a": abc}', 6, 'a value is expected, but there is "a"'],
    ['{"a": 1,}', 8, 'a name in double quotes is expected, but there is "}"'],
    ['[1, 2', 5, 'the message ends too early'],
    ['[1 2]', 3, `',' or ']' is expected, but there is "2"`],
    ['{"a" 1}', 5, `':' is expected, but there is "1"`],
    ["{'a': 1}", 1, `a name in double quotes is expected, but there is "'"`],
    ['{"a": 1}}', 8, 'the end of the message is expected, but there is "}"'],
    ['{"a": "text', 6, 'a value is expected, but there is a text that does not end or holds an invalid character'],
    ['NaN', 0, 'a value is expected, but there is "N"'],
    ['', 0, 'the message ends too early'],
    ['01', 1, 'the end of the message is expected, but there is "1"'],
    ['{"a": .5}', 6, 'a value is expected, but there is "."'],
    ['\ufeff{}', 0, 'a value is expected, but there is "\ufeff"']
  ])('%j: at %d, %s', (text, position, wrong) => expect(findJsonFault(text)).toEqual({ position, wrong }))

  it('is found exactly where JSON.parse refuses', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"a"',
      ':',
      ',',
      '1',
      '-',
      '0',
      '.5',
      'e',
      '1e5',
      'true',
      'null',
      '"\\u00e9"',
      '"\\x"',
      ' ',
      '\n',
      '"',
      'x'
    )
    const texts = fc.oneof(
      fc.array(pieces, { maxLength: 12 }).map((list) => list.join('')),
      fc.json(),
      fc.tuple(fc.json(), fc.nat(), fc.nat(127)).map(([json, at, code]) => {
        const place = at % (json.length + 1)
        return json.slice(0, place) + String.fromCharCode(code) + json.slice(place + 1)
      })
    )
    fc.assert(
      fc.property(texts, (text) => {
        let isJson = true
        try {
          JSON.parse(text)
        } catch {
          isJson = false
        }
        expect(findJsonFault(text) === null).toBe(isJson)
      }),
      { numRuns: 2000 }
    )
  })

  it('costs nothing where it is deep', () => {
    expect(findJsonFault('['.repeat(200_000))).toEqual({ position: 200_000, wrong: 'the message ends too early' })
    expect(jsonDepth('['.repeat(200_000))).toBe(200_000)
  })
})

it('depth counts brackets, not those in texts', () => {
  expect(jsonDepth('1')).toBe(0)
  expect(jsonDepth('[{"a": ["]}{[\\"["]}, {}]')).toBe(3)
})
