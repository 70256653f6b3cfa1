// An id beside a name; left out where the name already holds it.

export function Tag({ id, name }: { id: string; name: string }) {
  return name.includes(id) ? null : <span className="tag">{id}</span>
}
