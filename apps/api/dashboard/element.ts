const svgNamespace = 'http://www.w3.org/2000/svg'

/** Attribute values: `true` writes an empty attribute; `false` and `undefined` write none. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>
export type Child = Node | string | undefined

/**
 * Makes an HTML element. Strings become text nodes, never markup, so that text from files and channels is harmless.
 * Attribute names come from code only.
 */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag)
  fill(made, attributes, children)
  return made
}

/** The same for SVG. */
export function svgElement<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Tag] {
  const made = document.createElementNS(svgNamespace, tag)
  fill(made, attributes, children)
  return made
}

function fill(made: Element, attributes: Attributes, children: readonly Child[]): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue
    made.setAttribute(name, value === true ? '' : String(value))
  }
  for (const child of children) {
    if (child !== undefined) made.append(child)
  }
}

/** The element of the page with this id, which index.html is known to hold. */
export function pageElement<Kind extends Element>(id: string, kind: new () => Kind): Kind {
  const found = document.querySelector(`#${id}`)
  if (!(found instanceof kind)) throw new Error(`index.html holds no ${kind.name} with the id ${id}`)
  return found
}

/** Writes text only where it differs, so that screen readers are not told what they know. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text
}
