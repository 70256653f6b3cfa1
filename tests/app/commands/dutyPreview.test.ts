// fenghuo duty preview on the command line: who would be told, as text and as JSON, and every way it may be refused.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { runFenghuo } from '../../liveService.ts'

const PLANT = path.join(import.meta.dirname, '..', '..', 'scenarios', 'duty', 'plant')
const CONFIG = path.join(import.meta.dirname, '..', '..', '..', 'config', 'fenghuo.yaml')
const folder = mkdtempSync(path.join(tmpdir(), 'fenghuo-preview-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const preview = (args: readonly string[], config = PLANT) => runFenghuo(['duty', 'preview', '--config', config, ...args])
const AT = ['--at', '2026-01-05T10:00:00+08:00']

describe('fenghuo duty preview', () => {
  it('tells as JSON what it tells as text, numbers masked, exit 0', async () => {
    const args = ['--rule', 'tank-level', '--device', 'T-101', '--tier', 'red', ...AT]
    const [text, json] = await Promise.all([preview(args, CONFIG), preview([...args, '--json'], CONFIG)])
    expect([text.code, json.code]).toEqual([0, 0])
    const shown = JSON.parse(json.output)
    expect(shown).toMatchObject({ at: '2026-01-05T02:00:00.000Z', rule: 'tank-level', device: 'T-101', area: null, tier: 'red' })
    const [head, ...lines] = text.output.trimEnd().split('\n')
    expect(head).toBe(`tank-level on T-101 at red: ladder ${shown.ladder}, from 5 Jan 10:00 (Asia/Shanghai), if nobody answers`)
    expect(lines).toHaveLength(shown.told.length)
    expect(shown.told.length).toBeGreaterThan(3)
    for (const [i, one] of shown.told.entries()) {
      expect(lines[i]).toContain(`rung ${one.rung}  ${one.channel} to ${one.person}`)
      expect(one.address === null || /^….{3}$/.test(one.address)).toBe(true)
    }
    expect(json.output).not.toMatch(/\+86/)
  })

  it.each<[string, readonly string[], number, RegExp]>([
    ['a rule that is not there', ['--rule', 'nothing'], 2, /^The plant has no rule nothing\.\n$/],
    [
      'a device that is not there',
      ['--rule', 'tank-level', '--device', 'T-999'],
      2,
      /^The plant has no device T-999; name one with --device\.\n$/
    ],
    [
      'a site without such a device',
      ['--rule', 'tank-level', '--site', 'nowhere'],
      2,
      /^The plant has no device that tank-level watches at nowhere; name one/
    ],
    ['an area that is not there', ['--rule', 'tank-level', '--area', 'nowhere'], 2, /^The plant has no area nowhere\.\n$/],
    ['a tier that is none', ['--rule', 'tank-level', '--tier', 'purple'], 2, /^--tier purple is no tier; the tiers are .*red.*\.\n$/],
    [
      'a time that is none',
      ['--rule', 'tank-level', '--at', 'soon'],
      2,
      /^--at soon is no time; write it as 2026-01-31T08:00:00\+08:00\.\n$/
    ],
    ['no rule at all', [], 2, /required option '--rule <id>' not specified/]
  ])('refuses %s in a sentence', async (_what, args, code, sentence) => {
    const outcome = await preview(args, CONFIG)
    expect([outcome.code, outcome.output]).toEqual([code, expect.stringMatching(sentence)])
  })

  it('refuses a folder that is not there, and names what is wrong in one that is', async () => {
    const missing = await preview(['--rule', 'x'], path.join(folder, 'none'))
    expect([missing.code, missing.output]).toEqual([
      2,
      expect.stringMatching(/^There is no .*none: name a plant folder, or the fenghuo\.yaml in it\.\n$/)
    ])
    writeFileSync(path.join(folder, 'plant.yaml'), 'enterprises: [{ id: "not an id!" }]\n')
    const wrong = await preview(['--rule', 'x'], folder)
    expect([wrong.code, wrong.output]).toEqual([1, expect.stringMatching(/plant\.yaml:1:\d+: /)])
    expect(existsSync(path.join(folder, 'data'))).toBe(false)
  })
})
