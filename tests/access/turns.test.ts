import { describe, expect, it } from 'vitest'
import { Turns } from '../../src/access/turns.ts'

describe('turns', () => {
  it('run one at a time, in order, and turn away whoever finds the line full', async () => {
    const turns = new Turns(2)
    const log: string[] = []
    const gates: (() => void)[] = []
    const work = (name: string) => async () => {
      log.push(`${name} begins`)
      await new Promise<void>((open) => void gates.push(open))
      log.push(`${name} ends`)
      return name
    }
    const taken = ['a', 'b', 'c', 'd'].map((name) => turns.take(work(name)))
    expect(taken.map((turn) => turn !== null)).toEqual([true, true, true, false])
    for (let place = 0; place < 3; place++) {
      while (gates.length <= place) await Promise.resolve()
      gates[place]?.()
    }
    expect(await Promise.all(taken)).toEqual(['a', 'b', 'c', null])
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
    expect(await turns.take(async () => 'e')).toBe('e')
  })

  it('go on after one that failed', async () => {
    const turns = new Turns(1)
    const failing = turns.take(async () => Promise.reject(new Error('no')))
    const next = turns.take(async () => 'yes')
    await expect(failing).rejects.toThrow('no')
    expect(await next).toBe('yes')
  })
})
