import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { callTool, fakeLog } from '@mcp-patchbay/plugin-api/testing'
import type { SqliteConfig } from '../config.ts'
import { Database } from '../database.ts'
import sqlite from '../index.ts'

/** A database file with the plugin's client for it, and so one process: every call of a test goes through it. */
export interface TestDatabase {
  readonly file: string
  readonly client: Database
  readonly call: (tool: string, input: object) => Promise<string>
  readonly query: (sql: string, input?: { readonly parameters?: readonly unknown[]; readonly limit?: number }) => Promise<string>
  readonly execute: (sql: string, parameters?: readonly unknown[]) => Promise<string>
}

/** A database of its own for a test or a suite, filled by `script`. A busy machine has all the time it needs. */
export function databaseWith(
  t: { after(release: () => Promise<void>): void },
  script: string,
  config: Partial<SqliteConfig> = {},
): TestDatabase {
  const folder = mkdtempSync(path.join(tmpdir(), 'sqlite-test-'))
  const file = path.join(folder, 'test.db')
  using database = new DatabaseSync(file)
  database.exec(script)
  const client = new Database({ file, config: { maxRows: 1_000, queryTimeoutMs: 60_000, ...config }, log: fakeLog() })
  t.after(async () => {
    await client[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })
  const call = (tool: string, input: object) => callTool(sqlite, tool, input, { client })
  return {
    file,
    client,
    call,
    query: (sql, input) => call('query_run', { sql, ...input }),
    execute: (sql, parameters = []) => call('statement_execute', { sql, parameters }),
  }
}

/** What the tests ask about. */
export const people = `
  CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER);
  CREATE TABLE order_items (id INTEGER PRIMARY KEY, person INTEGER REFERENCES people (id), what TEXT DEFAULT 'a | b');
  CREATE UNIQUE INDEX items_once ON order_items (person, what);
  CREATE VIEW adults AS SELECT * FROM people WHERE age >= 18;
  INSERT INTO people VALUES (1, 'Ada', 36), (2, 'Grace', 41), (3, 'Alan', NULL);
`
