import type { TypeReport } from '../types/type-checker.ts'
import { count, plain, type Paint } from './paint.ts'

const MOST = 10

/** Type errors of the files that were saved, a line each. They stop nothing: types are not there when a plugin runs. */
export function typeLines({ errors, elsewhere }: TypeReport, paint: Paint): readonly string[] {
  if (errors.length === 0) return [paint('green', '  types · right again')]
  const others = errors.length - MOST + elsewhere
  return [
    ...errors.slice(0, MOST).map(({ file, line, column, code, message }) => {
      const place = plain(`${file}:${line}:${column}`)
      return `  ${paint('yellow', 'types')} · ${place} · ${plain(message)} ${paint('gray', code)}`
    }),
    ...(errors.length > MOST
      ? [paint('gray', `  types · ${count(others, 'more error')}`)]
      : elsewhere > 0
        ? [paint('gray', `  types · ${count(elsewhere, 'more error')} in other files`)]
        : []),
  ]
}
