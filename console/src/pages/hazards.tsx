// Being built.

export function HazardsPage() {
  return null
}
