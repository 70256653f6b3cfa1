// Whether DuckDB's binary works on this machine, without any file.

import { DuckDBInstance } from '@duckdb/node-api'

/** The version it says of itself; throws what kept it from loading. */
export async function duckdbVersion(): Promise<string> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  try {
    const connection = await instance.connect()
    const [[version]] = (await connection.runAndReadAll('SELECT version()')).getRows() as [[string]]
    connection.closeSync()
    return version
  } finally {
    instance.closeSync()
  }
}
