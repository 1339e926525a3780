import { randomUUID } from 'node:crypto'

/** One part of a form. */
export interface Field {
  readonly name: string
  readonly file?: string
  readonly type?: string
  readonly data: Uint8Array
}

export function formBoundary(): string {
  return `patchbay-${randomUUID()}`
}

/** A body of `multipart/form-data`, RFC 7578. */
export function multipart(fields: readonly Field[], boundary: string): Uint8Array {
  const pieces = fields.flatMap(({ name, file, type, data }) => {
    const disposition = `form-data; name="${quoted(name)}"${file === undefined ? '' : `; filename="${quoted(file)}"`}`
    const head = [
      `--${boundary}`,
      `Content-Disposition: ${disposition}`,
      ...(type === undefined ? [] : [`Content-Type: ${type}`]),
    ]
    return [Buffer.from(`${head.join('\r\n')}\r\n\r\n`), data, Buffer.from('\r\n')]
  })
  return Buffer.concat([...pieces, Buffer.from(`--${boundary}--\r\n`)])
}

function quoted(name: string): string {
  return name.replaceAll(/["\r\n]/g, encodeURIComponent)
}
