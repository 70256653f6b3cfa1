// Being built.

import type { Route } from '../route.ts'
export function DutyPage(_props: { route: Route }) {
  return null
}
