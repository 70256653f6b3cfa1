// Being built.

export function RulePage(_props: { id: string }) {
  return null
}
