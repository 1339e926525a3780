import pg from 'pg'

/** A value as JSON. What JSON cannot hold exactly is text as PostgreSQL writes it; bytes are told by their number. */
export type Cell = string | number | boolean | null | readonly Cell[] | { readonly [key: string]: Cell }

/** A text longer than this is cut, and says how long it was. */
const MAX_TEXT = 32_768

/** How the text that the server sends for a value of the type `oid` is shown. */
export function cell(text: string | null, oid: number): Cell {
  if (text === null) return null
  if (text.length > MAX_TEXT && oid !== BYTEA) return `${text.slice(0, MAX_TEXT).toWellFormed()}… [${text.length} characters]`
  const element = ARRAYS.get(oid)
  if (element !== undefined) return elements(pg.types.getTypeParser(TEXT_ARRAY)(text), element)
  return scalar(text, oid)
}

function scalar(text: string, oid: number): Cell {
  switch (oid) {
    case BOOLEAN:
      return text === 't'
    case SMALLINT:
    case INTEGER:
    case BIGINT:
    case OID:
      return Number.isSafeInteger(Number(text)) ? Number(text) : text
    case REAL:
    case DOUBLE:
      return Number.isFinite(Number(text)) ? Number(text) : text
    case BYTEA:
      return `[${(text.length - 2) / 2} bytes]`
    case JSON_TYPE:
    case JSONB:
      return json(text)
    default:
      return text
  }
}

/** A number that a double cannot hold would come out as another: then it is the text. */
function json(text: string): Cell {
  try {
    let isExact = true
    const value = JSON.parse(text, (_key, member: Cell, ...[context]: readonly { readonly source?: string }[]) => {
      if (typeof member === 'number') isExact &&= isHeld(member, context?.source ?? '')
      return member
    }) as Cell
    return isExact ? value : text
  } catch {
    return text // JSON of PostgreSQL may nest deeper than is read here
  }
}

function isHeld(value: number, source: string): boolean {
  return Number.isFinite(value) && (source.replace(/\D/g, '').length < 16 || String(value) === source)
}

function elements(parsed: unknown, oid: number): Cell {
  if (Array.isArray(parsed)) return parsed.map((one: unknown) => elements(one, oid))
  return typeof parsed === 'string' ? scalar(parsed, oid) : null
}

// https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat
const [BOOLEAN, BYTEA, BIGINT, SMALLINT, INTEGER, OID, JSON_TYPE, REAL, DOUBLE, JSONB] = [
  16, 17, 20, 21, 23, 26, 114, 700, 701, 3802,
]
const [TEXT, TEXT_ARRAY] = [25, 1009]
const ARRAYS: ReadonlyMap<number, number> = new Map([
  [199, JSON_TYPE],
  [1000, BOOLEAN],
  [1001, BYTEA],
  [1005, SMALLINT],
  [1007, INTEGER],
  [1016, BIGINT],
  [1021, REAL],
  [1022, DOUBLE],
  [1028, OID],
  [3807, JSONB],
  // numeric, text, varchar, char, name, dates and times, uuid, inet
  ...[1231, 1009, 1015, 1014, 1003, 1115, 1182, 1183, 1185, 1187, 2951, 1041].map((oid) => [oid, TEXT] as const),
])
