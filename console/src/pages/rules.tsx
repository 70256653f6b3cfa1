// Being built.

import type { Route } from '../route.ts'
export function RulesPage(_props: { route: Route }) {
  return null
}
