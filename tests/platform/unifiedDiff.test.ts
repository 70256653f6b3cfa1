import { describe, expect, it } from 'vitest'
import { unifiedDiff } from '../../src/platform/unifiedDiff.ts'

const NAMES = { before: 'a', after: 'b' }
const numbered = (from: number, to: number): string => Array.from({ length: to - from + 1 }, (_, i) => `${from + i}\n`).join('')

describe('a unified diff', () => {
  it('is empty where nothing has changed', () => {
    expect(unifiedDiff('x\n', 'x\n', NAMES)).toBe('')
    expect(unifiedDiff('', '', NAMES)).toBe('')
  })

  it('tells what came and what went', () => {
    expect(unifiedDiff('', 'x\ny\n', NAMES)).toBe('--- a\n+++ b\n@@ -0,0 +1,2 @@\n+x\n+y\n')
    expect(unifiedDiff('x\n', '', NAMES)).toBe('--- a\n+++ b\n@@ -1 +0,0 @@\n-x\n')
  })

  it('shows three lines around, and parts that lie far from each other apart', () => {
    const before = numbered(1, 20)
    const after = before.replace('\n5\n', '\nfive\n').replace('\n18\n', '\n')
    expect(unifiedDiff(before, after, NAMES)).toBe(
      '--- a\n+++ b\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n@@ -15,6 +15,5 @@\n 15\n 16\n 17\n-18\n 19\n 20\n'
    )
  })

  it('joins parts that share their surroundings, and numbers what follows an insertion by both sides', () => {
    const before = numbered(1, 30)
    const after = before.replace('\n2\n', '\n2\nnew\n').replace('\n7\n', '\nseven\n').replace('\n25\n', '\n')
    const hunks = unifiedDiff(before, after, NAMES).match(/^@@.*$/gm)
    expect(hunks).toEqual(['@@ -1,10 +1,11 @@', '@@ -22,7 +23,6 @@'])
  })
})
