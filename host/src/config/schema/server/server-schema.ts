import { Type } from '../../../data/type.ts'

/** The keys of an entry with `use: 'mcp:…'`; every other entry leaves them out. */
export const serverKeys = {
  command: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      description: "Of `mcp:exec`, the program and its arguments, which no shell reads: `['uvx', 'mcp-server-git']`",
      minItems: 1,
    }),
  ),
  args: Type.Optional(
    Type.Array(Type.String(), {
      description: 'Of an MCP server that is started here, its arguments; `${NAME}` in one is the variable NAME of `env`',
    }),
  ),
  env: Type.Optional(
    Type.Record(
      Type.String(),
      Type.Union([
        Type.String(),
        Type.Object(
          { secret: Type.Literal(true, { description: "The value is read from the instance's own variable, or from its file" }) },
          { additionalProperties: false, description: 'A secret, which the config does not hold' },
        ),
      ]),
      { description: 'Of an MCP server that is started here, its whole environment, by name' },
    ),
  ),
  share: Type.Optional(
    Type.Enum(['all', 'caller', 'session'], {
      description:
        'Of an MCP server, who shares one process or connection. With `all`, it can ask no client anything. Default: `all`',
    }),
  ),
  maxProcesses: Type.Optional(
    Type.Integer({
      description: 'Of an MCP server that callers do not share, how many processes or connections it may have. Default: 8',
      minimum: 1,
      maximum: 256,
    }),
  ),
  roots: Type.Optional(
    Type.Array(Type.String({ minLength: 1 }), {
      description: 'Of an MCP server that callers do not share, the folders it is told of, relative to the config file',
    }),
  ),
}
