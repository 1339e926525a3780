import { append, fill, h, newId, visible } from './dom.js'
/** @import { Schema } from './types.d.ts' */

/**
 * One field, or a group of them. `read` gives the value, undefined where nothing was filled in; it throws a FieldError for JSON that is none.
 * @typedef {{ readonly element: HTMLElement, readonly read: () => unknown, readonly focus?: () => void }} Field
 * @typedef {Readonly<Record<string, any>>} SchemaObject
 * @typedef {object} Place
 * @property {string} label
 * @property {boolean} required
 * @property {unknown} value What it begins with.
 * @property {SchemaObject} root Where references lead.
 * @property {number} depth
 * @property {boolean} [isBare] Its label stands beside it already.
 */

/** A field that holds something which is no value. */
export class FieldError extends Error {}

/** Deeper than this a schema refers to itself: the rest is JSON. */
const DEEPEST = 8
const MANY = 40

/**
 * The fields of an input schema, begun with `value`.
 * @param {Schema} schema
 * @param {unknown} value
 * @returns {Field}
 */
export function createForm(schema, value) {
  const root = typeof schema === 'boolean' ? {} : /** @type {SchemaObject} */ (schema)
  const whole = resolve(root, root)
  if (!isObjectSchema(whole)) return jsonField(whole, { label: 'Arguments', required: true, value, root, depth: 0 })
  const fields = propertyFields(whole, { label: '', required: true, value, root, depth: 0 })
  const element = h('div', { class: 'fields' }, fields.elements)
  if (fields.isEmpty) element.append(h('p', { class: 'faint' }, 'It takes no arguments.'))
  return { element, read: () => fields.read() ?? {}, ...(fields.focus && { focus: fields.focus }) }
}

/**
 * @param {Schema} schema
 * @param {Place} place
 * @returns {Field}
 */
function createField(schema, place) {
  const resolved = resolve(schema, place.root)
  if (place.depth > DEEPEST) return jsonField(resolved, place)
  if ('const' in resolved) return constantField(resolved, place)
  if (Array.isArray(resolved.enum)) return choiceField(resolved, place)
  const variants = variantsOf(resolved, place.root)
  if (variants) return variantField(resolved, variants, place)
  switch (resolved.type) {
    case 'boolean':
      return booleanField(resolved, place)
    case 'integer':
    case 'number':
      return numberField(resolved, place)
    case 'string':
      return textField(resolved, place)
    case 'array':
      return arrayField(resolved, place)
    default:
      return isObjectSchema(resolved) ? objectField(resolved, place) : jsonField(resolved, place)
  }
}

/**
 * What a schema says, with its references followed and `allOf` put together.
 * @param {Schema} schema
 * @param {SchemaObject} root
 * @param {number} [steps]
 * @returns {SchemaObject}
 */
function resolve(schema, root, steps = 0) {
  if (typeof schema === 'boolean' || steps > 20) return {}
  const known = /** @type {SchemaObject} */ (schema)
  const { $ref, ...own } = known
  if (typeof $ref === 'string') return { ...resolve(lookUp($ref, root), root, steps + 1), ...own }
  if (!Array.isArray(known.allOf)) return known
  const { allOf, ...rest } = known
  return allOf
    .map((/** @type {Schema} */ part) => resolve(part, root, steps + 1))
    .reduce(
      (/** @type {SchemaObject} */ whole, /** @type {SchemaObject} */ part) => ({
        ...whole,
        ...part,
        ...(whole.properties || part.properties ? { properties: { ...whole.properties, ...part.properties } } : {}),
        ...(whole.required || part.required ? { required: [...(whole.required ?? []), ...(part.required ?? [])] } : {}),
      }),
      rest,
    )
}

/**
 * @param {string} reference
 * @param {SchemaObject} root
 * @returns {Schema}
 */
function lookUp(reference, root) {
  if (!reference.startsWith('#')) return {}
  /** @type {any} */
  let found = root
  for (const part of reference.slice(1).split('/').filter(Boolean)) {
    const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
    found = typeof found === 'object' && found !== null && Object.hasOwn(found, key) ? found[key] : undefined
  }
  return found ?? {}
}

/** @param {SchemaObject} schema */
function isObjectSchema({ type, properties }) {
  return type === 'object' || (type === undefined && typeof properties === 'object')
}

/**
 * The schemas of which a value fits one.
 * @param {SchemaObject} schema
 * @param {SchemaObject} root
 * @returns {readonly SchemaObject[] | undefined}
 */
function variantsOf({ oneOf, anyOf, type, ...rest }, root) {
  const listed = oneOf ?? anyOf
  if (Array.isArray(listed))
    return listed.map((variant) => ({ ...(type && { type }), ...withProperties(rest), ...resolve(variant, root) }))
  if (Array.isArray(type)) return type.length === 1 ? undefined : type.map((one) => ({ ...rest, type: one }))
  return undefined
}

/**
 * What the variants of an object share.
 * @param {SchemaObject} schema
 */
function withProperties({ properties, required }) {
  return { ...(properties && { properties }), ...(required && { required }) }
}

/**
 * Label, description and field together.
 * @param {SchemaObject} schema
 * @param {Place} place
 * @param {HTMLElement} control
 * @param {{ hint?: string | undefined, read: () => unknown, extra?: Node }} parts
 * @returns {Field}
 */
function labelled(schema, { label, required }, control, { hint, read, extra }) {
  const id = newId()
  const about = newId()
  control.id = id
  const description = [typeof schema.description === 'string' ? visible(schema.description) : '', hint ?? ''].filter(Boolean)
  if (description.length > 0) control.setAttribute('aria-describedby', about)
  const element = h(
    'div',
    { class: 'field' },
    h(
      'label',
      { for: id },
      h('span', { class: 'key' }, visible(label)),
      required ? h('span', { class: 'required', 'aria-hidden': 'true' }, 'required') : null,
    ),
    control,
    extra,
    description.length > 0 && h('p', { class: 'hint', id: about }, description.join(' · ')),
  )
  return { element, read, focus: () => control.focus() }
}

/** @type {(schema: SchemaObject, place: Place) => Field} */
function textField(schema, place) {
  const { label, required } = place
  const begin = place.value ?? schema.default
  const isLong =
    (schema.maxLength ?? 0) > 200 ||
    /\b(?:body|text|content|markdown|sql|query|code|prompt|json)\b/i.test(`${label} ${schema.contentMediaType ?? ''}`)
  const common = {
    required: required && (schema.minLength ?? 1) > 0,
    minlength: schema.minLength,
    maxlength: schema.maxLength,
    placeholder: Array.isArray(schema.examples) ? String(schema.examples[0]) : undefined,
    spellcheck: 'false',
    autocomplete: 'off',
  }
  const type = { date: 'date', email: 'email', uri: 'url' }[String(schema.format)] ?? 'text'
  const control = isLong
    ? h('textarea', { ...common, rows: 3 })
    : h('input', { ...common, type, pattern: validPattern(schema.pattern) })
  control.value = typeof begin === 'string' ? begin : ''
  const hint = [
    schema.format && !['date', 'email', 'uri'].includes(schema.format) ? `format ${schema.format}` : '',
    schema.pattern ? `matches ${schema.pattern}` : '',
  ]
  const read = () => (control.value === '' && !required ? undefined : control.value)
  return labelled(schema, place, control, { hint: hint.filter(Boolean).join(', '), read })
}

/**
 * A pattern of JSON Schema matches anywhere, one of HTML the whole.
 * @param {unknown} pattern
 */
function validPattern(pattern) {
  if (typeof pattern !== 'string') return undefined
  try {
    void new RegExp(pattern, 'v')
    return `[\\s\\S]*(?:${pattern})[\\s\\S]*`.replace('[\\s\\S]*(?:^', '(?:').replace(/\$\)\[\\s\\S\]\*$/, ')')
  } catch {
    return undefined
  }
}

/** @type {(schema: SchemaObject, place: Place) => Field} */
function numberField(schema, place) {
  const begin = place.value ?? schema.default
  const control = h('input', {
    type: 'number',
    required: place.required,
    min: schema.minimum ?? schema.exclusiveMinimum,
    max: schema.maximum ?? schema.exclusiveMaximum,
    step: schema.multipleOf ?? (schema.type === 'integer' ? 1 : 'any'),
    inputmode: schema.type === 'integer' ? 'numeric' : 'decimal',
  })
  control.value = typeof begin === 'number' ? String(begin) : ''
  const range =
    schema.minimum !== undefined && schema.maximum !== undefined
      ? `${schema.minimum} to ${schema.maximum}`
      : schema.minimum !== undefined
        ? `at least ${schema.minimum}`
        : schema.maximum !== undefined
          ? `at most ${schema.maximum}`
          : ''
  return labelled(schema, place, control, {
    hint: range,
    read: () => (control.value === '' ? undefined : Number(control.value)),
  })
}

/** @type {(schema: SchemaObject, place: Place) => Field} */
function booleanField(schema, place) {
  const begin = place.value ?? schema.default
  if (!place.required && begin === undefined) return choiceField({ ...schema, enum: [true, false] }, place)
  const control = h('input', { type: 'checkbox' })
  control.checked = begin === true
  const field = labelled(schema, place, control, { read: () => control.checked })
  field.element.classList.add('check')
  return field
}

/** @type {(schema: SchemaObject, place: Place) => Field} */
function constantField(schema, place) {
  if (!place.required && place.value === undefined) return choiceField({ ...schema, enum: [schema.const] }, place)
  const control = h('input', { type: 'text', readonly: true })
  control.value = asText(schema.const)
  return labelled(schema, { ...place, required: false }, control, { hint: 'always this', read: () => schema.const })
}

/** @type {(schema: SchemaObject, place: Place) => Field} */
function choiceField(schema, place) {
  /** @type {readonly unknown[]} */
  const values = schema.enum
  const names = Array.isArray(schema.enumNames) ? schema.enumNames : []
  const control = h('select', { required: place.required })
  const begin = place.value ?? schema.default
  if (!place.required || begin === undefined) control.append(h('option', { value: '' }, place.required ? 'choose …' : 'not set'))
  values.forEach((value, index) =>
    control.append(
      h('option', { value: index, selected: asText(value) === asText(begin) }, visible(String(names[index] ?? asText(value)))),
    ),
  )
  return labelled(schema, place, control, { read: () => (control.value === '' ? undefined : values[Number(control.value)]) })
}

/** @type {(schema: SchemaObject, place: Place) => Field} */
function objectField(schema, place) {
  const hasNames = Object.keys(schema.properties ?? {}).length > 0
  // An object of any keys: rows of keys and values would know no more than its author.
  if (!hasNames) return jsonField(schema, place)
  if (place.isBare) {
    const fields = propertyFields(schema, { ...place, depth: place.depth + 1 })
    const element = h('div', { class: 'fields', role: 'group', 'aria-label': place.label }, fields.elements)
    return { element, read: () => fields.read(), ...(fields.focus && { focus: fields.focus }) }
  }
  return optionally(schema, place, (value) => {
    const fields = propertyFields(schema, { ...place, value, depth: place.depth + 1 })
    return {
      element: h('div', { class: 'fields' }, fields.elements),
      read: () => fields.read() ?? {},
      ...(fields.focus && { focus: fields.focus }),
    }
  })
}

/**
 * @param {SchemaObject} schema
 * @param {Place} place
 */
function propertyFields({ properties = {}, required = [] }, { value, root, depth }) {
  const given = /** @type {Record<string, unknown>} */ (typeof value === 'object' && value !== null ? value : {})
  const own = Object.entries(/** @type {Record<string, Schema>} */ (properties)).map(([name, schema]) => ({
    name,
    isRequired: required.includes(name),
    field: createField(schema, { label: name, required: required.includes(name), value: given[name], root, depth }),
  }))
  const [first, others] = [own.filter(({ isRequired }) => isRequired), own.filter(({ isRequired }) => !isRequired)]
  // What the schema does not name stays as it was given.
  const rest = Object.fromEntries(Object.entries(given).filter(([name]) => !Object.hasOwn(properties, name)))
  const ordered = [...first, ...others]
  return {
    isEmpty: own.length === 0,
    elements: ordered.map(({ field }) => field.element),
    focus: ordered[0]?.field.focus,
    read() {
      const read = own.flatMap(({ name, field }) => {
        const one = field.read()
        return one === undefined ? [] : [[name, one]]
      })
      return Object.fromEntries([...Object.entries(rest), ...read])
    },
  }
}

/**
 * A group that a button adds where it may be left out.
 * @param {SchemaObject} schema
 * @param {Place} place
 * @param {(value: unknown) => Field} build
 * @returns {Field}
 */
function optionally(schema, place, build) {
  /** @type {Field | undefined} */
  let field
  const body = h('div', {})
  const legend = h(
    'legend',
    {},
    h('span', { class: 'key' }, visible(place.label)),
    place.required ? h('span', { class: 'required', 'aria-hidden': 'true' }, 'required') : null,
  )
  const element = h(
    'fieldset',
    {},
    legend,
    typeof schema.description === 'string' && h('p', { class: 'hint' }, visible(schema.description)),
    body,
  )
  const show = (/** @type {unknown} */ value) => {
    element.classList.remove('closed')
    field = build(value)
    fill(
      body,
      field.element,
      !place.required &&
        h(
          'button',
          { type: 'button', class: 'quiet small leave', onclick: hide, 'aria-label': `Leave out ${place.label}` },
          'Leave out',
        ),
    )
  }
  const hide = () => {
    element.classList.add('closed')
    field = undefined
    const add = h('button', { type: 'button', class: 'quiet small', 'aria-label': `Add ${place.label}` }, 'Add')
    add.addEventListener('click', () => {
      show(schema.default)
      field?.focus?.()
    })
    fill(body, add)
  }
  const begin = place.value ?? schema.default
  if (place.required || begin !== undefined) show(begin)
  else hide()
  return { element, read: () => field?.read(), focus: () => field?.focus?.() }
}

/** @type {(schema: SchemaObject, place: Place) => Field} */
function arrayField(schema, place) {
  if (Array.isArray(schema.items) || Array.isArray(schema.prefixItems)) return jsonField(schema, place)
  const items = resolve(schema.items ?? {}, place.root)
  if (schema.uniqueItems && Array.isArray(items.enum) && items.enum.length <= MANY) return severalField(schema, items.enum, place)
  return optionally(schema, place, (value) => {
    const given = Array.isArray(value)
      ? value
      : Array.from({ length: schema.minItems ?? (place.required ? 1 : 0) }, () => undefined)
    /** @type {{ field: Field, row: HTMLElement }[]} */
    let rows = []
    const list = h('ol', { class: 'items' })
    const add = h(
      'button',
      { type: 'button', class: 'quiet small', 'aria-label': `Add an item to ${place.label}` },
      'Add an item',
    )
    const number = () => rows.forEach(({ row }, index) => row.querySelector('.number')?.replaceChildren(String(index + 1)))
    const addRow = (/** @type {unknown} */ item) => {
      const label = `${place.label} item`
      const field = createField(schema.items ?? {}, {
        label,
        required: true,
        value: item,
        root: place.root,
        depth: place.depth + 1,
        isBare: true,
      })
      const remove = h('button', { type: 'button', class: 'quiet small', 'aria-label': `Remove this ${label}` }, 'Remove')
      const row = h('li', {}, h('span', { class: 'number' }), field.element, remove)
      const entry = { field, row }
      remove.addEventListener('click', () => {
        rows = rows.filter((one) => one !== entry)
        row.remove()
        number()
        add.focus()
      })
      rows.push(entry)
      list.append(row)
      number()
      return field
    }
    given.forEach(addRow)
    add.addEventListener('click', () => addRow(undefined).focus?.())
    return {
      element: h('div', {}, list, add),
      read: () => rows.map(({ field }) => field.read()).filter((item) => item !== undefined),
      focus: () => (rows[0]?.field.focus ?? add.focus.bind(add))(),
    }
  })
}

/**
 * Some of a few values.
 * @param {SchemaObject} schema
 * @param {readonly unknown[]} values
 * @param {Place} place
 * @returns {Field}
 */
function severalField(schema, values, place) {
  return optionally(schema, place, (value) => {
    const chosen = Array.isArray(value) ? value.map(asText) : []
    const boxes = values.map((one) => {
      const id = newId()
      const box = h('input', { type: 'checkbox', id })
      box.checked = chosen.includes(asText(one))
      return { one, box, element: h('div', { class: 'option' }, box, h('label', { for: id }, visible(asText(one)))) }
    })
    return {
      element: h(
        'div',
        { class: 'options' },
        boxes.map(({ element }) => element),
      ),
      read: () => boxes.filter(({ box }) => box.checked).map(({ one }) => one),
      focus: () => boxes[0]?.box.focus(),
    }
  })
}

/**
 * One of several schemas.
 * @param {SchemaObject} schema
 * @param {readonly SchemaObject[]} variants
 * @param {Place} place
 * @returns {Field}
 */
function variantField(schema, variants, place) {
  // Constants are a list of choices, with their titles.
  if (variants.every((variant) => 'const' in variant))
    return choiceField(
      {
        ...schema,
        enum: variants.map((variant) => variant.const),
        enumNames: variants.map((variant) => variant.title ?? asText(variant.const)),
      },
      place,
    )
  const kinds = variants.filter(({ type }) => type !== 'null')
  const isNullable = kinds.length < variants.length
  const [only] = kinds
  if (isNullable && kinds.length === 1 && only) {
    const field = createField({ ...only, ...about(schema) }, { ...place, required: false })
    return { ...field, read: () => field.read() ?? (place.required ? null : undefined) }
  }
  return optionally(schema, place, (value) => {
    const begin = Math.max(
      0,
      kinds.findIndex((variant) => couldBe(value, variant)),
    )
    const body = h('div', { class: 'variant' })
    /** @type {Field} */
    let field
    const id = newId()
    const select = h(
      'select',
      { id },
      kinds.map((variant, index) => h('option', { value: index, selected: index === begin }, nameOf(variant, index))),
    )
    const show = (/** @type {number} */ index, /** @type {unknown} */ from) => {
      const variant = kinds[index] ?? {}
      const inner = { ...place, label: nameOf(variant, index), required: true, value: from, depth: place.depth + 1 }
      if (isObjectSchema(variant) && variant.properties) {
        const fields = propertyFields(variant, inner)
        field = { element: h('div', { class: 'fields' }, fields.elements), read: () => fields.read() }
      } else field = createField(variant, inner)
      fill(body, field.element)
    }
    select.addEventListener('change', () => show(Number(select.value), undefined))
    show(begin, value)
    return {
      element: h('div', {}, h('div', { class: 'field variant-kind' }, h('label', { for: id }, 'Kind'), select), body),
      read: () => field.read(),
      focus: () => select.focus(),
    }
  })
}

/** @param {SchemaObject} schema */
function about({ description, title }) {
  return { ...(description && { description }), ...(title && { title }) }
}

/**
 * @param {SchemaObject} variant
 * @param {number} index
 */
function nameOf(variant, index) {
  if (typeof variant.title === 'string') return visible(variant.title)
  const constant = Object.values(/** @type {Record<string, any>} */ (variant.properties ?? {})).find(
    (property) => property && 'const' in property,
  )
  if (constant) return visible(asText(constant.const))
  if (typeof variant.type === 'string') return variant.type
  return `form ${index + 1}`
}

/**
 * Whether a value may be meant for a variant: by its type, and by constants.
 * @param {unknown} value
 * @param {SchemaObject} variant
 */
function couldBe(value, variant) {
  const type = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value
  if (type !== 'object') return variant.type === type || (variant.type === 'integer' && type === 'number')
  const given = /** @type {Record<string, unknown>} */ (value)
  return (
    isObjectSchema(variant) &&
    Object.entries(/** @type {Record<string, any>} */ (variant.properties ?? {})).every(
      ([name, property]) => !(property && 'const' in property) || asText(given[name]) === asText(property.const),
    )
  )
}

/** @type {(schema: SchemaObject, place: Place) => Field} */
function jsonField(schema, place) {
  const control = h('textarea', { rows: 4, class: 'code', spellcheck: 'false', autocomplete: 'off', required: place.required })
  const begin = place.value ?? schema.default
  control.value = begin === undefined ? '' : JSON.stringify(begin, null, 2)
  const read = () => {
    if (control.value.trim() === '') return undefined
    try {
      const value = JSON.parse(control.value)
      control.removeAttribute('aria-invalid')
      return value
    } catch (error) {
      control.setAttribute('aria-invalid', 'true')
      throw new FieldError(`${place.label} is not JSON: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const kind = typeof schema.type === 'string' ? `${schema.type} as JSON` : 'any JSON'
  return labelled(schema, place, control, { hint: kind, read })
}

/** @param {unknown} value */
function asText(value) {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

/**
 * The whole as JSON, for what no form offers.
 * @param {unknown} value
 * @returns {Field}
 */
export function createJsonForm(value) {
  const field = jsonField({ type: 'object' }, { label: 'Arguments', required: false, value, root: {}, depth: 0 })
  const element = h('div', { class: 'fields' })
  append(element, [field.element])
  element.querySelector('textarea')?.setAttribute('rows', '10')
  return { element, read: () => field.read() ?? {}, ...(field.focus && { focus: field.focus }) }
}
