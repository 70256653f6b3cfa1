// Which passwords are taken. Long ones of any kind are; what everybody tries first is not.

import { LIMITS } from '../platform/limits.ts'
import { type Problem, problem } from '../platform/problem.ts'

const SHORTEST = 8
const FEWEST_KINDS = 4
/** What is tried first everywhere, in lower case, digits at the end cut off. */
const COMMON = new Set(
  'password passwort passw0rd p@ssw0rd p@ssword qwertyui qwertyuiop asdfghjkl zxcvbnm iloveyou letmein welcome administrator admin root changeme default secret fenghuo woaini'.split(
    ' '
  )
)

/** Why this is no password for a user of this name, or null. */
export function passwordProblem(name: string, password: string): Problem | null {
  if (password.length < SHORTEST || password.length > LIMITS.access.passwordLength)
    return problem(`A password is ${SHORTEST} to ${LIMITS.access.passwordLength} characters long: choose another.`)
  if (password.trim() === '') return problem('A password is more than blanks: choose another.')
  const plain = password.toLowerCase()
  if (plain.includes(name.toLowerCase()) && password.length < name.length + SHORTEST)
    return problem('This password is hardly more than the user name: choose another.')
  if (new Set(plain).size < FEWEST_KINDS) return problem('This password repeats a few characters: choose another.')
  if (isRun(plain) || COMMON.has(plain.replace(/[\d!@#$.]+$/, '')))
    return problem('This password is among those that are tried first: choose another, three unrelated words for instance.')
  return null
}

/** Whether it counts up or down: 12345678, hgfedcba. */
function isRun(text: string): boolean {
  const codes = [...text].map((letter) => letter.codePointAt(0) as number)
  const steps = new Set(codes.slice(1).map((code, place) => code - (codes[place] as number)))
  // After 9 comes 0.
  steps.delete(-9)
  return steps.size === 1 && (steps.has(1) || steps.has(-1))
}
