import { createRequire } from 'node:module'
import type * as Acorn from 'acorn'
import type { Expression, Node, ObjectExpression, Program, SpreadElement } from 'acorn'
import { stripTypes } from '../../modules/typescript.ts'
import { NOTHING_WRITTEN, type WrittenConfig, type WrittenMember, type WrittenValue } from './written.ts'

/**
 * What is written in a config that is JavaScript, TypeScript or JSON. A name stands for the constant that it is declared as, and a call
 * such as `defineConfig(…)` for its argument. Of a text that does not parse, nothing is known.
 */
export function writtenInCode(text: string, kind: 'typescript' | 'javascript' | 'json'): WrittenConfig {
  // Read when first needed: by an edit, or for the line of a fault.
  const acorn = createRequire(import.meta.url)('acorn') as typeof Acorn
  try {
    if (kind === 'json') return read(acorn.parseExpressionAt(text, 0, { ecmaVersion: 'latest' }), [])
    const code = kind === 'typescript' ? stripTypes(text, '') : text
    const program = acorn.parse(code, {
      ecmaVersion: 'latest',
      sourceType: 'module',
      allowReturnOutsideFunction: true,
      allowHashBang: true,
    })
    return read(defaultExport(program), [program])
  } catch {
    return NOTHING_WRITTEN
  }
}

function read(exported: Expression | undefined, [program]: readonly Program[]): WrittenConfig {
  const constants = program ? constantsOf(program) : new Map<string, Expression>()
  const known = new Map<Node, WrittenValue | undefined>()
  const valueOf = (node: Expression): WrittenValue | undefined => {
    const meant = meaning(node, constants)
    if (!known.has(meant)) {
      known.set(meant, undefined) // an object that contains itself
      known.set(meant, written(meant, valueOf))
    }
    return known.get(meant)
  }
  const members: WrittenMember[] = []
  for (const object of objectsIn(program ?? exported)) members.push(...membersOf(object, valueOf))
  return { root: exported && valueOf(exported), members }
}

function written(node: Expression, valueOf: (node: Expression) => WrittenValue | undefined): WrittenValue | undefined {
  const { start, end } = node
  if (node.type === 'ObjectExpression')
    return { start, end, members: new Map(membersOf(node, valueOf).map((member) => [member.name, member])) }
  if (node.type !== 'ArrayExpression') return { start, end }
  // Behind a spread nothing has an index that is known, and no edit is certain.
  if (node.elements.some((element) => element === null || element.type === 'SpreadElement')) return { start, end }
  const elements = node.elements.filter((element): element is Expression => isExpression(element))
  // Where an item stands in the list, also when a name stands for it; what it holds is where its constant is.
  return { start, end, items: elements.map((element) => ({ ...valueOf(element), start: element.start, end: element.end })) }
}

function isExpression(element: Expression | SpreadElement | null): element is Expression {
  return element !== null && element.type !== 'SpreadElement'
}

function membersOf(object: ObjectExpression, valueOf: (node: Expression) => WrittenValue | undefined): WrittenMember[] {
  return object.properties.flatMap((property) => {
    if (property.type !== 'Property' || property.computed || property.kind !== 'init') return []
    const { key } = property
    const name = key.type === 'Identifier' ? key.name : key.type === 'Literal' ? String(key.value) : undefined
    return name === undefined ? [] : [{ name, start: key.start, value: valueOf(property.value) }]
  })
}

/** What an expression is before it is awaited or passed to a function. */
function meaning(node: Expression, constants: ReadonlyMap<string, Expression>): Expression {
  let meant = node
  for (let steps = 0; steps < MAX_STEPS; steps++) {
    const next = stepInto(meant, constants)
    if (!next) break
    meant = next
  }
  return meant
}

/** A variable that is declared as itself (`const a = a`) is not a program that runs. */
const MAX_STEPS = 32

function stepInto(node: Expression, constants: ReadonlyMap<string, Expression>): Expression | undefined {
  if (node.type === 'Identifier') return constants.get(node.name)
  if (node.type === 'AwaitExpression') return node.argument
  if (node.type !== 'CallExpression' || node.arguments.length !== 1) return undefined
  const [argument] = node.arguments
  return argument && argument.type !== 'SpreadElement' ? argument : undefined
}

function constantsOf({ body }: Program): ReadonlyMap<string, Expression> {
  const found = new Map<string, Expression>()
  for (const statement of body) {
    const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
    if (declaration?.type !== 'VariableDeclaration' || declaration.kind !== 'const') continue
    for (const { id, init } of declaration.declarations) if (id.type === 'Identifier' && init) found.set(id.name, init)
  }
  return found
}

/** Of an ECMAScript module or of CommonJS. */
function defaultExport({ body }: Program): Expression | undefined {
  for (const statement of body) {
    if (statement.type === 'ExportDefaultDeclaration') {
      const { declaration } = statement
      return declaration.type === 'FunctionDeclaration' || declaration.type === 'ClassDeclaration' ? undefined : declaration
    }
    if (statement.type !== 'ExpressionStatement' || statement.expression.type !== 'AssignmentExpression') continue
    const { left, right } = statement.expression
    if (left.type !== 'MemberExpression' || left.object.type !== 'Identifier' || left.property.type !== 'Identifier') continue
    if (left.object.name === 'module' && left.property.name === 'exports') return right
  }
  return undefined
}

function* objectsIn(from: unknown): Generator<ObjectExpression> {
  const open = [from]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (typeof node !== 'object' || node === null) continue
    if (isObjectExpression(node)) yield node
    open.push(...Object.values(node).filter((part) => typeof part === 'object' && part !== null))
  }
}

function isObjectExpression(node: object): node is ObjectExpression {
  return 'type' in node && node.type === 'ObjectExpression'
}
