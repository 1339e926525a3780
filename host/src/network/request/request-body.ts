/** A body as it goes out, with the content type it has unless the plugin names another. */
export interface RequestBody {
  readonly bytes: string | Uint8Array | null
  readonly contentType: string | undefined
}

/** A body that is JSON already: it is sent as it is. */
export class JsonText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** Strings and bytes as they are, anything else as JSON. Throws what `JSON.stringify` throws, for a cycle or a bigint. */
export function encodeBody(body: unknown): RequestBody {
  if (body === undefined) return { bytes: null, contentType: undefined }
  if (typeof body === 'string') return { bytes: body, contentType: 'text/plain; charset=utf-8' }
  if (body instanceof Uint8Array) return { bytes: body, contentType: 'application/octet-stream' }
  if (body instanceof JsonText) return { bytes: body.text, contentType: 'application/json' }
  const json: string | undefined = JSON.stringify(body)
  if (json === undefined) throw new TypeError(`a ${typeof body} is not JSON`)
  return { bytes: json, contentType: 'application/json' }
}
