// A request of 2026-07-28, and how its answer is checked.

export interface Rpc {
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
}

/** Stands for the id in a prepared message; ids have as many digits. */
export const ID_MARK = 9_876_543
export const FIRST_ID = 1_000_000

export function requestOf({ method, params }: Rpc): { readonly headers: Record<string, string>; readonly body: string } {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  return {
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof params['name'] === 'string' && { 'mcp-name': params['name'] }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: ID_MARK, method, params: { ...params, _meta: meta } }),
  }
}

/** A call of echo whose text begins with the id, so that no answer is like another. */
export function echoCall(name: string, bytes: number): Rpc {
  return {
    method: 'tools/call',
    params: { name, arguments: { text: `${ID_MARK} ${'The quick brown fox. '.repeat(bytes / 20)}`.slice(0, bytes) } },
  }
}

/** Writes an id over its mark wherever it stands. */
export class Template {
  readonly bytes: Buffer
  readonly #at: number[] = []

  constructor(text: string | Buffer, mark: number = ID_MARK) {
    this.bytes = Buffer.from(text)
    for (let at = this.bytes.indexOf(String(mark)); at !== -1; at = this.bytes.indexOf(String(mark), at + 7)) this.#at.push(at)
  }

  with(id: number): Buffer {
    for (const at of this.#at) this.bytes.write(String(id), at, 'latin1')
    return this.bytes
  }
}

/** Throws for an answer that is not the right one: the first is read, the others must be the same but for the id. */
export class Check {
  readonly #isRight: (result: Readonly<Record<string, unknown>>, id: number) => boolean
  #template: Template | undefined

  constructor(isRight: (result: Readonly<Record<string, unknown>>, id: number) => boolean) {
    this.#isRight = isRight
  }

  answer(payload: Buffer, id: number): void {
    if (this.#template?.with(id).equals(payload)) return
    const { id: answered, result } = JSON.parse(payload.toString()) as { id: unknown; result?: Record<string, unknown> }
    if (answered !== id || !result || !this.#isRight(result, id))
      throw new Error(`Wrong answer: ${payload.toString().slice(0, 300)}`)
    this.#template = new Template(payload, id)
  }
}

export function isEcho(bytes: number): (result: Readonly<Record<string, unknown>>, id: number) => boolean {
  return ({ content }, id) => {
    const text = (content as readonly { readonly text: string }[])[0]?.text
    return text?.length === bytes && text.startsWith(String(id))
  }
}
